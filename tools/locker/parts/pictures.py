"""What people see on a display of dots: `python -m tools.locker.parts.pictures FOLDER` draws each screen of each
language into it, as PNG, by the driver and an emulated display.
"""

import json
import sys
from pathlib import Path
from typing import Any

from device.drivers.display import LANGUAGES, Texts
from device.drivers.ssd1306 import Ssd1306
from tools.locker.parts import reading, ssd1306

SCREENS = Path(__file__).parents[3] / "device" / "screens"
ARGUMENTS = ("12", "3", "45", "6")  # where a screen has places to fill in
_LAPS = 100  # more than a whole screen takes
_LAP_MS = 10


class _Bus:
    def __init__(self, chip: ssd1306.Ssd1306) -> None:
        self._chip = chip

    def writeto(self, _address: int, data: bytes) -> None:
        self._chip.write(data)


def picture(language: str, screen: str, arguments: tuple[str, ...]) -> bytes:
    """PNG."""
    chip = ssd1306.Ssd1306()
    display = Ssd1306(_Bus(chip), {}, Texts(str(SCREENS), language))
    display.show(screen, arguments)
    events: list[Any] = []
    for lap in range(_LAPS):
        display.gather(lap * _LAP_MS, events)
    return reading.png(chip.dots())


def main(folder: Path) -> None:
    for language in LANGUAGES:
        for name in json.loads((SCREENS / f"{language}.json").read_text("utf-8")):
            screen, _, code = name.partition(":")
            arguments = (code, *ARGUMENTS) if code else ARGUMENTS
            path = folder / language / f"{name.replace(':', '-')}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(language, screen, arguments))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

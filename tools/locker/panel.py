"""The panel's parts that are more than a matrix and two UARTs: an HD44780 or SSD1306 on I2C, a Wiegand keypad, a
GM65.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from device.drivers.hd44780 import ACCENTS
from tools.locker.parts import reading
from tools.locker.parts.gm65 import Gm65
from tools.locker.parts.hd44780 import Hd44780
from tools.locker.parts.ssd1306 import Ssd1306
from tools.locker.physics import CabinetError
from tools.locker.screen import Screen

FREE = 8  # character codes below are drawn ones
_SHAPES = {shape: letter for letter, shape in ACCENTS.items()}
_KEYS = "0123456789*#ABCD"


@dataclass(frozen=True)
class Display:
    """What hangs on the bus (transfer), and a Screen as a person reads it, in one."""

    chip: Hd44780 | Ssd1306
    read: Callable[[], list[str]]
    told: Callable[[], None]  # it was drawn on
    qr = ""

    @property
    def lines(self) -> list[str]:
        return self.read()

    def clear(self) -> None:
        self.chip.power_off()

    def transfer(self, written: bytes, size: int) -> bytes:
        """Raises OSError when it does not answer."""
        self.chip.write(written)
        self.told()
        return bytes(size)


def display_of(part: dict[str, Any], hang: Callable[[int, int, Any], None], told: Callable[[], None]) -> Any:
    """`hang(bus, address, part)`: on I2C."""
    make = {"hd44780": _characters, "ssd1306": _dots}.get(part.get("kind", ""))
    if make is None:
        return Screen()
    chip, read = make(part)
    made = Display(chip, read, told)
    hang(part["i2c"], chip.address, made)
    return made


def _characters(part: dict[str, Any]) -> tuple[Hd44780, Callable[[], list[str]]]:
    chip = Hd44780(part.get("address", 0x27))

    def letter(code: int) -> str:
        return _SHAPES.get(chip.drawn(code), "?") if code < FREE else chr(code)

    return chip, lambda: ["".join(map(letter, row)).rstrip() for row in chip.cells]


def _dots(part: dict[str, Any]) -> tuple[Ssd1306, Callable[[], list[str]]]:
    """`offset` 2 in /config.json is of an SH1106."""
    chip = Ssd1306(part.get("address", 0x3C), 132 if part.get("offset") else 128)
    return chip, lambda: reading.lines(chip.dots())


def scanner_of(part: dict[str, Any]) -> Gm65 | None:
    return Gm65() if part.get("kind") == "gm65" else None


def bursts(keypad: dict[str, Any], key: str) -> Iterator[int]:
    """The pins of a Wiegand keypad that fall when that key is pressed, one after the other."""
    if len(key) != 1 or key not in _KEYS:
        raise CabinetError(f"no key {key!r}")
    value, width = _KEYS.index(key), keypad.get("bits", 4)
    if width == 8:
        value |= (15 - value) << 4
    for place in range(width - 1, -1, -1):
        yield keypad["d1"] if value >> place & 1 else keypad["d0"]

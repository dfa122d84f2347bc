"""The panel's parts that are more than a matrix and two UARTs: an HD44780 or SSD1306 on I2C, a Wiegand keypad, a
GM65.
"""

from collections.abc import Callable, Iterator
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


class Characters:
    """What hangs on the bus (transfer), and a Screen as a person reads it, in one. `told`: it was drawn on."""

    qr = ""

    def __init__(self, address: int, told: Callable[[], None]) -> None:
        self.chip = Hd44780(address)
        self._told = told

    @property
    def lines(self) -> list[str]:
        return ["".join(map(self._letter, row)).rstrip() for row in self.chip.cells]

    def clear(self) -> None:
        self.chip.power_off()

    def transfer(self, written: bytes, size: int) -> bytes:
        """Raises OSError when it does not answer."""
        self.chip.write(written)
        self._told()
        return bytes(size)

    def _letter(self, code: int) -> str:
        return _SHAPES.get(self.chip.drawn(code), "?") if code < FREE else chr(code)


class Dots:
    """The same of a display of dots. `offset` 2 in /config.json is of an SH1106."""

    qr = ""

    def __init__(self, part: dict[str, Any], told: Callable[[], None]) -> None:
        self.chip = Ssd1306(part.get("address", 0x3C), 132 if part.get("offset") else 128)
        self._told = told

    @property
    def lines(self) -> list[str]:
        return reading.lines(self.chip.dots())

    def clear(self) -> None:
        self.chip.power_off()

    def transfer(self, written: bytes, size: int) -> bytes:
        """Raises OSError when it does not answer."""
        self.chip.write(written)
        self._told()
        return bytes(size)


def display_of(part: dict[str, Any], hang: Callable[[int, int, Any], None], told: Callable[[], None]) -> Any:
    """`hang(bus, address, part)`: on I2C."""
    if part.get("kind") not in ("hd44780", "ssd1306"):
        return Screen()
    made = Dots(part, told) if part["kind"] == "ssd1306" else Characters(part.get("address", 0x27), told)
    hang(part["i2c"], made.chip.address, made)
    return made


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

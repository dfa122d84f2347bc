"""An HD44780 of 20 x 4 behind a PCF8574, as its data sheet has it: woken in 8 bits, then 4 bits a time."""

from dataclasses import dataclass, field

WIDTH = 20
ROWS = (0x00, 0x40, 0x14, 0x54)
RS, RW, ENABLE = 0x01, 0x02, 0x04


@dataclass
class Hd44780:
    """`silent`: it hangs on no wire."""

    address: int = 0x27
    silent: bool = False
    _four_bits: bool = False
    _level: int = 0
    _half: int | None = None
    _pointer: int = 0
    _cells: bytearray = field(default_factory=lambda: bytearray(b" " * 0x80))
    _drawn: bytearray = field(default_factory=lambda: bytearray(64))

    def write(self, data: bytes) -> None:
        """Raises OSError when it does not answer."""
        if self.silent:
            raise OSError(19, "ENODEV")
        for level in data:
            if self._level & ENABLE and not level & ENABLE and not self._level & RW:
                self._take(self._level >> 4, bool(self._level & RS))
            self._level = level

    def power_off(self) -> None:
        self._four_bits = False
        self._half = None
        self._cells[:] = b" " * 0x80

    @property
    def cells(self) -> list[bytes]:
        """What stands in each row, as character codes."""
        return [bytes(self._cells[start : start + WIDTH]) for start in ROWS]

    def drawn(self, place: int) -> bytes:
        """The eight rows of dots of a character of one's own."""
        return bytes(self._drawn[place * 8 : place * 8 + 8])

    def _take(self, half: int, data: bool) -> None:
        if not self._four_bits:
            self._four_bits = half == 2
            return
        if self._half is None:
            self._half = half
            return
        byte, self._half = self._half << 4 | half, None
        if data:
            self._put(byte)
        elif byte & 0x80 or byte & 0x40:
            self._pointer = byte
        elif byte & 0x30 == 0x30:
            self._four_bits = False
        elif byte == 1:
            self._cells[:] = b" " * 0x80
            self._pointer = 0x80

    def _put(self, byte: int) -> None:
        if self._pointer & 0x80:
            self._cells[self._pointer & 0x7F] = byte
        else:
            self._drawn[self._pointer & 0x3F] = byte
        self._pointer += 1

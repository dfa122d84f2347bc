"""An SSD1306, or an SH1106, on I2C: its orders and its memory, byte for byte as the data sheets have them.

SSD1306: 128 columns, by pages, rows of pages or columns of pages. SH1106: 132 columns, by pages alone, with the glass
from column 2 on. The memory holds noise when the supply comes, and the display is off.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

PAGES, GLASS = 8, 128
BY_ROW, BY_COLUMN, BY_PAGE = 0, 1, 2
# Orders with something behind them: how many bytes.
_MORE = {
    0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x81: 1, 0x8D: 1, 0xA3: 2, 0xA8: 1, 0xAD: 1,
    0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
}  # fmt: skip
_MORE_OF_SH1106 = {code: count for code, count in _MORE.items() if code >= 0x80}


def noise() -> bytearray:
    return bytearray(random.Random(1306).randbytes(PAGES * 132))  # the same each time


@dataclass
class Ssd1306:
    """`columns`: 128, or 132 of an SH1106; `silent`: it hangs on no wire. `registers`: order -> what came with it."""

    address: int = 0x3C
    columns: int = GLASS
    silent: bool = False
    on: bool = False
    inverted: bool = False
    mirrored: tuple[bool, bool] = (False, False)  # columns, rows: both are on a display that stands upright
    page: int = 0
    column: int = 0
    mode: int = BY_PAGE
    window: tuple[int, int, int, int] = (0, GLASS - 1, 0, PAGES - 1)
    registers: dict[int, bytes] = field(default_factory=dict[int, bytes])
    memory: bytearray = field(default_factory=noise)

    def power_off(self) -> None:
        fresh = Ssd1306(self.address, self.columns, self.silent)
        self.__dict__.update(fresh.__dict__)

    def write(self, message: bytes) -> None:
        """What comes behind the address. Raises OSError when it does not answer."""
        if self.silent:
            raise OSError(19, "ENODEV")
        place = 0
        orders = bytearray()
        while place < len(message):  # a control byte: Co (only one byte follows it) and D/C
            control = message[place]
            end = place + 2 if control & 0x80 else len(message)
            if control & 0x40:
                for byte in message[place + 1 : end]:
                    self._put(byte)
            else:
                orders += message[place + 1 : end]
            place = end
        stream = iter(orders)
        for order in stream:
            self._obey(order, stream)

    def _obey(self, order: int, stream: Iterator[int]) -> None:
        more = (_MORE_OF_SH1106 if self.columns > GLASS else _MORE).get(order, 0)
        behind = bytes(next(stream, 0) for _ in range(more))
        self.registers[order] = behind
        if order < 0x10:
            self.column = self.column & 0xF0 | order
        elif order < 0x20:
            self.column = self.column & 0x0F | (order & 0x0F) << 4
        elif order & 0xF8 == 0xB0:
            self.page = order & 7
        elif order in (0x20, 0x21, 0x22) and behind:
            self._address(order, behind)
        elif order & 0xFE == 0xA0:
            self.mirrored = (bool(order & 1), self.mirrored[1])
        elif order in (0xC0, 0xC8):
            self.mirrored = (self.mirrored[0], order == 0xC8)
        elif order & 0xFE == 0xA6:
            self.inverted = bool(order & 1)
        elif order & 0xFE == 0xAE:
            self.on = bool(order & 1)

    def _address(self, order: int, behind: bytes) -> None:
        if order == 0x20:
            self.mode = behind[0] & 3
        elif order == 0x21:
            self.window = (behind[0] & 127, behind[1] & 127, *self.window[2:])
            self.column = behind[0] & 127
        else:
            self.window = (*self.window[:2], behind[0] & 7, behind[1] & 7)
            self.page = behind[0] & 7

    def _put(self, byte: int) -> None:
        if self.column < self.columns:
            self.memory[self.page * self.columns + self.column] = byte
        left, right, top, bottom = self.window
        if self.mode == BY_PAGE:  # at its end back to the first column, of the same page
            self.column = 0 if self.column >= self.columns - 1 else self.column + 1
        elif self.mode == BY_ROW:
            self.column, wrapped = (left, True) if self.column == right else (self.column + 1, False)
            if wrapped:
                self.page = top if self.page == bottom else self.page + 1
        else:
            self.page, wrapped = (top, True) if self.page == bottom else (self.page + 1, False)
            if wrapped:
                self.column = left if self.column == right else self.column + 1

    def dots(self) -> list[list[bool]]:
        """The glass as somebody sees it who stands before a module with its pins on top: 64 rows of 128."""
        if not self.on:
            return [[False] * GLASS for _ in range(8 * PAGES)]
        start = (self.columns - GLASS) // 2
        rows = [
            [
                bool(self.memory[(y // 8) * self.columns + start + x] >> y % 8 & 1) != self.inverted
                for x in range(GLASS)
            ]
            for y in range(8 * PAGES)
        ]
        # The pads of its glass begin at the other end: a module is upright once both were mirrored.
        if not self.mirrored[1]:
            rows.reverse()
        return rows if self.mirrored[0] else [row[::-1] for row in rows]

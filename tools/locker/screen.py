"""The serial text display, byte by byte: four lines of twenty characters, Latin-1."""

WIDTH, HEIGHT = 20, 4
CLEAR = 0x0C
MOVE = b"\x1f\x24"  # then column and row, from 1


class Screen:
    def __init__(self) -> None:
        self._cells = bytearray(b" " * WIDTH * HEIGHT)
        self._column = 0
        self._row = 0
        self._order = b""  # the beginning of an order whose end has not come yet

    @property
    def lines(self) -> list[str]:
        text = self._cells.decode("latin-1")
        return [text[row * WIDTH : (row + 1) * WIDTH].rstrip() for row in range(HEIGHT)]

    def feed(self, data: bytes) -> None:
        for byte in data:
            if self._order or byte == MOVE[0]:
                self._order += bytes([byte])
                if len(self._order) == len(MOVE) + 2:
                    self._move(self._order)
            elif byte == CLEAR:
                self.clear()
            elif byte >= 0x20:
                self._put(byte)

    def clear(self) -> None:
        self._cells[:] = b" " * WIDTH * HEIGHT
        self._column = self._row = 0

    def _move(self, order: bytes) -> None:
        self._order = b""
        column, row = order[2] - 1, order[3] - 1
        if order.startswith(MOVE) and 0 <= column < WIDTH and 0 <= row < HEIGHT:
            self._column, self._row = column, row

    def _put(self, byte: int) -> None:
        self._cells[self._row * WIDTH + self._column] = byte
        self._column += 1
        if self._column == WIDTH:
            self._column = 0
            self._row = (self._row + 1) % HEIGHT

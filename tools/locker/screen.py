"""The serial display, byte by byte: four lines of twenty characters, Latin-1, and QR codes as ESC/POS draws them."""

WIDTH, HEIGHT = 20, 4
CLEAR = 0x0C
MOVE = b"\x1f\x24"  # then column and row, from 1
QR = b"\x1d(k"  # then a length of two bytes, low one first, and so many bytes: cn, fn, their data
QR_SIZE_MAX = 7092  # the longest text of a QR code, and the three bytes before it
STORE, DRAW = b"1P0", b"1Q0"


class Screen:
    def __init__(self) -> None:
        self._cells = bytearray(b" " * WIDTH * HEIGHT)
        self._column = 0
        self._row = 0
        self._order = b""  # the beginning of an order whose end has not come yet
        self._stored = ""
        self.qr = ""  # the text of the QR code that is drawn; "" without one

    @property
    def lines(self) -> list[str]:
        text = self._cells.decode("latin-1")
        return [text[row * WIDTH : (row + 1) * WIDTH].rstrip() for row in range(HEIGHT)]

    def feed(self, data: bytes) -> None:
        for byte in data:
            if self._order or byte in (MOVE[0], QR[0]):
                self._order += bytes([byte])
                self._obey(self._order)
            elif byte == CLEAR:
                self.clear()
            elif byte >= 0x20:
                self._put(byte)

    def clear(self) -> None:
        self._cells[:] = b" " * WIDTH * HEIGHT
        self._column = self._row = 0
        self._stored = self.qr = ""

    def _obey(self, order: bytes) -> None:
        """Once it is whole. What is no order of this display is forgotten, like one that is too long."""
        if order[0] == MOVE[0]:
            if len(order) == len(MOVE) + 2:
                self._move(order)
            return
        head, size = len(QR) + 2, int.from_bytes(order[len(QR) : len(QR) + 2], "little")
        if not QR.startswith(order[: len(QR)]) or size > QR_SIZE_MAX:
            self._order = b""
        elif len(order) >= head and len(order) == head + size:
            self._order = b""
            if order[head:].startswith(STORE):
                self._stored = order[head + len(STORE) :].decode("latin-1")
            elif order[head:] == DRAW:
                self.qr = self._stored

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

"""KERONG CU48, the long form: 48 locks, `02 BOARD LOCK CMD 03 SUM`. Opening (61) is not answered."""

from tools.locker.boards.board import ANSWER_MS, Answers, Board, bits_of
from tools.locker.boards.cu16 import ETX, STX, summed

STATUS, UNLOCK, STATUS_IS = 0x60, 0x61, 0x75
SIZE = 6
LOCKS = 48


class CU48(Board):
    def size_of(self, head: bytes) -> int | None:
        return SIZE if head[0] == STX else 0

    def sound(self, frame: bytes) -> bool:
        return frame[-2] == ETX and summed(frame[:-1]) == frame

    def obey(self, now_ms: float, frame: bytes) -> Answers:
        _stx, board, lock, command = frame[:4]
        if board != self.address:
            return []
        if command == UNLOCK:
            if lock < self.channels and not self.busy():
                self.fire(now_ms, lock + 1)
            return []
        if command != STATUS:
            return []
        self.asked()
        return [(ANSWER_MS, self._status())]

    def _status(self) -> bytes:
        present = [channel <= self.channels for channel in range(1, LOCKS + 1)]
        hooks = bits_of([here and self.closed(channel) for channel, here in enumerate(present, start=1)])
        items = bits_of([here and self.full(channel) for channel, here in enumerate(present, start=1)])
        return summed(bytes([STX, self.address, 0, STATUS_IS]) + hooks + items + bytes([ETX]))

"""KERONG KR-CU16 / NCU16L: 16 locks with hook and infrared inputs, RS485 at 19200 baud.

Opening (31, 33, 39) is not answered. Bus status (32 to all) is answered by each board in its turn.
"""

from tools.locker.boards.board import ANSWER_MS, Answers, Board, Metal, bits_of

STX, ETX = 0x02, 0x03
TO_ALL = 0xF0
STATUS, UNLOCK, BUS_STATUS, UNLOCK_ALL, SET_TIME, UNLOCK_LATER = 0x30, 0x31, 0x32, 0x33, 0x37, 0x39
STATUS_IS, BUS_STATUS_IS, TIME_IS = 0x35, 0x36, 0x38
SIZES = {STATUS: 5, UNLOCK: 5, BUS_STATUS: 5, UNLOCK_ALL: 5, SET_TIME: 7, UNLOCK_LATER: 6}
TURN_MS = 10.0  # a board's turn in a bus status
UNIT_MS = 10
TIME_MAX_MS = 60_000
FACTORY_MS = 500.0
LOCKS = 16


def summed(frame: bytes) -> bytes:
    return frame + bytes([sum(frame) & 0xFF])


class CU16(Board):
    def __init__(self, address: int, channels: int, metal: Metal) -> None:
        super().__init__(address, channels, metal)
        self.pulse_ms = FACTORY_MS

    def size_of(self, head: bytes) -> int | None:
        if head[0] != STX:
            return 0
        return None if len(head) < 3 else SIZES.get(head[2], 0)

    def sound(self, frame: bytes) -> bool:
        return frame[-2] == ETX and summed(frame[:-1]) == frame

    def obey(self, now_ms: float, frame: bytes) -> Answers:
        board, command = frame[1], frame[2]
        if board >> 4 != self.address and board != TO_ALL:
            return []
        if command in (UNLOCK, UNLOCK_LATER, UNLOCK_ALL):
            if not self.busy():
                self._unlock(now_ms, command, frame)
            return []
        self.asked()
        if command == BUS_STATUS:
            turn = self.address * TURN_MS if board == TO_ALL else 0.0
            return [(ANSWER_MS + turn, self._status(BUS_STATUS_IS))]
        if command == STATUS:
            return [(ANSWER_MS, self._status(STATUS_IS))]
        time_ms = int.from_bytes(frame[3:5], "big") * UNIT_MS
        if time_ms > TIME_MAX_MS:
            return []
        self.pulse_ms = float(time_ms)
        return [(ANSWER_MS, summed(bytes([STX, self.address << 4, TIME_IS]) + frame[3:5] + bytes([ETX])))]

    def _unlock(self, now_ms: float, command: int, frame: bytes) -> None:
        channel = (frame[1] & 0x0F) + 1
        if command == UNLOCK_ALL:
            self.fire_in_turn(now_ms, list(range(1, self.channels + 1)), self.pulse_ms)
        elif channel <= self.channels:
            delay_ms = frame[3] * 1000 if command == UNLOCK_LATER else 0
            if delay_ms:
                self.at(now_ms + delay_ms, lambda at: self.fire(at, channel, self.pulse_ms))
            else:
                self.fire(now_ms, channel, self.pulse_ms)

    def _status(self, kind: int) -> bytes:
        present = [channel <= self.channels for channel in range(1, LOCKS + 1)]
        hooks = bits_of([here and self.closed(channel) for channel, here in enumerate(present, start=1)])
        items = bits_of([here and self.full(channel) for channel, here in enumerate(present, start=1)])
        return summed(bytes([STX, self.address << 4, kind]) + hooks + items + bytes([ETX]))

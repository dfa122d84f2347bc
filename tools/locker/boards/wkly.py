"""The "WKLY" boards: up to 24 locks, 9600 baud, `57 4B 4C 59 LEN BOARD CMD DATA… XOR`; they tell changes unasked.

An opening is answered once the lock has had its time, with whether the door is open by then.
"""

from tools.locker.boards.board import ANSWER_MS, PULSE_MS, Answers, Board, Metal
from tools.locker.boards.board8a import SETTLE_MS, checked

HEAD = b"WKLY"
OPEN_MANY, FLASH, OPEN, QUERY, QUERY_ALL, CHANGED, OPEN_ALL, OPEN_IN_TURN, HOLD, LET_GO = range(0x80, 0x8A)
OK, FAILED = 0x00, 0xFF
IS_OPEN, IS_CLOSED = 0x00, 0x01
SIZE_MIN, SIZE_MAX = 8, 40


class WKLY(Board):
    def __init__(self, address: int, channels: int, metal: Metal) -> None:
        super().__init__(address, channels, metal)
        self.pushes = True
        self.flashed: list[int] = []  # channels whose light was told to flash

    def size_of(self, head: bytes) -> int | None:
        if not HEAD.startswith(head[:4]):
            return 0
        if len(head) < 5:
            return None
        return head[4] if SIZE_MIN <= head[4] <= SIZE_MAX else 0

    def sound(self, frame: bytes) -> bool:
        return checked(frame[:-1]) == frame

    def obey(self, now_ms: float, frame: bytes) -> Answers:
        board, command, content = frame[5], frame[6], frame[7:-1]
        if board != self.address or command == CHANGED or not OPEN_MANY <= command <= LET_GO:
            return []
        if command in (OPEN_MANY, OPEN_IN_TURN):
            return self._open_many(now_ms, command, content)
        if command in (QUERY_ALL, OPEN_ALL):
            return self._to_all(now_ms, command)
        if len(content) != 1 or not 1 <= content[0] <= self.channels:
            return self._failed(command)
        return self._to_one(now_ms, command, content[0])

    def push(self, channel: int) -> bytes:
        return self._frame(CHANGED, bytes([channel, self._state(channel)]))

    def _to_one(self, now_ms: float, command: int, channel: int) -> Answers:
        if command == FLASH:
            self.flashed.append(channel)
            return [(ANSWER_MS, self._frame(FLASH, bytes([OK, channel])))]
        if command == QUERY:
            self.asked()
            return self._told(command, channel)
        if command == LET_GO:
            self.release(channel)
            return self._told(command, channel)
        if self.busy():
            return self._failed(command)
        self.fire(now_ms, channel, PULSE_MS if command == OPEN else float("inf"))
        self.at(now_ms + SETTLE_MS, lambda _at: self._told(command, channel))
        return []

    def _to_all(self, now_ms: float, command: int) -> Answers:
        if command == QUERY_ALL:
            self.asked()
            states = bytes(self._state(channel) for channel in self._channels())
            return [(ANSWER_MS, self._frame(command, bytes([OK, self.channels]) + states))]
        return self._fire_many(now_ms, command, self._channels())

    def _open_many(self, now_ms: float, command: int, content: bytes) -> Answers:
        wanted = list(content[1:])
        if not wanted or content[0] != len(wanted) or not all(1 <= channel <= self.channels for channel in wanted):
            return self._failed(command)
        return self._fire_many(now_ms, command, wanted)

    def _fire_many(self, now_ms: float, command: int, channels: list[int]) -> Answers:
        if self.busy():
            return self._failed(command)
        if command == OPEN_MANY:
            for channel in channels:
                self.fire(now_ms, channel)
        else:
            self.fire_in_turn(now_ms, channels)
        return [(ANSWER_MS, self._frame(command, bytes([OK])))]

    def _state(self, channel: int) -> int:
        return IS_CLOSED if self.closed(channel) else IS_OPEN

    def _told(self, command: int, channel: int) -> Answers:
        return [(ANSWER_MS, self._frame(command, bytes([OK, channel, self._state(channel)])))]

    def _failed(self, command: int) -> Answers:
        return [(ANSWER_MS, self._frame(command, bytes([FAILED])))]

    def _frame(self, command: int, content: bytes) -> bytes:
        return checked(HEAD + bytes([len(content) + SIZE_MIN, self.address, command]) + content)

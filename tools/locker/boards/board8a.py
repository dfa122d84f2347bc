"""The "8A" boards (485 series 2024A1, CM06 and their clones): 12 or 24 locks, 9600 baud, `HEAD BOARD LOCK FUNC BCC`.

An opening is answered with the state that follows it, once the lock has had its time: the answer to one that failed
is the request itself. What the answer to 90 looks like is told nowhere; here it is the mask of what is open now.
"""

from tools.locker.boards.board import ANSWER_MS, PULSE_MS, SEQUENCE_MS, Answers, Board, Metal, bits_of

OPEN, QUERY, OPEN_MANY, HOLD, LET_GO, CHANGED = 0x8A, 0x80, 0x90, 0x9A, 0x9B, 0x82
FUNC = {OPEN: 0x11, QUERY: 0x33, HOLD: 0x11, LET_GO: 0x11}
SHORTED, NOT_SHORTED = 0x11, 0x00
MASKS = 3
SETTLE_MS = 250.0  # from firing to the answer: a door needs 120 ms to spring open


def checked(frame: bytes) -> bytes:
    """BCC: all bytes exclusive-ored."""
    check = 0
    for byte in frame:
        check ^= byte
    return frame + bytes([check])


class Board8A(Board):
    """`feedback`: whether a closed lock closes its contact ("close_short") or an open one ("open_short"). `pushes`:
    whether it tells changes by itself (82)."""

    def __init__(
        self, address: int, channels: int, metal: Metal, feedback: str = "close_short", pushes: bool = False
    ) -> None:
        super().__init__(address, channels, metal)
        self.feedback = feedback
        self.pushes = pushes

    def size_of(self, head: bytes) -> int | None:
        if head[0] == OPEN_MANY:
            return 2 + MASKS + 1
        return 5 if head[0] in FUNC else 0

    def sound(self, frame: bytes) -> bool:
        return checked(frame[:-1]) == frame and (frame[0] == OPEN_MANY or frame[3] == FUNC[frame[0]])

    def obey(self, now_ms: float, frame: bytes) -> Answers:
        head, board, lock = frame[:3]
        if board != self.address:
            return []
        if head == OPEN_MANY:
            return self._open_many(now_ms, frame)
        if lock > self.channels:
            return []
        if head == QUERY:
            self.asked()
            return [(ANSWER_MS, self._all() if lock == 0 else self._answer(QUERY, lock))]
        if self.busy() and head != LET_GO:
            return [(ANSWER_MS, frame)]
        if lock == 0 and head == OPEN:
            self.fire_in_turn(now_ms, self._channels())
            self._answer_at(now_ms + self.channels * SEQUENCE_MS, head, lock)
        elif lock:
            self._switch(now_ms, head, lock)
            self._answer_at(now_ms + SETTLE_MS, head, lock)
        return []

    def push(self, channel: int) -> bytes:
        return self._answer(CHANGED, channel)

    def _switch(self, now_ms: float, head: int, lock: int) -> None:
        if head == LET_GO:
            self.release(lock)
        else:
            self.fire(now_ms, lock, PULSE_MS if head == OPEN else float("inf"))

    def _open_many(self, now_ms: float, frame: bytes) -> Answers:
        mask = int.from_bytes(frame[2 : 2 + MASKS], "big")
        wanted = [channel for channel in self._channels() if mask >> (channel - 1) & 1]
        if self.busy():
            return [(ANSWER_MS, frame)]
        self.fire_in_turn(now_ms, wanted)
        self.at(now_ms + len(wanted) * SEQUENCE_MS, lambda _at: [(ANSWER_MS, self._opened(wanted))])
        return []

    def _opened(self, wanted: list[int]) -> bytes:
        mask = sum(1 << (channel - 1) for channel in wanted if not self.closed(channel))
        return checked(bytes([OPEN_MANY, self.address]) + mask.to_bytes(MASKS, "big"))

    def _answer_at(self, moment_ms: float, head: int, lock: int) -> None:
        self.at(moment_ms, lambda _at: [(ANSWER_MS, self._answer(head, lock))])

    def _answer(self, head: int, lock: int) -> bytes:
        """Lock 0: as if it were closed while one of them is."""
        closed = self.closed(lock) if lock else any(self.closed(channel) for channel in self._channels())
        state = SHORTED if closed == (self.feedback == "close_short") else NOT_SHORTED
        return checked(bytes([head, self.address, lock, state]))

    def _all(self) -> bytes:
        shorted = [self.closed(channel) == (self.feedback == "close_short") for channel in self._channels()]
        return checked(bytes([QUERY, self.address]) + bits_of(shorted)[::-1] + bytes([FUNC[QUERY]]))

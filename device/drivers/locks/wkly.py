"""The "WKLY" boards: `57 4B 4C 59 LEN BOARD CMD DATA.. XOR`. They tell a door's change by themselves (85)."""

OPEN, ALL, CHANGED = 0x82, 0x84, 0x85
CHANNELS = 24
ADDRESSES = (0, 31)
ITEMS = False
BAUD = 9600
OWN_MS = 500
HEAD = b"WKLY"
SIZE_MAX = 64


def checked(body: bytes) -> bytes:
    check = 0
    for byte in body:
        check ^= byte
    return body + bytes([check])


class Codec:
    open_wait_ms = 800
    full = 0

    def __init__(self, address: int, channels: int, _part: "dict[str, object]") -> None:
        self._address = address
        self._channels = channels
        self.answer_size = 10 + channels
        self.poll = checked(HEAD + bytes([8, address, ALL]))
        self.closed = self.known = 0

    def opening(self, channel: int, _ms: int) -> bytes:
        return checked(HEAD + bytes([9, self._address, OPEN, channel]))

    @staticmethod
    def size(head: bytes) -> int:
        if not HEAD.startswith(head[:4]):
            return 0
        if len(head) < 5:
            return -1
        return head[4] if 8 <= head[4] <= SIZE_MAX else 0

    @staticmethod
    def sound(frame: bytes) -> bool:
        return checked(frame[:-1]) == frame

    def read(self, frame: bytes) -> str:  # noqa: PLR0911 - a table of answers
        command = frame[6]
        if frame[5] != self._address or len(frame) < 9:
            return ""
        if command == OPEN:
            return "opened"
        if command == CHANGED:
            if len(frame) != 10 or not 1 <= frame[7] <= self._channels:
                return ""
            self._take(frame[8:9], frame[7] - 1)
            return "push"
        if command != ALL:
            return ""
        if frame[7] == 0xFF:
            return "busy"
        if frame[7] or len(frame) != 10 + frame[8] or frame[8] < self._channels:
            return ""
        self._take(frame[9:-1], 0)
        return "status"

    def _take(self, states: bytes, place: int) -> None:
        """00 open, 01 closed; anything else says nothing."""
        self.closed = self.known = 0
        for state in states:
            if state < 2:
                self.known |= 1 << place
                self.closed |= state << place
            place += 1

"""The "8A" boards (485 series 2024A1, CM06, clones): `HEAD BOARD LOCK FUNC BCC`, channel groups from the highest down.

An opening is answered once the lock has moved; the answer to one that failed is the request itself, so only the
polls are believed. All at once (lock 0) is never ordered: one coil at a time.
"""

CHANNELS = 24
ADDRESSES = (1, 32)
ITEMS = False
BAUD = 9600
OWN_MS = 500
SHORTED = 0x11


def checked(*body: int) -> bytes:
    check = 0
    for byte in body:
        check ^= byte
    return bytes(body) + bytes([check])


class Codec:
    """`feedback`: whether a closed lock shorts its contact, or an open one."""

    open_wait_ms = 800
    full = 0

    def __init__(self, address: int, channels: int, part: "dict[str, object]") -> None:
        self._address = address
        self._groups = (channels + 7) // 8
        self._flip = part.get("feedback", "close_short") == "open_short"
        self.answer_size = 4 + self._groups
        self.poll = checked(0x80, address, 0, 0x33)
        self._all = (1 << channels) - 1
        self.known = self._all
        self.closed = 0

    def opening(self, channel: int, _ms: int) -> bytes:
        return checked(0x8A, self._address, channel, 0x11)

    def size(self, head: bytes) -> int:
        if head[0] == 0x80:
            return self.answer_size
        return 5 if head[0] in (0x82, 0x8A) else 0

    @staticmethod
    def sound(frame: bytes) -> bool:
        return checked(*frame[:-1]) == frame

    def read(self, frame: bytes) -> str:
        if frame[1] != self._address:
            return ""
        if frame[0] == 0x80:
            if frame[-2] != 0x33:
                return ""
            self.known = self._all
            self.closed = int.from_bytes(frame[2:-2], "big") ^ (self._all if self._flip else 0)
            return "status"
        channel = frame[2]
        if frame[3] not in (0, SHORTED) or not channel or not self._all >> (channel - 1) & 1:
            return ""
        if frame[0] == 0x8A:
            return "opened"
        self.known = 1 << (channel - 1)
        self.closed = self.known if (frame[3] == SHORTED) != self._flip else 0
        return "push"

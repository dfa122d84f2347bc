"""KERONG KR-CU16 and NCU16L: `02 ADDR CMD [..] 03 SUM`. An opening has no answer; the poll after it tells."""

STATUS, OPEN, IS, SET, WAS_SET = 0x30, 0x31, 0x35, 0x37, 0x38
CHANNELS = 16
ADDRESSES = (0, 14)  # 15 would be asked as F0, which is all boards
ITEMS = True
BAUD = 19200
OWN_MS = 500  # the factory's


def summed(*body: int) -> bytes:
    return bytes(body) + bytes([sum(body) & 0xFF])


class Codec:
    """`closed`, `full` and `known` are what the last status said, bit 0 is channel 1."""

    answer_size = 9
    open_wait_ms = 0

    def __init__(self, address: int, _channels: int, _part: "dict[str, object]") -> None:
        self._address = address << 4
        self.poll = summed(2, self._address, STATUS, 3)
        self.closed = self.full = 0
        self.known = 0xFFFF

    def opening(self, channel: int, _ms: int) -> bytes:
        return summed(2, self._address | channel - 1, OPEN, 3)

    def setting(self, ms: int) -> bytes:
        units = (ms + 9) // 10
        return summed(2, self._address, SET, units >> 8, units & 0xFF, 3)

    @staticmethod
    def size(head: bytes) -> int:
        """Of the frame that begins so; 0: none does; -1: more of it must be known."""
        if head[0] != 2:
            return 0
        if len(head) < 3:
            return -1
        return 9 if head[2] in (IS, 0x36) else 7 if head[2] == WAS_SET else 0

    @staticmethod
    def sound(frame: bytes) -> bool:
        return frame[-2] == 3 and sum(frame[:-1]) & 0xFF == frame[-1]

    def read(self, frame: bytes) -> str:
        if frame[1] & 0xF0 != self._address:
            return ""
        if frame[2] == WAS_SET:
            self.set_ms = (frame[3] << 8 | frame[4]) * 10
            return "set"
        if frame[2] != IS or frame[1] != self._address:
            return ""
        self.closed = frame[3] | frame[4] << 8
        self.full = frame[5] | frame[6] << 8
        return "status"

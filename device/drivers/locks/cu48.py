"""KERONG CU48, the long form: `02 BOARD LOCK CMD 03 SUM`. An opening has no answer."""

STATUS, OPEN, IS = 0x60, 0x61, 0x75
CHANNELS = 48
ADDRESSES = (0, 31)
ITEMS = True
BAUD = 19200
OWN_MS = 500


def summed(*body: int) -> bytes:
    return bytes(body) + bytes([sum(body) & 0xFF])


class Codec:
    answer_size = 18
    open_wait_ms = 0

    def __init__(self, address: int, _channels: int, _part: "dict[str, object]") -> None:
        self._address = address
        self.poll = summed(2, address, 0, STATUS, 3)
        self.closed = self.full = 0
        self.known = (1 << 48) - 1

    def opening(self, channel: int, _ms: int) -> bytes:
        return summed(2, self._address, channel - 1, OPEN, 3)

    @staticmethod
    def size(head: bytes) -> int:
        return 18 if head[0] == 2 else 0

    @staticmethod
    def sound(frame: bytes) -> bool:
        return frame[-2] == 3 and sum(frame[:-1]) & 0xFF == frame[-1]

    def read(self, frame: bytes) -> str:
        """Of 18 bytes there is a type 77 too, of which nothing is known."""
        if frame[1] != self._address or frame[2] or frame[3] != IS:
            return ""
        self.closed = int.from_bytes(frame[4:10], "little")
        self.full = int.from_bytes(frame[10:16], "little")
        return "status"

"""Modbus RTU relay boards. `waveshare`: flash-on, timed on the board, and discrete inputs for the doors; `r421a08`:
momentary relays of one second and no inputs. CRC-16, low byte first.
"""

CHANNELS = 8
ADDRESSES = (1, 247)
ITEMS = False
BAUD = 9600
OWN_MS = 1_000  # r421a08: momentary


def checked(*body: int) -> bytes:
    crc = 0xFFFF
    for byte in body:
        crc ^= byte
        for _bit in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return bytes(body) + bytes([crc & 0xFF, crc >> 8])


class Codec:
    """`variant`: waveshare or r421a08."""

    open_wait_ms = 200
    full = 0

    def __init__(self, address: int, channels: int, part: "dict[str, object]") -> None:
        self._address = address
        self._flash = part.get("variant", "waveshare") == "waveshare"
        self.times = self._flash
        self._bytes = (channels + 7) // 8 if self._flash else channels * 2
        self.answer_size = 5 + self._bytes
        if self._flash:
            self.poll = checked(address, 2, 0, 0, 0, channels)
        else:
            self.poll = checked(address, 3, 0, 1, 0, channels)
        self.known = (1 << channels) - 1 if self._flash else 0
        self.closed = 0

    def opening(self, channel: int, ms: int) -> bytes:
        if self._flash:
            return checked(self._address, 5, 2, channel - 1, 0, (ms + 99) // 100)
        return checked(self._address, 6, 0, channel, 5, 0)

    def size(self, head: bytes) -> int:
        """By the function: an answer that begins is ours or another board's, so the address may be any."""
        if len(head) < 2:
            return -1
        if head[1] & 0x80:
            return 5
        if head[1] in (5, 6):
            return 8
        return self.answer_size if head[1] == (2 if self._flash else 3) else 0

    @staticmethod
    def sound(frame: bytes) -> bool:
        return checked(*frame[:-2]) == frame

    def read(self, frame: bytes) -> str:
        if frame[0] != self._address:
            return ""
        if frame[1] & 0x80:
            return "busy"
        if frame[1] in (5, 6):
            return "opened"
        if frame[2] != self._bytes:
            return ""
        self.closed = int.from_bytes(frame[3:-2], "little") if self._flash else 0
        return "status"

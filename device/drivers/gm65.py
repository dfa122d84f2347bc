"""A GM65-class scanner: the plain scanner, and its own replies kept out of what it scans. Loaded only where named.

At the start, and once a minute, its baud rate is read: a scanner that does not answer, or answers garbage, is told as
Sensed("scanner", 0), one that does as 1. Replies (02 00 00 length data CRC) are cut out of the stream wherever they
come, also in the midst of a scan and in pieces; what only began like one spoils its frame, as any control byte does.
"""

from typing import TYPE_CHECKING

from device.agent.events import Sensed
from device.drivers.scanner import GAP_MS, Scanner

if TYPE_CHECKING:
    from typing import Any

ASK = b"\x07\x01\x00\x2a\x02"  # read zone 002A: the baud rate
TRIES = 3
ANSWER_MS = 500
AGAIN_MS = 60_000
_HEAD = b"\x02\x00\x00"
_DATA_MAX = 8


class Gm65(Scanner):
    """`setup`: orders (type, length, address, data; no head, no CRC) that are sent first, each acknowledged."""

    def __init__(self, uart: "Any", setup: "list[bytes]") -> None:
        super().__init__(uart)
        self._reply = b""
        self._setup = setup + [ASK]  # noqa: RUF005 - MicroPython knows no stars here
        self._place = 0
        self._tries = 0
        self._due = 0
        self._told = -1

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if now_ms - self._last_ms > GAP_MS:
            self._reply = b""  # noise that only began like one
        super().gather(now_ms, events)
        if now_ms < self._due:
            return
        if self._tries >= TRIES:
            self._tell(0, events)
            self._rest(now_ms)
            return
        self._tries += 1
        self._due = now_ms + ANSWER_MS
        self._uart.write(framed(self._setup[self._place]))

    def _rest(self, now_ms: int) -> None:
        self._tries = 0
        self._due = now_ms + AGAIN_MS

    def _tell(self, value: int, events: "list[Any]") -> None:
        if self._told != value:
            self._told = value
            events.append(Sensed("scanner", value))

    def _take(self, byte: int, events: "list[Any]") -> None:
        if not self._reply and byte != _HEAD[0]:
            super()._take(byte, events)
            return
        self._reply += bytes([byte])
        reply = self._reply
        size = len(reply)
        if size <= 3:
            good = _HEAD.startswith(reply)
        else:
            good = 0 < reply[3] <= _DATA_MAX
            if good and size == reply[3] + 6:
                good = crc16(reply[1:-2]) == reply[-2] << 8 | reply[-1]
                if good:
                    self._reply = b""
                    self._answered(events)
        if not good:  # no reply after all: it is content, and spoilt by its first byte
            self._reply = b""
            super()._take(reply[0], events)
            for other in reply[1:]:
                self._take(other, events)

    def _answered(self, events: "list[Any]") -> None:
        if not self._tries:
            return  # nobody asked
        if self._place < len(self._setup) - 1:
            self._place += 1
            self._tries = 0
            self._due = 0
        else:
            self._tell(1, events)
            self._rest(self._last_ms)


def framed(order: bytes) -> bytes:
    crc = crc16(order)
    return b"\x7e\x00" + order + bytes([crc >> 8, crc & 255])


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _bit in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc

"""A QR and barcode scanner on a UART: printable ASCII ended by CR or LF.

What it sends is written by whoever holds a code in front of it: frames have a length, a frame with anything
but printable ASCII is dropped whole, and so is one that does not end in time (electrical noise).
"""

from typing import TYPE_CHECKING

from device.agent.events import Scanned
from protocol.limits import SCAN_SIZE_MAX

if TYPE_CHECKING:
    from typing import Any

GAP_MS = 300  # between two bytes of one frame; 9600 baud needs 1 ms
_CHUNK = 256  # bytes taken a lap


class Scanner:
    """`uart`: a machine.UART."""

    def __init__(self, uart: "Any") -> None:
        self._uart = uart
        self._frame = bytearray()
        self._spoilt = False
        self._last_ms = 0
        self.dropped = 0

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        waiting = self._uart.any()
        if not waiting:
            return
        if now_ms - self._last_ms > GAP_MS and (self._spoilt or self._frame):
            self._begin()
            self.dropped += 1
        self._last_ms = now_ms
        for byte in self._uart.read(min(waiting, _CHUNK)) or b"":
            self._take(byte, events)

    def _take(self, byte: int, events: "list[Any]") -> None:
        if byte in (0x0D, 0x0A):
            self._end(events)
        elif 0x20 <= byte <= 0x7E and len(self._frame) < SCAN_SIZE_MAX:
            self._frame.append(byte)
        else:
            self._spoilt = True

    def _end(self, events: "list[Any]") -> None:
        if self._spoilt:
            self.dropped += 1
        elif self._frame:
            events.append(Scanned(bytes(self._frame)))
        self._begin()

    def _begin(self) -> None:
        self._frame = bytearray()
        self._spoilt = False

"""The UART of an RS-485 bus. MicroPython knows no driver enable: where the transceiver needs it, its pin is up just
as long as bytes go out, which holds the loop for the milliseconds of one request.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SEND_MS_MAX = 50  # a UART that never says that it is done must not hold the loop
_CHUNK = 256


class Port:
    """`enable`: the pin, low, or None where the transceiver turns by itself; `now`: milliseconds, for that
    wait only."""

    def __init__(self, uart: "Any", enable: "Any", now: "Callable[[], int]") -> None:
        self._uart = uart
        self._enable = enable
        self._now = now

    def take(self) -> bytes:
        waiting = self._uart.any()
        return (self._uart.read(min(waiting, _CHUNK)) or b"") if waiting else b""

    def send(self, request: bytes) -> None:
        if self._uart.any():
            self._uart.read(_CHUNK)  # too late to be an answer to this
        if self._enable is None:
            self._uart.write(request)
            return
        try:
            self._enable.value(1)
            self._uart.write(request)
            until = self._now() + _SEND_MS_MAX
            while not self._uart.txdone() and self._now() < until:
                pass
        finally:
            self._enable.value(0)

"""The serial console: whatever this interpreter calls stdin and stdout.

Bytes are read one at a time and only when poll() promised one: sys.stdin.read(n) waits for all n.

While a locker runs, Ctrl-C is a byte like others (device/main.py): one gives up an order. Four in a row within a
second end the program, which is how `consigne flash` and `consigne provision` get at the board.
"""

import select
import sys
from typing import TYPE_CHECKING

from device.agent.events import Typed
from protocol.limits import CONSOLE_LINE_MAX

if TYPE_CHECKING:
    from typing import Any

    from device.drivers.waiter import Waiter


BREAK_COUNT = 4  # Ctrl-C in a row: nobody types that by mistake, and noise does once in days
BREAK_MS = 1_000
_CTRL_C = b"\x03"


class SerialConsole:
    def __init__(self, waiter: "Waiter") -> None:
        self._waiter = waiter
        self._poller = select.poll()
        self._poller.register(sys.stdin, select.POLLIN)
        self.flags = 0
        self.paused = False  # let what comes wait at the port
        self._breaks = 0  # Ctrl-C in a row so far
        self._broke_at = 0  # when the first of them came
        waiter.watch(sys.stdin, select.POLLIN, self)

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        """Raises KeyboardInterrupt; what was sent behind the last Ctrl-C is for the REPL."""
        if not self.flags or self.paused:
            return
        self.flags = 0
        data = bytearray()
        while len(data) < CONSOLE_LINE_MAX and self._poller.poll(0):
            byte = sys.stdin.buffer.read(1)
            if not byte:  # nobody is there any more (a PC only); poll() would report it for ever
                self._waiter.unwatch(sys.stdin)
                break
            data += byte
            self._count(now_ms, byte)
        if data:
            events.append(Typed(bytes(data)))

    def _count(self, now_ms: int, byte: bytes) -> None:
        if byte != _CTRL_C or now_ms - self._broke_at > BREAK_MS:
            self._breaks = 0
        if byte == _CTRL_C:
            if not self._breaks:
                self._broke_at = now_ms
            self._breaks += 1
            if self._breaks == BREAK_COUNT:
                raise KeyboardInterrupt

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)

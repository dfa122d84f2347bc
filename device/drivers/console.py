"""The serial console: whatever this interpreter calls stdin and stdout.

Bytes are read one at a time and only when poll() promised one: sys.stdin.read(n) waits for all n.
"""

import select
import sys
from typing import TYPE_CHECKING

from device.agent.events import Typed
from protocol.limits import CONSOLE_LINE_MAX

if TYPE_CHECKING:
    from typing import Any

    from device.drivers.waiter import Waiter


class SerialConsole:
    def __init__(self, waiter: "Waiter") -> None:
        self._waiter = waiter
        self._poller = select.poll()
        self._poller.register(sys.stdin, select.POLLIN)
        self.flags = 0
        self.paused = False  # let what comes wait at the port
        waiter.watch(sys.stdin, select.POLLIN, self)

    def gather(self, _now_ms: int, events: "list[Any]") -> None:
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
        if data:
            events.append(Typed(bytes(data)))

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)

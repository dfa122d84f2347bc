"""The wire bundle between this MicroPython and its cabinet: one Unix socket, one short line a message.

From the cabinet: first of all `S pin pin …` (whose level it wants to know), then `G pin on ms` (a switch to ground),
`W pin pin on ms` (a switch between two pins), `U uart hex` (bytes on a UART), `E pin` (it fell, for some 50 us).
To it: `P pin level ticks`, `U uart hex ticks`, `Z pin hertz`, `B pin hex` (WS2812), `K letter` (what interrupts:
Ctrl-C, 3, or none, -1), `D timeout_ms` and `F` (the
watchdog: armed, fed), `X` (reset); and two that are answered by `A hex`, or by `A` without an acknowledgement:
`I bus address size hex` (I2C: bytes written, then so many read), `Q bus hex` (SPI: as many come back).
Switches are known here, so that reading a pin costs no round trip. They move in the board's own time, which stands
still while a busy PC does not let this process run: a key that was down for 90 ms is down for 90 ms here.
So is answered `O pin size hex` (1-Wire; size -1: a reset, and whether somebody is there); `A T` is of a held I2C bus.
"""

import select
import socket
import sys
import time
from binascii import hexlify, unhexlify
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

STEP_MS_MAX = 15  # a board looks at its pins more often than this; what is more was the PC's
QUIET_MS = 200  # after so long without a change, the board's time catches up with the cabinet's
CATCH_UP_MS = 2  # and with every change a little, so that lateness does not last
_TICKS_MASK = (1 << 30) - 1
ticks_ms: "Any" = getattr(time, "ticks_ms")  # noqa: B009 - MicroPython's own


class Wires:
    """All of it; there is one, `bundle`."""

    def __init__(self) -> None:
        self.uarts: dict[int, Any] = {}  # number -> machine.UART
        self.grounded: set[int] = set()  # pins that a closed switch joins to ground
        self.linked: dict[int, list[int]] = {}  # pin -> pins that closed switches join it to
        self.low: set[int] = set()  # pins that this board drives low
        self.high: set[int] = set()  # pins that it drives high
        self.watched: set[int] = set()  # pins whose level the cabinet wants to be told
        self.pumped = -1  # when the socket was last looked at, in ticks
        self._socket: Any = None
        self._poll = select.poll()
        self.handler: dict[int, Any] = {}  # pin -> whom to call when it falls
        self._rest = b""
        self._answer: Any = None
        self._told = False  # which pins to tell of; there may be none
        self._own_ms = 0  # the board's own time
        self._waiting: list[tuple[int, Any, list[bytes]]] = []  # (when in own time, what, arguments)
        self._last = (0, 0)  # the last switch: when, in the cabinet's time and in ours

    def connect(self, path: str) -> None:
        name = path.encode() + b"\0"
        # A sockaddr_un; BSDs put its length first.
        head = bytes([len(name) + 2, 1]) if sys.platform == "darwin" else b"\x01\x00"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(head + name)
        self._poll.register(self._socket, select.POLLIN)
        while not self._told:
            self.pump()

    def send(self, line: str) -> None:
        data = line.encode()
        while data:
            data = data[self._socket.send(data) :]

    def pump(self) -> None:
        """Take up what the cabinet said since."""
        now = ticks_ms()
        self._own_ms += min((now - self.pumped) & _TICKS_MASK, STEP_MS_MAX)
        self.pumped = now
        while self._poll.poll(0):
            data = self._socket.recv(256)
            if not data:
                sys.exit(0)  # no cabinet, no power
            lines = (self._rest + data).split(b"\n")
            self._rest = lines.pop()
            for line in lines:
                words = line.split()
                self._take(_TAKE[words[0]], words)
        while self._waiting and self._waiting[0][0] <= self._own_ms:
            _due, act, words = self._waiting.pop(0)
            act(self, words[1:])

    def _take(self, act: "Any", words: "list[bytes]") -> None:
        """Switches wait for their moment; everything else happens as it comes."""
        if act not in (Wires._ground, Wires._join):
            act(self, words[1:])
            return
        at = int(words[-1])
        since = at - self._last[0]
        due = self._own_ms if since > QUIET_MS else max(self._own_ms, self._last[1] + since - CATCH_UP_MS)
        self._last = (at, due)
        self._waiting.append((due, act, words))

    def level(self, pin: int) -> "int | None":
        """What a pin reads that switches join to others; None: nothing pulls it anywhere."""
        seen = [pin]
        for here in seen:  # grows while it is walked
            if here in self.grounded or here in self.low:
                return 0
            if here in self.high:
                return 1
            for other in self.linked.get(here, ()):
                if other not in seen:
                    seen.append(other)
        return None

    def drive(self, pin: int, value: "int | None") -> None:
        """`value`: 0, 1 or None (let go)."""
        self.low.discard(pin)
        self.high.discard(pin)
        if value == 0:
            self.low.add(pin)
        elif value == 1:
            self.high.add(pin)
        if pin in self.watched:
            self.send(f"P {pin} {value or 0} {ticks_ms()}\n")

    def transmit(self, uart: int, data: bytes) -> None:
        self.send(f"U {uart} {hexlify(data).decode()} {ticks_ms()}\n")

    def request(self, line: str) -> "list[bytes]":
        self._answer = None
        self.send(line)
        while self._answer is None:
            self._poll.poll(1_000)
            self.pump()
        return self._answer

    def _answered(self, words: "list[bytes]") -> None:
        self._answer = words

    def _fall(self, words: "list[bytes]") -> None:
        called = self.handler.get(int(words[0]))
        if called is not None:
            called()

    def _watch(self, words: "list[bytes]") -> None:
        self._told = True
        for pin in words:
            self.watched.add(int(pin))

    def _ground(self, words: "list[bytes]") -> None:
        if words[1] == b"1":
            self.grounded.add(int(words[0]))
        else:
            self.grounded.discard(int(words[0]))

    def _join(self, words: "list[bytes]") -> None:
        one, other = int(words[0]), int(words[1])
        for pin, peer in ((one, other), (other, one)):
            peers = [known for known in self.linked.get(pin, ()) if known != peer]
            if words[2] == b"1":
                peers.append(peer)
            if peers:
                self.linked[pin] = peers
            else:
                self.linked.pop(pin, None)

    def _receive(self, words: "list[bytes]") -> None:
        port = self.uarts.get(int(words[0]))
        if port is not None:
            port.take(unhexlify(words[1]))


_TAKE: "dict[bytes, Any]" = {
    b"S": Wires._watch,
    b"G": Wires._ground,
    b"W": Wires._join,
    b"U": Wires._receive,
    b"E": Wires._fall,
    b"A": Wires._answered,
}
bundle = Wires()

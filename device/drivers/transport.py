"""One TCP connection to the broker, that never waits: every attempt has a deadline, every write a bounded buffer.

The broker's name is resolved again at each attempt, so that it may move; when nobody resolves it, its last
address is tried. Nothing is begun while a lock's coil is on: the network stack of a board may take its time, and a
step of a TLS handshake takes more. TLS itself is device/drivers/tls.py's, loaded only where it is configured.
"""

import select
import socket
from typing import TYPE_CHECKING

from device.agent.events import LinkClosed, LinkOpened, Received
from device.drivers.resolver import Resolver, is_address
from protocol.limits import CONNECT_WAIT_MS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from device.drivers.tls import Tls
    from device.drivers.waiter import Waiter

CHUNK = 512  # read a lap, so that a flood of bytes cannot hold up the doors
WAITING_MAX = 8192  # bytes not yet written: a peer that takes none is as good as gone
STALL_MS = 20_000  # and so is one that takes none for so long
SHAKE_MS = 12_000  # for a TLS handshake; below the time for the broker's CONNACK, which waits behind it

# errno -> the word for the console; ports do not agree on the numbers (newlib, Linux, macOS)
REASONS = {
    111: "refused",
    61: "refused",
    104: "reset",
    54: "reset",
    32: "reset",
    103: "reset",
    128: "reset",
    110: "timeout",
    116: "timeout",
    60: "timeout",
    113: "no_network",
    118: "no_network",
    101: "no_network",
}
_AGAIN = (11, 35, 115, 119, 36)  # EAGAIN and EINPROGRESS
_IDLE, _ASKED, _RESOLVING, _CONNECTING, _OPEN = range(5)


class Transport:
    """`network.ready(now_ms)`: whether there is one; `network.name_server()`: its address, or "" for the system's
    own ways; `busy()`: whether a coil is on."""

    def __init__(
        self,
        address: "tuple[str, int]",
        network: "Any",
        waiter: "Waiter",
        busy: "Callable[[], bool]",
        resolver: "Resolver | None" = None,
        *,
        tls: "Tls | None" = None,
        probe_port: int = 80,
    ) -> None:
        self.host, self._port = address
        self._network = network
        self._waiter = waiter
        self._busy = busy
        self._resolver = resolver or Resolver()
        self._last_address = ""
        self._tls = tls
        self._probe_port = probe_port
        self._secure: Any = None
        self._socket: Any = None
        self._state = _IDLE
        self._deadline = 0
        self._shake_by = 0
        self._unsent = b""
        self._failed = ""
        self.flags = 0

    def dial(self, wall_s: int = 0, known: bool = False) -> None:
        """LinkOpened or LinkClosed comes out of gather(). The time is for judging certificates (effects.Dial)."""
        self.hang_up()
        self._state = _ASKED
        if self._tls is not None:
            self._tls.judge_by(wall_s, known)

    def beside(self) -> "Transport":
        """Another connection to the same host, to where plain HTTP is spoken."""
        resolver = Resolver(self._resolver.port, self._resolver.server)
        return Transport((self.host, self._probe_port), self._network, self._waiter, self._busy, resolver)

    def hang_up(self) -> None:
        if self._socket is not None:
            self._waiter.unwatch(self._socket)
            if self._secure is not None:
                try:  # noqa: SIM105 - MicroPython has no contextlib
                    self._secure.close()  # tells the other side; after an error it is closed already
                except OSError:
                    pass
            self._socket.close()
        self._socket = self._secure = None
        self._resolver.close()
        self._state = _IDLE
        self._unsent = b""
        self._failed = ""
        self.flags = 0

    def send(self, now_ms: int, data: bytes) -> None:
        """What is sent to nobody is lost, as on any wire; the agent hears of LinkClosed."""
        if self._state != _OPEN or self._failed:
            return
        if not self._unsent:
            self._deadline = now_ms + STALL_MS
        self._unsent = self._unsent + data if self._unsent else data
        if len(self._unsent) > WAITING_MAX:
            self._failed = "timeout"
        else:
            self._write(now_ms)

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if self._state == _ASKED and not self._busy():
            self._begin(now_ms)
        elif self._state == _RESOLVING:
            self._resolve(now_ms)
        elif self._state == _CONNECTING:
            self._look(now_ms, events)
        elif self._state == _OPEN:
            self._read(now_ms, events)
        if self._failed:
            reason = self._failed
            self.hang_up()
            events.append(LinkClosed(reason))

    def _begin(self, now_ms: int) -> None:
        if not self._network.ready(now_ms):
            self._failed = "no_network"
            return
        server = self._resolver.server or self._network.name_server()
        if is_address(self.host) or not server:
            self._connect(now_ms, self.host)
            return
        try:
            self._resolver.ask(now_ms, self.host, server)
            self._state = _RESOLVING
        except OSError:
            self._failed = "dns"

    def _resolve(self, now_ms: int) -> None:
        found = self._resolver.poll(now_ms)
        if found is None:
            return
        self._last_address = found or self._last_address
        if self._last_address:
            self._connect(now_ms, self._last_address)
        else:
            self._failed = "dns"

    def _connect(self, now_ms: int, host: str) -> None:
        try:
            address = socket.getaddrinfo(host, self._port, socket.AF_INET, socket.SOCK_STREAM)[0][-1]
        except OSError:
            self._failed = "dns"
            return
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(address)
        except OSError as error:
            if error.errno not in _AGAIN:
                self._failed = REASONS.get(error.errno or 0, "refused")
                return
        self._state = _CONNECTING
        self._deadline = now_ms + CONNECT_WAIT_MS
        self._waiter.watch(self._socket, select.POLLOUT, self)

    def _look(self, now_ms: int, events: "list[Any]") -> None:
        flags, self.flags = self.flags, 0
        if flags & (select.POLLERR | select.POLLHUP):
            self._failed = self._why()
        elif flags & select.POLLOUT:
            self._state = _OPEN
            self._waiter.watch(self._socket, select.POLLIN, self)
            if self._tls is not None and not self._begin_tls(now_ms):
                return
            events.append(LinkOpened())
        elif now_ms >= self._deadline:
            self._failed = "timeout"

    def _begin_tls(self, now_ms: int) -> bool:
        """The handshake itself is done by the first bytes that are sent; what it fails of is told as LinkClosed."""
        assert self._tls is not None
        self._shake_by = now_ms + SHAKE_MS
        try:
            self._secure = self._tls.wrap(self._socket)
        except (OSError, ValueError, MemoryError) as error:
            self._failed = self._tls.why(error)
        return not self._failed

    def _why(self) -> str:
        try:
            self._socket.recv(1)
        except OSError as error:
            return REASONS.get(error.errno or 0, "refused")
        return "refused"

    def _read(self, now_ms: int, events: "list[Any]") -> None:
        flags, self.flags = self.flags, 0
        if self._unsent:
            self._write(now_ms)
        secure = self._secure
        if self._failed or (secure is not None and secure.shaking):
            return
        if not flags & (select.POLLIN | select.POLLERR | select.POLLHUP):
            return
        try:
            data = (secure or self._socket).recv(CHUNK)
        except OSError as error:
            if error.errno not in _AGAIN:
                self._failed = REASONS.get(error.errno or 0, "reset")
            return
        if data:
            events.append(Received(data))
            if secure is not None:
                self.flags = select.POLLIN  # more may be decrypted already, which poll() does not see
        elif data is not None:
            self._failed = "reset"

    def _write(self, now_ms: int) -> None:
        secure = self._secure
        shaking = secure is not None and secure.shaking
        if shaking and self._busy():
            return
        sent = 0
        try:
            sent = (secure or self._socket).send(self._unsent)
        except (OSError, ValueError) as error:
            if shaking and self._tls is not None:
                self._failed = self._tls.why(error)
                return
            number = error.errno if isinstance(error, OSError) else 0
            if number not in _AGAIN:
                self._failed = REASONS.get(number or 0, "reset")
                return
        if sent:
            self._deadline = now_ms + STALL_MS
            self._unsent = self._unsent[sent:]
        elif shaking and now_ms >= self._shake_by:
            self._failed = "tls_timeout"
        elif now_ms >= self._deadline:
            self._failed = "timeout"

"""Who is connected over HTTP, and for how long without asking anything: uvicorn alone lets a silent connection stand.

A connection is *waiting* until the head of a request has come whole, and again from its answer on. Who waits has so
many seconds for the next head; bytes that come one by one, or a body that goes on after its answer, do not stop the
clock (RFC 9110 15.5.9). When all places are taken, whoever has waited longest goes: a caller who means it sends at
once. Several hundred silent connections thus cost others nothing.
"""

import asyncio
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway import limits, log


def places() -> int:
    """As many connections as limits say; fewer where this process may not open so many files (`ulimit -n`)."""
    files, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return limits.HTTP_CONNECTIONS_MAX
    return min(limits.HTTP_CONNECTIONS_MAX, max(files - limits.FILES_KEPT, files // 2))


@dataclass(frozen=True)
class Bounds:
    """`of_address`: connections of one client; a proxy whose X-Forwarded-For is believed may have all places."""

    head_wait_s: float = limits.HTTP_HEAD_WAIT_S
    places: int = field(default_factory=places)
    of_address: int = limits.HTTP_CONNECTIONS_OF_ADDRESS_MAX


def server_of(app: ASGIApp, bounds: Bounds | None = None) -> uvicorn.Server:
    """uvicorn, set up as the gateway wants it."""
    config = uvicorn.Config(
        app,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        backlog=limits.HTTP_ACCEPTED_AT_ONCE,
        timeout_graceful_shutdown=limits.HTTP_STOP_S_MAX,
    )
    believed = ProxyHeadersMiddleware(cast("Any", app), config.forwarded_allow_ips).trusted_hosts
    config.http = _connections_of(Lobby(bounds or Bounds(), believed.__contains__))
    return uvicorn.Server(config)


def _connections_of(a_lobby: "Lobby") -> type[H11Protocol]:
    """uvicorn makes connections of a class, and tells them nothing of ours."""

    class Known(Connection):
        lobby = a_lobby

    return Known


class Lobby:
    """All connections of one server, and those of them that wait, the longest first. In the server's loop only."""

    def __init__(self, bounds: Bounds, is_proxy: Callable[[str], bool]) -> None:
        self._bounds = bounds
        self._is_proxy = is_proxy
        self._open = 0
        self._of_address: Counter[str] = Counter()
        self._waiting: dict[Connection, float] = {}  # until when; all wait equally long, so these are in order
        self._look: asyncio.TimerHandle | None = None
        self._told_at = -limits.CROWD_LOG_EVERY_S

    def enter(self, connection: "Connection") -> None:
        """Should there be no place for it: whoever has waited longest (of its address, if that has too many) goes,
        and be it itself."""
        address = connection.address
        self._open += 1
        self._of_address[address] += 1
        self.wait(connection)
        if self._of_address[address] > self._bounds.of_address and not self._is_proxy(address):
            self._abort(next(one for one in self._waiting if one.address == address))
        elif self._open > self._bounds.places:
            self._tell()
            self._abort(next(iter(self._waiting)))

    def leave(self, connection: "Connection") -> None:
        self._waiting.pop(connection, None)
        self._open -= 1
        self._of_address[connection.address] -= 1
        if not self._of_address[connection.address]:
            del self._of_address[connection.address]

    def wait(self, connection: "Connection") -> None:
        self._waiting.pop(connection, None)  # its place in the order is the last one
        self._waiting[connection] = connection.loop.time() + self._bounds.head_wait_s
        if self._look is None:
            self._look = connection.loop.call_later(self._bounds.head_wait_s, self._send_away, connection.loop)

    def serve(self, connection: "Connection") -> None:
        self._waiting.pop(connection, None)

    def _send_away(self, loop: asyncio.AbstractEventLoop) -> None:
        """Whose time is up; one timer for all of them, so that a request costs none."""
        self._look = None
        while self._waiting:
            connection, until = next(iter(self._waiting.items()))
            if until > loop.time():
                self._look = loop.call_at(until, self._send_away, loop)
                return
            del self._waiting[connection]
            connection.waited_too_long()

    def _abort(self, connection: "Connection") -> None:
        del self._waiting[connection]  # it leaves a moment later, when others may have come
        connection.transport.abort()

    def _tell(self) -> None:
        if time.monotonic() >= self._told_at + limits.CROWD_LOG_EVERY_S:
            self._told_at = time.monotonic()
            log.event("http_crowded", connections=self._open, addresses=len(self._of_address))


class Connection(H11Protocol):
    """uvicorn's, which tells its lobby when it waits and when it is served."""

    lobby: ClassVar[Lobby]
    _untaken = 0  # bytes of answers that the caller had not taken when it was last looked at

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, limits.HTTP_UNSENT_BYTES)
        self.lobby.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lobby.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._served()

    def on_response_complete(self) -> None:
        self._untaken = 0
        self.lobby.wait(self)
        super().on_response_complete()  # takes up what came meanwhile
        self._served()

    def _served(self) -> None:
        if self.cycle and not self.cycle.response_complete:
            self.lobby.serve(self)

    def waited_too_long(self) -> None:
        """Unless it is still taking its last answer, however slowly."""
        untaken = self.transport.get_write_buffer_size()
        if untaken and untaken != self._untaken:
            self._untaken = untaken
            self.lobby.wait(self)
            return
        heads_turn = not self.cycle or not self.cycle.more_body
        if heads_turn and self.conn.trailing_data[0]:  # a connection opened ahead (browsers do) wants no answer
            self.transport.write(_TOO_LATE)
        self.transport.abort()


def _too_late() -> bytes:
    said = f"The head of this request did not come within {limits.HTTP_HEAD_WAIT_S:.0f} s. Send it again, whole.\n"
    head = f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(said)}\r\nConnection: close\r\n"
    return f"HTTP/1.1 408 Request Timeout\r\n{head}\r\n{said}".encode()


_TOO_LATE = _too_late()

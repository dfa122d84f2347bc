"""A receiver of webhooks that listens on a free port and does what a test says, and a town whose books tell it."""

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from books_town import COLIBRI, Town, open_town
from patience import wait_for
from serving import serving

from gateway.config import Settings
from gateway.domain.people import Principal
from gateway.domain.webhooks import Webhook
from gateway.notify.poster import LookUp, Poster
from gateway.notify.webhooks import Deliverer
from gateway.ports import lasting_port
from gateway.services import deliveries, webhooks


@dataclass
class Got:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`answer` gives the status and the headers; `got` has every request, whatever was answered."""

    answer: Callable[[Got], tuple[int, dict[str, str]]] = lambda _got: (204, {})
    got: list[Got] = field(default_factory=list[Got])
    port: int = 0
    scheme: str = "http"
    pause_s: float = 0.0  # between the bytes of its answer

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hooks?of=town"

    def events(self) -> list[str]:
        return [one.event for one in self.got]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # whoever wants to may use a connection twice

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.got.append(got)
            status, headers = receiver.answer(got)
            with contextlib.suppress(OSError):  # it may have waited for too long
                if receiver.pause_s:
                    dribble(self.connection, status, headers, receiver.pause_s)
                    return
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

        def log_message(self, *_said: Any) -> None:
            return

    return Handler


def dribble(there: socket.socket, status: int, headers: dict[str, str], pause_s: float) -> None:
    """Byte by byte."""
    text = f"HTTP/1.1 {status} OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    for byte in text.encode():
        there.sendall(bytes([byte]))
        time.sleep(pause_s)


@contextlib.contextmanager
def receiving(receiver: Receiver | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Listens as long as its `with`; a second one for the same receiver listens on the same port again."""
    made = receiver or Receiver()
    made.port = made.port or lasting_port("127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", made.port), _handler(made))
    server.daemon_threads = True
    if tls is not None:
        made.scheme = "https"
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield made


def private_town(folder: Path) -> Town:
    """Its webhooks may lead to this machine."""
    town = open_town(folder)
    town.desk = replace(town.desk, settings=replace(Settings.default(folder), webhooks_allow_private=True))
    return town


@contextlib.contextmanager
def delivering(town: Town, look_up: LookUp | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Deliverer]:
    ways = {} if look_up is None else {"look_up": look_up}
    deliverer = Deliverer(town.desk, lambda: Poster(town.desk.settings.webhooks_allow_private, tls=tls, **ways))
    deliverer.start()
    try:
        yield deliverer
    finally:
        deliverer.stop()
        wait_for(lambda: not deliverer.alive, named="the deliverer's end")


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No receiver of a test is late or slow because the machine is."""
    monkeypatch.setattr("gateway.limits.WEBHOOK_S_MAX", 3_600.0)
    monkeypatch.setattr("gateway.limits.WEBHOOK_CONNECT_S_MAX", 3_600.0)
    monkeypatch.setattr("gateway.limits.WEBHOOK_SLOW_S", 3_600.0)


def hook(town: Town, url: str, who: Principal = COLIBRI, *types: str, addresses: str = "127.0.0.1") -> Webhook:
    return webhooks.make_webhook(town.desk, who, url, types, "", [addresses])[0]


def look(town: Town, one: Webhook) -> Webhook:
    with town.store.reading() as tx:
        found = tx.webhook(one.number)
    assert found is not None
    return found


def waiting(town: Town) -> list[tuple[str, int, int]]:
    """(event, tries, seconds until the next) of all that is neither taken nor given up; -1: behind another."""
    with town.store.reading() as tx:
        rows = tx.sql.execute("SELECT event, tries, due_s FROM deliveries WHERE given_up_s IS NULL ORDER BY position")
        return [(event, tries, -1 if due_s is None else due_s - town.now[0]) for event, tries, due_s in rows]


def settle(town: Town, deliverer: Deliverer) -> None:
    """Everything that is due now has been tried."""

    def done() -> bool:
        if not deliverer.resting:
            return False
        return not any(deliveries.due(town.desk, one.webhook, 1) for one in deliveries.ready(town.desk))

    deliverer.wake()
    wait_for(done)


def pass_time(town: Town, deliverer: Deliverer, seconds: int, step_s: int) -> None:
    """In steps; at each, all that is due is tried. Lockers were heard all along."""
    until = town.now[0] + seconds
    while town.now[0] < until:
        town.later(min(step_s, until - town.now[0]))
        settle(town, deliverer)

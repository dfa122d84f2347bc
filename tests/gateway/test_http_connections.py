"""Callers who open a connection and then dawdle: over real sockets, against the gateway's own server."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from http_town import serving
from patience import WAIT_S, wait_for
from starlette.types import Receive, Scope, Send

from gateway.connections import Bounds

LARGE = 4 * 1024 * 1024  # more than the sockets between them hold
REQUEST = b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n"
SOON = Bounds(head_wait_s=2.0, places=100, of_address=100)
FEW = Bounds(head_wait_s=600.0, places=6, of_address=3)  # nobody's time is up in a test


async def answers(scope: Scope, _receive: Receive, send: Send) -> None:
    """Without reading what is sent to it."""
    body = bytes(LARGE) if scope["path"] == "/large" else b"here"
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Caller:
    def __init__(self, port: int, of: str = "127.0.0.1", **options: int) -> None:
        self.heard = b""
        self.socket = socket.socket()
        for name, value in options.items():
            self.socket.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        self.socket.bind((of, 0))
        self.socket.settimeout(WAIT_S)
        self.socket.connect(("127.0.0.1", port))

    def asks(self) -> bytes:
        self.socket.sendall(REQUEST)
        heard = b""
        while not heard.endswith(b"here") and (more := self.socket.recv(1_000)):
            heard += more
        return heard

    def hears_to_the_end(self) -> bytes:
        """All until the gateway has closed the connection."""
        heard = b""
        with contextlib.suppress(ConnectionError):
            while more := self.socket.recv(1_000_000):
                heard += more
        return heard

    def is_over(self, byte: bytes = b"") -> bool:
        """Having sent that byte and looked for a moment; what was said stands in `heard`."""
        self.socket.settimeout(0.01)
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(byte)
        try:
            said = self.socket.recv(1_000)
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        self.heard += said
        return not said


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, bytes]]:
    """What each heard until its connection was closed; all of them dawdle at the same time."""
    with serving(answers, SOON) as (port, _):
        names = ("silent", "head", "next head", "body", "deaf")
        callers = {name: Caller(port, SO_RCVBUF=4_096) for name in names}
        callers["head"].socket.sendall(REQUEST[:-2] + b"X-Long: ")
        callers["next head"].asks()
        callers["body"].socket.sendall(b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        callers["deaf"].socket.sendall(REQUEST.replace(b"small", b"large"))
        # One byte stops uvicorn's own clock after an answer.
        dribbling = {"silent": b"", "head": b"x", "next head": b"G", "body": b"x"}
        wait_for(lambda: all([callers[name].is_over(byte) for name, byte in dribbling.items()]), named="their end")
        for _ in range(2):  # the second of these comes late enough: then the deaf one was looked at twice
            Caller(port).hears_to_the_end()
        heard = {name: callers[name].heard for name in dribbling}
        yield heard | {"deaf": callers["deaf"].hears_to_the_end()}


def test_a_connection_without_a_request_is_closed_and_nothing_is_said(told: dict[str, bytes]) -> None:
    assert told["silent"] == b""


def test_a_head_that_comes_byte_by_byte_is_refused_in_words(told: dict[str, bytes]) -> None:
    assert told["head"].startswith(b"HTTP/1.1 408 ") and b"Send it again, whole." in told["head"]


def test_after_an_answer_the_next_head_is_waited_for_no_longer(told: dict[str, bytes]) -> None:
    assert told["next head"].startswith(b"HTTP/1.1 408 ")


def test_a_body_that_goes_on_after_its_answer_ends_with_the_connection(told: dict[str, bytes]) -> None:
    assert told["body"].endswith(b"here")


def test_an_answer_that_nobody_takes_is_thrown_away_with_its_connection(told: dict[str, bytes]) -> None:
    assert len(told["deaf"]) < LARGE


def test_when_all_places_are_taken_the_longest_silent_one_goes_and_who_asks_is_answered() -> None:
    with serving(answers, FEW) as (port, _):
        silent = [Caller(port) for _ in range(6)]
        asking: list[Caller] = []
        for gone in silent:
            asking.append(Caller(port))
            assert asking[-1].asks().endswith(b"here")
            assert gone.hears_to_the_end() == b""


def test_one_address_cannot_take_all_places_and_a_proxy_can() -> None:
    with serving(answers, FEW) as (port, _):
        proxied = [Caller(port) for _ in range(3)]
        crowd = [Caller(port, of="127.0.0.2") for _ in range(3)]
        crowd += [Caller(port, of="127.0.0.2")]
        assert crowd[0].hears_to_the_end() == b""
        assert [one.asks()[-4:] for one in (*proxied, *crowd[1:])] == [b"here"] * 6

"""The connection to the broker over real sockets: what every end of it is told as, and that nothing waits."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.agent.events import LinkClosed, LinkOpened, Received
from device.drivers.resolver import ANSWERS_MAX, GIVE_UP_MS, Resolver, answer, is_address, question
from device.drivers.transport import STALL_MS, WAITING_MAX, Transport
from device.drivers.waiter import Waiter
from protocol.limits import CONNECT_WAIT_MS

LOCAL = "127.0.0.1"
NOBODY = (LOCAL, 1)  # a port where nothing listens
WAIT_S = 60.0
SCHEDULED = Path("/proc/thread-self/schedstat")


class Network:
    def __init__(self, server: str = "", is_there: bool = True) -> None:
        self._server = server
        self._is_there = is_there

    def ready(self, _now_ms: int) -> bool:
        return self._is_there

    def name_server(self) -> str:
        return self._server


class Line:
    """A transport and its laps, on a clock that a test may push."""

    def __init__(self, host: str, port: int, network: Network | None = None, dns_port: int = 53) -> None:
        self.waiter = Waiter()
        self.coil_on = False
        self.ahead_ms = 0
        self.transport = Transport(
            (host, port), network or Network(), self.waiter, lambda: self.coil_on, Resolver(dns_port)
        )

    def now(self) -> int:
        return int(time.monotonic() * 1000) + self.ahead_ms

    def laps(self, count: int = 1) -> list[Any]:
        events: list[Any] = []
        for _ in range(count):
            begun, off_before_ns = time.monotonic(), off_core_ns()
            self.transport.gather(self.now(), events)
            waited = time.monotonic() - begun - (off_core_ns() - off_before_ns) / 1e9
            assert waited < 0.2, "a lap waited"
            self.waiter.wait(5)
        return events

    def until_event(self) -> Any:
        until = time.monotonic() + WAIT_S
        while not (events := self.laps()):
            assert time.monotonic() < until, "no event"
        return events[0]


def off_core_ns() -> int:
    """For how long this thread could have run and was not let: a busy machine is no lap that waits. Linux says so."""
    try:
        return int(SCHEDULED.read_text().split()[1])
    except OSError:
        return 0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((LOCAL, 0)) as server:
        server.settimeout(60)
        yield server


@pytest.fixture
def opened(listener: socket.socket) -> Iterator[tuple[Line, socket.socket]]:
    line = Line(*listener.getsockname())
    line.transport.dial()
    assert line.until_event() == LinkOpened()
    far = listener.accept()[0]
    far.settimeout(60)
    yield line, far
    line.transport.hang_up()
    far.close()


def test_bytes_go_both_ways(opened: tuple[Line, socket.socket]):
    line, far = opened
    line.transport.send(line.now(), b"hello")
    assert far.recv(10) == b"hello"
    far.sendall(b"world")
    assert line.until_event() == Received(b"world")


def test_an_end_of_the_broker_is_a_reset(opened: tuple[Line, socket.socket]):
    line, far = opened
    far.close()
    assert line.until_event() == LinkClosed("reset")
    assert line.laps(5) == [], "once"


def test_a_port_where_nobody_listens_refuses():
    line = Line(*NOBODY)
    line.transport.dial()
    assert line.until_event() == LinkClosed("refused")


def test_without_a_network_nothing_is_dialled(listener: socket.socket):
    line = Line(*listener.getsockname(), Network(is_there=False))
    line.transport.dial()
    assert line.until_event() == LinkClosed("no_network")


def test_an_address_that_never_answers_is_given_up():
    with socket.socket() as full:  # a queue of none, taken: further connections hang
        full.bind((LOCAL, 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(full.getsockname())
            line = Line(*full.getsockname())
            line.transport.dial()
            line.laps(3)
            line.ahead_ms += CONNECT_WAIT_MS
            assert line.until_event() == LinkClosed("timeout")


def test_nothing_is_dialled_while_a_coil_is_on(listener: socket.socket):
    line = Line(*listener.getsockname())
    line.coil_on = True
    line.transport.dial()
    assert line.laps(10) == []
    line.coil_on = False
    assert line.until_event() == LinkOpened()
    line.transport.hang_up()


def test_a_hang_up_is_not_told(opened: tuple[Line, socket.socket]):
    line, far = opened
    line.transport.hang_up()
    assert line.laps(5) == []
    assert far.recv(10) == b""


def test_a_broker_that_takes_no_bytes_is_as_good_as_gone(opened: tuple[Line, socket.socket]):
    line, far = opened
    line.transport._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for _ in range(20_000):  # until the sockets' own buffers are full
        line.transport.send(line.now(), bytes(WAITING_MAX // 4))
        if events := line.laps():
            break
    assert events == [LinkClosed("timeout")]


def test_a_broker_that_stalls_is_given_up(opened: tuple[Line, socket.socket]):
    line, _far = opened
    line.transport._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    while not line.transport._unsent:
        line.transport.send(line.now(), bytes(1000))
        line.laps(3)
    line.ahead_ms += STALL_MS
    assert line.until_event() == LinkClosed("timeout")


# ------------------------------------------------------------------ names
class NameServer:
    """Answers every question with `reply(question)`; silent when that is empty."""

    def __init__(self, reply: Any) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOCAL, 0))
        self.port: int = self._socket.getsockname()[1]
        self._reply = reply
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            packet, peer = self._socket.recvfrom(512)
            if packet == b"end":
                return
            if said := self._reply(packet):
                self._socket.sendto(said, peer)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ender:
            ender.sendto(b"end", (LOCAL, self.port))
        self._thread.join(5)
        self._socket.close()


def address_record(address: str) -> bytes:
    """With its name as a pointer to the question's."""
    return b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton(address)


def reply_with(asked: bytes, *records: bytes) -> bytes:
    return (
        asked[:2] + b"\x81\x80\x00\x01" + len(records).to_bytes(2, "big") + bytes(4) + asked[12:] + b"".join(records)
    )


def test_a_name_is_resolved_and_dialled(listener: socket.socket):
    alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x03far\xc0\x0c"
    server = NameServer(lambda asked: reply_with(asked, alias, address_record(LOCAL)))
    try:
        line = Line("broker.example", listener.getsockname()[1], Network(LOCAL), server.port)
        line.transport.dial()
        assert line.until_event() == LinkOpened()
        line.transport.hang_up()
    finally:
        server.close()


def test_a_silent_name_server_is_given_up_without_waiting_for_it(listener: socket.socket):
    server = NameServer(lambda _asked: b"")
    try:
        line = Line("broker.example", listener.getsockname()[1], Network(LOCAL), server.port)
        line.transport.dial()
        assert line.laps(5) == []
        line.ahead_ms += GIVE_UP_MS
        assert line.until_event() == LinkClosed("dns")
    finally:
        server.close()


def test_the_last_address_is_tried_when_the_name_server_is_gone(listener: socket.socket):
    answers = [True]
    server = NameServer(lambda asked: reply_with(asked, address_record(LOCAL)) if answers else b"")
    try:
        line = Line("broker.example", listener.getsockname()[1], Network(LOCAL), server.port)
        line.transport.dial()
        assert line.until_event() == LinkOpened()
        answers.clear()
        line.transport.dial()
        assert line.laps(5) == []
        line.ahead_ms += GIVE_UP_MS
        assert line.until_event() == LinkOpened()
        line.transport.hang_up()
    finally:
        server.close()


def test_a_name_that_does_not_exist_is_said_at_once(listener: socket.socket):
    server = NameServer(lambda asked: asked[:2] + b"\x81\x83\x00\x01" + bytes(6) + asked[12:])
    try:
        line = Line("broker.example", listener.getsockname()[1], Network(LOCAL), server.port)
        line.transport.dial()
        assert line.until_event() == LinkClosed("dns")
    finally:
        server.close()


def test_an_address_needs_no_asking():
    assert is_address("10.0.0.255")
    for host in ("broker.example", "10.0.0.256", "1.2.3", "1.2.3.4.5", "", "::1", "1.2.3.a"):
        assert not is_address(host), host


ASKED = question(b"\x12\x34", "broker.example")


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        ASKED,
        reply_with(ASKED),
        b"\x00\x00" + reply_with(ASKED, address_record("10.1.2.3"))[2:],
        reply_with(question(b"\x12\x34", "other.example"), address_record("10.1.2.3")),
        reply_with(ASKED, b"\xc0\x0c\x00\x1c\x00\x01\x00\x00\x00\x3c\x00\x10" + bytes(16)),
        reply_with(ASKED, *[b"\xc0\x0c\x00\x05\x00\x01" + bytes(6)] * (ANSWERS_MAX + 5), address_record("10.1.2.3")),
    ],
    ids=["empty", "no answer", "no records", "other number", "other name", "IPv6 only", "too many records"],
)
def test_what_is_no_answer_gives_no_address(packet: bytes):
    assert answer(packet, ASKED) == ""


def test_an_answer_cut_anywhere_gives_no_address_and_no_error():
    whole = reply_with(ASKED, address_record("10.1.2.3"))
    assert answer(whole, ASKED) == "10.1.2.3"
    for size in range(len(whole)):
        assert answer(whole[:size], ASKED) == ""
    for place in range(len(whole)):
        for byte in (0x00, 0x3F, 0xC0, 0xFF):
            answer(whole[:place] + bytes([byte]) + whole[place + 1 :], ASKED)

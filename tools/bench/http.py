"""How many compartments a second the gateway reserves and gives back over HTTP, several callers at once.

The gateway is a process of its own with its real books; each caller keeps one connection. Beside it, in turns,
a page that does nothing: what of the time is the HTTP server's.
"""

import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.packages import cache_folder
from protocol.messages import Birth
from protocol.numbers import DOOR_STATES
from tools.bench.counts import Counts
from tools.bench.locker_line import LineError, LockerLine
from tools.bench.report import Report, median, percentile
from tools.demo.stack import Stack, description
from tools.locker import cabinets

LOCKER = "bench-1"
CARRIER = "colis-bleu"
WAIT_S = 60.0
RUNS = 3
_CLOSED = DOOR_STATES.index("closed")


class HttpError(Exception):
    """An answer that this bench did not ask for."""


class Caller:
    """One connection, HTTP/1.1 by hand: the client must cost little beside the server."""

    def __init__(self, url: str, secret: str) -> None:
        host, _, port = url.removeprefix("http://").rstrip("/").rpartition(":")
        self._socket = socket.create_connection((host, int(port)), WAIT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"Host: {host}\r\nAuthorization: Bearer {secret}\r\nContent-Length: 0\r\n"
        self._rest = b""

    def ask(self, method: str, path: str, wanted: int) -> float:
        """Milliseconds until the whole answer is there."""
        request = f"{method} {path} HTTP/1.1\r\n{self._head}Idempotency-Key: {uuid.uuid4()}\r\n\r\n"
        start = time.perf_counter()
        self._socket.sendall(request.encode())
        status = self._answer()
        spent_ms = (time.perf_counter() - start) * 1000
        if status != wanted:
            raise HttpError(f"{method} {path}: {status}, not {wanted}")
        return spent_ms

    def _answer(self) -> int:
        while b"\r\n\r\n" not in self._rest:
            self._more()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        size = sum(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        while len(self._rest) < size:
            self._more()
        self._rest = self._rest[size:]
        return int(lines[0].split()[1])

    def _more(self) -> None:
        piece = self._socket.recv(16_384)
        if not piece:
            raise HttpError("the gateway hung up")
        self._rest += piece

    def close(self) -> None:
        self._socket.close()


@dataclass
class Run:
    seconds: float
    delays_ms: list[float] = field(default_factory=list[float])  # of the reservations (or of the empty page)


def run(report: Report, counts: Counts) -> None:
    report.heading("http", "reservations over HTTP: find and take a compartment, give it back")
    unlimited = ("--requests-per-second", "1000000")
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=cache_folder()) as folder,
        Stack(Path(folder), flags=unlimited) as stack,
    ):
        line = _locker(stack)
        callers = [Caller(stack.url, stack.operator_key) for _ in range(counts.connections)]
        try:
            parcels = [_expected(stack, number) for number in range(counts.connections)]
            _tell(report, counts, _runs(callers, parcels, counts.rounds))
        finally:
            for caller in callers:
                caller.close()
            line.close()


def _tell(report: Report, counts: Counts, found: tuple[list[Run], list[Run]]) -> None:
    acts, pages = found
    total = counts.connections * counts.rounds
    report.note(f"{counts.connections} connections, {len(acts)} runs of {total} reservations, one locker of 48.")
    rate = median([total / one.seconds for one in acts])
    report.row("allocations_per_s", round(rate), "a second", "reservations committed, each also given back (median)")
    report.row("acts_per_s", round(2 * rate), "a second", "POSTs and DELETEs together, each one durable commit")
    empty = median([2 * total / one.seconds for one in pages])
    report.row("empty_page_per_s", round(empty), "a second", "GET /health with the same callers: the server alone")
    report.row("acts_to_empty_page", round(2 * rate / empty, 2), "", "ratio of the two")
    delays = [delay for one in acts for delay in one.delays_ms]
    for name, percent in (("p50", 50), ("p99", 99)):
        value = round(percentile(delays, percent), 1)
        report.row(f"reservation_{name}_ms", value, "ms", f"POST …/reservation → 201, all connections busy: {name}")


# ------------------------------------------------------------------ the town
def _locker(stack: Stack) -> LockerLine:
    """A locker of 48 that is there, with every door closed; as long as its line is."""
    hardware = cabinets.gare(LOCKER)
    stack.api.post("/v1/lockers", description(hardware))
    given = stack.api.post(f"/v1/lockers/{LOCKER}/provisioning", {})
    boxes = sum(len(module["compartments"]) for module in hardware["modules"])
    line = _connected(stack, bytes.fromhex(given["key"]), int(given["generation"]))
    line.send(line.packet(0, Birth("bench", bytes(8), 1, 0, bytes([_CLOSED]) * boxes)))
    stack.wait_for(f"{LOCKER} online", lambda: stack.api.get(f"/v1/lockers/{LOCKER}")["online"], WAIT_S)
    return line


def _connected(stack: Stack, key: bytes, generation: int) -> LockerLine:
    """The broker learns the new locker's password a moment after the gateway."""

    def attempt() -> LockerLine | None:
        try:
            return LockerLine(stack.broker, LOCKER, key, generation)
        except (OSError, LineError):
            return None

    return stack.wait_for(f"{LOCKER} connected", attempt, WAIT_S)


def _expected(stack: Stack, number: int) -> str:
    wanted: dict[str, Any] = {"label": f"BENCH{number}", "locker": LOCKER, "size": "S", "carrier": CARRIER}
    return str(stack.api.post("/v1/parcels", wanted)["id"])


# ------------------------------------------------------------------ the load
def _runs(callers: list[Caller], parcels: list[str], rounds: int) -> tuple[list[Run], list[Run]]:
    """Reservations and the empty page, in turns; a first run of both warms up."""

    def reserve(place: int) -> list[float]:
        path = f"/v1/parcels/{parcels[place]}/reservation"
        delays: list[float] = []
        for _ in range(rounds):
            delays.append(callers[place].ask("POST", path, 201))
            callers[place].ask("DELETE", path, 204)
        return delays

    def look(place: int) -> list[float]:
        return [callers[place].ask("GET", "/health", 200) for _ in range(2 * rounds)]

    both = [(_together(len(callers), reserve), _together(len(callers), look)) for _ in range(RUNS + 1)]
    return [acts for acts, _ in both[1:]], [pages for _, pages in both[1:]]


def _together(count: int, act: Callable[[int], list[float]]) -> Run:
    delays: list[float] = []
    failed: list[BaseException] = []

    def one(place: int) -> None:
        try:
            delays.extend(act(place))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(place,)) for place in range(count)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return Run(time.perf_counter() - start, delays)

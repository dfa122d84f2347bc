"""The network comes back after a month: how long until the gateway's books hold all that the locker did alone.

The month is lived by the real agent in MicroPython on the LittleFS image of a virtual locker; then that locker boots
in real time, in front of a real broker and the gateway's own process.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import serial

from tools import micropython
from tools.attack.board.siege import LOCKER
from tools.attack.tickets import SignedTickets
from tools.demo.stack import RunningLocker, Stack, description
from tools.locker import cabinets
from tools.locker.flash import SHIM
from tools.locker.provision import Bundle, provision

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "board" / "live.py"
HEAP_KB = 8_192  # tickets of a whole month and the hands; what the agent needs is measured elsewhere
COMPARTMENTS = 48  # of cabinets.gare
LIMIT_S = 600
AGREE_S = 120
_LIVE_S = 900
_POLL_S = 0.1
_ANSWER_S = 60


@dataclass(frozen=True)
class Plan:
    days: int
    round_doors: int  # a day


MONTH = Plan(30, 106)
SHORT = Plan(2, 22)


@dataclass(frozen=True)
class Drained:
    """Seconds from when the birth reached the gateway."""

    lived: Mapping[str, int]  # the month's counts
    events: int  # in the locker's journal when the network came
    dial_s: float  # from the key at the panel to the birth
    drain_s: float
    agree_s: float  # from the last event in the books to both sides saying the same
    heap_free: int  # on the board, afterwards
    alarms: int


def run(folder: Path, plan: Plan) -> Drained:
    """Raises TimeoutError, AssertionError, OSError."""
    with Stack(folder) as stack:
        cabinet = cabinets.gare(LOCKER)
        stack.api.post("/v1/lockers", description(cabinet))
        given = stack.api.post(f"/v1/lockers/{LOCKER}/provisioning", {})
        trusted = {kid: bytes.fromhex(table) for kid, table in given["trusted"].items()}
        bundle = Bundle(LOCKER, int(given["generation"]), bytes.fromhex(given["key"]), stack.broker, trusted)
        home = folder / LOCKER
        provision(home, dict(cabinet), bundle)
        lived = live(home / "flash.img", folder / "tickets", plan)
        locker = stack.lockers[LOCKER] = RunningLocker(home, cabinet, bundle)
        return _drain(stack, locker, lived)


def live(image: Path, tickets_path: Path, plan: Plan) -> dict[str, int]:
    """The days alone, in this image."""
    tickets = SignedTickets()
    for number in range(1, COMPARTMENTS + 1):
        tickets.pickup(number, 1)
    tickets_path.write_text("\n".join(tickets.to_lines()), encoding="ascii")
    interpreter = micropython.find()
    words = (SCRIPT, image, tickets_path, LOCKER, COMPARTMENTS, plan.days, plan.round_doors)
    folders = (ROOT, SHIM, ROOT / "device" / "lib")
    return json.loads(interpreter.run(*words, heap_kb=HEAP_KB, folders=folders, timeout_s=_LIVE_S))


def _drain(stack: Stack, locker: RunningLocker, lived: Mapping[str, int]) -> Drained:
    locker.cabinet.wait_until(lambda state: any(state["screen"]), 60)
    asked = time.monotonic()
    locker.cabinet.keys("*")  # somebody at the panel: it dials at once
    events = lived["events"] + 1  # this boot
    books = _Books(stack.data)
    _wait(books.online, 120)
    born = time.monotonic()
    _wait(lambda: books.last_seq() >= events, LIMIT_S)
    drained = time.monotonic()
    _wait(lambda: _agree(locker, books), AGREE_S)
    agreed = time.monotonic()
    seqs = books.seqs()
    assert seqs == list(range(1, len(seqs) + 1)) and len(seqs) >= events, "a gap, or one twice"
    free = int(_ask(locker, "status")["heap_free"])
    return Drained(lived, events, born - asked, drained - born, agreed - drained, free, books.alarms())


def _agree(locker: RunningLocker, books: "_Books") -> bool:
    """Everything said is acknowledged, and every door stands in the books as the locker says it does."""
    journal = _ask(locker, "journal")
    if not journal["acked"] == journal["last"] == books.last_seq():
        return False
    said = _ask(locker, "doors")
    return said["doors"] == books.by("door") and said["flags"].get("quarantined", []) == books.quarantined()


def _ask(locker: RunningLocker, line: str) -> Any:
    """One question on the serial console."""
    with serial.Serial(locker.console, 115_200, timeout=1) as port:
        port.reset_input_buffer()
        port.write(line.encode() + b"\r")
        said = b""
        until = time.monotonic() + _ANSWER_S
        while not (said.endswith((b"> ", b"# ")) and b"OK " in said):
            said += port.read(max(1, port.in_waiting))
            if time.monotonic() > until:
                raise TimeoutError(f"the console said {said!r}")
    return json.loads(said.partition(b"OK ")[2].splitlines()[0])


def _wait(true: Any, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while not true():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {wait_s:.0f} s")
        time.sleep(_POLL_S)


class _Books:
    """The gateway's database, read beside it."""

    def __init__(self, data: Path) -> None:
        found = sorted(data.glob("*.db"))
        self._path = found[0]

    def _rows(self, sql: str) -> list[Any]:
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def online(self) -> bool:
        return bool(self._rows("SELECT online FROM lockers")[0][0])

    def last_seq(self) -> int:
        return int(self._rows("SELECT last_seq FROM lockers")[0][0])

    def by(self, column: str) -> dict[str, list[int]]:
        """Compartments by how they stand."""
        found: dict[str, list[int]] = {}
        for number, word in self._rows(f"SELECT number, {column} FROM compartments ORDER BY number"):
            found.setdefault(str(word), []).append(int(number))
        return found

    def quarantined(self) -> list[int]:
        return self.by("quarantined").get("1", [])

    def alarms(self) -> int:
        return int(self._rows("SELECT count(*) FROM alarms")[0][0])

    def seqs(self) -> list[int]:
        return [int(row[0]) for row in self._rows("SELECT seq FROM events ORDER BY rowid")]

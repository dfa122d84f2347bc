"""A courier with forty parcels at one locker: how long the system lets them wait at each, and whether any gets lost.

Machine time begins when the label's last byte is on the wire and stands still while the courier's hands are busy: from
the door that springs open until it is pushed shut. It ends when the screen says "deposited" and the books have it,
whichever is later. Real parts: the gateway's process, Mosquitto, the agent in MicroPython in a cabinet of 48 doors.
"""

import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.packages import cache_folder
from tools.bench.counts import Counts
from tools.bench.report import Report, median, percentile
from tools.demo.journey import coil_on
from tools.demo.stack import RunningLocker, Stack
from tools.locker import cabinets
from tools.locker.client import CabinetClient

CARRIER = "colis-bleu"
LIMIT_S = 3.0  # of ours for a parcel; a courier has 48 s for one, all in all (600 a day)
WAIT_S = 60.0
SIZES = (*"SSSMSSSSSL", *"SSSMSSSSSS")  # as they come; the 48 doors are 41 S, 4 M and 3 L


@dataclass
class Times:
    """Seconds, one of each a parcel."""

    scan_to_open: list[float] = field(default_factory=list[float])
    close_to_screen: list[float] = field(default_factory=list[float])
    close_to_books: list[float] = field(default_factory=list[float])
    machine: list[float] = field(default_factory=list[float])


def run(report: Report, counts: Counts) -> None:
    report.heading("round", f"a courier puts {counts.parcels} parcels into one locker of 48 doors")
    times = Times()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache_folder()) as folder, Stack(Path(folder)) as stack:
        locker = stack.add_locker(cabinets.gare("bench-1"))
        stack.wait_online(locker.id)
        put = _Courier(stack, locker, counts.hand_s, times).round(counts.parcels)
        _tell(report, times, counts, orphans(stack, locker.id, put))


def _tell(report: Report, times: Times, counts: Counts, lost: int) -> None:
    report.note(
        f"The courier's hands take {counts.hand_s:g} s a parcel, which is not counted. Without that pause the locks' "
        "own limit would be: coils may be on for 6 s a minute, which is 20 openings."
    )
    report.row("parcels", len(times.machine), "", "each in a door of its own, announced before")
    _rows(report, "scan_to_open", times.scan_to_open, "label's last byte on the wire → door open")
    _rows(report, "close_to_screen", times.close_to_screen, "door pushed shut → the screen says deposited")
    _rows(report, "close_to_books", times.close_to_books, "door pushed shut → deposited in the gateway's books")
    _rows(report, "machine", times.machine, "all that the courier waits for us, a parcel")
    ratio = median(times.machine) / LIMIT_S
    report.row("machine_to_limit", round(ratio, 3), "", f"that median beside the {LIMIT_S:g} s promised", "≤ 1")
    report.row("orphans", lost, "", "parcels or doors of which books and hands say different things", "0")


def _rows(report: Report, name: str, values: list[float], meaning: str) -> None:
    report.row(f"{name}_median_s", round(median(values), 3), "s", f"{meaning}: median")
    report.row(f"{name}_p95_s", round(percentile(values, 95), 3), "s", "95 % are not slower")


def orphans(stack: Stack, locker: str, put: Mapping[str, int]) -> int:
    """`put`: parcel -> the door that it was put into. How many parcels the books do not hold there as deposited, how
    many doors they and the locker hold for no parcel or another, and how many of the locker's events they lack or have
    twice."""
    astray = sum(_place(stack, parcel) != ("deposited", door) for parcel, door in put.items())
    doors = stack.api.pages(f"/v1/lockers/{locker}/compartments")
    held = {(row["parcel"], row["number"]) for row in doors if row["parcel"] or row["holding"] != "free"}
    seqs = [event["seq"] for event in stack.api.pages("/v1/events", limit=200) if event["locker"] == locker]
    lacking = set(range(1, max(seqs) + 1)) - set(seqs)
    return astray + len(held ^ set(put.items())) + len(lacking) + len(seqs) - len(set(seqs))


def _place(stack: Stack, parcel: str) -> tuple[str, int | None]:
    row = stack.api.get(f"/v1/parcels/{parcel}")
    return row["state"], row["compartment"]


class _Courier:
    """The hands of one courier at one locker."""

    def __init__(self, stack: Stack, locker: RunningLocker, hand_s: float, times: Times) -> None:
        self._stack = stack
        self._locker = locker
        self._cabinet = locker.cabinet
        self._hand_s = hand_s
        self._times = times

    def round(self, count: int) -> dict[str, int]:
        """Parcel -> door."""
        labels = [f"CB{secrets.token_hex(5).upper()}FR" for _ in range(count)]
        parcels = [self._announced(label, SIZES[place % len(SIZES)]) for place, label in enumerate(labels)]
        badge = self._stack.api.post("/v1/badges", {"carrier": CARRIER, "holder": "livreur-7", "days": 1})
        self._cabinet.scan(badge["token"])
        self._cabinet.wait_for_screen("Bonjour", WAIT_S)
        watcher = CabinetClient(self._locker.control)
        try:
            watcher.watch()
            return {
                parcel: self._deposit(watcher, label, parcel) for label, parcel in zip(labels, parcels, strict=True)
            }
        finally:
            watcher.close()

    def _announced(self, label: str, size: str) -> str:
        wanted = {"label": label, "locker": self._locker.id, "size": size, "carrier": CARRIER}
        return str(self._stack.api.post("/v1/parcels", wanted)["id"])

    def _deposit(self, watcher: CabinetClient, label: str, parcel: str) -> int:
        scanned = self._cabinet.scan(label) / 1000
        door = int(watcher.wait_for(lambda news: _moved(news, "open"), WAIT_S)["compartment"])
        opened = time.monotonic()
        time.sleep(self._hand_s)
        self._cabinet.wait_until(lambda state: not coil_on(state, door), WAIT_S)
        self._cabinet.push(door)
        watcher.wait_for(lambda news: _moved(news, "closed") and news["compartment"] == door, WAIT_S)
        closed = time.monotonic()
        watcher.wait_for(lambda news: news["event"] == "screen" and "déposé" in "\n".join(news["lines"]), WAIT_S)
        screen = time.monotonic()
        self._stack.wait_for("deposited", lambda: _place(self._stack, parcel) == ("deposited", door), WAIT_S)
        books = time.monotonic()
        self._times.scan_to_open.append(opened - scanned)
        self._times.close_to_screen.append(screen - closed)
        self._times.close_to_books.append(books - closed)
        self._times.machine.append(opened - scanned + books - closed)
        return door


def _moved(news: Mapping[str, Any], door: str) -> bool:
    return news["event"] == "door" and news["door"] == door

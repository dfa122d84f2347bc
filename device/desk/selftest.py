"""Every part of the locker: what is wrong with it, and the remedy in words.

`selftest` looks; `selftest doors` opens each free door, and somebody stands there and pushes them shut. A finding is a
part and a fault, as in `door 7 jammed`; what to do is in screens/desk, under the same without the number.
"""

from typing import TYPE_CHECKING

from device.agent import door
from device.agent.books import OUT, QUARANTINED
from device.agent.console import unload
from device.desk.people import wrapped
from device.desk.seat import STAYS
from device.desk.timings import FILE, drifted, known
from protocol.limits import FINDINGS_MAX, HEAP_FREE_MIN, JOURNAL_RESERVE_RECORDS
from protocol.numbers import DOOR_STATES, PART_WELL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.agent.core import Agent
    from device.desk.seat import Desk

_PARTS = ("scanner", "display", "meter", "thermometer")
_FAULTS = ("silent", "", "wrong_part", "stuck", "garbled")  # by protocol.numbers.PART_…
_SENSED = {"tamper": ("housing", "open"), "supply_low": ("supply", "low")}


def _selftest(desk: "Desk", words: "list[str]") -> "Iterator[str] | None":
    if words and words[0] != "doors":
        desk.misused("selftest")
        return None
    desk.note("selftest" + (" doors" if words else ""))
    report = _Report(desk.hands())
    if not words:
        return _looked(desk, report)
    _doors_too(desk, report)
    return None


class _Report:
    """`found`: the first findings, for the answer; `count`: of all."""

    def __init__(self, hands: "Any") -> None:
        self.found: list[str] = []
        self.count = 0
        self._hands = hands
        self._last = ""

    def lines(self, desk: "Desk", part: str, number: str, fault: str) -> "list[str]":
        """For people; and it is a finding from now on."""
        self.count += 1
        title = (part + " " + number).rstrip() + " " + fault
        if len(self.found) < FINDINGS_MAX:
            self.found.append(title)
        text = ""
        if self._hands and self._last != part + fault:
            texts = self._hands.text
            text = texts(desk.language, part + " " + fault) or texts(desk.language, part)
        self._last = part + fault  # the same remedy once
        return ["! " + title] + ["    " + line for line in wrapped(text)]

    def answer(self, desk: "Desk") -> None:
        self._hands = None  # what the answer needs of the heap
        unload(STAYS)
        desk.ok({"findings": self.found, "count": self.count, "passed": not self.count})


def _looked(desk: "Desk", report: _Report) -> "Iterator[str]":
    for part, number, fault in findings(desk):
        yield from report.lines(desk, part, number, fault)
    report.answer(desk)


def findings(desk: "Desk") -> "Iterator[tuple[str, str, str]]":
    """(part, its number or "", fault)"""
    agent = desk.agent
    for place in sorted(agent.lost):
        yield "module", str(place + 1), agent.lost[place]
    for place in range(len(agent.books.numbers)):
        number = str(agent.books.numbers[place])
        fault = _fault_of_door(agent, place)
        if fault:
            yield "door", number, fault
        if agent.openings.sensor_is_faulty(place):
            yield "sensor", number, "faulty"
    for name in sorted(agent.sensed):
        value = agent.sensed[name]
        if name in _PARTS and value != PART_WELL:
            yield name, "", _FAULTS[value]
        elif name in _SENSED and value:
            yield _SENSED[name][0], "", _SENSED[name][1]
    for part in (_slow_doors, _controller, _flash, _link):
        yield from part(desk)


def _fault_of_door(agent: "Agent", place: int) -> str:
    state = agent.doors.states[place]
    flags = agent.books.flags[place]
    if state in (door.OPEN, door.OPENING) and agent.openings.is_under_way(place):
        return ""
    if state == door.UNKNOWN and agent.doors.refused(place):
        return ""  # its board is lost, and named
    if state != door.CLOSED:
        return DOOR_STATES[state]
    return "out_of_service" if flags & OUT else "quarantined" if flags & QUARANTINED else ""


def _slow_doors(desk: "Desk") -> "Iterator[tuple[str, str, str]]":
    """Against what `cal` learnt of it."""
    hands = desk.hands()
    for number, _least, median, most, _cycles, _unix_s, _who in known(hands.lines(FILE)) if hands else ():
        place = desk.agent.books.place(number)
        if place is not None and drifted(desk.agent.doors.took[place] * 10, most, median):
            yield "door", str(number), "slow"


def _controller(desk: "Desk") -> "Iterator[tuple[str, str, str]]":
    agent = desk.agent
    hands = desk.hands()
    if agent.heap_free and agent.heap_free < HEAP_FREE_MIN:
        yield "heap", "", "low"
    if hands and hands.cause == "watchdog":
        yield "controller", "", "watchdog"
    if agent.link.wall_s(desk.now) is None:
        yield "clock", "", "not_set"
    if agent.books.bucket == 0:
        yield "keypad", "", "throttled"


def _flash(desk: "Desk") -> "Iterator[tuple[str, str, str]]":
    hands = desk.hands()
    fault = hands.flash_fault() if hands else ""
    if fault:
        yield "flash", "", fault
    if desk.agent.ledger.reserve < JOURNAL_RESERVE_RECORDS:
        yield "flash", "", "full"
    if hands and hands.rotten_keys() > 0:
        yield "keys", "", "rotten"
    elif not desk.agent.trusted:
        yield "keys", "", "missing"


def _link(desk: "Desk") -> "Iterator[tuple[str, str, str]]":
    facts: dict[str, Any] = desk.agent.link.facts(desk.now)
    if facts["state"] != "online":
        yield "network", "", facts["last_error"] or "offline"


# ------------------------------------------------------------------ doors that are opened
def _doors_too(desk: "Desk", report: _Report) -> None:
    from device.desk.cycle import Cycle, may_try  # noqa: PLC0415 - its room in the heap only where it is needed

    places = [place for place in range(len(desk.agent.books.numbers)) if may_try(desk, place)]
    desk.say(f"{len(places)} doors, one after the other")
    desk.task = Cycle(desk, places, 1, _Doors(report))


class _Doors:
    def __init__(self, report: _Report) -> None:
        self._report = report

    def opened(self, desk: "Desk", place: int, ms: int) -> str:
        return f"door {desk.agent.books.numbers[place]}: {ms} ms; push it shut"

    def ended(self, desk: "Desk", place: int, why: str) -> None:
        if why:
            number = str(desk.agent.books.numbers[place])
            for line in self._report.lines(desk, "door", number, why):
                desk.say(line)

    def over(self, desk: "Desk") -> None:
        self._report.answer(desk)


ORDERS = {"selftest": _selftest}

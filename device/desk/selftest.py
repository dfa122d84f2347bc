"""Every part of the locker: what is wrong with it, and the remedy in words.

`selftest` looks (device.desk.findings); `selftest doors` opens each free door, and somebody stands there and pushes
them shut. A finding is a part and a fault, as in `door 7 jammed`; what to do is in screens/desk, under the same
without the number.
"""

from typing import TYPE_CHECKING

from device.agent.console import load, unload
from device.desk.seat import STAYS
from device.desk.wrap import wrapped
from protocol.limits import FINDINGS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.desk.seat import Desk


def _selftest(desk: "Desk", words: "list[str]") -> "Iterator[str] | None":
    if words and words[0] != "doors":
        desk.misused("selftest")
        return None
    desk.note("selftest" + (" doors" if words else ""))
    if not words:
        return _looked(desk, _Report())
    _doors_too(desk, _Report())
    return None


class _Report:
    """`found`: the first findings, for the answer; `count`: of all."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.count = 0
        self._last = ""

    def lines(self, desk: "Desk", part: str, number: str, fault: str) -> "list[str]":
        """For people; and it is a finding from now on."""
        self.count += 1
        title = (part + " " + number).rstrip() + " " + fault
        if len(self.found) < FINDINGS_MAX:
            self.found.append(title)
        text = ""
        if self._last != part + fault:
            text = _remedy(desk, part, fault)
        self._last = part + fault  # the same remedy once
        return ["! " + title] + ["    " + line for line in wrapped(text)]

    def answer(self, desk: "Desk") -> None:
        unload(STAYS)  # what the answer needs of the heap
        desk.ok({"findings": self.found, "count": self.count, "passed": not self.count})


def _remedy(desk: "Desk", part: str, fault: str) -> str:
    """ "" where there are no texts, or no room for one: the finding itself is said in any case."""
    try:
        hands = desk.hands()
        return (hands.text(desk.language, part + " " + fault) or hands.text(desk.language, part)) if hands else ""
    except MemoryError:
        return ""


def _looked(desk: "Desk", report: _Report) -> "Iterator[str]":
    for part, number, fault in load("findings").findings(desk):
        yield from report.lines(desk, part, number, fault)
    report.answer(desk)


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

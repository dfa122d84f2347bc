"""Learning how long a door takes to open: N cycles, kept on flash with the date and the technician's name."""

from typing import TYPE_CHECKING

from device.desk.act import utc_text
from device.desk.cycle import Cycle, may_try
from device.desk.opening import number_of, refuse_door
from device.desk.timings import FILE, known
from protocol.limits import CALIBRATION_CYCLES, CALIBRATION_CYCLES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.desk.seat import Desk


def _cal(desk: "Desk", words: "list[str]") -> "Iterator[str] | None":
    """Without an argument it tells what is known."""
    hands = desk.hands()
    if hands is None:
        desk.err("not_allowed", "this locker has no flash to keep it on")
        return None
    if not words:
        return _told(desk, known(hands.lines(FILE)))
    number = number_of(words[0])
    place = None if number is None else desk.agent.books.place(number)
    times = number_of(words[1]) if len(words) > 1 else CALIBRATION_CYCLES
    if place is None:
        refuse_door(desk, "unknown_compartment")
    elif not times or times > CALIBRATION_CYCLES_MAX:
        desk.err("bad_value", f"CYCLES: 1 to {CALIBRATION_CYCLES_MAX}")
    elif not desk.may_act():
        pass  # that was answered
    elif not may_try(desk, place):
        desk.err("wrong_state", "it must be shut and free: see doors")
    else:
        desk.note(f"cal {number}")
        desk.task = Cycle(desk, [place], times, _Learning(times))
    return None


def _told(desk: "Desk", rows: "Iterator[list[Any]]") -> "Iterator[str]":
    count = 0
    for number, least, median, most, cycles, unix_s, who in rows:
        count += 1
        day = utc_text(unix_s)[:10] if unix_s else "no clock"
        yield f"{number:3d} {least}/{median}/{most} ms {cycles}x {day} {who}"
    desk.ok({"known": count})


class _Learning:
    def __init__(self, times: int) -> None:
        self._times = times
        self._took: list[int] = []
        self._why = ""
        self._place = 0

    def opened(self, _desk: "Desk", _place: int, ms: int) -> str:
        self._took.append(ms)
        return f"{len(self._took)}/{self._times}: {ms} ms; push it shut"

    def ended(self, _desk: "Desk", place: int, why: str) -> None:
        self._place = place
        self._why = why

    def over(self, desk: "Desk") -> None:
        number = desk.agent.books.numbers[self._place]
        if self._why:
            desk.err(self._why, "see selftest")
            return
        took = sorted(self._took)
        least, median, most = took[0], took[len(took) // 2], took[-1]
        wall = desk.agent.link.wall_s(desk.now) or 0
        line = f"{number} {least} {median} {most} {len(took)} {wall} {desk.agent.console.actor}"
        desk.hands().keep(FILE, str(number), line)
        desk.ok({"compartment": number, "cycles": len(took), "min_ms": least, "median_ms": median, "max_ms": most})


ORDERS = {"cal": _cal}

"""What is wrong with each part of the locker, as far as looking tells: nothing is opened."""

from typing import TYPE_CHECKING

from device.agent import door
from device.agent.books import OUT, QUARANTINED
from protocol.limits import HEAP_FREE_MIN, JOURNAL_RESERVE_RECORDS
from protocol.numbers import DOOR_STATES, PART_WELL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.agent.core import Agent
    from device.desk.seat import Desk

_PARTS = ("scanner", "display", "meter", "thermometer")
_FAULTS = ("silent", "", "wrong_part", "stuck", "garbled")  # by protocol.numbers.PART_…
_SENSED = {"tamper": ("housing", "open"), "supply_low": ("supply", "low")}


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
    from device.desk.timings import FILE, drifted, known  # noqa: PLC0415 - only where it is needed

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

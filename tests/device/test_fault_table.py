"""The table of faults in device/README.md, row by row through the agent; and every fault state with everything that a
sensor, a command and a restart can make of it."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from rig import Rig
from test_agent_deposit import assign, courier_at
from test_agent_pickup import locker_with_parcel
from test_contents import SETTLED, watched_locker, with_parcel

from device.agent import door
from device.agent import events as on
from device.agent.books import QUARANTINED
from protocol import messages, numbers
from protocol.limits import COURIER_IDLE_MS, DOOR_FLAPS_MAX, LEFT_OPEN_MS, PULSE_RETRY_MS

README = Path(__file__).parents[2] / "device" / "README.md"
HEADING = "## Faults"
NUMBER = 2


# ------------------------------------------------------------------ the table
def jammed_pickup() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.jammed.add(NUMBER)
    rig.keys(rig.code(NUMBER, 1))
    rig.wait(3 * PULSE_RETRY_MS + 1)
    return rig


def jammed_deposit() -> Rig:
    rig = courier_at(Rig())
    rig.jammed.add(NUMBER)
    rig.do(on.Scanned(b"PARCEL-1"))
    assign(rig, NUMBER)
    rig.wait(3 * PULSE_RETRY_MS + 1)
    return rig


def pushed_shut_at_once() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.mute.add(NUMBER)
    rig.keys(rig.code(NUMBER, 1))
    rig.do(on.DoorSensed(NUMBER, True))
    rig.wait(PULSE_RETRY_MS + 1)
    return rig


def left_open() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.keys(rig.code(NUMBER, 1))
    rig.wait(LEFT_OPEN_MS + 1)
    return rig


def forced() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.wait(10_000)
    rig.pull(NUMBER)
    return rig


def welded() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.keys(rig.code(NUMBER, 1))
    rig.push(NUMBER)
    rig.wait(10_000)
    rig.pull(NUMBER)
    return rig


def swapped_ordered() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.wires = {NUMBER: 3}
    rig.keys(rig.code(NUMBER, 1))
    return rig


def swapped_other() -> Rig:
    rig = courier_at(Rig())
    rig.deposit(1)
    rig.keys("*")
    rig.wires = {1: NUMBER}
    rig.keys(rig.code(1, 1))
    return rig


def flapping_switch() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.wait(10_000)
    for _ in range(DOOR_FLAPS_MAX + 1):
        rig.pull(NUMBER)
        rig.push(NUMBER)
    return rig


def stuck_open() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.closed[NUMBER] = False
    rig.power_on()
    rig.connect()
    rig.keys(rig.code(NUMBER, 1))
    return rig


def late_switch() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.mute.add(NUMBER)
    rig.keys(rig.code(NUMBER, 1))
    rig.wait(PULSE_RETRY_MS + 300)
    rig.pull(NUMBER)
    rig.push(NUMBER)
    return rig


def brown_out() -> Rig:
    rig = locker_with_parcel(NUMBER)
    rig.jammed.add(NUMBER)
    rig.keys(rig.code(NUMBER, 1))
    rig.power_on()
    rig.wait(60_000)
    return rig


def still_inside() -> Rig:
    rig = with_parcel(NUMBER)
    rig.keys(rig.code(NUMBER, 1))
    rig.push(NUMBER)
    rig.wait(SETTLED)
    return rig


def closed_empty() -> Rig:
    rig = watched_locker()
    assign(rig, NUMBER)
    rig.push(NUMBER)
    rig.wait(SETTLED)
    return rig


def closed_empty_and_left() -> Rig:
    rig = closed_empty()
    rig.wait(COURIER_IDLE_MS)
    return rig


def something_inside() -> Rig:
    rig = Rig(watched={NUMBER})
    rig.put(NUMBER, True)
    rig.wait(SETTLED)
    return rig


def parcel_gone() -> Rig:
    rig = with_parcel(NUMBER)
    rig.put(NUMBER, False)
    rig.wait(SETTLED)
    return rig


def flapping_occupancy() -> Rig:
    rig = with_parcel(NUMBER)
    for change in range(2 * DOOR_FLAPS_MAX):
        rig.do(on.ContentsSensed(NUMBER, change % 2 == 1))
    rig.wait(SETTLED)
    return rig


SCENES: dict[str, Callable[[], Rig]] = {
    "jammed door, dead coil or switch stuck closed, at a pickup": jammed_pickup,
    "the same at a deposit": jammed_deposit,
    "pushed shut within 60 ms": pushed_shut_at_once,
    "left open for 3 minutes": left_open,
    "forced": forced,
    "welded relay: opens again after closing": welded,
    "swapped wires: the door that was ordered": swapped_ordered,
    "swapped wires: the door that opened": swapped_other,
    "switch flaps": flapping_switch,
    "switch stuck open since the start, then a code": stuck_open,
    "switch late by one try": late_switch,
    "power cut inside the pulse": brown_out,
    "sensor: parcel still inside after a pickup": still_inside,
    "sensor: deposit closed empty": closed_empty,
    "sensor: the same, and its courier left": closed_empty_and_left,
    "sensor: something in a free compartment": something_inside,
    "sensor: parcel gone without an opening": parcel_gone,
    "sensor flaps or never settles": flapping_occupancy,
}


def rows() -> dict[str, list[str]]:
    lines = README.read_text("utf-8").split(HEADING + "\n")[1].split("\n## ")[0].splitlines()
    cells = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")
    ]
    return {row[0]: row[1:5] for row in cells[2:]}


def alarm_of(rig: Rig) -> str:
    """The last that the gateway raises about this compartment (gateway/services/told_doors.py)."""
    alarm = "–"
    for event in rig.flash.events():
        if isinstance(event, messages.DoorFaulted) and event.compartment == NUMBER:
            alarm = "door_" + numbers.DOOR_STATES[event.state]
        elif isinstance(event, messages.ContentsDoubted) and event.compartment == NUMBER:
            alarm = "contents_" + numbers.CONTENTS_FINDINGS[event.finding]
    return alarm


def test_the_readme_tells_of_every_fault():
    assert list(rows()) == list(SCENES)


@pytest.mark.parametrize("fault", SCENES)
def test_the_readme_tells_what_becomes_of_a_fault(fault: str):
    rig = SCENES[fault]()
    quarantined = "yes" if rig.agent.books.has(NUMBER - 1, QUARANTINED) else "no"
    state = numbers.DOOR_STATES[rig.agent.doors.states[NUMBER - 1]]
    assert rows()[fault] == [state, rig.screen[0], quarantined, alarm_of(rig)]


# ------------------------------------------------------------------ fault state × command × sensor × timing
FAULTS: dict[str, Callable[[], Rig]] = {
    "jammed": jammed_pickup,
    "left_open": left_open,
    "forced": forced,
    "faulty": flapping_switch,
    "out_of_service": swapped_ordered,
}
COMMANDS = ("nothing", "code", "open", "release", "out", "in")
SENSORS = ("silent", "opens", "opens and closes", "closes", "flaps")
TIMINGS = ("at once", "after two minutes", "after a restart")


def command(rig: Rig, word: str) -> None:
    orders = {
        "open": messages.Open(NUMBER, "look"),
        "release": messages.Release(NUMBER),
        "out": messages.OutOfService(NUMBER, True),
        "in": messages.OutOfService(NUMBER, False),
    }
    if word == "code":
        rig.keys(rig.code(NUMBER, 1))
    elif word in orders:
        rig.say(rig.gateway.say(orders[word]))


def sensor(rig: Rig, word: str) -> None:
    if word in ("opens", "opens and closes"):
        rig.pull(NUMBER)
    if word in ("closes", "opens and closes"):
        rig.push(NUMBER)
    if word == "flaps":
        for _ in range(2 * DOOR_FLAPS_MAX):
            rig.pull(NUMBER)
            rig.push(NUMBER)


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_to_a_door_at_fault_no_parcel_is_lost_and_nobody_is_given_it(fault: str):
    for timing, word, sensed in product(TIMINGS, COMMANDS, SENSORS):
        rig = FAULTS[fault]()
        cell = (timing, word, sensed)
        assert numbers.DOOR_STATES[rig.agent.doors.states[NUMBER - 1]] == fault
        rig.mute.add(NUMBER)
        rig.wires = {}
        if timing == "after two minutes":
            rig.wait(120_000)
        elif timing == "after a restart":
            rig.power_on()
            rig.connect()
        before = len(rig.pulses)
        suspicious = rig.agent.books.has(NUMBER - 1, QUARANTINED)
        command(rig, word)
        pulsed = len(rig.pulses) > before
        sensor(rig, sensed)
        rig.wait(10_000)
        books = rig.agent.books
        collected = [event for event in rig.flash.events() if isinstance(event, messages.Collected)]
        assert not pulsed or word in ("code", "open"), cell
        assert not pulsed or fault != "out_of_service", (*cell, "its wires are not to be trusted")
        assert pulsed or word != "code" or fault == "out_of_service", (*cell, "a code goes on working")
        assert suspicious or fault == "left_open", cell
        assert books.has(NUMBER - 1, QUARANTINED) or not suspicious, (*cell, "only Release clears, and not a parcel")
        if books.holdings[NUMBER - 1] != numbers.HELD:
            pulled = fault == "jammed" and timing == "at once"  # by whoever typed the code, within a minute
            assert collected and (word == "code" or fault == "left_open" or pulled), cell
            assert sensed not in ("silent", "opens"), (*cell, "not without seeing it close")
        rig.keys("*")
        before = len(rig.pulses)
        order = (99, 5, None, None)
        free = books.holdings[NUMBER - 1] == numbers.FREE and not books.flags[NUMBER - 1]
        offered = rig.agent.openings.deposit(rig.now, NUMBER - 1, messages.DepositAuthorised, order, []) == ""
        assert not offered or (free and rig.agent.doors.states[NUMBER - 1] != door.FAULTY), (
            *cell,
            "offered to nobody",
        )

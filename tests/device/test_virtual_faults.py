"""Doors that lie, on a virtual locker: the agent in a real MicroPython, and a cabinet with faults."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from locker_on_table import code_of, journal_of, town_locker, wait_for_word

from device.agent import door
from protocol import messages
from protocol.numbers import UNEXPECTED
from tools.locker import cabinets
from tools.locker.client import CabinetClient, VirtualLocker, start

Make = Callable[..., VirtualLocker]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    running: list[VirtualLocker] = []

    def started(**options: Any) -> VirtualLocker:
        locker = start(town_locker(tmp_path / "one", **options))
        running.append(locker)
        return locker

    yield started
    for locker in running:
        locker.stop()


def watched() -> list[dict[str, Any]]:
    """Compartments 1 to 3 have an occupancy sensor."""
    modules: list[dict[str, Any]] = cabinets.mairie()["modules"]
    for box in modules[0]["compartments"][:3]:
        box["occupied"] = 300 + box["number"]
    return modules


def events(client: CabinetClient, tmp_path: Path) -> list[Any]:
    client.power(False)
    client.wait_until(lambda state: not state["powered"])
    return [up.event for up in journal_of(tmp_path / "one")]


@pytest.mark.parametrize("lock_on", [1, 0])
def test_no_lock_pin_is_on_from_reset_to_the_first_authorised_pulse(make: Make, lock_on: int):
    client = make(held=[3], lock_on=lock_on).client
    before = client.state()["board_pid"]
    client.kill()
    client.wait_until(lambda state: state["board_pid"] not in (None, before))
    client.wait_for_screen("Bienvenue")
    state = client.state()
    assert state["pulses"] == [] and state["outputs_off_ms"] is not None, "every one of them was driven off"
    time.sleep(0.5)  # its first laps are over, and it looks at its keys
    client.keys(code_of(3))
    client.wait_for_door(3, "open")
    client.wait_until(lambda state: [pulse["compartment"] for pulse in state["pulses"]] == [3])


def test_swapped_wires_open_one_wrong_door_once(make: Make, tmp_path: Path):
    locker = make(held=[3, 5])
    client = locker.client
    wait_for_word(locker, 5, "closed")
    client.swap(3, 5)
    client.keys(code_of(3))
    client.wait_for_screen("Mauvaise porte")
    client.push(5)
    time.sleep(5)
    assert [pulse["compartment"] for pulse in client.state()["pulses"]] == [5], "the coil of 5, once"
    faults = [event for event in events(client, tmp_path) if isinstance(event, messages.DoorFaulted)]
    assert faults == [messages.DoorFaulted(5, door.FORCED, True), messages.DoorFaulted(3, door.OUT_OF_SERVICE, True)]


def test_a_welded_relay_is_a_forced_door_each_time_it_opens(make: Make, tmp_path: Path):
    locker = make(held=[3])
    client = locker.client
    wait_for_word(locker, 3, "closed")
    client.weld(3)
    client.wait_for_door(3, "open")
    wait_for_word(locker, 3, "forced")
    client.push(3)
    client.wait_for_door(3, "open")
    faults = [event for event in events(client, tmp_path) if isinstance(event, messages.DoorFaulted)]
    assert faults and all(fault == messages.DoorFaulted(3, door.FORCED, True) for fault in faults)


def test_a_pickup_counts_once_the_occupancy_sensor_says_empty(make: Make, tmp_path: Path):
    client = make(held=[3], modules=watched()).client
    client.fill(3)
    client.fill(1)  # nobody knows what
    time.sleep(0.3)
    client.keys(code_of(3))
    client.wait_for_door(3, "open")
    client.push(3)
    client.wait_for_screen("encore")
    client.keys(code_of(3))
    client.wait_for_door(3, "open")
    client.fill(3, False)
    client.push(3)
    client.wait_for_screen("Merci")
    told = events(client, tmp_path)
    assert told.count(messages.Collected(3, 1)) == 1 and messages.DoorClosed(3) in told
    assert messages.ContentsDoubted(1, UNEXPECTED) in told

"""A locker whose doors hang on a lock board, in real MicroPython: customers notice nothing of it."""

import time
from pathlib import Path
from typing import Any

import pytest
from locker_on_table import code_of, story_of, town_locker, wait_for_word

from tools.locker import cabinets
from tools.locker.client import VirtualLocker, start

KINDS: dict[str, dict[str, Any]] = {
    "cu16": {"address": 0},
    "cu48": {"address": 0},
    "board8a": {"address": 1},
    "wkly": {"address": 1},
    "modbus": {"address": 1},
}
ON_BOARD, ON_PINS = [1, 2], [3, 4]
UART = 3
DRIVER_ENABLE = {"cu48": 33}  # the others' transceivers turn by themselves
TAKE_S = 1.0  # nobody takes a parcel out sooner; a door open for less than 0.4 s is not seen by every board


def half_on_a_board(kind: str) -> list[dict[str, Any]]:
    """Modules: two doors on a lock board of this kind, two on pins."""
    pattern = cabinets.mairie()["modules"][0]
    boxes: list[dict[str, Any]] = pattern["compartments"]
    on_board = [
        {name: box[name] for name in box if name != "door"} | {"lock": channel, "number": channel}
        for channel, box in enumerate(boxes[:2], 1)
    ]
    wiring = {"name": "A", "driver": kind, "bus": 0, **KINDS[kind]}
    return [
        pattern | wiring | {"compartments": on_board},
        pattern | {"name": "B", "compartments": [box | {"number": 3 + at} for at, box in enumerate(boxes[2:4])]},
    ]


def board_locker(folder: Path, kind: str) -> VirtualLocker:
    modules = half_on_a_board(kind)
    bus = {"uart": UART} | ({"de": DRIVER_ENABLE[kind]} if kind in DRIVER_ENABLE else {})
    return start(town_locker(folder, held=ON_BOARD + ON_PINS, modules=modules, buses=[bus]))


def collect(locker: VirtualLocker, number: int) -> None:
    client = locker.client
    client.keys(code_of(number))
    client.wait_for_door(number, "open")
    client.wait_for_screen("Prenez votre colis")
    time.sleep(TAKE_S)
    client.push(number)
    client.wait_for_screen("Merci")


@pytest.mark.parametrize("kind", KINDS)
def test_parcels_come_out_of_doors_on_a_board_and_on_pins_also_while_the_board_is_pulled_out(
    kind: str, tmp_path: Path
):
    locker = board_locker(tmp_path / "one", kind)
    try:
        collect(locker, 1)
        collect(locker, 3)
        locker.client.ask("board", module="A", fault="silent", on=True)
        collect(locker, 4)
        wait_for_word(locker, 2, "unknown")
        locker.client.keys(code_of(2))
        locker.client.wait_for_screen("Porte 2 en panne")  # told at once, without a pulse into the void
        locker.client.ask("board", module="A", fault="silent", on=False)
        wait_for_word(locker, 2, "closed")
        collect(locker, 2)
        pulsed = [pulse["compartment"] for pulse in locker.client.state()["pulses"]]
    finally:
        locker.stop()
    assert pulsed == [1, 3, 4, 2]
    story = story_of(tmp_path / "one")
    assert story.count("Collected") == 4 and "DoorFaulted" not in story

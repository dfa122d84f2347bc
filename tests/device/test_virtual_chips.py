"""A locker whose doors hang on a port expander, on shift registers and on pins, in real MicroPython."""

from pathlib import Path
from typing import Any

from locker_on_table import code_of, story_of, town_locker, wait_for_word
from test_virtual_boards import collect

from tools.locker import cabinets
from tools.locker.client import start

ON_EXPANDER, ON_REGISTERS, ON_PINS = [1, 2], [3], [4]


def modules() -> list[dict[str, Any]]:
    pattern = cabinets.mairie()["modules"][0]
    boxes: list[dict[str, Any]] = pattern["compartments"]
    expander = [box | {"lock": 1 + place, "door": 9 + place} for place, box in enumerate(boxes[:2])]
    registers = [box | {"lock": 5} for box in boxes[2:3]]
    return [
        pattern
        | {"driver": "mcp23017", "i2c": 0, "address": 0x21, "reset": 30}
        | {"name": "A", "compartments": expander},
        pattern
        | {"driver": "hc595", "spi": 1, "latch": 31, "enable": 32, "check": True}
        | {"name": "B", "compartments": registers},
        pattern | {"name": "C", "compartments": boxes[3:4]},
    ]


def test_parcels_come_out_of_doors_on_chips_and_a_reset_in_a_pulse_ends_it(tmp_path: Path):
    held = ON_EXPANDER + ON_REGISTERS + ON_PINS
    with start(town_locker(tmp_path / "one", held=held, modules=modules())) as locker:
        client = locker.client
        for number in (1, 3, 4):
            collect(locker, number)
        client.ask("board", module="A", fault="silent", on=True)
        wait_for_word(locker, 2, "unknown")
        client.keys(code_of(2))
        client.wait_for_screen("Porte 2 en panne")
        client.ask("board", module="A", fault="silent", on=False)
        wait_for_word(locker, 2, "closed")
        collect(locker, 2)
        pulses = client.state()["pulses"]
    assert [pulse["compartment"] for pulse in pulses] == [1, 3, 4, 2]
    assert all(pulse["ms"] < 600 for pulse in pulses)
    story = story_of(tmp_path / "one")
    assert story.count("Collected") == 4 and "DoorFaulted" not in story

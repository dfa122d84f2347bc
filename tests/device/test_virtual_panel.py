"""A locker whose panel is an HD44780, a Wiegand keypad and a GM65, in real MicroPython, with lights at its doors; and
one with a display of dots.
"""

from pathlib import Path
from typing import Any

from locker_on_table import code_of, story_of, town_locker

from tools.locker import cabinets
from tools.locker.client import start

PANEL: dict[str, Any] = {
    "display": {"kind": "hd44780", "i2c": 0, "address": 0x27, "language": "fr"},
    "keypad": {"kind": "wiegand", "d0": 40, "d1": 41, "bits": 8},
    "scanner": {"kind": "gm65", "uart": 1, "baud": 9600, "setup": ["0802002A3901"]},
    "lights": {"pin": 42},
}


def modules() -> list[dict[str, Any]]:
    module = cabinets.mairie()["modules"][0]
    boxes = [box | {"light": place} for place, box in enumerate(module["compartments"], 1)]
    return [module | {"compartments": boxes}]


def test_a_code_typed_on_wiegand_opens_its_door_with_its_light_and_the_characters_say_so(tmp_path: Path):
    with start(town_locker(tmp_path / "one", held=[1, 2], modules=modules(), **PANEL)) as locker:
        client = locker.client
        client.wait_for_screen("Bienvenue")
        client.keys(code_of(2))
        client.wait_for_door(2, "open")
        client.wait_for_screen("Prenez votre colis")
        assert client.state()["lit"] == [2]
        client.push(2)
        client.wait_for_screen("Merci")
        client.wait_until(lambda state: state["lit"] == [])
        client.scan(code_of(1))
        client.wait_for_door(1, "open")
        client.wait_for_screen("Prenez votre colis")
        client.push(1)
        client.wait_for_screen("Merci")
    assert story_of(tmp_path / "one").count("Collected") == 2


def test_a_display_of_dots_says_the_same(tmp_path: Path):
    dots = {"kind": "ssd1306", "i2c": 0, "offset": 2, "language": "fr"}
    with start(town_locker(tmp_path / "one", held=[2], display=dots, sensors={"chip": True})) as locker:
        client = locker.client
        client.wait_for_screen("Bienvenue")
        client.keys(code_of(2))
        client.wait_for_door(2, "open")
        client.wait_for_screen("Prenez votre colis")
        client.push(2)
        client.wait_for_screen("Merci")
    assert story_of(tmp_path / "one").count("Collected") == 1

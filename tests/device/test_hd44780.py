"""An HD44780 behind a PCF8574: what the driver writes is what a person reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from device.agent.events import Sensed
from device.drivers.display import LANGUAGES, Texts
from device.drivers.hd44780 import ACCENTS, AGAIN_MS, FREE, PER_LAP, PLAIN, Hd44780
from tools.locker.parts.hd44780 import Hd44780 as Chip

SCREENS = Path(__file__).parents[2] / "device" / "screens"
TABLES: dict[str, dict[str, list[str]]] = {
    language: json.loads((SCREENS / f"{language}.json").read_text("utf-8")) for language in LANGUAGES
}


class Bus:
    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.largest = 0

    def writeto(self, address: int, data: bytes) -> None:
        if address != self.chip.address:
            raise OSError(19)
        self.largest = max(self.largest, len(data))
        self.chip.write(data)


class Panel:
    def __init__(self, language: str = "fr") -> None:
        self.chip = Chip()
        self.bus = Bus(self.chip)
        self.display = Hd44780(self.bus, 0x27, Texts(str(SCREENS), language))
        self.now = 0

    def run(self, ms: int = 600) -> list[Any]:
        events: list[Any] = []
        for _ in range(0, ms, 10):
            self.now += 10
            self.display.gather(self.now, events)
        return events

    def lines(self) -> list[str]:
        """As a person reads them: each drawn character by its dots."""
        shapes = {shape: character for character, shape in ACCENTS.items()}
        rows = ["".join(shapes[self.chip.drawn(c)] if c < FREE else chr(c) for c in row) for row in self.chip.cells]
        return [row.rstrip() for row in rows]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_stands_there_with_its_accents_one_after_the_other(language: str):
    panel = Panel(language)
    assert panel.run() == [Sensed("display", 1)]
    arguments = ("1", "2", "3", "4")
    for screen, texts in TABLES[language].items():
        name, _, code = screen.partition(":")
        said = (code, *arguments) if code else arguments
        panel.display.show(name, said)
        panel.run()
        assert panel.lines() == [text.format(*said)[:20].rstrip() for text in texts], screen


def test_the_language_key_shows_the_same_screen_in_the_other_language():
    panel = Panel()
    panel.display.show("welcome", ())
    panel.display.show("language", ("en",))
    panel.run()
    assert panel.lines() == [line.rstrip() for line in TABLES["en"]["welcome"]]


def test_a_ninth_accent_falls_back_to_its_letter_and_no_other_changes():
    panel = Panel()
    panel.display.show("àâéèêëîïôù", ())
    panel.run()
    assert panel.lines()[0] == "àâéèêëîï" + PLAIN["ô"] + PLAIN["ù"]


def test_a_display_that_is_not_there_is_told_once_and_comes_back_with_the_screen_of_now():
    panel = Panel()
    panel.chip.silent = True
    panel.display.show("welcome", ())
    assert panel.run(2 * AGAIN_MS) == [Sensed("display", 0)]
    panel.chip.silent = False
    panel.display.show("typing", ("123",))
    assert panel.run(2 * AGAIN_MS) == [Sensed("display", 1)]
    assert panel.lines()[:2] == ["Votre code :", "123"]


def test_a_display_that_lost_its_power_is_drawn_whole_again():
    panel = Panel()
    panel.display.show("welcome", ())
    panel.run()
    panel.chip.silent = True
    panel.display.show("typing", ("123",))
    panel.run()
    panel.chip.power_off()
    panel.chip.silent = False
    panel.run(2 * AGAIN_MS)
    assert panel.lines() == ["Votre code :", "123", "", "*:corriger"]


def test_a_display_left_between_two_halves_of_a_byte_by_a_reset_is_understood():
    for halves in range(1, 8):
        panel = Panel()
        panel.run()
        panel.chip.write(bytes((0x4C, 0x48)) * halves)
        again = Hd44780(panel.bus, 0x27, Texts(str(SCREENS), "fr"))
        panel.display = again
        again.show("welcome", ())
        panel.run()
        assert panel.lines() == [line.rstrip() for line in TABLES["fr"]["welcome"]]


def test_no_lap_writes_more_than_its_share():
    panel = Panel()
    panel.display.show("help", ())
    for _ in range(60):
        before = sum(row != b" " * 20 for row in panel.chip.cells)
        panel.run(10)
        assert panel.bus.largest <= 4 * 9
        assert before <= 4
    assert PER_LAP * 8 * 9 / 100 <= 5, "milliseconds at 100 kHz"

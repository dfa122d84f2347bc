"""An SSD1306 or SH1106: what the driver writes into its memory is what a person reads on its glass."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from device.agent.events import Sensed
from device.drivers.display import LANGUAGES, Texts
from device.drivers.ssd1306 import AGAIN_MS, ANEW_MS, CELL, HZ, SPARE, Ssd1306
from tools.locker.parts import dots, pictures, reading
from tools.locker.parts.ssd1306 import Ssd1306 as Chip

SCREENS = Path(__file__).parents[2] / "device" / "screens"
TABLES: dict[str, dict[str, list[str]]] = {
    language: json.loads((SCREENS / f"{language}.json").read_text("utf-8")) for language in LANGUAGES
}
LAP_MS_MAX = 3.0
START_MS = 500


class Bus:
    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.bits = 0  # on the wire, since somebody last looked

    def writeto(self, address: int, data: bytes) -> None:
        if address != self.chip.address:
            raise OSError(19)
        self.bits += 9 * (1 + len(data)) + 2
        self.chip.write(data)


class Panel:
    def __init__(self, columns: int = 128, language: str = "fr", **look: Any) -> None:
        self.chip = Chip(columns=columns)
        self.bus = Bus(self.chip)
        self.bits_a_ms = look.get("freq", HZ) / 1_000
        self.texts = Texts(str(SCREENS), language)
        self.display = Ssd1306(self.bus, {"offset": (columns - 128) // 2} | look, self.texts)
        self.now = 0
        self.longest_ms = 0.0

    def run(self, ms: int = START_MS, pace: int = 10) -> list[Any]:
        events: list[Any] = []
        for _ in range(0, ms, pace):
            self.now += pace
            self.bus.bits = 0
            self.display.gather(self.now, events)
            self.longest_ms = max(self.longest_ms, self.bus.bits / self.bits_a_ms)
        return events

    def lines(self) -> list[str]:
        return reading.lines(self.chip.dots())


@pytest.mark.parametrize("columns", [128, 132])
def test_every_screen_stands_there_with_its_accents_and_no_lap_is_held_up(columns: int):
    for language in LANGUAGES:
        panel = Panel(columns, language)
        assert panel.run() == [Sensed("display", 1)]
        arguments = ("1", "2", "3", "4")
        for screen, texts in TABLES[language].items():
            name, _, code = screen.partition(":")
            said = (code, *arguments) if code else arguments
            panel.display.show(name, said)
            panel.run(300)
            assert panel.lines() == [text.format(*said)[:20].rstrip() for text in texts], screen
        assert panel.longest_ms <= LAP_MS_MAX


def test_the_board_has_the_characters_that_are_drawn_and_each_looks_like_itself_alone():
    assert dots.OF_THE_BOARD.read_text("utf-8") == dots.module(), "run python -m tools.locker.parts.dots"
    drawn = dots.glyphs()
    assert len(set(drawn.values())) == len(drawn)
    assert set(map(chr, range(0x20, 0x7F))) | set("àâçèéêëîïôùûüÿæÀÂÇÈÉÊËÎÏÔÙÛÜ«»°") <= set(drawn)


def test_characters_that_it_has_none_of_are_question_marks():
    panel = Panel()
    panel.display.show("a€b’ñ œ 日", ())
    panel.run()
    assert panel.lines()[0] == "a?b?? ? ?"


@pytest.mark.parametrize("columns", [128, 132])
def test_it_is_dark_until_each_dot_of_its_glass_was_written_and_none_shows_noise(columns: int):
    panel = Panel(columns)
    panel.display.show("welcome", ())
    while not panel.chip.on:
        assert panel.now < START_MS
        assert not any(map(any, panel.chip.dots()))
        panel.run(10)
    assert panel.lines() == [line.rstrip() for line in TABLES["fr"]["welcome"]]
    rows = panel.chip.dots()
    assert not any(any(row[: SPARE // 2] + row[-SPARE // 2 :]) for row in rows), "the margins are empty"
    assert panel.chip.registers[0x8D] == b"\x14" and panel.chip.registers[0x81] == b"\x7f"


def test_the_settings_of_config_json_are_heeded():
    panel = Panel(contrast=255, turned=True)
    panel.display.show("welcome", ())
    panel.run()
    assert panel.chip.registers[0x81] == b"\xff"
    upside_down = [row[::-1] for row in reversed(panel.chip.dots())]
    assert reading.lines(upside_down) == [line.rstrip() for line in TABLES["fr"]["welcome"]]


def test_a_slower_bus_takes_longer_and_holds_no_lap_up():
    panel = Panel(freq=100_000)
    panel.display.show("welcome", ())
    assert panel.run(1_500) == [Sensed("display", 1)]
    assert panel.lines() == [line.rstrip() for line in TABLES["fr"]["welcome"]]
    assert panel.longest_ms <= LAP_MS_MAX + 1


def test_only_what_changed_is_drawn():
    panel = Panel()
    panel.display.show("typing", ("12",))
    panel.run()
    panel.display.show("typing", ("123",))
    sent = 0
    for _ in range(10):
        panel.run(10)
        sent += panel.bus.bits
    assert panel.lines()[1] == "123" and 0 < sent < 400, "one character"


def test_a_display_that_is_not_there_is_told_once_and_comes_back_with_the_screen_of_now():
    panel = Panel()
    panel.chip.silent = True
    panel.display.show("welcome", ())
    assert panel.run(2 * AGAIN_MS) == [Sensed("display", 0)]
    panel.chip.silent = False
    panel.display.show("typing", ("123",))
    assert panel.run(2 * AGAIN_MS) == [Sensed("display", 1)]
    assert panel.lines()[:2] == ["Votre code :", "123"]


def test_a_wire_that_comes_off_amid_a_screen_leaves_nothing_undrawn():
    for laps in range(1, 25):
        panel = Panel()
        panel.display.show("welcome", ())
        panel.run(50 + 10 * laps)
        panel.chip.silent = True
        panel.display.show("help", ())
        panel.run(AGAIN_MS)
        panel.chip.silent = False
        panel.run(AGAIN_MS + START_MS)
        assert panel.lines() == [line.rstrip() for line in TABLES["fr"]["help"]], laps


def test_a_display_that_lost_its_power_unseen_is_back_within_a_minute_and_one_that_did_not_never_goes_dark():
    panel = Panel()
    panel.display.show("welcome", ())
    panel.run()
    expected = [line.rstrip() for line in TABLES["fr"]["welcome"]]
    for _ in range(ANEW_MS // 10 * 2):
        panel.run(10)
        assert panel.chip.on
    panel.run()
    assert panel.lines() == expected
    panel.chip.power_off()
    panel.run(10)
    assert panel.lines() != expected
    assert panel.run(ANEW_MS + START_MS, 20) == []
    assert panel.lines() == expected


def test_the_text_moves_by_a_dot_a_minute_so_that_it_does_not_burn_in():
    panel = Panel()
    panel.display.show("welcome", ())
    lit: set[int] = set()
    for _ in range(CELL):
        panel.run(START_MS)
        rows = panel.chip.dots()
        lit.add(min(x for row in rows for x in range(128) if row[x]))
        assert panel.lines() == [line.rstrip() for line in TABLES["fr"]["welcome"]]
        panel.run(ANEW_MS, 100)
    assert len(lit) == CELL


def test_a_screen_can_be_looked_at_as_a_picture():
    panel = Panel()
    panel.display.show("welcome", ())
    panel.run()
    png = pictures.picture("fr", "welcome", ())
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png[16:24]) == (512, 256)
    start = png.index(b"IDAT") + 4
    rows = zlib.decompress(png[start : start + struct.unpack(">I", png[start - 8 : start - 4])[0]])
    across = [rows[(4 * y + 1) * 65 + 1 : (4 * y + 2) * 65] for y in range(64)]  # behind each row's filter
    assert [[bool(row[x // 2] >> 4 * (1 - x % 2) & 1) for x in range(128)] for row in across] == panel.chip.dots()

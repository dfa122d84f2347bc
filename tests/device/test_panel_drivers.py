"""Keypad, door switches, scanner and display, with contacts and wires that a test moves."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from device.agent.events import DoorSensed, KeyPressed, Scanned
from device.drivers.display import LANGUAGES, WIDTH, Display, Texts
from device.drivers.doors import DoorSwitches
from device.drivers.keypad import LAYOUT, Keypad
from device.drivers.scanner import GAP_MS, Scanner
from protocol.limits import SCAN_SIZE_MAX
from tools.locker.screen import Screen

SCREENS = Path(__file__).parents[2] / "device" / "screens"


class Matrix:
    """Rows, columns and the contacts between them, diodes none: three keys down look like four."""

    def __init__(self) -> None:
        self.down: set[tuple[int, int]] = set()
        self.low_rows: set[int] = set()
        self.rows = [Row(self, number) for number in range(4)]
        self.columns = [Column(self, number) for number in range(4)]
        self.keypad = Keypad(self.rows, self.columns)
        self.now = 0

    def key(self, key: str) -> tuple[int, int]:
        return divmod(LAYOUT.index(key), 4)

    def run(self, ms: int, *down: str) -> list[str]:
        self.down = {self.key(key) for key in down}
        events: list[Any] = []
        for _ in range(0, ms, 10):
            self.now += 10
            self.keypad.gather(self.now, events)
        return [event.key for event in events if isinstance(event, KeyPressed)]


class Row:
    def __init__(self, matrix: Matrix, number: int) -> None:
        self._matrix, self._number = matrix, number

    def value(self, level: int) -> None:
        (self._matrix.low_rows.discard if level else self._matrix.low_rows.add)(self._number)


class Column:
    def __init__(self, matrix: Matrix, number: int) -> None:
        self._matrix, self._number = matrix, number

    def value(self) -> int:
        """Low when any path of contacts leads to a low row."""
        columns, rows = {self._number}, set[int]()
        for _ in range(4):
            rows |= {row for row, column in self._matrix.down if column in columns}
            columns |= {column for row, column in self._matrix.down if row in rows}
        return 0 if rows & self._matrix.low_rows else 1


def rested() -> Matrix:
    matrix = Matrix()
    matrix.run(100)
    return matrix


@pytest.mark.parametrize("key", LAYOUT)
def test_each_key_is_itself_and_counts_once_however_long_it_is_held(key: str):
    matrix = rested()
    assert matrix.run(5_000, key) == [key]
    assert matrix.run(100) == []
    assert matrix.run(100, key) == [key]


def test_a_touch_shorter_than_the_debouncing_is_noise():
    matrix = rested()
    for _ in range(20):
        assert matrix.run(20, "5") == []
        assert matrix.run(30) == []


def test_bounces_make_no_second_key():
    matrix = rested()
    typed: list[str] = []
    for _ in range(3):
        typed += matrix.run(10, "5") + matrix.run(10)
    typed += matrix.run(60, "5")
    for _ in range(3):
        typed += matrix.run(10) + matrix.run(10, "5")
    typed += matrix.run(100)
    assert typed == ["5"]


def test_two_keys_at_once_are_none():
    matrix = rested()
    assert matrix.run(100, "1", "9") == []
    assert matrix.run(100, "1") == [], "what is left of two is not a key press either"
    assert matrix.run(100) == []
    assert matrix.run(100, "1") == ["1"]


def test_three_keys_that_look_like_four_are_none():
    assert rested().run(100, "1", "2", "4") == []


def test_a_key_that_was_stuck_at_power_on_is_not_pressed():
    matrix = Matrix()
    assert matrix.run(1_000, "7") == []


class Level:
    def __init__(self, level: int) -> None:
        self.level = level

    def value(self) -> int:
        return self.level


def sense(doors: DoorSwitches, start: int, ms: int) -> list[Any]:
    events: list[Any] = []
    for now in range(start, start + ms, 10):
        doors.gather(now, events)
    return events


def test_every_door_is_told_once_after_power_on():
    doors = DoorSwitches([(1, Level(0)), (2, Level(1))], closed=0)
    assert sense(doors, 0, 1_000) == [DoorSensed(1, True), DoorSensed(2, False)]


def test_a_door_counts_after_three_equal_samples():
    door = Level(0)
    doors = DoorSwitches([(1, door)], closed=0)
    sense(doors, 0, 1_000)
    door.level = 1
    assert sense(doors, 1_000, 40) == []
    assert sense(doors, 1_040, 30) == [DoorSensed(1, False)]


def test_a_vibrating_door_switch_says_nothing_new():
    door = Level(0)
    doors = DoorSwitches([(1, door)], closed=0)
    sense(doors, 0, 1_000)
    for start in range(1_000, 3_000, 20):
        door.level = (start // 20) % 2
        assert sense(doors, start, 20) in ([], [DoorSensed(1, True)]), "a glimpse of open, and closed as before"


def test_every_door_is_told_again_to_a_new_agent():
    doors = DoorSwitches([(1, Level(0))], closed=0)
    sense(doors, 0, 1_000)
    doors.forget()
    assert sense(doors, 1_000, 1_000) == [DoorSensed(1, True)]


class Wire:
    """A UART with what was put into it."""

    def __init__(self) -> None:
        self.waiting = b""
        self.sent = b""

    def any(self) -> int:
        return len(self.waiting)

    def read(self, size: int) -> bytes | None:
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken or None

    def write(self, data: bytes) -> None:
        self.sent += data


def scan(scanner: Scanner, wire: Wire, data: bytes, now: int = 0) -> list[bytes]:
    wire.waiting += data
    events: list[Any] = []
    while wire.waiting:
        scanner.gather(now, events)
    return [event.data for event in events if isinstance(event, Scanned)]


def test_a_frame_ends_with_cr_or_lf_or_both():
    wire = Wire()
    scanner = Scanner(wire)
    assert scan(scanner, wire, b"ONE\rTWO\nTHREE\r\n\r\n") == [b"ONE", b"TWO", b"THREE"]


def test_a_frame_may_come_in_pieces():
    wire = Wire()
    scanner = Scanner(wire)
    assert scan(scanner, wire, b"HAL", 0) + scan(scanner, wire, b"VES\r", 50) == [b"HALVES"]


@pytest.mark.parametrize("bad", [b"\x00", b"\x07", b"\x1b[2J", b"\x7f", b"\x80", b"\xff", "é".encode()])
def test_a_frame_with_anything_but_printable_ascii_is_dropped_whole(bad: bytes):
    wire = Wire()
    scanner = Scanner(wire)
    assert scan(scanner, wire, b"A" + bad + b"B\rGOOD\r") == [b"GOOD"]
    assert scanner.dropped == 1


def test_a_frame_that_is_too_long_is_dropped_and_the_next_is_read():
    wire = Wire()
    scanner = Scanner(wire)
    assert scan(scanner, wire, b"A" * SCAN_SIZE_MAX + b"\r") == [b"A" * SCAN_SIZE_MAX]
    assert scan(scanner, wire, b"A" * (SCAN_SIZE_MAX + 1) + b"\rGOOD\r") == [b"GOOD"]


def test_noise_without_an_end_does_not_spoil_the_next_frame():
    wire = Wire()
    scanner = Scanner(wire)
    assert scan(scanner, wire, b"\xff\xfe~~", 0) == []
    assert scan(scanner, wire, b"GOOD\r", GAP_MS + 1) == [b"GOOD"]


def test_a_storm_of_noise_gives_only_clean_frames():
    seed = 20_240_611
    dice = random.Random(seed)
    wire = Wire()
    scanner = Scanner(wire)
    frames = scan(scanner, wire, dice.randbytes(200_000))
    assert all(0 < len(frame) <= SCAN_SIZE_MAX for frame in frames), seed
    assert all(0x20 <= byte <= 0x7E for frame in frames for byte in frame), seed


def tables() -> dict[str, dict[str, list[str]]]:
    return {language: json.loads((SCREENS / f"{language}.json").read_text("utf-8")) for language in LANGUAGES}


def test_the_display_shows_the_words_of_its_language():
    wire = Wire()
    display = Display(wire, Texts(str(SCREENS), "fr"))
    display.show("deposit_open", ("12",))
    screen = Screen()
    screen.feed(wire.sent)
    assert screen.lines == ["Porte 12 ouverte.", "Déposez le colis et", "refermez.", "B:trop petit"]


def test_the_language_key_shows_the_same_screen_in_the_other_language():
    wire = Wire()
    display = Display(wire, Texts(str(SCREENS), "fr"))
    screen = Screen()
    display.show("typing", ("123 4",))
    display.show("language", ("en",))
    screen.feed(wire.sent)
    assert screen.lines[:2] == ["Your code:", "123 4"]
    display.show("language", ("xx",))
    assert wire.sent.count(b"Your code:") == 1, "a language that is not there changes nothing"


def test_a_locker_that_greets_in_english_does_so_again_for_the_next_person():
    for first, second in (("en", "fr"), ("fr", "en")):
        texts = Texts(str(SCREENS), first)
        greeting = texts.take("welcome", ())
        assert greeting == tables()[first]["welcome"]
        assert texts.take("language", ("",)) == tables()[second]["welcome"], "the first touch of the key changes it"
        assert texts.take("typing", ("1",))[0] == tables()[second]["typing"][0]
        assert texts.take("welcome", ()) == greeting


def test_an_ordered_language_greets_from_now_on_and_takes_nobody_s_words_away(tmp_path: Path):
    kept = tmp_path / "language"
    texts = Texts(str(SCREENS), "fr", str(kept))
    texts.take("typing", ("1",))
    assert texts.take("language", ("en", "kept"))[0] == tables()["fr"]["typing"][0].replace("{0}", "1")
    assert texts.take("welcome", ()) == tables()["en"]["welcome"] and kept.read_text() == "en"
    assert texts.take("language", ("fr", "kept")) == tables()["fr"]["welcome"], "where nobody is served, at once"
    full = Texts(str(SCREENS), "fr", str(tmp_path / "gone" / "language"))
    full.take("welcome", ())
    assert full.take("language", ("en", "kept")) == tables()["en"]["welcome"], (
        "a flash that is full harms nothing else"
    )


def test_a_refusal_has_words_for_its_code_or_says_the_code():
    texts = Texts(str(SCREENS), "fr")
    assert texts.lines("declined", ("wrong_state",))[0] == "Déjà déposé, ou pas"
    assert texts.lines("declined", ("rate_limited",))[1] == "rate_limited"


def test_only_lines_that_changed_are_sent():
    wire = Wire()
    display = Display(wire, Texts(str(SCREENS), "fr"))
    display.show("typing", ("1",))
    wire.sent = b""
    display.show("typing", ("12",))
    assert len(wire.sent) == 4 + WIDTH


RECEIPT = ("7", "M", "007 123 456 789", "CR1:GARE-1:" + "0" * 300)


def test_a_display_that_draws_qr_codes_shows_the_receipts_until_the_next_screen():
    wire, screen = Wire(), Screen()
    display = Display(wire, Texts(str(SCREENS), "fr"), draws_qr=True)
    for name, arguments, code in (
        ("deposit_open", ("7",), ""),
        ("receipt", RECEIPT, RECEIPT[3]),
        ("language", ("en",), RECEIPT[3]),
        ("courier_ready", ("yellow",), ""),
    ):
        wire.sent = b""
        display.show(name, arguments)
        screen.feed(wire.sent)
        assert screen.qr == code
    assert screen.lines[0] == "Hello yellow"
    assert not any(RECEIPT[3] in line for line in screen.lines)


def test_a_text_display_shows_the_digits_of_a_receipt_alone():
    wire, screen = Wire(), Screen()
    Display(wire, Texts(str(SCREENS), "fr")).show("receipt", RECEIPT)
    screen.feed(wire.sent)
    assert screen.lines == ["Porte 7 : déposé.", "Reçu (taille M) :", "007 123 456 789", "C:rouvrir *:terminer"]
    assert screen.qr == "" and b"CR1" not in wire.sent


def test_what_is_no_order_of_the_display_does_not_swallow_what_follows():
    for order in (b"\x1d!\x00", b"\x1d(k\xff\xff", b"\x1d(L\x02\x0000"):
        screen = Screen()
        screen.feed(order + b"\x0c" + b"Bonjour")
        assert screen.lines[0] == "Bonjour"


def test_a_screen_without_words_shows_its_name():
    wire = Wire()
    Display(wire, Texts(str(SCREENS), "fr")).show("no_such_screen", ())
    screen = Screen()
    screen.feed(wire.sent)
    assert screen.lines[0] == "no_such_screen"


def test_a_display_without_its_table_still_shows_something():
    assert Texts(str(SCREENS / "nowhere"), "fr").lines("welcome", ())[0] == "welcome"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_fits_the_display_and_its_character_set(language: str):
    for screen, lines in tables()[language].items():
        assert len(lines) == 4, screen
        for line in lines:
            assert len(line.replace("{0}", "48")) <= WIDTH, (screen, line)
            line.encode("latin-1")


def test_both_languages_have_the_same_screens():
    assert set(tables()["fr"]) == set(tables()["en"])


def test_a_table_has_one_screen_a_line_so_that_a_board_reads_no_more():
    for language in LANGUAGES:
        lines = (SCREENS / f"{language}.json").read_text("utf-8").splitlines()
        assert lines[0] == "{" and lines[-1] == "}"
        assert len(lines) - 2 == len(tables()[language])

"""Every documented frame of the lock boards, request to reply, byte for byte, on the emulated ones."""

from typing import Any

import pytest
from lock_metal import Springs, answers, played

from tools.locker.boards.board import Board
from tools.locker.boards.board8a import Board8A
from tools.locker.boards.cu16 import CU16
from tools.locker.boards.cu48 import CU48
from tools.locker.boards.modbus import Modbus
from tools.locker.boards.wkly import WKLY

Row = tuple[int, int, str, list[str], list[int]]  # address, channels, request, replies, coils that came on


def rows(table: list[Any]) -> list[Any]:
    return [pytest.param(*row, id=row[2] or "push") for row in table]


def coils(metal: Springs) -> list[int]:
    return [channel for channel, on in metal.log if on]


# ------------------------------------------------------------------ CU16
CU16_TABLE: list[Row] = [
    (0, 16, "02 00 31 03 36", [], [1]),
    (0, 16, "02 01 31 03 37", [], [2]),
    (0, 16, "02 0F 31 03 45", [], [16]),
    (1, 16, "02 10 31 03 46", [], [1]),
    (0, 16, "02 00 33 03 38", [], list(range(1, 17))),
    (1, 16, "02 00 31 03 36", [], []),
    (0, 16, "02 10 30 03 3E", [], []),  # the sums of a public table that are wrong
    (0, 16, "02 0F 31 03 49", [], []),
    (0, 16, "02 00 37 00 1E 03 5A", ["02 00 38 00 1E 03 5B"], []),
    (0, 16, "02 00 39 02 03 40", [], [1]),
    (0, 12, "02 0F 31 03 45", [], []),
]


@pytest.mark.parametrize(("address", "channels", "request_", "replies", "fired"), rows(CU16_TABLE))
def test_a_cu16_does_what_its_frames_say(
    address: int, channels: int, request_: str, replies: list[str], fired: list[int]
):
    metal = Springs()
    assert answers(CU16(address, channels, metal), request_) == replies
    assert coils(metal) == fired and not metal.on, "and every coil went off by itself"


@pytest.mark.parametrize(
    ("address", "closed", "items", "request_", "reply"),
    [
        (0, {1, 9}, {1}, "02 00 30 03 35", "02 00 35 01 01 01 00 03 3D"),
        (0, set[int](), set[int](), "02 00 30 03 35", "02 00 35 00 00 00 00 03 3A"),
        (1, set[int](), set[int](), "02 10 30 03 45", "02 10 35 00 00 00 00 03 4A"),
        (0, set[int](), set[int](), "02 F0 32 03 27", "02 00 36 00 00 00 00 03 3B"),
        (1, set[int](), set[int](), "02 F0 32 03 27", "02 10 36 00 00 00 00 03 4B"),
        (0, {1, 2, 9, 10}, {1, 2}, "02 00 30 03 35", "02 00 35 03 03 03 00 03 43"),  # an end byte inside
    ],
)
def test_a_cu16_tells_its_hooks_and_its_infrared_inputs(
    address: int, closed: set[int], items: set[int], request_: str, reply: str
):
    metal = Springs(*(set(range(1, 17)) - closed))
    metal.items = items
    assert answers(CU16(address, 16, metal), request_) == [reply]


def test_a_cu16_times_its_pulse_itself_as_it_was_told():
    metal = Springs()
    board = CU16(0, 16, metal)
    board.receive(0, bytes.fromhex("02 00 37 00 1E 03 5A"))  # 300 ms
    board.receive(100, bytes.fromhex("02 00 31 03 36"))
    board.tick(399)
    assert metal.on == {1}
    assert board.next_ms() == 400
    board.tick(400)
    assert metal.on == set()


def test_a_cu16_that_sticks_busy_opens_nothing_until_it_is_asked_something():
    metal = Springs()
    board = CU16(0, 16, metal)
    board.stuck_busy = True
    played(board, "02 00 31 03 36", 0)
    played(board, "02 01 31 03 37", 1000)
    assert coils(metal) == [1]
    assert answers(board, "02 00 30 03 35", 2000)
    played(board, "02 01 31 03 37", 3000)
    assert coils(metal) == [1, 2]


# ------------------------------------------------------------------ CU48
CU48_OPENS: list[Row] = [
    (0, 48, "02 00 00 61 03 66", [], [1]),
    (0, 48, "02 00 01 61 03 67", [], [2]),
    (0, 48, "02 00 04 61 03 6A", [], [5]),
    (0, 48, "02 01 00 61 03 67", [], []),  # byte 1 is the board
    (0, 48, "02 00 00 61 03 67", [], []),
]


@pytest.mark.parametrize(("address", "channels", "request_", "replies", "fired"), rows(CU48_OPENS))
def test_a_cu48_opens_one_lock(address: int, channels: int, request_: str, replies: list[str], fired: list[int]):
    metal = Springs()
    assert answers(CU48(address, channels, metal), request_) == replies
    assert coils(metal) == fired


@pytest.mark.parametrize(
    ("closed", "items", "reply"),
    [
        (set[int](), set[int](), "02 00 00 75 00 00 00 00 00 00 00 00 00 00 00 00 03 7A"),
        ({1}, set[int](), "02 00 00 75 01 00 00 00 00 00 00 00 00 00 00 00 03 7B"),
        ({5}, set[int](), "02 00 00 75 10 00 00 00 00 00 00 00 00 00 00 00 03 8A"),
        ({14}, set[int](), "02 00 00 75 00 20 00 00 00 00 00 00 00 00 00 00 03 9A"),
        ({1}, {1}, "02 00 00 75 01 00 00 00 00 00 01 00 00 00 00 00 03 7C"),
    ],
)
def test_a_cu48_tells_its_hooks_and_its_inputs(closed: set[int], items: set[int], reply: str):
    metal = Springs(*(set(range(1, 49)) - closed))
    metal.items = items
    assert answers(CU48(0, 48, metal), "02 00 00 60 03 65") == [reply]


# ------------------------------------------------------------------ 8A
@pytest.mark.parametrize(
    ("address", "request_", "reply", "fired"),
    [
        (1, "8A 01 01 11 9B", "8A 01 01 00 8A", [1]),
        (1, "8A 01 02 11 98", "8A 01 02 00 89", [2]),
        (1, "8A 01 0A 11 90", "8A 01 0A 00 81", [10]),
        (1, "8A 01 0C 11 96", "8A 01 0C 00 87", [12]),
        (2, "8A 02 0A 11 93", "8A 02 0A 00 82", [10]),
        (3, "8A 03 0C 11 94", "8A 03 0C 00 85", [12]),
        (3, "8A 03 02 11 9A", "8A 03 02 00 8B", [2]),
        (1, "90 01 02 02 02 93", "90 01 02 02 02 93", [2, 10, 18]),
        (1, "9B 01 01 11 8A", "9B 01 01 11 8A", []),
        (2, "8A 01 01 11 9B", "", []),
        (1, "8A 01 01 11 9C", "", []),
    ],
)
def test_an_8a_board_opens_and_answers_with_the_state_that_follows(
    address: int, request_: str, reply: str, fired: list[int]
):
    metal = Springs()
    assert answers(Board8A(address, 24, metal), request_) == ([reply] if reply else [])
    assert coils(metal) == fired


def test_an_8a_boards_answer_to_a_failure_is_the_request():
    metal = Springs()
    metal.jammed.add(1)
    assert answers(Board8A(1, 24, metal), "8A 01 01 11 9B") == ["8A 01 01 11 9B"]


def test_an_8a_board_whose_locks_short_when_open_says_it_the_other_way_round():
    board = Board8A(1, 24, Springs(), "open_short")
    assert answers(board, "80 01 01 33 B3") == ["80 01 01 00 80"]
    assert answers(board, "8A 01 01 11 9B", 20_000) == ["8A 01 01 11 9B"]


@pytest.mark.parametrize(
    ("channels", "closed", "request_", "reply"),
    [
        (24, set[int](), "80 01 01 33 B3", "80 01 01 00 80"),
        (24, {1}, "80 01 01 33 B3", "80 01 01 11 91"),
        (24, {1, 9, 17}, "80 01 00 33 B2", "80 01 01 01 01 33 B3"),
        (24, {17}, "80 01 00 33 B2", "80 01 01 00 00 33 B3"),
        (12, {1, 9}, "80 01 00 33 B2", "80 01 01 01 33 B2"),
    ],
)
def test_an_8a_board_tells_its_locks_the_highest_group_first(
    channels: int, closed: set[int], request_: str, reply: str
):
    metal = Springs(*(set(range(1, channels + 1)) - closed))
    assert answers(Board8A(1, channels, metal), request_) == [reply]


def test_an_8a_board_that_opens_all_answers_after_the_last_within_ten_seconds():
    metal = Springs()
    ((after_ms, reply),) = played(Board8A(1, 24, metal), "8A 01 00 11 9A")
    assert reply.hex(" ").upper() == "8A 01 00 00 8B" and 9_000 < after_ms < 10_000
    assert coils(metal) == list(range(1, 25))


def test_an_8a_board_holds_a_coil_until_it_is_told():
    metal = Springs()
    board = Board8A(1, 24, metal)
    assert answers(board, "9A 01 01 11 8B") == ["9A 01 01 00 9A"]
    board.tick(100_000)
    assert metal.on == {1}
    answers(board, "9B 01 01 11 8A", 100_001)
    assert metal.on == set()


def test_an_8a_board_tells_changes_by_itself_when_it_is_one_that_does():
    for pushes, told in ((True, ["82 01 02 00 81"]), (False, list[str]())):
        metal = Springs()
        board = Board8A(1, 24, metal, pushes=pushes)
        metal.opened.add(2)
        assert [frame.hex(" ").upper() for _ms, frame in board.tick(5)] == told


# ------------------------------------------------------------------ WKLY
WKLY_TABLE: list[Row] = [
    (0, 24, "57 4B 4C 59 09 00 82 01 83", ["57 4B 4C 59 0B 00 82 00 01 00 81"], [1]),
    (1, 24, "57 4B 4C 59 09 01 82 01 82", ["57 4B 4C 59 0B 01 82 00 01 00 80"], [1]),
    (10, 24, "57 4B 4C 59 09 0A 82 01 89", ["57 4B 4C 59 0B 0A 82 00 01 00 8B"], [1]),
    (0, 24, "57 4B 4C 59 0C 00 80 03 01 02 03 86", ["57 4B 4C 59 09 00 80 00 80"], [1, 2, 3]),
    (0, 24, "57 4B 4C 59 0C 00 87 03 01 02 03 81", ["57 4B 4C 59 09 00 87 00 87"], [1, 2, 3]),
    (0, 24, "57 4B 4C 59 09 00 81 01 80", ["57 4B 4C 59 0A 00 81 00 01 83"], []),
    (0, 4, "57 4B 4C 59 08 00 86 87", ["57 4B 4C 59 09 00 86 00 86"], [1, 2, 3, 4]),
    (0, 24, "57 4B 4C 59 0A 00 80 01 19 9B", ["57 4B 4C 59 09 00 80 FF 7F"], []),  # there is no channel 25
    (0, 24, "57 4B 4C 59 09 00 80 00 00", [], []),
    (0, 24, "57 57 4B 4C 59 09 00 82 01 83", ["57 4B 4C 59 0B 00 82 00 01 00 81"], [1]),
    (1, 24, "57 4B 4C 59 09 00 82 01 83", [], []),
]


@pytest.mark.parametrize(("address", "channels", "request_", "replies", "fired"), rows(WKLY_TABLE))
def test_a_wkly_board_does_what_its_frames_say(
    address: int, channels: int, request_: str, replies: list[str], fired: list[int]
):
    metal = Springs()
    board = WKLY(address, channels, metal)
    board.pushes = False
    assert answers(board, request_) == replies
    assert coils(metal) == fired and not metal.on


def test_a_wkly_board_says_that_a_door_stayed_closed():
    metal = Springs()
    metal.jammed.add(5)
    assert answers(WKLY(0, 24, metal), "57 4B 4C 59 09 00 82 05 87") == ["57 4B 4C 59 0B 00 82 00 05 01 84"]


@pytest.mark.parametrize(
    ("channels", "closed", "request_", "reply"),
    [
        (24, set[int](), "57 4B 4C 59 09 00 83 01 82", "57 4B 4C 59 0B 00 83 00 01 00 80"),
        (4, {2, 3}, "57 4B 4C 59 08 00 84 85", "57 4B 4C 59 0E 00 84 00 04 00 01 01 00 87"),
    ],
)
def test_a_wkly_board_tells_its_doors(channels: int, closed: set[int], request_: str, reply: str):
    metal = Springs(*(set(range(1, channels + 1)) - closed))
    assert answers(WKLY(0, channels, metal), request_) == [reply]


def test_a_wkly_board_tells_changes_by_itself():
    metal = Springs(1)
    board = WKLY(0, 24, metal)
    assert board.tick(1) == []
    metal.opened = {2}
    told = [frame.hex(" ").upper() for _ms, frame in board.tick(2)]
    assert told == ["57 4B 4C 59 0A 00 85 01 01 86", "57 4B 4C 59 0A 00 85 02 00 84"]
    assert board.tick(3) == []


# ------------------------------------------------------------------ Modbus
@pytest.mark.parametrize(
    ("request_", "reply", "on"),
    [
        ("01 05 00 00 FF 00 8C 3A", "01 05 00 00 FF 00 8C 3A", {1}),
        ("01 05 00 00 00 00 CD CA", "01 05 00 00 00 00 CD CA", set[int]()),
        ("01 05 00 01 FF 00 DD FA", "01 05 00 01 FF 00 DD FA", {2}),
        ("01 05 00 02 FF 00 2D FA", "01 05 00 02 FF 00 2D FA", {3}),
        ("01 05 00 FF FF 00 BC 0A", "01 05 00 FF FF 00 BC 0A", set(range(1, 9))),
        ("01 0F 00 00 00 08 01 FF BE D5", "01 0F 00 00 00 08 54 0D", set(range(1, 9))),
        ("01 05 00 00 FF 00 8C 3B", "", set[int]()),
        ("02 05 00 00 FF 00 8C 09", "", set[int]()),
        ("01 05 00 00 12 34 C0 BD", "01 85 03 02 91", set[int]()),
        ("01 05 00 08 FF 00 0D F8", "01 85 02 C3 51", set[int]()),
        ("01 04 00 00 00 01 31 CA", "01 84 01 82 C0", set[int]()),
    ],
)
def test_a_waveshare_board_switches_its_relays(request_: str, reply: str, on: set[int]):
    metal = Springs()
    assert answers(Modbus(1, 8, metal), request_) == ([reply] if reply else [])
    assert metal.on == on


@pytest.mark.parametrize(
    ("request_", "channel", "ms"), [("01 05 02 00 00 07 8D B0", 1, 700), ("01 05 02 01 00 08 9C 74", 2, 800)]
)
def test_a_waveshare_board_times_a_flash_itself(request_: str, channel: int, ms: int):
    metal = Springs()
    board = Modbus(1, 8, metal)
    ((_ms, reply),) = board.receive(0, bytes.fromhex(request_))
    assert reply == bytes.fromhex(request_)
    board.tick(ms - 1)
    assert metal.on == {channel}
    board.tick(ms)
    assert metal.on == set()


def test_a_waveshare_board_tells_its_relays_and_its_inputs():
    metal = Springs(*range(3, 9))
    board = Modbus(1, 8, metal)
    assert answers(board, "01 02 00 00 00 08 79 CC") == ["01 02 01 03 E1 89"]
    for relay in (0, 2, 4, 6):
        metal_frame = bytes([1, 5, 0, relay, 0xFF, 0])
        board.receive(100 * relay + 2000, metal_frame + crc(metal_frame))
    assert answers(board, "01 01 00 00 00 08 3D CC", 4000) == ["01 01 01 55 91 B7"]


def crc(frame: bytes) -> bytes:
    """By the polynomial, as a division of the reflected bits: another way than the board's."""
    rest = 0xFFFF
    for bit in (byte >> place & 1 for byte in frame for place in range(8)):
        rest = rest >> 1 ^ (0xA001 if (rest ^ bit) & 1 else 0)
    return rest.to_bytes(2, "little")


@pytest.mark.parametrize(
    ("request_", "on"),
    [
        ("01 06 00 01 01 00 D9 9A", {1}),
        ("01 06 00 01 02 00 D9 6A", set[int]()),
        ("01 06 00 01 03 00 D8 FA", {1}),
        ("01 06 00 01 05 00 DB 5A", {1}),
    ],
)
def test_an_r421a08_switches_its_relays(request_: str, on: set[int]):
    metal = Springs()
    board = Modbus(1, 8, metal, "r421a08")
    ((_ms, reply),) = board.receive(0, bytes.fromhex(request_))
    assert reply == bytes.fromhex(request_) and metal.on == on
    board.tick(1000)
    assert not metal.on or board.next_ms() is None, "momentary is a second"
    told = answers(board, "01 03 00 01 00 01 D5 CA", 2000)
    still = metal.on == {1}
    assert told == ["01 03 02 00 01 79 84" if still else "01 03 02 00 00 B8 44"]


# ------------------------------------------------------------------ all of them
def cut_short(frame: bytes) -> bytes:
    return frame[:-1]


BOARDS: list[tuple[Board, str]] = [
    (CU16(0, 16, Springs()), "02 00 30 03 35"),
    (CU48(0, 48, Springs()), "02 00 00 60 03 65"),
    (Board8A(1, 24, Springs()), "80 01 00 33 B2"),
    (WKLY(0, 24, Springs()), "57 4B 4C 59 08 00 84 85"),
    (Modbus(1, 8, Springs()), "01 02 00 00 00 08 79 CC"),
]


@pytest.mark.parametrize(("board", "question"), BOARDS, ids=[type(board).__name__ for board, _question in BOARDS])
def test_a_board_hears_a_frame_in_pieces_and_behind_rubbish_and_forgets_an_old_beginning(board: Board, question: str):
    (whole,) = answers(board, question, 1000)
    frame = bytes.fromhex(question)
    board.receive(2000, frame[:3])
    assert [sent.hex(" ").upper() for _ms, sent in board.receive(2002, frame[3:])] == [whole]
    board.receive(3000, frame[:3])
    assert answers(board, frame, 4000) == [whole]
    if not isinstance(board, Modbus):  # which knows frames by the silence between them
        assert answers(board, b"\x00\xff" + frame, 5000) == [whole]


@pytest.mark.parametrize(("board", "question"), BOARDS, ids=[type(board).__name__ for board, _question in BOARDS])
def test_a_board_can_be_silent_mute_slow_garbled_damaged_and_wired_the_other_way_round(board: Board, question: str):
    ((usual_ms, whole),) = board.receive(10_000, bytes.fromhex(question))
    for fault in ("silent", "mute"):
        setattr(board, fault, True)
        assert answers(board, question, 11_000) == []
        setattr(board, fault, False)
    board.slow_ms = 70
    assert board.receive(12_000, bytes.fromhex(question)) == [(usual_ms + 70, whole)]
    board.slow_ms = 0
    wrong: list[tuple[str, Any]] = [("garbage", True), ("inverted", True), ("damage", cut_short)]
    for fault, value in wrong:
        was = getattr(board, fault)
        setattr(board, fault, value)
        ((_ms, other),) = board.receive(13_000, bytes.fromhex(question))
        assert other != whole, fault
        setattr(board, fault, was)
    assert board.receive(14_000, bytes.fromhex(question)) == [(usual_ms, whole)]


def test_a_board_without_power_drops_its_coils_and_forgets_what_it_was_about_to_do():
    metal = Springs()
    board = CU16(0, 16, metal)
    board.receive(0, bytes.fromhex("02 00 33 03 38"))
    board.power_off()
    assert metal.on == set() and board.next_ms() is None

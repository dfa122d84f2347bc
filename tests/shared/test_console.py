"""The serial console, typed at like a person and like a script, on a whole agent."""

from console_terminal import KEY, NUMBERS, Terminal
from rig import trusted
from tokens_of_rig import (
    COURIER_TOKEN,
    FOREIGN_SIGNER_TOKEN,
    PICKUP_TOKEN,
    TECHNICIAN_TOKEN,
    TECHNICIAN_TOKEN_OF_TEST_1,
)

from device.agent.books import Books
from device.agent.config import Config
from device.agent.console import Console
from device.agent.drbg import Drbg
from device.agent.effects import Pulse, Restart, Save, Write
from device.agent.events import DoorSensed, Ticked, Typed
from device.desk.act import utc_text
from device.desk.seat import json_pieces
from protocol.errors import number_of
from protocol.keys import console_answer
from protocol.limits import CONSOLE_HEAP_MIN, CONSOLE_IDLE_MS, CONSOLE_LINE_MAX, WRONG_CODE_BUCKET, WRONG_CODE_PAUSE_MS
from protocol.messages import CodeRefused, OpeningAuthorised, ServiceActed
from protocol.numbers import CONSOLE


def test_what_is_typed_is_echoed_and_can_be_corrected():
    terminal = Terminal()
    assert terminal.type(b"jounr\x08\x7frnal") == "jounr\b \b\b \brnal"
    assert terminal.type(b"\r").split("\r\n")[1].startswith("OK ")
    assert terminal.type(b"\x08\x7f") == ""  # nothing left to take back


def test_there_is_no_console_where_a_session_would_take_what_customers_need():
    terminal = Terminal()
    terminal.agent.heap_free = CONSOLE_HEAP_MIN - 1
    assert (
        terminal.type(b"time\r")
        == f"\r\nERR no_memory {CONSOLE_HEAP_MIN - 1} bytes free, {CONSOLE_HEAP_MIN} needed\r\n"
    )
    terminal.agent.heap_free = CONSOLE_HEAP_MIN
    assert terminal.order("time").startswith("OK ")


def test_a_line_can_be_thrown_away():
    terminal = Terminal()
    assert terminal.type(b"abc\x15") == "abc" + "\b \b" * 3
    assert terminal.type(b"abc\x03") == "abc^C\r\nmairie-1> "
    assert terminal.type(b"x" * (CONSOLE_LINE_MAX + 1) + b"\x03time\r").count("ERR") == 0
    assert terminal.type(b"x" * (CONSOLE_LINE_MAX + 1) + b"\x15time\r").count("ERR") == 0


def test_every_letter_of_a_keyboard_is_taken():
    letters = bytes(range(0x20, 0x7F))
    assert Terminal().type(letters) == str(letters, "ascii")
    quoted = letters.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    assert b"".join(json_pieces(str(letters, "ascii"))) == b'"' + quoted + b'"'


def test_every_line_ending_counts_once():
    for ending in (b"\r", b"\n", b"\r\n"):
        terminal = Terminal()
        screen = terminal.type(b"time" + ending + b"time" + ending)
        assert screen.count("OK {") == 2 and screen.count("mairie-1> ") == 2
    terminal = Terminal()
    terminal.type(b"time\r")
    assert terminal.type(b"\n") == ""  # the second half, in a chunk of its own


def test_an_empty_line_is_answered_with_a_prompt():
    assert Terminal().type(b"\r") == "\r\nmairie-1> "


def test_noise_is_neither_echoed_nor_taken():
    terminal = Terminal()
    assert terminal.type(bytes(range(128, 256)) + b"\x00\x01\x02\x04\x05\x09") == ""
    assert terminal.type(b"\x1b[Ati\x1b[1;5Cme\x1bOA") == "time"
    assert terminal.type(b"\r").split("\r\n")[1].startswith("OK ")


def test_a_line_that_is_too_long_is_refused_once():
    terminal = Terminal()
    screen = terminal.type(b"x" * (CONSOLE_LINE_MAX + 500) + b"\r")
    assert screen.count("ERR") == 1 and "ERR too_large" in screen
    assert screen.startswith("x" * CONSOLE_LINE_MAX + "\r\n")
    assert terminal.order("time").startswith("OK ")


def test_answers_are_one_line_of_sorted_json():
    terminal = Terminal()
    assert terminal.order("doors") == 'OK {"doors":{"closed":[1,2,3,40]},"flags":{},"holds":{"free":[1,2,3,40]}}'
    assert terminal.order("doors 40") == 'OK {"compartment":40,"door":"closed","flags":[],"holds":"free"}'
    assert terminal.order("doors 4") == "ERR unknown_compartment see doors"
    assert terminal.order("time") == 'OK {"unix_s":null,"uptime_s":1,"utc":null}'
    assert terminal.order("journal") == 'OK {"acked":0,"first":1,"free":5000,"last":0}'
    assert terminal.order("net").startswith('OK {"acked":0,"connects":0,"ignored":0,"last":0,"last_error":"",')
    assert '"locker":"mairie-1"' in terminal.order("status")


def test_a_door_is_told_under_its_own_word_also_where_another_word_begins_so():
    terminal = Terminal()
    terminal.log_in()
    terminal.order("open 1")
    terminal.step(DoorSensed(1, False))
    terminal.order("open 2")
    assert terminal.order("doors") == (
        'OK {"doors":{"closed":[3,40],"open":[1],"opening":[2]},"flags":{},"holds":{"free":[1,2,3,40]}}'
    )


def test_an_answer_that_finds_no_room_half_way_is_taken_back():
    terminal = Terminal()
    terminal.type(b"\r")
    desk = terminal.agent.console.desk
    desk.effects = [Write(b"before")]

    def numbers():
        yield from range(300)
        raise MemoryError

    try:
        desk.ok({"doors": numbers()})
    except MemoryError:
        desk.err("no_memory", "reboot, then once more")
    said = b"".join([effect.data for effect in desk.effects])
    assert said.startswith(b"beforeERR no_memory ") and b"OK" not in said


def test_json_is_the_same_everywhere():
    value = {"b": [1, -2, None, True], "a": {"é": 'quote " back \\ \n', "A": "€"}}
    expected = '{"a":{"A":"\\u20ac","\\u00e9":"quote \\" back \\\\ \\u000a"},"b":[1,-2,null,true]}'
    assert b"".join(json_pieces(value)).decode() == expected


def test_unknown_orders_and_wrong_arguments_have_a_remedy():
    terminal = Terminal()
    assert terminal.order("frobnicate") == "ERR unknown_type no such order; try help"
    assert terminal.order("doors 1 2") == "ERR bad_value usage: doors [NUMBER]"
    assert terminal.order("open") == "ERR bad_value usage: open NUMBER"
    assert terminal.order("time put 1900000000").startswith("ERR bad_value")
    assert terminal.order("open 1 2").startswith("ERR bad_value")
    assert terminal.order("time now") == "ERR bad_value usage: time [set UNIX_SECONDS]"


def test_orders_are_taken_in_any_case():
    assert Terminal().order("TIME").startswith("OK ")


def test_help_fits_into_40_columns():
    lines = Terminal().type(b"help\r").split("\r\n")
    assert len(lines) > 12 and max([len(line) for line in lines]) <= 40
    assert len([line for line in lines if line.startswith("OK ")]) == 1


def test_acting_needs_a_login():
    terminal = Terminal()
    for line in ("open 1", "selftest", "reboot", "time set 1900000000"):
        assert terminal.order(line) == "ERR not_allowed login first"
        assert terminal.saved() == []


def test_a_technician_logs_in_by_answering_the_challenge():
    terminal = Terminal()
    assert terminal.log_in() == 'OK {"actor":"anna"}'
    assert terminal.saved() == [ServiceActed("anna", "login")]
    assert terminal.type(b"\r") == "\r\nmairie-1 anna# "
    assert terminal.order("logout") == "OK {}"
    assert terminal.order("open 1") == "ERR not_allowed login first"


def test_a_door_opened_from_the_console_is_in_the_journal_with_a_name_before_the_pulse():
    terminal = Terminal()
    terminal.log_in()
    assert terminal.order("open 2") == 'OK {"compartment":2}'
    assert terminal.saved() == [OpeningAuthorised(2, 3, "anna", None, None)]
    kinds = [type(effect) for effect in terminal.effects]
    assert kinds.index(Save) < kinds.index(Pulse)
    assert terminal.order("open 9") == "ERR unknown_compartment see doors"
    assert terminal.order("open -1") == "ERR unknown_compartment see doors"
    assert terminal.order("open " + "9" * 60) == "ERR unknown_compartment see doors"


def test_reboot_selftest_and_clock_are_journalled_with_the_name():
    terminal = Terminal()
    terminal.log_in()
    found = '["clock not_set","keys missing","network offline"]'
    assert terminal.order("selftest") == 'OK {"count":3,"findings":' + found + ',"passed":false}'
    assert terminal.saved() == [ServiceActed("anna", "selftest")]
    answer = terminal.order("time set 1900000000")
    assert answer == 'OK {"unix_s":1900000000,"uptime_s":1,"utc":"2030-03-17T17:46:40Z"}'
    assert terminal.saved() == [ServiceActed("anna", "time set 1900000000")]
    assert terminal.order("time set 12").startswith("ERR bad_value")
    assert terminal.order("reboot") == "OK {}"
    assert terminal.saved() == [ServiceActed("anna", "reboot")]
    kinds = [type(effect) for effect in terminal.effects]
    assert kinds.index(Save) < kinds.index(Restart)


def test_a_wrong_answer_costs_what_a_wrong_code_costs():
    terminal = Terminal()
    terminal.order("login anna")
    assert terminal.order("answer 000000000000") == "ERR wrong_code login again for a new challenge"
    assert terminal.saved() == [CodeRefused(CONSOLE, number_of("wrong_code"), WRONG_CODE_BUCKET - 1)]
    assert terminal.log_in() == "ERR throttled wait, or show your badge"
    terminal.now += WRONG_CODE_PAUSE_MS
    assert terminal.log_in() == 'OK {"actor":"anna"}'


def test_when_the_bucket_is_empty_only_a_badge_opens_the_console():
    terminal = Terminal(keys=trusted())
    for _ in range(WRONG_CODE_BUCKET):
        terminal.order("login anna")
        terminal.order("answer 000000000000")
        terminal.now += WRONG_CODE_PAUSE_MS
    assert terminal.log_in() == "ERR throttled wait, or show your badge"
    assert terminal.order("badge " + TECHNICIAN_TOKEN) == 'OK {"actor":"anna"}'
    assert terminal.saved() == [ServiceActed("anna", "login by badge")]
    assert terminal.order("open 2") == 'OK {"compartment":2}'


def test_a_badge_that_is_no_technicians_opens_no_console():
    terminal = Terminal("test-1", trusted())
    assert terminal.order("badge " + PICKUP_TOKEN) == "ERR not_allowed this is no technician's badge"
    assert terminal.order("badge " + COURIER_TOKEN) == "ERR not_allowed this is no technician's badge"
    assert terminal.order("badge " + FOREIGN_SIGNER_TOKEN).startswith("ERR unknown_key")
    assert terminal.order("badge rubbish").startswith("ERR malformed")
    assert terminal.order("badge") == "ERR bad_value usage: badge TOKEN"
    assert terminal.agent.console.actor == ""


def test_a_technicians_badge_of_another_locker_is_refused_and_one_past_its_end_too():
    terminal = Terminal("test-2", trusted())
    assert terminal.order("badge " + TECHNICIAN_TOKEN_OF_TEST_1).startswith("ERR wrong_locker")
    terminal = Terminal("test-1", trusted())
    assert terminal.order("badge " + TECHNICIAN_TOKEN_OF_TEST_1) == 'OK {"actor":"anna"}'
    terminal.order("time set 4000000001")
    terminal.order("logout")
    assert terminal.order("badge " + TECHNICIAN_TOKEN_OF_TEST_1) == "ERR expired ask for a new badge"
    # A locker that has lost its clock knows that it is not earlier than its books.
    books = Books.replay(NUMBERS, None, [])
    books.wall_s = 4_000_000_001
    terminal = Terminal("test-1", trusted(), books)
    assert terminal.order("badge " + TECHNICIAN_TOKEN_OF_TEST_1) == "ERR expired ask for a new badge"


def test_a_challenge_is_good_for_one_answer_and_one_name():
    terminal = Terminal()
    challenge = bytes.fromhex(terminal.order("login anna")[17:33])
    right = console_answer(KEY, challenge, "anna")
    assert terminal.order("answer " + "0" * 12).startswith("ERR wrong_code")
    terminal.now += WRONG_CODE_PAUSE_MS
    assert terminal.order("answer " + right).startswith("ERR wrong_state")
    challenge = bytes.fromhex(terminal.order("login bob")[17:33])
    assert terminal.order("answer " + console_answer(KEY, challenge, "anna")).startswith("ERR wrong_code")
    terminal.now += WRONG_CODE_PAUSE_MS
    terminal.order("login anna")
    assert terminal.order("answer " + right).startswith("ERR wrong_code")
    assert terminal.order("answer") == "ERR bad_value usage: answer HEX"


def test_a_name_is_as_long_as_the_journal_takes():
    terminal = Terminal()
    assert terminal.order("login " + "x" * 33).startswith("ERR bad_value")
    assert terminal.log_in("x" * 32).startswith("OK ")


def test_a_technician_who_walks_away_is_logged_out():
    terminal = Terminal()
    terminal.log_in()
    terminal.now += CONSOLE_IDLE_MS // 2
    assert terminal.order("time").startswith("OK ")
    terminal.now += CONSOLE_IDLE_MS - 1
    terminal.type(b"\x80\x00op")  # noise and half a line are no activity
    assert terminal.agent.console.actor == "anna"
    terminal.now += 1
    assert terminal.type(b"en 1\r").endswith("ERR not_allowed login first\r\nmairie-1> ")


def test_several_lines_in_one_chunk_are_answered_in_order():
    terminal = Terminal()
    challenge = bytes.fromhex(terminal.order("login anna")[17:33])
    answer = console_answer(KEY, challenge, "anna").encode()
    screen = terminal.type(b"time\ropen 1\ranswer " + answer + b"\ropen 1\rlogout\ropen 3\r")
    words = [line.split(" ")[0] for line in screen.split("\r\n") if line[:2] == "OK" or line[:3] == "ERR"]
    assert words == ["OK", "ERR", "OK", "OK", "OK", "ERR"]
    assert [effect for effect in terminal.effects if isinstance(effect, Pulse)] == [Pulse(1, 300)]


def test_many_lines_at_once_are_done_a_few_a_lap_since_what_is_said_waits_in_the_heap_until_the_lap_ends():
    terminal = Terminal()
    terminal.log_in()
    for line in (b"\r", b"service on\r", b"time set 1700000000\r"):
        times = CONSOLE_LINE_MAX // len(line)
        terminal.step(Typed(line * times))
        laps = [terminal.effects]
        while terminal.agent.deadline_ms(terminal.now) <= terminal.now:
            terminal.step(Ticked())
            laps.append(terminal.effects)
        assert max([len(lap) for lap in laps]) <= 20, line
        pieces = [effect.data for lap in laps for effect in lap if isinstance(effect, Write)]
        assert b"".join(pieces).count(b" anna# ") == times, line
        assert max([len(piece) for piece in pieces]) <= 256


def test_a_greeting_says_which_locker_this_is():
    effects = []
    Console(Config("gare-1", 1, KEY, [1], {}, 12, True, bytes(1)), Drbg(b"s")).greet(effects)
    assert effects == [Write(b"\r\nConsigne, locker gare-1. Type help.\r\ngare-1> ")]


def test_random_bytes_never_break_the_console():
    terminal = Terminal()
    noise = Drbg(b"noise")
    for _ in range(300):
        terminal.type(noise.bytes(32))
    terminal.type(b"\x03")
    assert terminal.order("time").startswith("OK ")
    assert not terminal.saved()


def test_utc_is_written_as_people_read_it():
    assert utc_text(0) == "1970-01-01T00:00:00Z"
    assert utc_text(951_782_400) == "2000-02-29T00:00:00Z"
    assert utc_text(4_102_444_799) == "2099-12-31T23:59:59Z"
    assert utc_text(4_107_542_400) == "2100-03-01T00:00:00Z"  # 2100 has no 29 February
    assert utc_text(1_709_251_199) == "2024-02-29T23:59:59Z"
    assert utc_text(951_868_800) == "2000-03-01T00:00:00Z"

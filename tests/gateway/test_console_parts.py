"""The parts of `consigne console` that need no locker: ports, words, what a log hides, how doors are drawn."""

import os
import pty
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokens_of_rig import COURIER_TOKEN, PICKUP_TOKEN, TECHNICIAN_TOKEN

from tools.client import UNREACHABLE, USAGE, Failed
from tools.console.dialogue import HIDDEN, Dialogue, is_secret, masked
from tools.console.doors import CELL, Door, doors_of, drawn
from tools.console.login import check_name, first_of, in_fours, person_answerer
from tools.console.ports import Adapter, choose, open_port
from tools.console.readable import readable
from tools.console.reader import Heard, Kind
from tools.console.vocabulary import Vocabulary

CP210X = Adapter("/dev/ttyUSB0", "CP210x", "CP2102 USB to UART Bridge")
CH340 = Adapter("/dev/ttyUSB1", "CH340", "USB Serial")
GPS = Adapter("/dev/ttyACM0", "", "u-blox GNSS receiver")


# ------------------------------------------------------------------ ports
def test_the_only_port_is_taken_and_a_stranger_does_not_stand_in_the_way() -> None:
    assert choose([CP210X]) == "/dev/ttyUSB0"
    assert choose([GPS, CP210X]) == "/dev/ttyUSB0"
    assert choose([GPS]) == "/dev/ttyACM0"


def test_of_several_ports_each_is_named_and_how_to_choose() -> None:
    with pytest.raises(Failed) as failed:
        choose([CP210X, CH340, GPS])
    assert "/dev/ttyUSB0  CP210x" in failed.value.text and "/dev/ttyUSB1  CH340" in failed.value.text
    assert failed.value.remedy == "name one: consigne console /dev/ttyUSB0"
    assert failed.value.exit_code == USAGE


def test_without_a_port_it_says_what_to_check() -> None:
    with pytest.raises(Failed) as failed:
        choose([])
    assert failed.value.exit_code == UNREACHABLE
    assert "cable" in failed.value.remedy and "driver" in failed.value.remedy


def test_a_port_that_another_program_has_is_named_as_busy() -> None:
    master, slave = pty.openpty()
    try:
        with open_port(os.ttyname(slave)), pytest.raises(Failed, match="another program has it") as failed:
            open_port(os.ttyname(slave))
        assert "fuser" in failed.value.remedy and failed.value.exit_code == UNREACHABLE
    finally:
        os.close(master)
        os.close(slave)


def test_a_port_that_one_may_not_use_names_the_group_that_may() -> None:
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    os.chmod(name, 0)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65_534)  # root may use any port
        with pytest.raises(Failed, match="you may not use it") as failed:
            open_port(name)
    finally:
        if root:
            os.seteuid(0)
        os.close(master)
        os.close(slave)
    assert "usermod -aG" in failed.value.remedy and "in again" in failed.value.remedy


def test_a_file_is_no_port_and_a_missing_one_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match="no serial port"):
        open_port(str(tmp_path / "file"))
    with pytest.raises(Failed, match="there is no such port") as failed:
        open_port(str(tmp_path / "none"), lambda: [CH340])
    assert "/dev/ttyUSB1" in failed.value.remedy


# ------------------------------------------------------------------ words
def vocabulary() -> Vocabulary:
    made = Vocabulary()
    told = ["    doors [NUMBER]", "  * open NUMBER", "    time [set UNIX_SECONDS]", "    status", "  * needs login"]
    made.learn_orders([*told, "    badge TOKEN", "noise", "  *"])
    made.learn_doors({"doors": {"closed": [1, 12], "open": [3]}})
    return made


def test_orders_and_their_words_are_learnt_from_the_lockers_help() -> None:
    known = vocabulary()
    assert set(known.orders) == {"doors", "open", "time", "status", "badge"}
    assert known.orders["open"].needs_login and not known.orders["doors"].needs_login
    assert known.completions("st") == ["status"]
    assert known.completions("open ") == ["1", "3", "12"]
    assert known.completions("open 1") == ["1", "12"]
    assert known.completions("time ") == ["set"]
    assert known.completions("wait door 3 op") == ["open", "opening"]
    assert known.completions("time set ")[0].isdecimal()
    assert known.completions("open 3 ") == [] == known.completions("nothing ")
    assert {"status", "login", "watch", "exit"} <= set(known.completions(""))


@given(st.text(max_size=40), st.lists(st.text(max_size=40), max_size=5))
def test_whatever_help_says_and_is_typed_completion_only_lengthens_a_word(line: str, told: list[str]) -> None:
    known = vocabulary()
    known.learn_orders(told)
    begun = line.lstrip().split(" ")[-1]
    assert all(word.startswith(begun) for word in known.completions(line))


# ------------------------------------------------------------------ the log
@pytest.mark.parametrize("token", [TECHNICIAN_TOKEN, COURIER_TOKEN, PICKUP_TOKEN])
def test_a_token_is_in_no_log_however_it_was_typed(token: str) -> None:
    for line in (f"badge {token}", f"BADGE  {token}", f"badeg {token}", token, f"mairie-1> badge {token}"):
        assert is_secret(line)
        assert not any(token[place : place + 12] in masked(line) for place in range(len(token) - 12))


def test_answers_and_codes_are_in_no_log_and_the_rest_is() -> None:
    assert masked("answer 0a1b2c3d4e5f") == masked("answer  0a1b").replace("  ", " ") == f"answer {HIDDEN}"
    assert masked("anser 0a1b2c3d4e5f") == f"anser {HIDDEN}"
    assert masked("open 123456789012") == f"open {HIDDEN}"
    kept = 'OK {"doors":{"closed":[1,2,3]},"unix_s":1764450000,"keys":["0a1b2c3d"]}'
    assert masked(kept) == kept and not is_secret("open 3")
    assert masked("    badge TOKEN") == "    badge TOKEN"


def test_what_noise_made_of_a_secrets_echo_is_hidden_until_its_answer_is_there(tmp_path: Path) -> None:
    log = Dialogue(tmp_path / "log")
    log.sent("answer 0a1b2c3d4e5f")
    log.heard(Heard(Kind.OTHER, "an#wer 0a1b2c3d4e"))
    log.heard(Heard(Kind.ANSWER, 'OK {"actor":"anne"}'))
    log.heard(Heard(Kind.OTHER, "an#wer was seen"))
    log.close()
    kept = (tmp_path / "log").read_text()
    assert "0a1b" not in kept and '{"actor":"anne"}' in kept and "was seen" in kept
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [<>#] ", line) for line in kept.splitlines())


def test_a_log_is_its_owners_alone_and_is_continued(tmp_path: Path) -> None:
    for word in ("first", "second"):
        log = Dialogue(tmp_path / "log")
        log.note(word)
        log.close()
    kept = (tmp_path / "log").read_text()
    assert "first" in kept and "second" in kept
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    with pytest.raises(Failed, match="cannot write"):
        Dialogue(tmp_path / "no" / "folder")


def test_a_disk_that_fills_up_ends_the_log_and_not_the_visit(capsys: pytest.CaptureFixture[str]) -> None:
    log = Dialogue(Path("/dev/full"))
    log.sent("status")
    log.sent("doors")
    log.close()
    assert capsys.readouterr().err.count("the log has ended") == 1


# ------------------------------------------------------------------ the doors
def doors(count: int, odd: tuple[int, ...] = ()) -> list[Door]:
    return [Door(number, "jammed" if number in odd else "closed", "free", ()) for number in range(1, count + 1)]


def test_the_answer_to_doors_becomes_a_row_a_compartment() -> None:
    answer = {
        "doors": {"closed": [1, 3], "open": [2]},
        "flags": {"quarantined": [3]},
        "holds": {"free": [1, 2], "held": [3]},
    }
    assert doors_of(answer) == [
        Door(1, "closed", "free", ()),
        Door(2, "open", "free", ()),
        Door(3, "closed", "held", ("quarantined",)),
    ]


@given(st.integers(0, 120), st.integers(1, 200), st.integers(2, 60))
def test_the_doors_fit_any_terminal(count: int, width: int, height: int) -> None:
    lines = drawn(doors(count, (7,)), "mairie-1: doors", "note", width, height)
    assert len(lines) <= height and all(len(line) <= width for line in lines)
    assert lines[-1] == "note"[:width]


def test_at_40_columns_every_door_has_its_line() -> None:
    lines = drawn(doors(14, (7,)), "mairie-1: doors", "", 40, 24)
    assert [line.split()[0] for line in lines[2:-1]] == [*"123456", "!", *"89", *map(str, range(10, 15))]
    assert all(len(line) <= 40 for line in lines) and CELL <= 40


def test_where_not_all_doors_fit_those_to_look_at_are_shown() -> None:
    lines = drawn(doors(100, (7, 93)), "t", "", 40, 24)
    assert [line.split()[1] for line in lines[2:4]] == ["7", "93"]
    assert lines[4] == "and 98 more that do not fit"


# ------------------------------------------------------------------ people
def test_an_answer_is_readable_at_40_columns() -> None:
    said = 'OK {"doors":{"closed":[1,2,3,4,5,6,9],"open":[7]},"flags":{},"heap":null,"up":true,"holds":'
    said += '{"free":[2,4,6,8,10,12,14,16,18,20,22,24]}}'
    lines = readable(said, 40)
    assert lines[:4] == ["doors  closed  1-6, 9", "       open  7", "flags  -", "heap   -"]
    assert "up     yes" in lines and all(len(line) <= 40 for line in lines)
    assert readable("OK {}", 40) == ["OK"]
    assert readable("ERR not_allowed login first", 40) == ["ERR not_allowed login first"]


def test_a_slip_of_the_finger_in_an_answer_is_asked_again_and_costs_no_challenge() -> None:
    typed = iter(["0a1b 2c3d 4e5", "0A1B 2C3D 4E5F"])
    said: list[str] = []
    answer = person_answerer("anne", lambda _prompt: next(typed), said.append)
    assert answer("mairie-1", "3f2a19bc0d4e77a1") == "0a1b2c3d4e5f"
    assert "Challenge  3f2a 19bc 0d4e 77a1" in said
    assert "  consigne answer mairie-1 anne 3f2a19bc0d4e77a1" in said
    with pytest.raises(Failed, match="no answer was given"):
        person_answerer("anne", lambda _prompt: "", said.append)("mairie-1", "00")


def test_a_gateway_that_cannot_be_reached_leads_to_a_person() -> None:
    def broken(_locker: str, _challenge: str) -> str:
        raise Failed("cannot reach the gateway", "", UNREACHABLE)

    said: list[str] = []
    assert first_of([broken, lambda _locker, _challenge: "aa"], said.append)("mairie-1", "00") == "aa"
    assert said == ["No answer from the gateway: cannot reach the gateway"]


@pytest.mark.parametrize("name", ["", "léa", "two words", "x" * 33, "a\r"])
def test_a_name_that_the_console_would_not_take_as_typed_is_refused_here(name: str) -> None:
    with pytest.raises(Failed, match="no technician's name"):
        check_name(name)


def test_digits_are_read_out_in_fours() -> None:
    assert in_fours("0a1b2c3d4e5f") == "0a1b 2c3d 4e5f"

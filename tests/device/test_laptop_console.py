"""`consigne console` at a locker in a real MicroPython: a technician's visit, with all that goes wrong on one."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from locker_on_table import KEY, town_locker, wait_for_word
from noisy_cable import NoisyCable
from rig import trusted
from technician import ROOT, Technician
from tokens_of_rig import COURIER_TOKEN, TECHNICIAN_TOKEN, TECHNICIAN_TOKEN_OF_TEST_1

from protocol.keys import console_answer
from tools.client import OK, REFUSED, UNAUTHENTICATED, UNREACHABLE, USAGE
from tools.console import Session, open_port
from tools.locker.client import VirtualLocker, start
from tools.locker.flash import read_files, write_files

OFFLINE = {"CONSIGNE_URL": "http://127.0.0.1:9", "CONSIGNE_KEY": "none"}


@pytest.fixture
def locker(tmp_path: Path) -> Iterator[VirtualLocker]:
    with start(town_locker(tmp_path / "locker", held=[3, 5], trusted=trusted())) as started:
        yield started


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    (tmp_path / "key").write_bytes(KEY)
    return str(tmp_path / "key")


def console(*words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """Without a terminal: lines in, lines out."""
    command = [sys.executable, "-m", "tools.consigne", "console", *words]
    return subprocess.run(command, input=said, cwd=ROOT, capture_output=True, text=True, check=False, timeout=90)


def script(folder: Path, *lines: str) -> str:
    (folder / "script").write_text("\n".join(lines) + "\n")
    return str(folder / "script")


# ------------------------------------------------------------------ a person types
def test_tab_completes_the_lockers_own_orders_and_its_doors(locker: VirtualLocker) -> None:
    with Technician(locker.console, columns=40) as person:
        person.sees("test-1> ")
        person.types("sta\t\r")
        assert "status" in person.sees("tries_left")
        person.sees("test-1> ")
        person.types("doors 1\t\t")
        assert person.sees("14").split()[-4:] == ["10", "11", "12", "13"]
        person.types("3\r")
        person.sees("compartment  13")
        person.sees("test-1> ")
        person.types("open ?\r")
        person.sees("open NUMBER  (login first)")
        person.sees("test-1> ")
        person.types("help\r")
        person.sees("on this laptop")
        person.sees("test-1> ")
        person.types("exit\r")
        assert person.ends() == OK
        assert max(map(len, person.seen.replace("\r", "").splitlines())) <= 40


def test_the_history_and_the_line_can_be_edited_as_in_a_shell(locker: VirtualLocker) -> None:
    with Technician(locker.console) as person:
        person.sees("test-1> ")
        person.types("doors 4\r")
        person.sees("door")
        person.sees("test-1> ")
        person.types("\x1b[A\x7f5\r")  # the last line once more, with another number
        person.sees("compartment  5")
        person.sees("test-1> ")
        person.types("oors 6\x01d\r")  # Ctrl-A: the letter that was forgotten in front
        person.sees("compartment  6")
        person.sees("test-1> ")
        person.types("reboot")
        person.sees("reboot")
        person.presses_ctrl_c()
        person.sees("test-1> ")
        person.types("\x04")
        assert person.ends() == OK


def test_ctrl_bracket_still_leaves(locker: VirtualLocker) -> None:
    with Technician(locker.console) as person:
        person.sees("test-1> ")
        person.types("half typed")
        person.sees("half typed")
        person.types("\x1d")
        assert person.ends() == OK
        assert person.terminal == person.before


# ------------------------------------------------------------------ logging in
def test_without_a_network_the_challenge_is_read_out_and_the_answer_typed(locker: VirtualLocker) -> None:
    with Technician(locker.console, environment=OFFLINE, columns=60) as person:
        person.sees("test-1> ")
        person.types("login\r")
        person.sees("Name: ")
        person.types("anne\r")
        person.sees("No answer from the gateway")
        person.sees("consigne answer test-1 anne ")
        challenge = person.sees("Answer (empty gives up): ").split()[0]
        answer = console_answer(KEY, bytes.fromhex(challenge), "anne")
        person.types(f"{answer[:4]} {answer[4:]}\r")
        person.sees("test-1 anne# ")
        person.types("open 3\r")
        person.sees("test-1 anne# ")
        locker.client.wait_for_door(3, "open")
        person.types("exit\r")
        assert person.ends() == OK
    assert said_by(locker, "open 4") == "ERR not_allowed login first", "whoever comes next at the cable is nobody"


def said_by(locker: VirtualLocker, order: str) -> str:
    with open_port(locker.console) as port:
        return Session(port).order(order)


def test_a_wrong_answer_is_refused_and_the_visit_goes_on(locker: VirtualLocker) -> None:
    with Technician(locker.console, environment=OFFLINE) as person:
        person.sees("test-1> ")
        person.types("login anne\r")
        person.sees("Answer (empty gives up): ")
        person.types("000000000000\r")
        person.sees("the locker refused the login: wrong_code")
        person.sees("test-1> ")
        person.types("login anne\r")
        person.sees("Answer (empty gives up): ")
        person.types("\r")
        person.sees("no answer was given")
        person.sees("test-1> ")
        person.types("\x04")
        assert person.ends() == OK


@pytest.mark.parametrize("token", [TECHNICIAN_TOKEN, TECHNICIAN_TOKEN_OF_TEST_1])
def test_a_badge_is_asked_for_and_never_shown(locker: VirtualLocker, tmp_path: Path, token: str) -> None:
    with Technician(locker.console, "--badge", "--log", str(tmp_path / "log")) as person:
        person.sees("nothing is shown: ")
        person.types(f"{token}\r")
        who = person.sees("# ").split()[-1]
        person.types("logout\r")
        person.sees("test-1> ")
        person.types("badge\r")
        person.sees("nothing is shown: ")
        person.types(f"{token}\r")
        person.sees(f"{who} is logged in")
        person.sees("# ")
        person.types("\x1b[A\x1b[A\r")  # the history holds `logout` and `badge`, and no token
        person.sees("OK")
        person.sees("test-1> ")
        person.types("\x04")
        assert person.ends() == OK
    assert token[20:40] not in person.seen and token[20:40] not in (tmp_path / "log").read_text()


def test_a_badge_comes_from_a_file_and_a_couriers_is_none(locker: VirtualLocker, tmp_path: Path) -> None:
    badge = tmp_path / "badge"
    badge.write_text(TECHNICIAN_TOKEN_OF_TEST_1 + "\n")
    ended = console(locker.console, "--badge-file", str(badge), "-c", "selftest")
    assert ended.returncode == OK
    found = json.loads(ended.stdout[ended.stdout.rindex("OK {") + 3 :].splitlines()[0])
    # It is cut off (`offline`, until it has dialled once and knows more) and has no clock; nothing else is wrong.
    assert not found["passed"] and found["findings"] in (
        ["clock not_set", "network offline"],
        ["clock not_set", "network reset"],
    )
    badge.write_text(COURIER_TOKEN)
    ended = console(locker.console, "--badge-file", str(badge), "-c", "selftest")
    assert ended.returncode == UNAUTHENTICATED and "refused the badge: not_allowed" in ended.stderr
    badge.write_text(TECHNICIAN_TOKEN.lower())  # a scanner that types for another keyboard
    ended = console(locker.console, "--badge-file", str(badge), "-c", "selftest")
    assert ended.returncode == USAGE and "keyboard" in ended.stderr
    ended = console(locker.console, "--badge", "-c", "selftest")
    assert ended.returncode == USAGE and "--badge-file" in ended.stderr


# ------------------------------------------------------------------ the doors, live
def test_the_view_of_the_doors_follows_them_and_leaves_the_terminal_as_it_was(locker: VirtualLocker) -> None:
    with Technician(locker.console, "--doors", columns=40) as person:
        person.sees("Ctrl-C ends")
        person.sees("14  closed")
        person.types("typed meanwhile")
        locker.client.pull(7)
        person.sees("!  7  forced")
        locker.client.push(7)
        person.sees("7  closed")
        person.presses_ctrl_c()
        assert person.ends() == OK
        assert person.seen.endswith("\x1b[?1049l") or "\x1b[?1049l" in person.seen[-40:]
        assert person.terminal == person.before
        assert "meanwhile" not in person.seen


def test_a_view_that_is_told_to_end_leaves_the_terminal_as_it_was_too(locker: VirtualLocker) -> None:
    with Technician(locker.console, "--doors") as person:
        person.sees("14  closed")
        person.process.terminate()
        assert person.ends() == OK
        assert "\x1b[?1049l" in person.seen[-40:] and person.terminal == person.before


def test_in_a_pipe_each_change_of_a_door_is_a_line(locker: VirtualLocker) -> None:
    wait_for_word(locker, 14, "closed")  # or hearing of the doors would be the first change
    command = [sys.executable, "-m", "tools.consigne", "console", locker.console, "--doors", "--json"]
    view = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert view.stdout is not None
        first = [json.loads(view.stdout.readline()) for _ in range(14)]
        assert [row["compartment"] for row in first] == list(range(1, 15))
        assert {row["holds"] for row in first if row["compartment"] in (3, 5)} == {"held"}
        locker.client.pull(7)
        change = json.loads(view.stdout.readline())
        assert (change["compartment"], change["door"], change["flags"]) == (7, "forced", ["quarantined"])
        view.terminate()
        assert (view.wait(60), view.stdout.read()) == (OK, "")
    finally:
        view.kill()
        view.wait()


# ------------------------------------------------------------------ scripts
def test_a_script_stops_at_the_first_err_with_its_lines_number(locker: VirtualLocker, tmp_path: Path) -> None:
    lines = script(tmp_path, "# the round", "", "status", "open 3", "doors")
    ended = console(locker.console, "--run", lines)
    assert ended.returncode == REFUSED
    assert "line 4: open 3: ERR not_allowed login first" in ended.stderr
    assert [said[:3] for said in ended.stdout.splitlines()] == ["OK ", "ERR"]
    ended = console(locker.console, "--run", lines, "--keep-going", "--json")
    assert ended.returncode == REFUSED, "it went on, and says so at the end"
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(row["line"], row["ok"]) for row in said] == [(3, True), (4, False), (5, True)]
    assert said[0]["answer"]["locker"] == "test-1" and said[1]["code"] == "not_allowed"


def test_a_script_says_what_it_expects_and_waits_for_a_door(
    locker: VirtualLocker, tmp_path: Path, key_file: str
) -> None:
    lines = script(
        tmp_path, "open 99", "? ERR unknown_compartment", "open 4", "? OK", "wait door 4 open", "? quarantined"
    )
    ended = console(locker.console, "--login", "anne", "--key-file", key_file, "--run", lines)
    assert ended.returncode == REFUSED
    assert 'line 6: expected quarantined, but it said OK {"compartment":4,"door":"open"' in ended.stderr
    lines = script(tmp_path, "wait door 5 open 1")
    ended = console(locker.console, "--run", lines)
    assert ended.returncode == REFUSED and "ERR timeout door 5 was not open within 1 s" in ended.stderr


def test_a_script_reboots_the_locker_and_goes_on(locker: VirtualLocker, tmp_path: Path, key_file: str) -> None:
    lines = script(tmp_path, "status", "reboot", "status", "selftest", "? ERR not_allowed")
    ended = console(locker.console, "--login", "anne", "--key-file", key_file, "--run", lines)
    assert ended.returncode == OK, ended.stderr
    before, _, after, _ = ended.stdout.splitlines()
    assert json.loads(after[3:])["boot"] > json.loads(before[3:])["boot"]
    assert "the locker has restarted" in ended.stderr


def test_lines_come_in_from_a_pipe_and_go_out(locker: VirtualLocker) -> None:
    ended = console(locker.console, said="time\n# nothing\ndoors 3\n")
    assert ended.returncode == OK and len(ended.stdout.splitlines()) == 2


# ------------------------------------------------------------------ all that goes wrong
def test_a_restart_is_said_at_once_and_what_was_typed_so_far_stays(locker: VirtualLocker) -> None:
    with Technician(locker.console) as person:
        person.sees("test-1> ")
        person.types("doors")
        person.sees("doors")
        locker.client.kill()
        person.sees("The locker has restarted")
        person.sees("test-1> doors")
        person.types(" 2\r")
        person.sees("compartment  2")
        person.sees("test-1> ")
        person.types("\x04")
        assert person.ends() == OK


def test_a_cable_that_is_pulled_out_ends_the_visit_with_a_word_and_a_closed_log(
    locker: VirtualLocker, tmp_path: Path
) -> None:
    with NoisyCable(locker.console, 1) as cable, Technician(cable.port, "--log", str(tmp_path / "log")) as person:
        person.sees("> ")
        person.types("half ty")
        person.sees("half ty")
        cable.pull_out()
        assert person.ends() == UNREACHABLE
        assert "the console is gone" in person.seen and "check the cable" in person.seen
        assert person.terminal == person.before
    kept = (tmp_path / "log").read_text().splitlines()
    assert kept[-2].endswith("# the console is gone") and kept[-1].endswith("# end")


def test_a_script_whose_cable_is_pulled_out_says_so_and_ends_with_3(locker: VirtualLocker, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with NoisyCable(locker.console, 2) as cable:
        words = ["console", cable.port, "-c", "status", "-c", "wait door 3 open 60", "--log", str(log)]
        command = [sys.executable, "-m", "tools.consigne", *words]
        running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert running.stdout is not None and running.stdout.readline().startswith("OK ")
        cable.pull_out()
        _, said = running.communicate(timeout=60)
    assert running.returncode == UNREACHABLE and "the console is gone" in said
    assert log.read_text().splitlines()[-1].endswith("# end")


def test_a_line_that_is_too_long_is_refused_and_the_next_is_heard(locker: VirtualLocker, tmp_path: Path) -> None:
    ended = console(locker.console, "--run", script(tmp_path, "x" * 5000, "? ERR too_large", "status"))
    assert ended.returncode == OK and ended.stdout.splitlines()[-1].startswith("OK "), ended.stderr


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_on_the_cable_costs_no_answer(locker: VirtualLocker, tmp_path: Path, key_file: str, seed: int) -> None:
    orders = ["status", "doors", "selftest", "journal", "time", "net"] * 3
    lines = script(tmp_path, *orders)
    with NoisyCable(locker.console, seed) as cable:
        ended = console(cable.port, "--login", "anne", "--key-file", key_file, "--run", lines, "--json")
    assert ended.returncode == OK, ended.stderr
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [row["order"] for row in said] == orders and all(isinstance(row["answer"], dict) for row in said)


def test_noise_cannot_move_the_cursor_of_whoever_reads_it(locker: VirtualLocker) -> None:
    with NoisyCable(locker.console, 4) as cable, Technician(cable.port) as person:
        person.sees("> ")
        for _ in range(3):
            person.types("status\r")
            person.sees("tries_left")
            person.sees("> ")
        person.types("\x04")
        person.ends()
        assert "\x1b[2J" not in person.seen and "\x1b[31m" not in person.seen
        assert "rst:0x1 (POWERON_RESET)" in person.seen, "what it says is shown all the same"


def test_a_locker_that_has_lost_its_journal_can_still_be_told_to_reboot(tmp_path: Path) -> None:
    folder = town_locker(tmp_path / "locker", held=[3])
    flash = folder / "flash.img"
    rotten = {name: bytes(len(held)) for name, held in read_files(flash).items() if name.startswith("/journal/")}
    write_files(flash, rotten)
    with start(folder) as locker, Technician(locker.console, columns=40) as person:
        person.sees("the locker is out of order")
        person.sees("locker> ")
        locker.client.watch()
        person.types("reboot\r")
        locker.client.wait_for(lambda event: event["event"] == "power" and event["on"])
        person.presses_ctrl_c()
        person.sees("locker> ")
        person.types("\x04")
        assert person.ends() == OK


def test_no_secret_of_a_whole_visit_is_in_its_log(locker: VirtualLocker, tmp_path: Path, key_file: str) -> None:
    log = tmp_path / "log"
    with Technician(locker.console, "--login", "anne", "--key-file", key_file, "--log", str(log)) as person:
        person.sees("test-1 anne# ")
        person.types("logout\r")
        person.sees("test-1> ")
        person.types("time\r")
        person.sees("uptime_s")
        person.sees("test-1> ")
        lines = {f"badge {TECHNICIAN_TOKEN}": "is logged in", f"badeg {TECHNICIAN_TOKEN}": "no such order"}
        for line, said in {**lines, TECHNICIAN_TOKEN: "no such order"}.items():
            person.types(f"{line}\r")
            person.sees(said)
            person.sees("# ")
        person.types("\x1b[A\r")
        person.sees("uptime_s")  # no line with a token is in the history
        person.sees("# ")
        person.types("\x04")
        person.ends()
    with Technician(locker.console, "--raw", "--log", str(log)) as person:
        person.sees("test-1")
        person.types(f"badga\x7fe {TECHNICIAN_TOKEN_OF_TEST_1}\r")
        person.sees("OK {")
        person.types("\x1d")
        assert person.ends() == OK
    kept = log.read_text()
    for token in (TECHNICIAN_TOKEN, TECHNICIAN_TOKEN_OF_TEST_1):
        assert not any(token[place : place + 12] in kept for place in range(len(token) - 12))
    challenges = re.findall(r"\b[0-9a-f]{12,16}\b", kept)
    assert not challenges and "> answer ***" in kept and "> badge ***" in kept and "< test-1> badge" not in kept
    assert kept.count("# end") == 2 and "login anne" in kept

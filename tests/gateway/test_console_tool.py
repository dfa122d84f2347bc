"""`consigne console` against the real console of a locker's agent, over a serial line."""

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from console_line import Line, line
from patience import wait_for

from tools import consigne, console
from tools.client import OK, REFUSED, UNAUTHENTICATED, UNREACHABLE, USAGE, Failed
from tools.console import doors

KEY = bytes(range(32))
ROOT = Path(consigne.__file__).parent.parent


@pytest.fixture
def locker():
    with line("mairie-1", KEY) as made:
        yield made


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "locker.key"
    path.write_bytes(KEY)
    return str(path)


def test_an_order_is_answered_with_one_line_and_exit_code_0(locker: Line, capsys: pytest.CaptureFixture[str]) -> None:
    assert consigne.main(["console", locker.port, "-c", "status"]) == OK
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1
    word, document = said[0].split(" ", 1)
    assert word == "OK" and json.loads(document)["locker"] == "mairie-1"


def test_several_orders_are_answered_in_order(locker: Line, capsys: pytest.CaptureFixture[str]) -> None:
    assert consigne.main(["console", locker.port, "-c", "time", "-c", "doors", "-c", "journal"]) == OK
    assert [text[:3] for text in capsys.readouterr().out.splitlines()] == ["OK "] * 3


def test_a_refused_order_ends_the_script_with_exit_code_1(locker: Line, capsys: pytest.CaptureFixture[str]) -> None:
    assert consigne.main(["console", locker.port, "-c", "open 1", "-c", "status"]) == REFUSED
    assert capsys.readouterr().out.splitlines() == ["ERR not_allowed login first"]


def test_help_says_more_than_its_answer(locker: Line, capsys: pytest.CaptureFixture[str]) -> None:
    assert consigne.main(["console", locker.port, "-c", "help"]) == OK
    said = capsys.readouterr().out.splitlines()
    assert len(said) > 5 and said[-1].startswith("OK ")


def test_a_file_of_orders_is_run_and_its_remarks_are_skipped(
    locker: Line, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "round.txt"
    script.write_text("# the morning round\n\nstatus\ndoors 2\n")
    assert consigne.main(["console", locker.port, "--run", str(script)]) == OK
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 and json.loads(said[1][3:])["compartment"] == 2


def test_orders_come_from_stdin_when_that_is_no_terminal(locker: Line) -> None:
    command = [sys.executable, "-m", "tools.consigne", "console", locker.port]
    ended = subprocess.run(command, input="status\n", cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == OK and ended.stdout.startswith("OK "), ended.stderr


def test_a_technician_logs_in_with_the_lockers_key_and_acts(
    locker: Line, key_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert consigne.main(["console", locker.port, "--login", "anne", "--key-file", key_file, "-c", "selftest"]) == OK
    assert "\nOK {" in capsys.readouterr().out, "which it is to nobody"
    assert b"login anne\r" in locker.typed
    wait_for(lambda: locker.agent.console.actor == "", named="whoever comes next at the cable is nobody: this")
    assert KEY.hex().encode() not in locker.typed, "the key itself never travels"


def test_a_key_file_may_hold_hex(locker: Line, tmp_path: Path) -> None:
    path = tmp_path / "locker.key"
    path.write_text(KEY.hex() + "\n")
    arguments = ["console", locker.port, "--login", "anne", "--key-file", str(path), "-c", "selftest"]
    assert consigne.main(arguments) == OK


def test_the_key_of_another_locker_is_refused(
    locker: Line, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "locker.key"
    path.write_bytes(bytes(32))
    arguments = ["console", locker.port, "--login", "anne", "--key-file", str(path), "-c", "selftest"]
    assert consigne.main(arguments) == UNAUTHENTICATED
    assert "refused the login" in capsys.readouterr().err
    assert locker.agent.console.actor == ""


@pytest.mark.parametrize("held", [b"", b"short", b"x" * 64, b"\xff" * 31])
def test_a_file_that_is_no_key_is_refused(
    locker: Line, tmp_path: Path, held: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "locker.key"
    path.write_bytes(held)
    assert consigne.main(["console", locker.port, "--login", "a", "--key-file", str(path), "-c", "net"]) == USAGE
    assert "32 raw bytes" in capsys.readouterr().err


def test_what_was_left_half_typed_is_not_part_of_our_order(locker: Line, capsys: pytest.CaptureFixture[str]) -> None:
    os.write(locker.slave, b"")
    with open(locker.port, "wb", buffering=0) as other:
        other.write(b"reboo")
    assert consigne.main(["console", locker.port, "-c", "status"]) == OK
    assert capsys.readouterr().out.startswith("OK ")


def test_a_port_that_is_none_has_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert consigne.main(["console", "/dev/no-such-port", "-c", "status"]) == UNREACHABLE
    assert "cable" in capsys.readouterr().err


@contextlib.contextmanager
def wire() -> Iterator[tuple[int, serial.Serial]]:
    """(the locker's end, our open port)"""
    master, slave = pty.openpty()
    try:
        with console.open_port(os.ttyname(slave)) as port:
            yield master, port
    finally:
        os.close(master)
        os.close(slave)


def test_a_locker_that_does_not_answer_is_said_to() -> None:
    with wire() as (_, port), pytest.raises(Failed, match="does not answer") as failed:
        console.Session(port, wait_s=0.3).order("status")
    assert failed.value.exit_code == UNREACHABLE and failed.value.remedy


def test_noise_on_the_line_ends_in_an_error_and_not_in_memory() -> None:
    stop = threading.Event()

    def chatter(master: int) -> None:
        while not stop.is_set():
            os.write(master, b"x" * 256)
            time.sleep(0.001)

    with wire() as (master, port):
        thread = threading.Thread(target=chatter, args=(master,))
        thread.start()
        try:
            with pytest.raises(Failed, match="does not answer"):
                console.Session(port, size_max=2_000).order("status")
        finally:
            stop.set()
            thread.join(5)


def test_raw_keys_go_to_the_locker_as_they_are_typed_and_ctrl_bracket_leaves(locker: Line) -> None:
    """The command runs in a terminal of its own; what is typed there reaches the locker key by key."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "tools.consigne", "console", locker.port, "--raw"]
    person = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT)
    try:
        seen = read_until(master, b"mairie-1> ")
        os.write(master, b"statux\x7fs\r")
        seen = read_until(master, b"OK {")
        assert b"status" in seen or b"statux\b \bs" in seen
        os.write(master, b"\x1d")
        assert person.wait(60) == OK
    finally:
        person.kill()
        person.wait()
        os.close(master)
        os.close(slave)


def read_until(master: int, wanted: bytes) -> bytes:
    seen, until = b"", time.monotonic() + 60
    while wanted not in seen:
        assert time.monotonic() < until, seen
        if select.select([master], [], [], 0.1)[0]:
            seen += os.read(master, 4096)
    return seen


@contextlib.contextmanager
def answering(*replies: bytes) -> Iterator[serial.Serial]:
    """Our port, whose far end gives one reply for each order that came."""

    def reply_to_each(master: int) -> None:
        typed = b""  # two orders may be read at once
        for reply in replies:
            if b"\r" not in typed:
                typed += read_until(master, b"\r")
            typed = typed.partition(b"\r")[2]
            os.write(master, reply)

    with wire() as (master, port):
        thread = threading.Thread(target=reply_to_each, args=(master,))
        thread.start()
        yield port
        thread.join(60)


BANNER = b"\r\nConsigne, locker m-1. Type help.\r\nm-1> "


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_orders() -> None:
    late = b"doors\r\nOK 1\r\nmairie-1> status\r\nOK 2\r\nmairie-1> "
    with answering(b"", late) as port:
        session = console.Session(port, wait_s=0.3)
        with pytest.raises(Failed, match="does not answer"):
            session.order("doors")
        session.wait_s = 60
        assert session.order("status") == "OK 2"


def test_a_locker_that_restarts_before_it_answers_is_an_err_of_its_own() -> None:
    with answering(b"time\r\nOK {}\r\nm-1 anne# ", b"open 3\r\n" + BANNER) as port:
        session = console.Session(port)
        assert (session.order("time"), session.actor) == ("OK {}", "anne")
        assert session.order("open 3").startswith("ERR restarted ")
        assert session.actor == "", "a restart ends every login"


def test_a_board_that_restarts_when_its_port_is_opened_is_asked_again() -> None:
    with answering(b"rst:0x1\r\n" + BANNER, b'status\r\nOK {"locker":"m-1"}\r\nm-1> ') as port:
        assert console.Session(port).ask("status") == {"locker": "m-1"}


def test_a_greeting_that_is_read_late_leaves_no_answer_for_the_next_order() -> None:
    """The locker had started long before: it answers the first line, and the one that was sent again."""
    once = b'language en\r\nOK {"language":"en"}\r\nm-1> '
    with answering(BANNER, once, once + b"net test\r\nOK 2\r\nm-1> ") as port:
        session = console.Session(port)
        assert session.ask("language en") == {"language": "en"}
        assert session.order("net test") == "OK 2"


def test_a_locker_in_safe_idle_mode_is_heard_without_its_echo() -> None:
    with answering(b"", b"ERR fault the locker is out of order; type: reboot\r\n") as port:
        session = console.Session(port, wait_s=0.2)
        with pytest.raises(Failed):
            session.order("status")
        session.wait_s = 60
        assert session.order("status").startswith("ERR fault ")


@pytest.mark.parametrize("order", ["login léa", "status\rreboot", "status\n", "\x03"])
def test_what_the_console_would_hear_otherwise_is_not_sent(order: str) -> None:
    with wire() as (master, port), pytest.raises(Failed, match="plain letters"):
        os.set_blocking(master, False)
        try:
            console.Session(port).order(order)
        finally:
            with pytest.raises(BlockingIOError):
                os.read(master, 1)


def test_a_badge_is_not_taken_from_a_command_line(locker: Line, capsys: pytest.CaptureFixture[str]) -> None:
    assert consigne.main(["console", locker.port, "-c", "badge RRQ+D9P60CO0HD4"]) == USAGE
    said = capsys.readouterr().err
    assert "--badge" in said and "RRQ" not in said and locker.typed == b""


def test_raw_without_a_terminal_is_refused(locker: Line) -> None:
    command = [sys.executable, "-m", "tools.consigne", "console", locker.port, "--raw"]
    ended = subprocess.run(command, input="status\n", cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == USAGE and "for a terminal" in ended.stderr


def test_a_damaged_answer_is_not_taken_for_one() -> None:
    with answering(b'OK {"challenge":"3f2\r\n') as port, pytest.raises(Failed, match="damaged"):
        console.Session(port).ask("login anne")


def test_a_view_left_running_keeps_no_login_alive(
    locker: Line, key_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.console.doors.CONSOLE_IDLE_MS", 0)

    said = ""

    def end_it() -> None:
        nonlocal said
        until = time.monotonic() + 60
        while "logged out at" not in said and time.monotonic() < until:
            time.sleep(0.01)
            said += capsys.readouterr().err
        os.kill(os.getpid(), signal.SIGTERM)

    with console.open_port(locker.port) as port:
        session = console.Session(port)
        console.log_in(session, "anne", console.key_file_answerer(Path(key_file), "anne"))
        ending = threading.Thread(target=end_it)
        ending.start()
        assert doors.watch(session) == OK
        ending.join()
    wait_for(lambda: locker.agent.console.actor == "")
    assert "logged out at" in said

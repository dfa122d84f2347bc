"""The `consigne` command's manners (clig.dev): help with examples, errors with the next step, progress for people."""

import argparse
import io
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tools import consigne
from tools.client import INTERRUPTED, OK, REFUSED, USAGE
from tools.progress import Progress
from tools.usage import EXAMPLES, Parser

ROOT = Path(consigne.__file__).parent.parent
# Answers that a program can read, by their first words; what is not here acts, or draws a page.
READING = {"lockers list", "lockers show", "parcels list", "parcels show", "keys show", "doctor"}


def leaves(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that does something, with its parser."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser.prog.partition(" ")[2], parser
    for action in below:
        for one in action.choices.values():
            yield from leaves(one)


COMMANDS = dict(leaves(consigne.build_parser()))


OPERATION = {"id": "op_1", "state": "waiting", "locker": "mairie-1", "compartment": 1}


class Busy(BaseHTTPRequestHandler):
    """A gateway that says `later` first, as often as `refusals` says, and is slow about the operation."""

    refusals = 1
    polls = 4
    keys: list[str]

    def log_message(self, *_arguments: object) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        if self.path.startswith("/v1/operations/"):
            type(self).polls -= 1
            self.say(200, OPERATION | {"state": "waiting" if self.polls > 0 else "opened"})
            return
        self.later() or self.say(200, {"data": [], "next_cursor": None})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).keys.append(self.headers["idempotency-key"])
        self.later() or self.say(202, OPERATION)

    def later(self) -> bool:
        if self.refusals <= 0:
            return False
        type(self).refusals -= 1
        self.say(429, {"code": "rate_limited", "detail": "later", "next_actions": ["wait"]}, {"Retry-After": "1"})
        return True

    def say(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Busy]]:
    class Once(Busy):
        keys: list[str] = []  # noqa: RUF012 - of this test's gateway

    with HTTPServer(("127.0.0.1", 0), Once) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(0.01))
        thread.start()
        monkeypatch.setenv("CONSIGNE_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("CONSIGNE_KEY", "x")
        yield Once
        server.shutdown()
        thread.join()


# ------------------------------------------------------------------ help
def test_every_command_has_help_with_examples_that_it_takes() -> None:
    assert set(EXAMPLES) - {"lockers", "parcels", "contracts", "keys", "ca", "privacy", "audit"} == set(COMMANDS) - {
        "gateway",
        "console",
    }
    for command, parser in COMMANDS.items():
        if command == "gateway":
            continue  # its own, below
        text = parser.format_help()
        assert "examples:" in text, command
        for line in re.findall(r"^  (consigne .*?)(?:  .*)?$", text, re.MULTILINE):
            words = shlex.split(re.split(r" [|<] ", line)[0])[1:]
            taken = consigne.build_parser().parse_args(words)
            assert taken.call, line


def test_help_is_on_stdout_however_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    said: set[str] = set()
    for words in (["lockers", "list", "--help"], ["help", "lockers", "list"], ["lockers", "list", "-h"]):
        with pytest.raises(SystemExit) as ended:
            consigne.main(words)
        told = capsys.readouterr()
        assert ended.value.code == OK and told.err == ""
        said.add(told.out)
    assert len(said) == 1 and "consigne lockers list --json" in said.pop()
    assert consigne.main(["gateway", "--help"]) == consigne.main(["help", "gateway"]) == OK
    assert "--requests-per-second" in capsys.readouterr().out


def test_without_a_word_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        consigne.main([])
    told = capsys.readouterr()
    assert ended.value.code == USAGE and told.out == ""
    assert "examples:" in told.err and "exit codes:" in told.err


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        consigne.main(["--version"])
    assert ended.value.code == OK and re.fullmatch(r"consigne \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lokers", "list"], "did you mean 'lockers'?"),
        (["lockers", "lst"], "did you mean 'list'?"),
        (["fly"], "one of gateway, console"),
        (["lockers"], "VERB"),
        (["parcels", "expect", "a", "--locker", "x", "--size", "XXL", "--carrier", "c"], "one of S, M, L"),
    ],
)
def test_a_wrong_word_is_told_the_next_step(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        consigne.main(words)
    told = capsys.readouterr()
    assert ended.value.code == USAGE and told.out == ""
    assert said in told.err and re.search(r"^  see: consigne.* --help$", told.err, re.MULTILINE)


def test_every_command_that_reads_can_print_json() -> None:
    with_json = {name for name, parser in COMMANDS.items() if "--json" in parser.format_help()}
    assert with_json >= READING
    assert set(COMMANDS) - with_json == {"gateway", "slip", "provision"}, (
        "a line of JSON when it is ready; a page; a visit"
    )


def test_the_parsers_are_of_one_kind() -> None:
    assert all(isinstance(parser, Parser) for parser in COMMANDS.values())


# ------------------------------------------------------------------ what takes long
def test_a_gateway_that_says_later_is_asked_again_then(busy: type[Busy], capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    assert consigne.main(["lockers", "list", "--json"]) == OK
    told = capsys.readouterr()
    assert time.monotonic() - began >= 1 and busy.refusals == 0
    assert json.loads(told.out) == [] and "asking again in 1 s" in told.err


def test_an_act_is_sent_again_under_its_own_key(busy: type[Busy], capsys: pytest.CaptureFixture[str]) -> None:
    assert consigne.main(["open", "mairie-1", "1", "--reason", "stuck", "--json"]) == OK
    assert len(busy.keys) == 2 and len(set(busy.keys)) == 1
    assert json.loads(capsys.readouterr().out)["state"] == "opened"


def test_a_gateway_that_says_much_later_has_refused(
    busy: type[Busy], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.client.AGAIN_S_MAX", 0.5)
    assert consigne.main(["lockers", "list"]) == REFUSED
    assert "rate_limited" in capsys.readouterr().err and busy.refusals == 0


def on_a_terminal(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout (a pipe), and what a person sees on stderr."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tools.consigne", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 4096):
                seen += piece
        except OSError:
            pass  # its end of the terminal is closed
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(ours)
    return process.returncode, out, seen.decode()


def test_a_person_sees_that_it_is_waiting_and_a_file_does_not(busy: type[Busy]) -> None:
    busy.refusals, busy.polls = 0, 6
    code, out, seen = on_a_terminal("open", "mairie-1", "1", "--reason", "stuck", "--json")
    assert code == OK and json.loads(out)["state"] == "opened"
    assert re.search(r"waiting for mairie-1, 75 s at most: waiting \(\d+ s\)", seen), seen
    assert "\x1b" not in seen and seen.endswith("\r") and seen.rsplit("\r", 2)[1].isspace()
    busy.polls = 3
    command = [sys.executable, "-m", "tools.consigne", "open", "mairie-1", "1", "--reason", "stuck"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (OK, "") and "opened" in run.stdout


def test_progress_is_quiet_at_first_and_then_not_too_often() -> None:
    now = [0.0]
    screen = io.StringIO()
    screen.isatty = lambda: True
    with Progress("reading", screen, lambda: now[0]) as progress:
        for step in range(200):
            now[0] = step / 100
            progress.note(f"{step}")
    lines = [line for line in screen.getvalue().split("\r") if line.strip()]
    assert lines[0] == "reading: 70 (1 s)" and len(lines) <= 14
    assert screen.getvalue().endswith(f"\r{' ' * len(lines[-1])}\r")
    with Progress("reading", io.StringIO(), lambda: 100.0) as unseen:
        unseen.note("1")
    assert unseen._stream.getvalue() == ""  # type: ignore[attr-defined]


def test_ctrl_c_ends_it_at_once_with_the_exit_code_that_shells_know(busy: type[Busy]) -> None:
    busy.refusals, busy.polls = 0, 10_000
    command = [sys.executable, "-m", "tools.consigne", "open", "mairie-1", "1", "--reason", "stuck"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while busy.polls == 10_000 and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (INTERRUPTED, "", "consigne: stopped\n")

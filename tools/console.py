"""The locker's serial console from a PC: an interactive terminal, or orders from a script with exit codes.

One line goes out, one line `OK …` or `ERR code …` comes back; what the console echoes is skipped.
"""

import json
import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import serial

from protocol.keys import KEY_SIZE, console_answer
from protocol.limits import WRONG_CODE_PAUSE_MS
from tools.client import OK, REFUSED, UNAUTHENTICATED, UNREACHABLE, USAGE, Failed

BAUD = 115_200
ANSWER_WAIT_S = 20.0  # `selftest` looks at every door
PAUSE_S = WRONG_CODE_PAUSE_MS / 1000 + 0.2
ANSWER_SIZE_MAX = 256 * 1024  # a locker that never ends its line must not fill our memory
LEAVE = b"\x1d"  # Ctrl-], as telnet
ERASE_LINE = b"\x15"  # Ctrl-U: what somebody left half typed is not part of our order
_ANSWER = re.compile(r"(OK|ERR)\b")
_FOR_PEOPLE = "  "  # lines before the answer, as `help` gives them

# (locker id, challenge in hex) -> the answer in hex
Answerer = Callable[[str, str], str]


def open_port(name: str) -> serial.Serial:
    try:
        return serial.Serial(name, BAUD, timeout=0.1, write_timeout=5)
    except (serial.SerialException, ValueError, OSError) as problem:
        raise Failed(
            f"cannot open {name}: {problem.__class__.__name__}",
            "check the cable and the name (`ls /dev/serial/by-id`), and that you are in the group dialout",
            UNREACHABLE,
        )


@dataclass
class Session:
    """Orders and answers over an open port."""

    port: serial.Serial
    wait_s: float = ANSWER_WAIT_S
    size_max: int = ANSWER_SIZE_MAX
    told: list[str] = field(default_factory=list[str])  # what stood before the last answer, for people
    _kept: bytearray = field(default_factory=bytearray)

    def order(self, line: str) -> str:
        """Send one line, return its one answer, `OK …` or `ERR code …`."""
        self._kept.clear()
        self.told = []
        try:
            self.port.reset_input_buffer()
            self.port.write(ERASE_LINE + line.encode() + b"\r")
            return self._answer(time.monotonic() + self.wait_s)
        except (serial.SerialException, OSError, termios.error):
            raise Failed("the console is gone", "check the cable and the locker's power", UNREACHABLE)

    def _answer(self, until: float) -> str:
        while time.monotonic() < until:
            self._kept += self.port.read(max(1, self.port.in_waiting))
            while b"\n" in self._kept:
                raw, _, rest = bytes(self._kept).partition(b"\n")
                self._kept[:] = rest
                said = raw.decode("utf-8", "replace").rstrip("\r")
                if _ANSWER.match(said):
                    return said
                if said.startswith(_FOR_PEOPLE):
                    self.told.append(said)
            if len(self._kept) > self.size_max:
                break
        raise Failed("the locker does not answer", f"check the cable, and the speed ({BAUD} baud, 8N1)", UNREACHABLE)

    def ask(self, line: str) -> Any:
        """The document of an OK answer. Raises Failed on ERR."""
        said = self.order(line)
        word, _, rest = said.partition(" ")
        if word != "OK":
            code, _, text = rest.partition(" ")
            raise Failed(f"{code}: {text}" if text else code, "type `help` on the console", REFUSED, code)
        try:
            return json.loads(rest) if rest else {}
        except ValueError:
            return {"text": rest}


def log_in(session: Session, name: str, answerer: Answerer, locker: str = "") -> None:
    """Answer the console's challenge; `answerer` is given the locker's id and the challenge."""
    locker = locker or str(cast(dict[str, Any], session.ask("status")).get("locker", ""))
    challenge = str(cast(dict[str, Any], session.ask(f"login {name}")).get("challenge", ""))
    order = f"answer {answerer(locker, challenge)}"
    try:
        try:
            session.ask(order)
        except Failed as failed:
            if failed.code != "throttled":
                raise
            time.sleep(PAUSE_S)  # somebody has just typed a wrong code at the locker; the challenge still stands
            session.ask(order)
    except Failed as failed:
        if failed.exit_code == REFUSED:
            raise Failed(
                f"the locker refused the login: {failed.text}",
                "is this its current key? a badge is never throttled: badge TOKEN",
                UNAUTHENTICATED,
            )
        raise


def key_file_answerer(path: Path, name: str) -> Answerer:
    """Answers with the locker's own key: 32 raw bytes, or 64 hex digits."""
    try:
        held = path.read_bytes()
        key = held if len(held) == KEY_SIZE else bytes.fromhex(held.decode("ascii").strip())
        if len(key) != KEY_SIZE:
            raise ValueError
    except OSError as problem:
        raise Failed(f"cannot read {path}: {type(problem).__name__}", "name the locker's key file", USAGE)
    except ValueError:
        raise Failed(f"{path} holds no locker key", "a key is 32 raw bytes or 64 hex digits", USAGE)
    return lambda _locker, challenge: console_answer(key, bytes.fromhex(challenge), name)


def run_script(session: Session, lines: Iterable[str], say: Callable[[str], None]) -> int:
    """Every line in turn, '#' lines and empty ones skipped; stops at the first ERR with exit code 1."""
    for line in lines:
        order = line.strip()
        if not order or order.startswith("#"):
            continue
        said = session.order(order)
        for told in (*session.told, said):
            say(told)
        if not said.startswith("OK"):
            return REFUSED
    return OK


def interact(port: serial.Serial) -> int:
    """Keys go to the locker as they are typed, its bytes to the screen. Ctrl-] leaves."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    print("Ctrl-] leaves.", file=sys.stderr)
    try:
        tty.setraw(keyboard)
        port.write(b"\r")
        return _pump(port, keyboard)
    except (serial.SerialException, OSError):
        raise Failed("the console is gone", "check the cable and the locker's power", UNREACHABLE)
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        print(file=sys.stderr)


def _pump(port: serial.Serial, keyboard: int) -> int:
    while True:
        ready, _, _ = select.select([keyboard, port.fileno()], [], [])
        if port.fileno() in ready:
            sys.stdout.buffer.write(port.read(max(1, port.in_waiting)))
            sys.stdout.buffer.flush()
        if keyboard in ready:
            typed = os.read(keyboard, 256)
            if not typed or LEAVE in typed:
                return OK
            port.write(typed)

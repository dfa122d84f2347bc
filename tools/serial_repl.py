"""MicroPython's raw REPL over a serial port: break into whatever runs, run a program there, get what it printed.

mpremote's SerialTransport speaks the protocol. Ours is what it does not do: take a port that is open already (it opens
one itself, and drops why it could not); give four Ctrl-C, by which a locker that runs is ended; end an answer that has
no end, or a wait that depends on silence; say what to do in two lines, where it prints what it read; and restart the
board. A locker's watchdog cannot be stopped: it is given a minute, and each program feeds it, so that it bites only
when nobody is at the cable any more.
"""

import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import serial
from mpremote.commands import CommandError  # pyright: ignore[reportMissingTypeStubs]
from mpremote.transport import TransportError, TransportExecError  # pyright: ignore[reportMissingTypeStubs]
from mpremote.transport_serial import SerialTransport  # pyright: ignore[reportMissingTypeStubs]

from tools.client import REFUSED, UNREACHABLE, Failed

BREAK_TRIES = 20
BREAK_WAIT_S = 0.5
MEET_WAIT_S = 2.0
ANSWER_WAIT_S = 20.0
ANSWER_SIZE_MAX = 256 * 1024  # a board that prints for ever must not fill the laptop
_BREAK = b"\r\x03\x03\x03\x03"  # one is enough for a REPL; a locker that runs ends by four (device/drivers/console.py)
_RUN = b"\x04"
_GIVE_UP = b"\r\x03\x01"  # whatever it is in the middle of, to the start of a program
_RESTART = b"import machine\nmachine.reset()" + _RUN
# ESP32 sets its one watchdog anew; RP2's ends after 8 s at the most. Where there is none yet, none is made.
_CALM = """
import machine
def _calm():
    for ms in (60000, 8000):
        try:
            return machine.WDT(timeout=ms)
        except (ValueError, OSError):
            pass
_dog = _calm() if 'device' in __import__('sys').modules else None
"""
NO_REPL = "is its power on? a board that shows no `>>>` after Ctrl-C has no MicroPython: flash that first (esptool)"


class BoardError(Failed):
    """The program on the board raised something; its last line is the text."""


class _Line:
    """The port as mpremote sees it. A read waits for all that was asked for, and ends by our own time and size alone:
    mpremote never comes to its own ends. Raises TransportError then, Failed when the port is gone."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._until = 0.0
        self._silence_s = 0.0
        self._size_left = 0

    def allow(self, wait_s: float, silence_s: float = 0.0) -> None:
        """From now on; `silence_s`: for one read, 0 is as long."""
        self._until = time.monotonic() + wait_s
        self._silence_s = silence_s or wait_s
        self._size_left = ANSWER_SIZE_MAX

    def read(self, size: int) -> bytes:
        came = b""
        until = min(self._until, time.monotonic() + self._silence_s)
        while len(came) < size:
            if self._size_left <= 0 or time.monotonic() > until:
                raise TransportError("no end in sight")
            try:
                piece = self._port.read(min(size - len(came), self._size_left))
            except OSError:  # serial.SerialException is one
                raise _gone()
            came += piece
            self._size_left -= len(piece)
        return came

    def write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except OSError:
            raise _gone()

    def inWaiting(self) -> int:  # noqa: N802 - mpremote's word for it
        try:
            return self._port.in_waiting
        except OSError:
            raise _gone()


class _Transport(SerialTransport):
    def __init__(self, line: _Line) -> None:  # its own would open a port
        self.serial = line
        self.in_raw_repl = False
        self.use_raw_paste = True
        self.mounted = False
        self.is_pty = True  # for mpremote: read, and do not ask before whether something came


@dataclass
class Repl:
    """`with Repl(port) as board: board.run("print(1)")`. The board restarts at the end. Raises Failed."""

    port: serial.Serial
    wait_s: float = ANSWER_WAIT_S
    restart: bool = True
    _line: _Line = field(init=False)
    _transport: Any = field(init=False)  # a _Transport: mpremote says nothing of its types

    def __post_init__(self) -> None:
        self._line = _Line(self.port)
        self._transport = _Transport(self._line)

    def __enter__(self) -> "Repl":
        for tried in range(BREAK_TRIES):
            self._line.write(_BREAK)
            self._line.allow(BREAK_WAIT_S)
            try:
                self._transport.enter_raw_repl(soft_reset=False)
                self._meet(b"here%d" % tried)
            except TransportError:
                continue
            self._exchange(_CALM, self.wait_s)  # a locker that ran a moment ago has a watchdog of two seconds
            return self
        raise Failed(f"no MicroPython answers at {self.port.name}", NO_REPL, UNREACHABLE)

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        try:
            if self.restart:
                self._line.write(_RESTART if kind is None else _GIVE_UP + _RESTART)
            else:
                self._transport.exit_raw_repl()
        except Failed:
            if kind is None:
                raise

    def run(self, program: str, wait_s: float = 0.0) -> str:
        """What it printed. Raises BoardError when it raised something, Failed when nobody answers."""
        return self._exchange("_dog and _dog.feed()\n" + program, wait_s or self.wait_s)

    def ask(self, expression: str) -> str:
        return self.run(f"print({expression})").strip()

    def lend(self, command: Callable[[Any], object], wait_s: float, silence_s: float) -> None:
        """To one of mpremote's own commands, which prints how far it is, and may exit. Raises as `run` does."""
        self._line.allow(wait_s, silence_s)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                command(self._transport)
        except TransportExecError as raised:
            raise _raised(str(raised))
        except TransportError:
            raise _silent()
        except (CommandError, SystemExit) as problem:
            raise Failed(f"mpremote: {problem}", "look at the board's console", REFUSED)

    # -------------------------------------------------------------- the line
    def _meet(self, word: bytes) -> None:
        """What answered may still have an earlier try to answer, or restart by an earlier order: either would pass for
        the answer to a program. Raises TransportError."""
        self._line.allow(MEET_WAIT_S)
        self._line.write(b"print(end='%b')" % word + _RUN)
        self._transport.read_until(1, word + b"\x04\x04", timeout=None)

    def _exchange(self, program: str, wait_s: float) -> str:
        output: bytes
        error: bytes
        self._line.allow(wait_s)
        try:
            self._transport.exec_raw_no_follow(program)
        except TransportError:
            raise Failed("the board did not take what was sent", "check the cable, and do it again", UNREACHABLE)
        try:
            output, error = self._transport.follow(timeout=None)
        except TransportError:
            raise _silent()
        if error:
            raise _raised(error.decode("utf-8", "replace"))
        return output.decode("utf-8", "replace")


def _raised(traceback: str) -> BoardError:
    last = traceback.strip().splitlines()[-1]
    return BoardError(f"the board says: {last}", "look at its console", REFUSED, "board")


def _silent() -> Failed:
    return Failed("the board fell silent", "it may have lost its power; do it again", UNREACHABLE)


def _gone() -> Failed:
    return Failed(
        "the port is gone", "plug the cable in again, and do it again: nothing half done counts", UNREACHABLE
    )

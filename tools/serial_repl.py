"""MicroPython's raw REPL over a serial port: break into whatever runs, run a program there, get what it printed.

The protocol is that of mpremote (shared/runtime/pyexec.c): Ctrl-C, Ctrl-A, a program, Ctrl-D; `OK`, its output, a
byte 4, its traceback, a byte 4, `>`. A locker's watchdog cannot be stopped: it is given a minute, and each program
feeds it, so that it bites only when nobody is at the cable any more.
"""

import time
from dataclasses import dataclass

import serial

from tools.client import REFUSED, UNREACHABLE, Failed

PIECE = 256  # bytes at a time, and a pause in between, as mpremote: a board's buffer has 256, and no way to say stop
PIECE_PAUSE_S = 0.01
BREAK_TRIES = 20
BREAK_WAIT_S = 0.5
ANSWER_WAIT_S = 20.0
ANSWER_SIZE_MAX = 256 * 1024  # a board that prints for ever must not fill the laptop
_BREAK = b"\x03\x03\x03\x03"  # one is enough for a REPL; a locker that runs ends by four (device/drivers/console.py)
_RAW, _FRIENDLY, _RUN, _END = b"\x01", b"\x02", b"\x04", b"\x04"
_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
# ESP32 sets its one watchdog anew; RP2's ends after 8 s at the most. Where there is none yet, none is made.
_CALM = """
import machine
def _calm():
    for ms in (60000, 8000):
        try:
            return machine.WDT(timeout=ms)
        except (ValueError, OSError):
            pass
"""
NO_REPL = "is its power on? a board that shows no `>>>` after Ctrl-C has no MicroPython: flash that first (esptool)"


class BoardError(Failed):
    """The program on the board raised something; its last line is the text."""


@dataclass
class Repl:
    """`with Repl(port) as board: board.run("print(1)")`. The board restarts at the end. Raises Failed."""

    port: serial.Serial
    wait_s: float = ANSWER_WAIT_S
    restart: bool = True

    def __enter__(self) -> "Repl":
        self._write(b"\r" + _BREAK)
        for _try in range(BREAK_TRIES):
            self._drop()
            self._write(_RAW)
            if self._until(_BANNER, BREAK_WAIT_S) is not None:
                break
            self._write(_BREAK)
        else:
            raise Failed(f"no MicroPython answers at {self.port.name}", NO_REPL, UNREACHABLE)
        self._calm()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        try:
            if self.restart:
                self._send("import machine\nmachine.reset()")
            else:
                self._write(_FRIENDLY)
        except Failed:
            if kind is None:
                raise

    def run(self, program: str, wait_s: float = 0.0) -> str:
        """What it printed. Raises BoardError when it raised something, Failed when nobody answers."""
        output, error = self._exchange("_dog and _dog.feed()\n" + program, wait_s or self.wait_s)
        if error:
            raise BoardError(f"the board says: {error.splitlines()[-1]}", "look at its console", REFUSED, "board")
        return output

    def ask(self, expression: str) -> str:
        return self.run(f"print({expression})").strip()

    # -------------------------------------------------------------- the line
    def _calm(self) -> None:
        """A locker whose program ran a moment ago has a watchdog that ends it in two seconds."""
        program = f"{_CALM}\n_dog = _calm() if 'device' in __import__('sys').modules else None"
        _output, error = self._exchange(program, self.wait_s)
        if error:
            raise BoardError(f"the board says: {error.splitlines()[-1]}", "look at its console", REFUSED, "board")

    def _exchange(self, program: str, wait_s: float) -> tuple[str, str]:
        self._send(program)
        if self._until(b"OK", wait_s) is None:
            raise Failed("the board did not take what was sent", "check the cable, and do it again", UNREACHABLE)
        output, error = self._until(_END, wait_s), self._until(_END, wait_s)
        if output is None or error is None or self._until(b">", wait_s) is None:
            raise Failed("the board fell silent", "it may have lost its power; do it again", UNREACHABLE)
        return output.decode("utf-8", "replace"), error.decode("utf-8", "replace").strip()

    def _send(self, program: str) -> None:
        data = program.encode()
        for start in range(0, len(data), PIECE):
            time.sleep(PIECE_PAUSE_S if start else 0)
            self._write(data[start : start + PIECE])
        self._write(_RUN)

    def _write(self, data: bytes) -> None:
        try:
            self.port.write(data)
        except (OSError, serial.SerialException):
            raise _gone()

    def _drop(self) -> None:
        try:
            self.port.reset_input_buffer()
        except (OSError, serial.SerialException):
            raise _gone()

    def _until(self, end: bytes, wait_s: float) -> bytes | None:
        """What came before `end`; None when it does not come."""
        came = bytearray()
        until = time.monotonic() + wait_s
        while not came.endswith(end):
            try:
                byte = self.port.read(1)
            except (OSError, serial.SerialException):
                raise _gone()
            came += byte
            if (not byte and time.monotonic() > until) or len(came) > ANSWER_SIZE_MAX:
                return None
        return bytes(came[: -len(end)])


def _gone() -> Failed:
    return Failed(
        "the port is gone", "plug the cable in again, and do it again: nothing half done counts", UNREACHABLE
    )

"""A person with a laptop: `consigne console` in a terminal of its own, typed at and read like a screen."""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
WAIT_S = 90
LAST = "\x1e"  # ours, behind the command's last word
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9])")


def on_a_terminal() -> None:
    """In the child: its stdin is the terminal that controls it, as in a window."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Technician:
    """`with Technician("--doors") as person:`"""

    def __init__(self, *words: str, columns: int = 80, rows: int = 24, environment: dict[str, str] | None = None):
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self._slave)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode  # a letter may come in two pieces
        self.seen = ""  # all that was on the screen so far
        self.read = 0  # what of it was waited for
        size = {"COLUMNS": str(columns), "LINES": str(rows)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.consigne", "console", *words],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm", "INPUTRC": os.devnull, **size, **(environment or {})},
            preexec_fn=on_a_terminal,  # noqa: PLW1509 — no threads of ours hold locks there
        )

    def types(self, text: str) -> None:
        os.write(self._master, text.encode())

    def sees(self, text: str, seconds: float = WAIT_S) -> str:
        """Wait until `text` appears behind what was waited for before; returns what stood in front of it."""
        until = time.monotonic() + seconds
        while text not in (shown := _SEQUENCE.sub("", self.seen[self.read :])):
            assert time.monotonic() < until, f"{text!r} was never seen in {self.seen!r}"
            self._look(0.1)
        front, _, rest = shown.partition(text)
        self.seen = self.seen[: self.read] + shown
        self.read = len(self.seen) - len(rest)
        return front

    @property
    def clean(self) -> str:
        """All that was on the screen, without what moves cursors."""
        return _SEQUENCE.sub("", self.seen)

    def _look(self, seconds: float) -> None:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if ready:
            self.seen += self._decode(os.read(self._master, 65_536))

    def presses_ctrl_c(self) -> None:
        self.types("\x03")

    def ends(self, seconds: float = WAIT_S) -> int:
        """Wait until the command is over; its exit code. What it still said is in `seen`."""
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < until, f"it goes on: {self.seen!r}"
            self._look(0.05)
        os.write(self._slave, LAST.encode())  # a terminal hands on late what was said, and in pieces
        while LAST not in self.seen:
            assert time.monotonic() < until, f"its last word never came: {self.seen!r}"
            self._look(0.05)
        self.seen = self.seen.replace(LAST, "")
        return self.process.returncode

    @property
    def terminal(self) -> list:
        return termios.tcgetattr(self._slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)

"""What a command that takes long says meanwhile: one line on stderr, rewritten and taken away at the end.

For a person at a terminal only, and only once it has taken a while; a file, a pipe and a script see nothing of it.
"""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

QUIET_S = 0.7  # what is done sooner needs no word
EVERY_S = 0.1


class Progress:
    """`with Progress("reading parcels") as progress: progress.note("1,200")`"""

    def __init__(self, what: str, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._clock = clock
        self._shown = self._stream.isatty()
        self._began = clock()
        self._next = self._began + QUIET_S
        self._width = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, _kind: type[BaseException] | None, _value: object, _trace: TracebackType | None) -> None:
        if self._width:
            self._write("")
            print(end="\r", file=self._stream, flush=True)

    def note(self, how_far: str) -> None:
        """As often as one likes; it is shown ten times a second at the most, with the seconds so far."""
        now = self._clock()
        if self._shown and now >= self._next:
            self._next = now + EVERY_S
            self._write(f"{self._what}: {how_far} ({now - self._began:.0f} s)")

    def _write(self, line: str) -> None:
        """Spaces and a carriage return, which every terminal understands."""
        print(f"\r{line.ljust(self._width)}", end="", file=self._stream, flush=True)
        self._width = len(line)

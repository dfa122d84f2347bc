"""A process the stack started: its first line of JSON says it is ready, and it never outlives us."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

STOP_WAIT_S = 8.0
LOG_TAIL_BYTES = 2_000  # of its log, shown when it does not come up
_LEASH = Path(__file__).with_name("leash.py")
_ROOT = Path(__file__).resolve().parents[2]


class ChildError(Exception):
    """It did not start. The text holds the end of its log, and of the others beside it."""


class Child:
    """`ready` is the JSON object of its first line on stdout; everything it says on stderr goes to `log`."""

    def __init__(self, name: str, command: Sequence[str], log: Path, wait_s: float, environment: Mapping[str, str]):
        self.name = name
        self.log = log
        with log.open("ab") as stderr:
            # A session of its own: Ctrl-C reaches us alone, and we end our children in order.
            self.process = subprocess.Popen(
                [sys.executable, str(_LEASH), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=_ROOT,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        try:
            self.ready = self._first_line(wait_s)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask it to end, and make sure."""
        if self.alive:
            self.process.terminate()
            try:
                self.process.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self._reap()

    def kill(self) -> None:
        """SIGKILL: as a power cut would."""
        if self.alive:
            self.process.send_signal(signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def _first_line(self, wait_s: float) -> dict[str, Any]:
        stdout = cast("IO[bytes]", self.process.stdout)
        deadline = time.monotonic() + wait_s
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise ChildError(f"{self.name} was not ready after {wait_s:.0f} s\n{self._log_tail()}")
                piece = os.read(stdout.fileno(), 4096)
                if not piece:
                    raise ChildError(f"{self.name} ended before it was ready\n{self._log_tail()}")
                line += piece
        try:
            document: Any = json.loads(line.splitlines()[0])
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise ChildError(f"{self.name} did not say it was ready but: {line[:200]!r}")
        return cast("dict[str, Any]", document)

    def _log_tail(self) -> str:
        tails: list[str] = []
        for path in sorted(self.log.parent.glob("*.log")):
            with path.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
                tails.append(f"--- {path.name}\n{log.read().decode(errors='replace').strip()}")
        return "\n".join(tails)

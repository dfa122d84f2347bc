"""A process of its own that is told what to do by lines of JSON and answers each with one.

It ends when its orders end, so nobody has to hunt for it when the bench is broken off.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).resolve().parents[2]
STOP_S = 10
Document = dict[str, Any]


class WorkerError(Exception):
    """It ended before it answered; what it said is in its log."""


class Worker:
    """`python -m MODULE ARGUMENTS…`; its stderr goes to `log`."""

    def __init__(self, module: str, arguments: list[str], log: Path) -> None:
        self._module = module
        self._log = log
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=_ROOT,
                text=True,
            )
        try:
            self.ready = self._answer()
        except BaseException:
            self.stop()
            raise

    def ask(self, order: str, **arguments: Any) -> Document:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": order, **arguments}) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended: its log says why
        return self._answer()

    def _answer(self) -> Document:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            said = self._log.read_text("utf-8", "replace")[-2000:]
            raise WorkerError(f"{self._module} ended with {self._process.returncode}\n{said}")
        return json.loads(line)

    def stop(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.stop()


def serve(ready: Document, orders: Mapping[str, Callable[[Document], Document]]) -> None:
    """The worker's side: say that we are ready, then do one order after the other until there are no more."""
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        order: Document = json.loads(line)
        print(json.dumps(orders[order.pop("do")](order)), flush=True)

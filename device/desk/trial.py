"""A configuration on trial. Loaded only where one waits to be tried.

A new one is put beside as /config.new (device.desk.settings). `config try` makes it /config.try; the next start takes
that one, as /config.trial, and has it for once: unless it becomes /config.json meanwhile, the start after drops it.
Each step is one rename, so that a power cut anywhere leaves one configuration that is whole.
"""

import json
import os
import sys
from typing import TYPE_CHECKING

import machine

if TYPE_CHECKING:
    from typing import Any

CONFIG, STAGED, TRY, ON_TRIAL = "/config.json", "/config.new", "/config.try", "/config.trial"
_CONFIRM_S = 60  # unless it says another `trial_s`


def is_there(path: str) -> bool:
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def read(path: str) -> "dict[str, Any]":
    """Raises OSError (not there) or ValueError (not JSON)."""
    with open(path) as file:
        return json.load(file)


def begin(root: str) -> "dict[str, Any]":
    """What this start is configured by, and in `trial` how it came to that: "trial", or "back" to what holds, because
    nobody said that the last one was right. Raises OSError or ValueError."""
    word = ""
    if is_there(root + ON_TRIAL):
        os.remove(root + ON_TRIAL)
        word = "back"
    if is_there(root + TRY):
        os.rename(root + TRY, root + ON_TRIAL)
        word = "trial"
    document = read(root + (ON_TRIAL if word == "trial" else CONFIG))
    document["trial"] = word
    return document


class Trial:
    """A source of the board's that sends nothing: it restarts the locker unless somebody takes it away in time."""

    def __init__(self, board: "Any", document: "dict[str, Any]") -> None:
        self._board = board
        self.until = board.clock.now_ms() + 1000 * document.get("trial_s", _CONFIRM_S)

    def gather(self, now_ms: int, _events: "list[Any]") -> None:
        if now_ms >= self.until:
            self._board.restart()


def fail(error: Exception) -> None:
    """A start that failed. With a configuration on trial, the next one takes the one before."""
    if is_there(ON_TRIAL):
        sys.print_exception(error, sys.stderr)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        machine.reset()

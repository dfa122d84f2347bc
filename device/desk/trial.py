"""A configuration on trial. Loaded only where one waits to be tried, or was.

What a technician wants changed is put beside as /config.new: lines of changes (device.desk.modules), or a whole
document. `config try` makes it /config.try, with what must stay in its first line; the next start makes of it
/config.trial, while the heap is still empty, and has that for once: unless it becomes /config.json meanwhile, the
start after drops it. A power cut finds one configuration that is whole: each step is a rename, or takes away what is
not needed, and a start that did not come to its end counts as no.
"""

import gc
import json
import os
import sys
from typing import TYPE_CHECKING

from device.agent.config import ConfigError
from device.agent.console import load, unload

if TYPE_CHECKING:
    from typing import Any

CONFIG, STAGED, TRY, ON_TRIAL = "/config.json", "/config.new", "/config.try", "/config.trial"
PART = "/config.part"  # whatever is being written
REFUSED = "/config.no"  # why the last one was not even tried
_BEGUN = "/config.begun"
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
    the last one would not do or nobody said that it was right. Raises OSError or ValueError."""
    word = ""
    for name in (ON_TRIAL, _BEGUN):
        if is_there(root + name):
            os.remove(root + name)
            word = "back"
    if is_there(root + TRY):
        os.rename(root + TRY, root + _BEGUN)
        if is_there(root + STAGED):
            os.remove(root + STAGED)
        word = "trial" if _make(root) else "back"
        os.remove(root + _BEGUN)
        unload()
        gc.collect()
    document = read(root + (ON_TRIAL if word == "trial" else CONFIG))
    document["trial"] = word
    return document


def _make(root: str) -> bool:
    """Whether it came to /config.trial; why not is written down for whoever asks."""
    try:
        with open(root + _BEGUN) as file:
            document = _document(root, file)
    except ConfigError as error:
        said = str(error)
    except ValueError:
        said = "config.new: must be JSON, or lines of changes"
    except (KeyError, TypeError, AttributeError, MemoryError) as error:
        said = f"config.new: {error}"
    else:
        with open(root + PART, "w") as file:
            json.dump(document, file)
        os.rename(root + PART, root + ON_TRIAL)
        return True
    with open(root + REFUSED, "w") as file:
        file.write(said)
    return False


def _document(root: str, lines: "Any") -> "dict[str, Any]":
    """The changed document, or the new one. Raises ConfigError and whatever comes of a wrong document."""
    fits = load("fits")
    numbers = [int(number) for number in lines.readline().split()]
    old = read(root + CONFIG)
    who = old["locker"], old["generation"]
    before = fits.owners(old)
    start = lines.read(1)
    if start == "{":
        del old
        gc.collect()
        document = json.loads("{" + lines.read())
    else:
        document = old
        modules = load("modules")
        for line in (start + lines.read()).split("\n"):
            if line:
                last = max(numbers[0], max(before), max(fits.owners(document)))  # noqa: PLW3301 - no [*row] on a board
                modules.change(document, line.split(), last)
    if (document["locker"], document["generation"]) != who:
        raise ConfigError("locker, generation: must be what they are")
    fits.check(document, before, numbers[1:])
    if any([fits.on_board(module) for module in document["modules"]]):
        from device.drivers.locks.wiring import each  # noqa: PLC0415 - its room in the heap only where it is needed

        for _station in each(document):
            gc.collect()
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
    if is_there(ON_TRIAL) or is_there(_BEGUN):
        import machine  # noqa: PLC0415 - a board's alone: whoever changes modules elsewhere comes without

        sys.print_exception(error, sys.stderr)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        machine.reset()

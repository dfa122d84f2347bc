"""Which outputs of what holds may be something else in what is about to be tried: for boot.py, which asks before it
drives them. Imported only where a /config.try lies, before all the rest; device.desk.trial's begin() unloads it.

It says which pins to be careful with, and never which others to touch: a wrong number (a pin of the flash itself)
would end every start in boot.py, before the trial counts as begun, and nothing would ever bring the former
configuration back.
"""

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Row = tuple[int, int, str | None]

_TRY = "/config.try"
_CHANGES = ("add", "replace", "retire")
_SIZE_MAX = 8192  # bytes: what a board reads in its first moment, some 130 compartments; protects outputs from waiting


def unsure(file: "Any", outputs: "Callable[[str, int], Iterator[Row]]") -> "Callable[[Row], bool]":
    """Whether an output of what holds may be another in `file`, a /config.try. Raises whatever comes of one that is
    torn, or not what it should be: it will not be tried."""
    if file.seek(0, 2) > _SIZE_MAX:
        raise ValueError
    file.seek(0)
    first = file.readline()
    if first[-1:] != "\n":
        raise ValueError
    for number in first.split():
        int(number)
    start = file.tell()
    if file.read(1) == "{":
        same = {(row[0], row[1]) for row in outputs(_TRY, start)}
        gc.collect()
        return lambda row: (row[0], row[1]) not in same
    file.seek(start)
    changed: set[str | None] = set(_named(file))  # it may have its pins still: that would take all of modules.py
    if changed:
        changed.add(None)  # the letter of one without a name moves when another is retired
    return lambda row: row[2] in changed


def _named(lines: "Any") -> "Iterator[str]":
    """The module of each line of changes. Raises ValueError: it is torn, or no such line."""
    for line in lines:
        words = line.split()
        if line[-1] != "\n" or (words and (len(words) < 2 or words[0] not in _CHANGES)):
            raise ValueError
        if words:
            yield words[1]

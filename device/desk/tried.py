"""Which outputs of what holds may be something else in what is about to be tried: for boot.py, which only pulls at
them. Imported only where a /config.try lies, before all the rest; device.desk.trial's begin() unloads it.

It says which pins to be careful with, and never which others to touch: a wrong number (a pin of the flash itself)
would end every start in boot.py, before the trial counts as begun, and nothing would ever bring the former
configuration back.
"""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_CHANGES = ("add", "replace", "retire")
_SIZE_MAX = 4096  # bytes, some 60 compartments: reading what is longer would keep outputs waiting


def pins(file: "Any") -> "set[int]":
    """Those of /config.json that may be something else in `file`, a /config.try. Raises whatever comes of one that is
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
        file.seek(start)
        same = {(pin, level) for pin, level, _name in _outputs(json.load(file))}
        return {pin for pin, level, _name in _holding() if (pin, level) not in same}
    file.seek(start)
    changed: set[str | None] = set(_named(file))
    if changed:
        changed.add(None)  # the letter of one without a name moves when another is retired
    return {pin for pin, _level, name in _holding() if name in changed}  # what of it stays, only modules.py would tell


def _holding() -> "Iterator[tuple[int, int, str | None]]":
    with open("/config.json") as file:
        return _outputs(json.load(file))


def _outputs(document: "dict[str, Any]") -> "Iterator[tuple[int, int, str | None]]":
    """(pin, its level when off, its module's name or None) of what boot.py drives; what is not told here it drives."""
    off = 1 - document.get("lock_on", 1)
    for module in document["modules"]:
        name = module.get("name")
        for wire, level in (("reset", 0), ("enable", 1)):
            if wire in module:
                yield module[wire], level, name
        if module.get("driver", "gpio") == "gpio":
            for box in module["compartments"]:
                yield box.get("lock", -1), off, name
    for bus in document.get("buses", []):
        if "de" in bus:
            yield bus["de"], 0, ""


def _named(lines: "Any") -> "Iterator[str]":
    """The module of each line of changes. Raises ValueError: it is torn, or no such line."""
    for line in lines:
        words = line.split()
        if line[-1] != "\n" or (words and (len(words) < 2 or words[0] not in _CHANGES)):
            raise ValueError
        if words:
            yield words[1]

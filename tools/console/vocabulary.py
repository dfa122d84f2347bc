"""The orders that a locker knows, learnt from its own `help`, and what Tab makes of a line half typed.

help tells   `* open NUMBER`, `  doors [NUMBER]`, `  time [set UNIX_SECONDS]`; `*` needs a login
"""

import itertools
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol.numbers import DOOR_STATES

ORDERS_MAX = 200
_LEGEND = "  * needs login"
_USAGE = re.compile(r"  ([* ]) ([a-z][a-z0-9_-]*)((?: \S+)*)\Z")


@dataclass(frozen=True)
class Usage:
    """`words`: what may stand behind its name, without brackets: small letters as they are, CAPITALS for a value."""

    name: str
    text: str
    words: tuple[str, ...]
    needs_login: bool = False


# What the laptop does itself; an order of the locker by that name is asked for with what the laptop adds.
OURS = {
    usage.name: usage
    for usage in (
        Usage("login", "login [NAME]", ("NAME",)),
        Usage("badge", "badge  (asked for, not shown)", ()),
        Usage("watch", "watch  (the doors, until Ctrl-C)", ()),
        Usage("wait", "wait door NUMBER STATE [SECONDS]", ("door", "NUMBER", "STATE", "SECONDS")),
        Usage("save", "save FILE [FIRST]  (the log)", ("FILE", "FIRST")),
        Usage("exit", "exit  (or Ctrl-D)", ()),
    )
}


@dataclass
class Vocabulary:
    orders: dict[str, Usage] = field(default_factory=dict[str, Usage])
    values: dict[str, list[str]] = field(default_factory=lambda: {"STATE": list(DOOR_STATES)})  # of NUMBER, STATE …

    def learn_orders(self, told: Iterable[str]) -> None:
        """From the lines of `help`; a line that is no usage is passed over."""
        for line in list(told)[:ORDERS_MAX]:
            found = _USAGE.fullmatch(line)
            if found and line != _LEGEND:
                mark, name, rest = found.groups()
                words = tuple(word.strip("[]") for word in rest.split())
                self.orders[name] = Usage(name, (name + rest).strip(), words, mark == "*")

    def learn_doors(self, doors: Mapping[str, Any]) -> None:
        """From the answer to `doors`."""
        states: Mapping[str, list[int]] = doors.get("doors", {})
        self.values["NUMBER"] = [str(number) for number in sorted(itertools.chain(*states.values()))]

    def usage(self, name: str) -> Usage | None:
        return OURS.get(name) or self.orders.get(name)

    def completions(self, line: str) -> list[str]:
        """Whole words that the last, half typed one may become."""
        *before, begun = line.lstrip().split(" ") if line.strip() else [""]
        before = [word for word in before if word]
        if not before:
            fitting: Iterable[str] = {*self.orders, *OURS}
        else:
            usage = self.usage(before[0])
            place = len(before) - 1
            fitting = self._words(usage.words[place]) if usage and place < len(usage.words) else ()
        return sorted((word for word in fitting if word.startswith(begun)), key=_by_number)

    def _words(self, word: str) -> list[str]:
        if word == "UNIX_SECONDS":
            return [str(int(time.time()))]
        return self.values.get(word, []) if word.isupper() else word.split("|")


def _by_number(word: str) -> tuple[int, str]:
    return (int(word), "") if word.isdecimal() else (0, word)

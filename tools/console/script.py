"""Orders from a file, a pipe or `-c`: one a line, `#` remarks, and three kinds of line of our own.

    ? TEXT                           the answer above begins with TEXT (OK, ERR …), or holds it
    wait door N STATE [SECONDS]      asks for door N until it is in that state (30 s)
    save FILE [FIRST]                the locker's log, from record FIRST on, as JSON lines

The first ERR that no `?` line asked for ends it, with the line's number.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from protocol.numbers import DOOR_STATES
from tools.client import OK, REFUSED
from tools.console.dialogue import masked
from tools.console.saving import save_log
from tools.console.session import Session

WAIT_S = 30
WAIT_S_MAX = 3600
WAIT_LOOK_S = 0.25
_WAIT_USAGE = f"ERR bad_value usage: wait door NUMBER STATE [SECONDS]; states: {' '.join(DOOR_STATES)}"


@dataclass
class Script:
    """`say` gets what was answered, `complain` what ended it; `place` names a line for people, as in `line 3`."""

    session: Session
    say: Callable[[str], None]
    complain: Callable[[str], None]
    place: str = "line"
    keep_going: bool = False
    as_json: bool = False
    _failures: int = 0
    _open: str = ""  # a failure that the next line may still ask for
    _last: str = field(default="", init=False)

    def run(self, lines: Iterable[str]) -> int:
        """The exit code. Raises Failed when the locker is gone."""
        for number, order in _numbered(lines):
            if order.startswith("?"):
                self._expect(number, order[1:].strip())
            else:
                if not self._goes_on():
                    return REFUSED
                self._send(number, order)
        self._goes_on()
        return REFUSED if self._failures else OK

    def _goes_on(self) -> bool:
        """Count the failure that stands open, if one does."""
        if self._open:
            self.complain(self._open)
            self._failures += 1
            self._open = ""
        return self.keep_going or not self._failures

    def _send(self, number: int, order: str) -> None:
        ours = _OURS.get(order.split(maxsplit=1)[0])
        said = ours(self.session, order) if ours else self.session.order(order)
        self._last = said
        for told in self._lines(number, order, said):
            self.say(told)
        if not said.startswith("OK"):
            self._open = f"{self.place} {number}: {masked(order)}: {said}"

    def _expect(self, number: int, wanted: str) -> None:
        begins = wanted.startswith(("OK", "ERR"))
        fine = self._last.startswith(wanted) if begins else wanted in self._last
        self._open = "" if fine else f"{self.place} {number}: expected {wanted}, but it said {self._last or 'nothing'}"

    def _lines(self, number: int, order: str, said: str) -> Iterator[str]:
        if not self.as_json:
            yield from (*self.session.told, said)
            return
        document: dict[str, object] = {self.place: number, "order": masked(order), **as_document(said)}
        if self.session.told:
            document["told"] = self.session.told
        yield json.dumps(document, ensure_ascii=False)


def as_document(said: str) -> dict[str, object]:
    """{"ok": true, "answer"} or {"ok": false, "code", "text"}."""
    word, _, rest = said.partition(" ")
    if word != "OK":
        code, _, text = rest.partition(" ")
        return {"ok": False, "code": code, "text": text}
    try:
        return {"ok": True, "answer": json.loads(rest) if rest else {}}
    except ValueError:
        return {"ok": False, "code": "damaged", "text": rest}


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        order = line.strip()
        if order and not order.startswith("#"):
            yield number, order


def wait_for_door(session: Session, line: str) -> str:
    """The answer in which the door is as wanted, or an ERR."""
    words = line.split()
    seconds = words[4] if len(words) == 5 else str(WAIT_S)
    fits = len(words) in (4, 5) and words[1] == "door" and words[3] in DOOR_STATES and seconds.isdecimal()
    if not fits or int(seconds) > WAIT_S_MAX:
        return _WAIT_USAGE
    until = time.monotonic() + int(seconds)
    while True:
        said = session.order(f"doors {words[2]}")
        answer = cast(dict[str, Any] | None, as_document(said).get("answer"))
        if answer is None or answer.get("door") == words[3]:
            return said
        if time.monotonic() >= until:
            return f"ERR timeout door {words[2]} was not {words[3]} within {seconds} s: {said}"
        time.sleep(WAIT_LOOK_S)


_OURS: dict[str, Callable[[Session, str], str]] = {"wait": wait_for_door, "save": save_log}

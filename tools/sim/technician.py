"""A technician at a locker's console, typing what people type: leads a module out, parcel by parcel, while others come
and go, things break and the power fails. At any step she may be called away, and says nothing more: whoever comes the
next day knows no more than the locker does.
"""

import json
from collections.abc import Generator
from typing import TYPE_CHECKING

from protocol.keys import console_answer
from tools.sim.cabinet import Door
from tools.sim.world import HOUR, MINUTE, SECOND, Life

if TYPE_CHECKING:
    from tools.sim.board import Locker
    from tools.sim.run import Simulation

_LOOK_MS = 200
_ROUNDS_MAX = 30
_NAME = "anne"
_STAGED = "ERR fault flash"  # what comes last, and a simulated board has no file for
_CALLED_AWAY = 0.12
HANDED_IN = "town hall"  # where what she took out is


class _CalledAwayError(Exception):
    pass


class Technician:
    """`module`: the one to be led out."""

    def __init__(self, simulation: "Simulation", locker: "Locker", module: str) -> None:
        self._world = simulation.world
        self._locker = locker
        self._order = f"module retire {module}"
        self._has: set[int] = set()  # doors from which she has taken what was inside, and could not say so yet

    def lead_out(self) -> Generator[int, None, bool]:
        """Whether nothing is left in it."""
        try:
            return (yield from self._lead_out())
        except _CalledAwayError:
            self._world.note(self._locker.name, "called away")
            if self._world.happens(0.5):
                yield from self._ask("logout")
            return False

    def _lead_out(self) -> Generator[int, None, bool]:
        for _round in range(_ROUNDS_MAX):
            said = yield from self._ask(self._order)
            if said.startswith(_STAGED):
                return True
            if self._world.healing:
                return False
            self._may_be_called_away()
            if not said.startswith("OK "):
                yield self._world.about(20 * SECOND)
                yield from self._log_in()
            elif self._world.happens(0.3):
                yield self._world.about(HOUR)  # somebody may fetch it
            else:
                left: dict[str, list[int]] = json.loads(said[3:])["left"]
                numbers = [number for word in sorted(left) if word != "busy" for number in left[word]]
                if numbers:
                    yield from self._take_out(numbers[0])
                else:
                    yield MINUTE
        yield from self._ask(self._order + " cancel")
        return False

    def _take_out(self, number: int) -> Life:
        door = self._locker.cabinet.doors[number]
        heard = self._types(f"{self._order} {number}")
        if self._world.happens(_CALLED_AWAY):  # before it opens; somebody passes by and shuts it
            self._world.after(self._world.about(20 * SECOND), lambda: self._locker.cabinet.swing(number, False))
            raise _CalledAwayError
        until = self._world.now + 9 * SECOND
        while not door.open and self._world.now < until:
            yield _LOOK_MS
        leaves = self._world.happens(0.15) and number not in self._has
        if door.open:
            yield self._world.about(3 * SECOND)
            if door.inside and not leaves:
                self._has.add(number)
                self._take(door)
            there = bool(door.inside)
            self._locker.cabinet.swing(number, False)
        else:
            there = leaves and bool(door.inside)
        self._may_be_called_away()
        said = yield from self._answer(heard, 75 * SECOND)
        self._may_be_called_away()
        if said.startswith("OK ") or (not door.open and not door.inside and number in self._has):
            word = "left" if there else "taken" if number in self._has else "empty"
            said = yield from self._ask(f"{self._order} {number} {word}")
            if said.startswith("OK "):
                self._has.discard(number)
            self._may_be_called_away()

    def _take(self, door: Door) -> None:
        for one in door.inside:  # handed in at the town hall
            one.place = HANDED_IN
        self._world.note(self._locker.name, "handed in", door.number, len(door.inside))
        door.inside.clear()

    def _may_be_called_away(self) -> None:
        if self._world.happens(_CALLED_AWAY):
            raise _CalledAwayError

    # -------------------------------------------------------------- the line
    def _log_in(self) -> Life:
        said = yield from self._ask("login " + _NAME)
        if said.startswith('OK {"challenge":"'):
            challenge = bytes.fromhex(json.loads(said[3:])["challenge"])
            yield from self._ask("answer " + console_answer(self._locker.config.key, challenge, _NAME))

    def _ask(self, line: str) -> Generator[int, None, str]:
        return (yield from self._answer(self._types(line), 20 * SECOND))

    def _types(self, line: str) -> bytearray:
        heard = bytearray()
        self._locker.said = heard.extend
        self._locker.type(line)
        return heard

    def _answer(self, heard: bytearray, ms: int) -> Generator[int, None, str]:
        """ "" for none: the power went, or the agent was made anew."""
        until = self._world.now + ms
        while self._world.now < until:
            for row in bytes(heard).split(b"\r\n"):
                if row.startswith((b"OK ", b"ERR ")):
                    return row.decode()
            yield _LOOK_MS
        return ""

"""Doors that are opened one after the other, each so many times; somebody stands there and pushes each shut."""

from typing import TYPE_CHECKING

from device.agent import door
from device.desk.opening import open_door
from protocol.limits import DOOR_PUSH_WAIT_MS
from protocol.numbers import FREE

if TYPE_CHECKING:
    from typing import Any

    from device.desk.seat import Desk

_PAUSE_MS = 300  # between a door that was pushed shut and the next pulse: fingers are out of the way
_OPENING, _WAITING, _RESTING = 0, 1, 2


def may_try(desk: "Desk", place: int) -> bool:
    """It can be opened, nothing is in there, nobody stands there, and it is shut as far as is known."""
    agent = desk.agent
    if agent.doors.refused(place):
        return False
    is_open = agent.doors.states[place] in (door.OPENING, door.OPEN, door.LEFT_OPEN)
    return agent.books.holdings[place] == FREE and not is_open and not agent.openings.is_under_way(place)


class Cycle:
    """`places`: whose doors; `times`: how often each. `opened(place, ms)` returns a line for people, `ended(place,
    why)` hears of each door that is done with, why it could not be or "", and `over()` answers in the end."""

    def __init__(self, desk: "Desk", places: "list[int]", times: int, owner: "Any") -> None:
        self._places = places
        self._times = times
        self._owner = owner
        self._phase = _RESTING
        self._left = times
        self._until = desk.now
        self.call_at = desk.now

    def step(self, desk: "Desk") -> None:
        if not self._places:
            self._owner.over(desk)
            return
        place = self._places[0]
        state = desk.agent.doors.states[place]
        if self._phase == _RESTING:
            if desk.now >= self._until:
                self._order(desk, place)
        elif self._phase == _OPENING:
            if state in (door.OPEN, door.LEFT_OPEN):
                self._phase = _WAITING
                desk.say(self._owner.opened(desk, place, desk.agent.doors.took[place] * 10))
            elif state != door.OPENING:
                self._end(desk, place, "jammed")
        elif state == door.CLOSED:
            self._left -= 1
            self._rest(desk)
            if not self._left:
                self._end(desk, place, "")
        elif desk.now >= self._until:
            self._end(desk, place, "not_closed")
        self.call_at = self._until

    def stop(self, desk: "Desk") -> None:
        """Ctrl-C. A door that is open stays so."""
        desk.err("stopped", "push open doors shut")

    def _order(self, desk: "Desk", place: int) -> None:
        why = open_door(desk, desk.agent.books.numbers[place])
        self._phase = _OPENING
        self._until = desk.now + DOOR_PUSH_WAIT_MS
        if why:
            self._end(desk, place, why)

    def _rest(self, desk: "Desk") -> None:
        self._phase = _RESTING
        self._until = desk.now + _PAUSE_MS

    def _end(self, desk: "Desk", place: int, why: str) -> None:
        self._places.pop(0)
        self._left = self._times
        self._rest(desk)
        self._owner.ended(desk, place, why)

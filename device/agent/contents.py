"""What the occupancy sensors say, where a compartment has one.

They may settle later than the door's switch, so the word that counts is the one a moment after the last change of
either. A sensor that flaps, or never settles, is said to be faulty, and ignored until somebody clears it.
"""

from device.agent.door import flapping
from protocol.limits import CONTENTS_SETTLE_MS

_UNSETTLED, _EMPTY, _FULL = 0, 1, 2


class Contents:
    """By place; one without a sensor is in none of these."""

    def __init__(self) -> None:
        self._says: dict[int, int] = {}
        self._ask_at: dict[int, int] = {}
        self._flaps: dict[int, list[int]] = {}
        self._faulty: dict[int, bool] = {}  # and whether that was told

    def sense(self, now: int, place: int, occupied: "bool | None", shut: bool) -> None:
        """None: there is a sensor, which has not settled yet."""
        if shut and self._says.get(place) and flapping(self._flaps, now, place):
            self._faulty.setdefault(place, False)
        self._says[place] = _UNSETTLED if occupied is None else _FULL if occupied else _EMPTY
        self._ask_at[place] = now + CONTENTS_SETTLE_MS

    def wait(self, now: int, place: int) -> bool:
        """The door closed: whether there is a sensor to be asked in a moment."""
        if place not in self._says or place in self._faulty:
            return False
        self._ask_at[place] = now + CONTENTS_SETTLE_MS
        return True

    def settling(self, place: int) -> bool:
        return place in self._ask_at

    def full(self, place: int) -> bool:
        return place not in self._faulty and self._says.get(place) == _FULL

    def ask(self, place: int) -> "bool | None":
        """Whether it is occupied; None: nothing is known."""
        self._ask_at.pop(place, None)
        if self._says[place] == _UNSETTLED:
            self._faulty.setdefault(place, False)
        return None if place in self._faulty else self._says[place] == _FULL

    def is_faulty(self, place: int) -> bool:
        return place in self._faulty

    def newly_faulty(self, place: int) -> bool:
        """True once for each fault."""
        if self._faulty.get(place) is not False:
            return False
        self._faulty[place] = True
        return True

    def forget(self, place: int) -> None:
        """Its door is being opened: what it says meanwhile does not count."""
        self._ask_at.pop(place, None)

    def clear(self, now: int, place: int) -> None:
        """A person checked it: believe it again."""
        self._faulty.pop(place, None)
        self._flaps.pop(place, None)
        self.wait(now, place)

    def due(self, now: int) -> "list[int]":
        return sorted([place for place, when in self._ask_at.items() if when <= now])

    def deadline(self) -> "int | None":
        return min(self._ask_at.values()) if self._ask_at else None

"""Switches on GPIO pins, of doors or of what lies behind them: a state is told when it has been the same three times,
20 ms apart. One that was another for less than that is told as it was: somebody may have pushed a door shut at once.
"""

from typing import TYPE_CHECKING

from device.agent.events import DoorSensed, Sensed

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SAMPLE_MS = 20
SAMPLES = 3
_UNKNOWN = 2


class DoorSwitches:
    """`pins`: (compartment, machine.Pin) pairs; `closed`: the level that a closed door gives; `tell` makes the event;
    `behind`: the occupancy sensors, which speak before the doors do."""

    def __init__(
        self,
        pins: "list[tuple[int, Any]]",
        closed: int,
        tell: "Callable[[int, bool], Any]" = DoorSensed,
        behind: "DoorSwitches | None" = None,
    ) -> None:
        self._behind = behind
        self._tell = tell
        self._numbers = [number for number, _pin in pins]
        self._pins = [pin for _number, pin in pins]
        self._closed = closed
        self._told = bytearray([_UNKNOWN] * len(pins))
        self._seen = bytearray([_UNKNOWN] * len(pins))
        self._times = bytearray(len(pins))
        self._next_ms = 0

    def forget(self) -> None:
        """Tell every door again: the agent is a new one."""
        if self._behind is not None:
            self._behind.forget()
        for place in range(len(self._told)):
            self._told[place] = _UNKNOWN

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if self._behind is not None:
            self._behind.gather(now_ms, events)
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + SAMPLE_MS
        told = self._told
        seen = self._seen
        place = 0
        for pin in self._pins:
            level = pin.value()
            if level != seen[place]:
                seen[place] = level
                self._times[place] = 1
                if level == told[place]:
                    events.append(self._tell(self._numbers[place], level == self._closed))
            elif level != told[place]:
                self._settle(place, level, events)
            place += 1  # noqa: SIM113 - enumerate() allocates a tuple a door, fifty times a second

    def _settle(self, place: int, level: int, events: "list[Any]") -> None:
        self._times[place] = min(SAMPLES, self._times[place] + 1)
        if self._times[place] >= SAMPLES:
            self._told[place] = level
            events.append(self._tell(self._numbers[place], level == self._closed))


def tampered(_number: int, is_closed: bool) -> Sensed:
    """A tamper switch closes to ground while the housing is shut."""
    return Sensed("tamper", 0 if is_closed else 1)

"""Occupancy sensors on GPIO pins. Loaded only where a compartment has one."""

from typing import TYPE_CHECKING

from device.agent.events import ContentsSensed
from device.drivers.doors import DoorSwitches

if TYPE_CHECKING:
    from typing import Any


class Occupancy(DoorSwitches):
    """Like doors; that there are any is told before what they say. `full`: the level of a full compartment."""

    def __init__(self, pins: "list[tuple[int, Any]]", full: int) -> None:
        super().__init__(pins, full, ContentsSensed)
        self._announced = False

    def forget(self) -> None:
        super().forget()
        self._announced = False

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if not self._announced:
            self._announced = True
            events.extend([ContentsSensed(number, None) for number in self._numbers])
        super().gather(now_ms, events)

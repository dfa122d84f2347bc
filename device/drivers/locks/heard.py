"""What one module's board or chip says of its doors: told once it is believed, and its loss likewise."""

from typing import TYPE_CHECKING

from device.agent.events import ContentsSensed, DoorSensed, ModuleSensed
from device.drivers.locks.settle import Settle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

LOSS_MS = 1_500  # without a good answer for so long, a board is lost; the agent hears of it within 2 s
POLL_MS = 40  # from one poll of a board to its next: two answers that agree are as far apart
LOST_POLL_MS = 400  # of a board that is lost: it shall not take the others' time


class Heard:
    """`place`: its module's in /config.json; `doors`, `items`: rows that begin with a compartment and end with the
    input of its door switch, or of what sees inside; `polarity`: 0 turns the doors' round."""

    blind = False  # its module's doors are watched by pins

    def __init__(
        self, place: int, doors: "Sequence[tuple[int, ...]]", items: "list[tuple[int, int]]", polarity: int
    ) -> None:
        self._place = place
        self.doors = Settle(doors, DoorSensed)
        self.contents = Settle(items, ContentsSensed) if items else None
        self._flip = 0 if polarity else -1
        self.heard_ms = 0
        self._missed = ""  # why the last poll had no answer
        self._good = 0
        self._told: Any = None
        self._announced = False

    def answered(self, now_ms: int, codec: "Any", events: "list[Any]") -> None:
        """`codec`: has what it said (closed, full, known), bit 0 is channel 1."""
        self.heard_ms = now_ms
        self._missed = ""
        self._good += 1
        if self._told != "" and self._good >= 2:
            self._tell("", events)
        self.see(codec, True, events)

    def see(self, codec: "Any", asked: bool, events: "list[Any]") -> None:
        if asked and self.contents is not None:
            if not self._announced:
                self._announced = True
                events.extend([ContentsSensed(number, None) for number in self.contents.numbers()])
            self.contents.see(codec.full, codec.known, True, events)
        self.doors.see(codec.closed ^ self._flip, codec.known, asked, events)

    def failed(self, word: str) -> None:
        self._missed = word
        self._good = 0

    def look(self, now_ms: int, events: "list[Any]") -> bool:
        """Whether it was lost just now."""
        fault = self._missed
        if not fault or now_ms - self.heard_ms < LOSS_MS or self._told == fault:
            return False
        fresh = not self._told
        if fresh:
            self._lose()
        self._tell(fault, events)
        return fresh

    def pause_ms(self) -> int:
        """To the next poll."""
        return LOST_POLL_MS if self._told else POLL_MS

    def forget(self) -> None:
        self._told = None
        self._good = 0
        self._lose()

    def _lose(self) -> None:
        self.doors.forget()
        if self.contents is not None:
            self.contents.forget()
        self._announced = False

    def _tell(self, fault: str, events: "list[Any]") -> None:
        self._told = fault
        numbers = [] if self.blind else self.doors.numbers()
        events.append(ModuleSensed(self._place, fault, numbers))

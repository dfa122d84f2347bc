"""What the inputs of one lock board say, and when it is believed: a state is told when two answers in a row agree
on it, since a damaged answer may pass an 8-bit checksum. One that was another in a single answer is told as it was.

All inputs are bits of a number, bit 0 is channel 1.
"""

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


TOLD_MAX = 12  # at once: 48 events, and what each leads to, are 2 kB of the heap


class Settle:
    """`boxes`: rows that begin with a compartment and end with its channel; `tell` makes the event."""

    def __init__(self, boxes: "Sequence[tuple[int, ...]]", tell: "Callable[[int, bool], Any]") -> None:
        # A hundred tuples would take 4 kB of the heap.
        self._rows = array("H", [value for box in boxes for value in (box[0], box[-1])])
        self._tell = tell
        mask = 0
        for box in boxes:
            mask |= 1 << (box[-1] - 1)
        self._mask = mask
        self.forget()

    def numbers(self) -> "list[int]":
        """The compartments."""
        return [self._rows[at] for at in range(0, len(self._rows), 2)]

    def forget(self) -> None:
        """Nothing is known any more; all is told again."""
        self._told = self._known = self._before = self._valid = self._stale = 0

    def pulsed(self, channel: int) -> None:
        """What was heard before says nothing now, nor does the next answer: it may be a late one from before."""
        self._stale |= 1 << (channel - 1)
        self._valid &= ~self._stale

    def _first(self, news: int) -> int:
        """As many as a lap bears; the others are news with the next answer as well."""
        count = 0
        found = news
        while found:
            count += 1
            if count > TOLD_MAX:
                return news & ~found
            found &= found - 1
        return news

    def see(self, bits: int, usable: int, asked: bool, events: "list[Any]") -> None:
        """An answer (`asked`), or what the board said by itself, which settles nothing alone. `usable`: the inputs
        that it speaks of."""
        usable &= self._mask & ~self._stale
        same = usable & self._valid & ~(bits ^ self._before)
        news = self._first(same & ((bits ^ self._told) | ~self._known)) if asked else 0
        glimpsed = usable & self._valid & self._known & (self._before ^ self._told) & ~(bits ^ self._told)
        self._before = (self._before & ~usable) | (bits & usable)
        if asked:
            self._valid = usable
            self._stale = 0
        else:
            self._valid |= usable
        self._told = (self._told & ~news) | (bits & news)
        self._known |= news
        news |= glimpsed
        if news:
            rows = self._rows
            for at in range(0, len(rows), 2):
                place = rows[at + 1] - 1
                if news >> place & 1:
                    events.append(self._tell(rows[at], (bits >> place & 1) == 1))

"""What the inputs of one lock board say, and when it is believed: a state is told when two answers in a row agree
on it, since a damaged answer may pass an 8-bit checksum. One that was another in a single answer is told as it was.

All inputs are bits of a number, bit 0 is channel 1.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable
    from typing import Any


class Settle:
    """`numbers`: the compartments; `channels`: theirs, in the same order; `tell` makes the event."""

    def __init__(self, numbers: "array[int]", channels: bytes, tell: "Callable[[int, bool], Any]") -> None:
        self._numbers = numbers
        self._channels = channels
        self._tell = tell
        mask = 0
        for channel in channels:
            mask |= 1 << (channel - 1)
        self._mask = mask
        self.forget()

    def forget(self) -> None:
        """Nothing is known any more; all is told again."""
        self._told = self._known = self._before = self._valid = self._stale = 0

    def pulsed(self, channel: int) -> None:
        """What was heard before says nothing now, nor does the next answer: it may be a late one from before."""
        self._stale |= 1 << (channel - 1)
        self._valid &= ~self._stale

    def see(self, bits: int, usable: int, asked: bool, events: "list[Any]") -> None:
        """An answer (`asked`), or what the board said by itself, which settles nothing alone. `usable`: the inputs
        that it speaks of."""
        usable &= self._mask & ~self._stale
        same = usable & self._valid & ~(bits ^ self._before)
        news = same & ((bits ^ self._told) | ~self._known) if asked else 0
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
            for place in range(len(self._channels)):
                channel = self._channels[place] - 1
                if news >> channel & 1:
                    events.append(self._tell(self._numbers[place], (bits >> channel & 1) == 1))

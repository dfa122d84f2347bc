"""Milliseconds since start that never wrap.

A board's ticks wrap (after 2^30 ms, 12.4 days, where small integers have 31 bits). They are unwrapped here,
once; ask at least once a period. The period is an argument so that a test can use a board's on any machine.
"""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_time: "Any" = time  # MicroPython's, which has ticks


def board_period() -> int:
    """The period of this interpreter's own ticks: a power of two."""
    highest: int = _time.ticks_add(0, -1)
    return highest + 1


def board_clock() -> "Clock":
    return Clock(_time.ticks_ms, board_period())


class Clock:
    """`ticks` counts milliseconds and wraps at `period`, a power of two."""

    def __init__(self, ticks: "Callable[[], int]", period: int) -> None:
        assert period & (period - 1) == 0
        self._ticks = ticks
        self._mask = period - 1
        self._last = ticks()
        self._now = 0

    def now_ms(self) -> int:
        ticks = self._ticks()
        # The difference of two small integers stays one; `%` by 2^30 would allocate on a 32-bit board.
        self._now += (ticks - self._last) & self._mask
        self._last = ticks
        return self._now

"""Wrong links, counted together: whoever tries them is slowed down, and a right link is never held up.

In memory only, and without an address of anybody: 128 bits need no more than this (`gateway/domain/links.py`).
"""

import threading
from collections.abc import Callable

from gateway.limits import STRANGERS_PER_MINUTE


class Strangers:
    """A bucket that fills with time. `clock`: Unix seconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(STRANGERS_PER_MINUTE)
        self._seen_s = clock()

    def may_try(self) -> bool:
        with self._lock:
            now = self._clock()
            gained = max(0, now - self._seen_s) * STRANGERS_PER_MINUTE / 60
            self._left = min(float(STRANGERS_PER_MINUTE), self._left + gained)
            self._seen_s = now
            if self._left < 1:
                return False
            self._left -= 1
            return True

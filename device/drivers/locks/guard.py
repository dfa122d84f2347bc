"""The last line of defence for the coils, whatever they hang on: one on at a time for each supply, never longer than
PULSE_MS_MAX, never more than its duty. What would break a limit is not done, and counted.

A driver has: `holds(compartment)`; `takes_ms(ms)`, how long its coil is on when so much is asked;
`begin(now, compartment, ms)`; `until`, when the coil is off at the latest; `stop(now)`, which gives how long it was
on; `pending`, not None while its turn has come and nothing is on yet; `disarm()`.
"""

from array import array
from typing import TYPE_CHECKING

from protocol.limits import PULSE_DUTY_MS_MAX, PULSE_DUTY_WINDOW_MS, PULSE_MS_MAX

if TYPE_CHECKING:
    from typing import Any

REST_MS = 100  # between two coils: the supply's capacitors fill up again
QUEUE_MAX = 8  # pulses that wait for their turn; more would open doors nobody stands at any more
QUEUE_AGE_MS_MAX = 5_000
_WORD, _SHORT = 0xFFFFFFFF, 0xFFFF
_MORE = (0,) * 16  # pulses that room is made for at once


class Guard:
    """Of one supply, and `drivers`: what hangs on it."""

    def __init__(self, drivers: "list[Any]") -> None:
        self._drivers = drivers
        self._waiting: list[tuple[int, int, int]] = []  # (asked at, compartment, ms)
        # Of each pulse within the duty window: when it ended; its compartment, and how long it was on. As tuples, they
        # would be 2 kB when somebody tests all doors; and a coil that ends needs no room here.
        self._ended = array("I", _MORE)
        self._spent = array("H", _MORE + _MORE)
        self._count = 0
        self._live: Any = None
        self._compartment = 0
        self._rest_until = 0
        self.refused = 0

    @property
    def busy(self) -> bool:
        """A coil is on, or about to be: nothing that may block for long should be begun."""
        return self._live is not None or len(self._waiting) > 0

    def holds(self, compartment: int) -> bool:
        return self._driver(compartment) is not None

    def pulse(self, now_ms: int, compartment: int, ms: int) -> None:
        """`ms` 0: none of this compartment that still waits for its turn."""
        if not ms:
            self._waiting = [one for one in self._waiting if one[1] != compartment]
            if self._live is not None and self._compartment == compartment and self._live.pending is not None:
                self.off(now_ms)
            return
        driver = self._driver(compartment)
        if driver is None or not 0 < ms <= PULSE_MS_MAX or len(self._waiting) >= QUEUE_MAX:
            self.refused += 1
            return
        self._waiting.append((now_ms, compartment, ms))
        self.tick(now_ms)

    def tick(self, now_ms: int) -> None:
        """Every lap, first thing: cut off what is due, then begin what may begin."""
        if self._live is not None and now_ms >= self._live.until:
            self.off(now_ms)
        while self._waiting and self._live is None and now_ms >= self._rest_until:
            asked, compartment, ms = self._waiting.pop(0)
            driver = self._driver(compartment)
            if now_ms - asked > QUEUE_AGE_MS_MAX or not self._bears(now_ms, compartment, driver.takes_ms(ms)):
                self.refused += 1
            else:
                self._compartment = compartment
                self._live = driver
                driver.begin(now_ms, compartment, ms)

    def deadline_ms(self) -> "int | None":
        if self._live is not None:
            return self._live.until
        return self._rest_until if self._waiting else None

    def drop(self, now_ms: int) -> None:
        """Cut off what is on and forget what waits: whoever ordered it is not there any more."""
        self._waiting = []
        self.off(now_ms)

    def off(self, now_ms: int) -> None:
        """Cut off whatever is on. Safe to call at any time."""
        driver = self._live
        if driver is None:
            return
        on_ms = driver.stop(now_ms)
        self._live = None
        self._rest_until = max(now_ms, driver.until) + REST_MS  # a board may time its pulse itself
        if on_ms:
            self._note(now_ms, on_ms)
        else:  # it never came to be
            self.refused += 1
        driver.disarm()  # last: whatever fails here, the duty is noted

    def _driver(self, compartment: int) -> "Any":
        for driver in self._drivers:
            if driver.holds(compartment):
                return driver
        return None

    def _bears(self, now_ms: int, compartment: int, ms: int) -> bool:
        on_ms = 0
        for at in range(self._count):
            if self._spent[2 * at] == compartment and _since(self._ended[at], now_ms) < PULSE_DUTY_WINDOW_MS:
                on_ms += self._spent[2 * at + 1]
        return ms <= PULSE_MS_MAX and on_ms + ms <= PULSE_DUTY_MS_MAX

    def _note(self, now_ms: int, on_ms: int) -> None:
        """A pulse more; what is too old makes room, in its place."""
        ended, spent = self._ended, self._spent
        old = 0
        while old < self._count and _since(ended[old], now_ms) >= PULSE_DUTY_WINDOW_MS:
            old += 1
        self._count -= old
        for at in range(self._count):
            ended[at] = ended[at + old]
            spent[2 * at] = spent[2 * (at + old)]
            spent[2 * at + 1] = spent[2 * (at + old) + 1]
        if self._count == len(ended):
            spent.extend(array("H", _MORE + _MORE))  # first: it may be the longer one, should there be no room
            ended.extend(array("I", _MORE))
        ended[self._count] = now_ms & _WORD
        spent[2 * self._count] = self._compartment
        spent[2 * self._count + 1] = min(on_ms, _SHORT)  # more than a window bears, in any case
        self._count += 1


def _since(then: int, now_ms: int) -> int:
    """How long ago; of more than 49 days, what is beyond."""
    return (now_ms - then) & _WORD

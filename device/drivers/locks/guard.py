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


class Guard:
    """Of one supply, and `drivers`: what hangs on it."""

    def __init__(self, drivers: "list[Any]") -> None:
        self._drivers = drivers
        self._waiting: list[tuple[int, int, int]] = []  # (asked at, compartment, ms)
        # Of each pulse within the duty window: when it ended; its compartment, and how long it was on. As tuples, they
        # would be 2 kB when somebody tests all doors.
        self._ended = array("Q")
        self._spent = array("H")
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
            # Two rows of one length, also where the heap had no room for the second the last time.
            self._spent = self._spent[: 2 * len(self._ended)] + array("H", [self._compartment, on_ms])
            self._ended.append(now_ms)
        else:  # it never came to be
            self.refused += 1
        old = 0
        while old < len(self._ended) and now_ms - self._ended[old] >= PULSE_DUTY_WINDOW_MS:
            old += 1
        self._spent = self._spent[2 * old :]
        self._ended = self._ended[old:]
        driver.disarm()  # last: whatever fails here, the duty is noted

    def _driver(self, compartment: int) -> "Any":
        for driver in self._drivers:
            if driver.holds(compartment):
                return driver
        return None

    def _bears(self, now_ms: int, compartment: int, ms: int) -> bool:
        on_ms = 0
        for at in range(len(self._ended)):
            if self._spent[2 * at] == compartment and now_ms - self._ended[at] < PULSE_DUTY_WINDOW_MS:
                on_ms += self._spent[2 * at + 1]
        return ms <= PULSE_MS_MAX and on_ms + ms <= PULSE_DUTY_MS_MAX

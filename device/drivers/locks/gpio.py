"""Locks whose coils hang on GPIO pins, through a relay or transistor each.

The last line of defence for the coils: one on at a time, each cut off twice (by the loop, and by a timer that
is armed before the coil is energised), never longer than PULSE_MS_MAX, never more than its duty. What would
break a limit is not done, and counted.
"""

from typing import TYPE_CHECKING

from protocol.limits import PULSE_DUTY_MS_MAX, PULSE_DUTY_WINDOW_MS, PULSE_MS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CUT_OFF_SLACK_MS = 40  # the timer's: later than an ordinary lap of the loop, sooner than a coil minds
REST_MS = 100  # between two coils: the supply's capacitors fill up again
QUEUE_MAX = 8  # pulses that wait for their turn; more would open doors nobody stands at any more
QUEUE_AGE_MS_MAX = 5_000


class GpioLocks:
    """`pins`: compartment number -> machine.Pin, already low. `arm(ms, action)`: the independent one-shot timer;
    arm(0, action) disarms it."""

    def __init__(self, pins: "dict[int, Any]", on: int, arm: "Callable[[int, Callable[[Any], None]], None]") -> None:
        self._pins = pins
        self._on = on
        self._off = 1 - on
        self._arm = arm
        self._waiting: list[tuple[int, int, int]] = []  # (asked at, compartment, ms)
        self._spent: list[tuple[int, int, int]] = []  # (ended at, compartment, ms on), within the duty window
        self._live: Any = None
        self._compartment = 0
        self._since = 0
        self._until = 0
        self._rest_until = 0
        self._cut = self._cut_off  # bound once: a timer's callback must not allocate
        self.refused = 0

    @property
    def busy(self) -> bool:
        """A coil is on, or about to be: nothing that may block for long should be begun."""
        return self._live is not None or len(self._waiting) > 0

    def pulse(self, now_ms: int, compartment: int, ms: int) -> None:
        """`ms` 0: none of this compartment that still waits for its turn."""
        if not ms:
            self._waiting = [one for one in self._waiting if one[1] != compartment]
            return
        if compartment not in self._pins or not 0 < ms <= PULSE_MS_MAX or len(self._waiting) >= QUEUE_MAX:
            self.refused += 1
            return
        self._waiting.append((now_ms, compartment, ms))
        self.tick(now_ms)

    def tick(self, now_ms: int) -> None:
        """Every lap, first thing: cut off what is due, then begin what may begin."""
        if self._live is not None and now_ms >= self._until:
            self.off(now_ms)
        while self._waiting and self._live is None and now_ms >= self._rest_until:
            asked, compartment, ms = self._waiting.pop(0)
            if now_ms - asked > QUEUE_AGE_MS_MAX or not self._within_duty(now_ms, compartment, ms):
                self.refused += 1
            else:
                self._energise(now_ms, compartment, ms)

    def deadline_ms(self) -> "int | None":
        if self._live is not None:
            return self._until
        return self._rest_until if self._waiting else None

    def drop(self, now_ms: int) -> None:
        """Cut off what is on and forget what waits: whoever ordered it is not there any more."""
        self._waiting = []
        self.off(now_ms)

    def off(self, now_ms: int) -> None:
        """Cut off whatever is on. Safe to call at any time."""
        if self._live is None:
            return
        self._live.value(self._off)
        self._live = None
        self._rest_until = now_ms + REST_MS
        self._spent.append((now_ms, self._compartment, now_ms - self._since))
        self._spent = self._recent(now_ms)
        self._arm(0, self._cut)  # last: whatever fails here, the duty is noted

    def _energise(self, now_ms: int, compartment: int, ms: int) -> None:
        pin = self._pins[compartment]
        self._compartment = compartment
        self._since = now_ms
        self._until = now_ms + ms
        self._live = pin
        # Armed first: whatever happens to this loop from here on, the coil goes off.
        self._arm(min(ms + CUT_OFF_SLACK_MS, PULSE_MS_MAX), self._cut)
        pin.value(self._on)

    def _cut_off(self, _timer: "Any") -> None:
        pin = self._live
        if pin is not None:
            pin.value(self._off)

    def _within_duty(self, now_ms: int, compartment: int, ms: int) -> bool:
        on_ms = sum([spent[2] for spent in self._recent(now_ms) if spent[1] == compartment])
        return on_ms + ms <= PULSE_DUTY_MS_MAX

    def _recent(self, now_ms: int) -> "list[tuple[int, int, int]]":
        return [spent for spent in self._spent if now_ms - spent[0] < PULSE_DUTY_WINDOW_MS]

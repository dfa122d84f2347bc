"""Lock coils that we switch on and off ourselves, one output each: on pins, through a relay or transistor, or on an
expander's outputs.

Each pulse is cut off twice: by the guard, and by a timer that is armed before the coil is energised.
"""

from typing import TYPE_CHECKING

from protocol.limits import PULSE_MS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CUT_OFF_SLACK_MS = 40  # the timer's: later than an ordinary lap of the loop, sooner than a coil minds


class GpioCoils:
    """`pins`: compartment number -> machine.Pin or what is like one, already low. `arm(ms, action)`: the independent
    one-shot timer; arm(0, action) disarms it."""

    pending: "Any" = None  # a pin waits for nobody

    def __init__(self, pins: "dict[int, Any]", on: int, arm: "Callable[[int, Callable[[Any], None]], None]") -> None:
        self._pins = pins
        self._on = on
        self._off = 1 - on
        self._arm = arm
        self._live: Any = None
        self._since = 0
        self.until = 0
        self._cut = self._cut_off  # bound once: a timer's callback must not allocate

    def holds(self, compartment: int) -> bool:
        return compartment in self._pins

    def takes_ms(self, ms: int) -> int:
        return ms

    def begin(self, now_ms: int, compartment: int, ms: int) -> None:
        pin = self._pins[compartment]
        self._since = now_ms
        self.until = now_ms + ms
        self._live = pin
        # Armed first: whatever happens to this loop from here on, the coil goes off.
        self._arm(min(ms + CUT_OFF_SLACK_MS, PULSE_MS_MAX), self._cut)
        pin.value(self._on)

    def stop(self, now_ms: int) -> int:
        if self._live is not None:
            self._live.value(self._off)
            self._live = None
        self.until = min(self.until, now_ms)
        return now_ms - self._since

    def disarm(self) -> None:
        self._arm(0, self._cut)

    def _cut_off(self, _timer: "Any") -> None:
        pin = self._live
        if pin is not None:
            pin.value(self._off)

"""Lock coils on the outputs of a chip that hangs on I2C or SPI, as the guard sees them.

Besides its bus each chip has one wire that lets go of all its outputs at once: RESET of a port expander, OE of a shift
register. It ends every pulse, so none depends on the bus. A resistor holds it in its safe state whenever the
controller does not drive it, so a reset of ours cuts a coil off too; and so does the independent timer.
"""

from typing import TYPE_CHECKING

from device.drivers.locks.gpio import CUT_OFF_SLACK_MS
from protocol.limits import PULSE_MS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Expander:
    """`chip`: has fire(channel), which raises OSError, and ended(): everything was let go of by that wire;
    `channels`: compartment -> the chip's output; `safe`, `level`: the wire (machine.Pin), and how it lets go;
    `arm(ms, action)`: the independent one-shot timer; arm(0, action) disarms it."""

    pending: "Any" = None  # a chip waits for nobody

    def __init__(
        self,
        chip: "Any",
        channels: "dict[int, int]",
        safe: "Any",
        level: int,
        arm: "Callable[[int, Callable[[Any], None]], None]",
    ) -> None:
        self._chip = chip
        self._channels = channels
        self._safe = safe
        self._level = level
        self._arm = arm
        self._since = 0
        self._is_on = False
        self.until = 0
        self._cut = self._let_go  # bound once: a timer's callback must not allocate

    def holds(self, compartment: int) -> bool:
        return compartment in self._channels

    def takes_ms(self, ms: int) -> int:
        return ms

    def begin(self, now_ms: int, compartment: int, ms: int) -> None:
        self._since = now_ms
        self.until = now_ms + ms
        # Armed first: whatever happens to this loop from here on, the coil goes off.
        self._arm(min(ms + CUT_OFF_SLACK_MS, PULSE_MS_MAX), self._cut)
        try:
            self._chip.fire(self._channels[compartment])
            self._is_on = True
        except OSError:  # what it heard is not known
            self.stop(now_ms)

    def stop(self, now_ms: int) -> int:
        """How long it was on; 0: it never came to be."""
        self._let_go(None)
        self._chip.ended()
        on_ms = now_ms - self._since if self._is_on else 0
        self._is_on = False
        self.until = min(self.until, now_ms)
        return on_ms

    def disarm(self) -> None:
        self._arm(0, self._cut)

    def _let_go(self, _timer: "Any") -> None:
        self._safe.value(self._level)

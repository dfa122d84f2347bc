"""A chain of 74HC595 (SPI): locks on its outputs, eight a chip; doors on pins.

What the registers hold at power-up, or after their supply dipped, is anything. OE is therefore high but for the time
of a pulse (a resistor holds it there while nobody drives it), and nothing hangs on SRCLR, which is tied high: it
clears what is shifted, not what is on. Where the last chip's Q7' comes back (`"check": true`), what was shifted is
read before a coil comes on, and the chain is asked now and then whether it is there.
"""

from typing import TYPE_CHECKING

from device.drivers.locks.heard import LOST_POLL_MS

if TYPE_CHECKING:
    from typing import Any

    from device.drivers.locks.heard import Heard

CHANNELS_MAX = 64
_MARK = 0x55  # shifted through, never latched


class Hc595:
    """`spi`: a machine.SPI; `latch`, `enable`: the pins at RCLK and OE; `size`: chips of the chain; `heard`: where its
    loss is told."""

    def __init__(  # noqa: PLR0917 - a chip and its wires
        self, spi: "Any", latch: "Any", enable: "Any", size: int, checked: bool, heard: "Heard"
    ) -> None:
        self._spi = spi
        self._latch = latch
        self._enable = enable
        self._size = size
        self._checked = checked
        self.heard = heard
        self._due = -1
        self._is_on = False
        self.closed = self.full = self.known = 0

    # -------------------------------------------------------------- locks
    def fire(self, channel: int) -> None:
        """Channel 1 is Q0 of the nearest chip: bit 0 of what is shifted last. Raises OSError."""
        row = (1 << (channel - 1)).to_bytes(self._size, "big")
        self._spi.write(row)
        self._latch.value(1)
        self._latch.value(0)
        # What stands on the outputs, behind OE, is what was shifted when the latch rose.
        if self._checked and self._back() != row:
            raise OSError(5)  # EIO
        self._is_on = True
        self._enable.value(0)

    def ended(self) -> None:
        """OE is high."""
        self._is_on = False

    def _back(self) -> bytes:
        came = bytearray(self._size)
        self._spi.write_readinto(bytes(self._size), came)
        return bytes(came)

    # -------------------------------------------------------------- health
    def forget(self) -> None:
        self.heard.forget()

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if not self._checked or self._is_on or now_ms < self._due:
            return
        if self._due < 0:
            self.heard.heard_ms = now_ms
        self._due = now_ms + LOST_POLL_MS
        row = bytes([_MARK] * self._size)
        self._spi.write(row)
        if self._back() == row:
            self.heard.answered(now_ms, self, events)
        else:
            self.heard.failed("silent")
        self.heard.look(now_ms, events)

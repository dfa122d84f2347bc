"""A chain of 74HC595 shift registers: eight outputs each, on SPI, with a latch (RCLK), an enable (OE, low lets the
outputs drive) and a clear (SRCLR, low empties what is shifted, not what is on).

What a register holds at power-up is anything, so OE must stay high (a resistor sees to it) until the first latch. Runs
in MicroPython too.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.locker.boards.board import Metal


class HC595:
    """`address` seeds what stands in the registers at power-up. Channel 1 is Q0 of the chip that is nearest: bit 0 of
    the byte that was shifted last. `silent`: it takes nothing, and nothing comes back; `damage`: what becomes of bytes
    on their way."""

    def __init__(self, address: int, channels: int, metal: "Metal") -> None:
        self.address = address
        self.channels = channels
        self.silent = False
        self.damage: Callable[[bytes], bytes] | None = None
        self._metal = metal
        self._starts = 0
        self._size = (channels + 7) // 8
        self._on: set[int] = set()
        self._shifted = self._outputs = bytes(self._size)
        self._latch = 0
        self._enabled = False
        self.power_on()

    def power_on(self) -> None:
        self._starts += 1
        seed = self.address * 59 + self._starts * 101
        self._shifted = bytes([seed * (place + 3) * 31 & 255 | 1 << seed % 8 for place in range(self._size)])
        self._outputs = bytes([seed * (place + 5) * 17 & 255 | 1 << seed % 8 for place in range(self._size)])
        self._latch = 0
        self._enabled = False  # the resistor at OE
        self._drive()

    power_off = power_on

    def shift(self, data: bytes) -> bytes:
        """Shift `data` in; what the chain held comes out at the other end."""
        if self.silent:
            return bytes([0xFF] * len(data))
        row = self._shifted + (data if self.damage is None else self.damage(data))
        self._shifted = row[-self._size :]
        return row[: len(data)]

    def latch(self, level: int) -> None:
        """A rising edge takes what was shifted to the outputs."""
        if level and not self._latch and not self.silent:
            self._outputs = self._shifted
        self._latch = level
        self._drive()

    def enable(self, level: int) -> None:
        """OE: 0 lets the outputs drive."""
        self._enabled = not level
        self._drive()

    def clear(self, level: int) -> None:
        """SRCLR."""
        if not level:
            self._shifted = bytes(self._size)

    def _drive(self) -> None:
        bits = int.from_bytes(self._outputs, "big")
        for channel in range(1, self.channels + 1):
            on = self._enabled and bool(bits >> (channel - 1) & 1)
            if on != (channel in self._on):
                (self._on.add if on else self._on.discard)(channel)
                self._metal.coil(channel, on)

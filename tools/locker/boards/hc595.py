"""A chain of 74HC595 shift registers: eight outputs each, on SPI, with a latch and an enable pin (/OE, low enables).

What a register holds at power-up is anything, so /OE must stay high (a resistor sees to it) until the first latch.
"""

import random

from tools.locker.boards.board import Metal


class HC595:
    """`address` seeds what stands in the registers at power-up. Channel 1 is Q0 of the chip that is nearest: bit 0 of
    the byte that was shifted last."""

    def __init__(self, address: int, channels: int, metal: Metal) -> None:
        self.address = address
        self.channels = channels
        self.silent = False
        self._metal = metal
        self._chance = random.Random(address)
        self._size = (channels + 7) // 8
        self._on: set[int] = set()
        self._shifted = self._outputs = bytes(self._size)
        self._latch = 0
        self._enabled = False
        self.power_on()

    def power_on(self) -> None:
        self._shifted = self._chance.randbytes(self._size)
        self._outputs = self._chance.randbytes(self._size)
        self._latch = 0
        self._enabled = False  # the resistor at /OE
        self._drive()

    power_off = power_on

    def shift(self, data: bytes) -> None:
        if not self.silent:
            self._shifted = (self._shifted + data)[-self._size :]

    def latch(self, level: int) -> None:
        """A rising edge takes what was shifted to the outputs."""
        if level and not self._latch and not self.silent:
            self._outputs = self._shifted
        self._latch = level
        self._drive()

    def enable(self, level: int) -> None:
        """/OE: 0 lets the outputs drive."""
        self._enabled = not level
        self._drive()

    def _drive(self) -> None:
        bits = int.from_bytes(self._outputs, "big")
        for channel in range(1, self.channels + 1):
            on = self._enabled and bool(bits >> (channel - 1) & 1)
            if on != (channel in self._on):
                (self._on.add if on else self._on.discard)(channel)
                self._metal.coil(channel, on)

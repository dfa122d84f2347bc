"""Runs in MicroPython: at each thing that a pulse does to the metal, the loop dies or stands still for good.

Prints one line a case: what was done last, and how long the coil was on, by the ticks that the pin's wire carried.
"""

import time

import machine
from wires import bundle

from device.board import one_shot
from device.drivers.locks.gpio import GpioCoils
from device.drivers.locks.guard import Guard

LOCK_PIN = 101
STAND_STILL_MS = 700


class DiedError(Exception):
    pass


class Pulse:
    """One pulse whose `last`-th touch of the metal is the last thing that the loop does (`before`: all but does)."""

    def __init__(self, last: int, before: bool) -> None:
        self._left = last
        self._before = before
        self._pin = machine.Pin(LOCK_PIN, machine.Pin.OUT, value=0)
        self._real_arm = one_shot()
        self.done = "nothing"

    def _touch(self, what: str, act: "object") -> None:
        self._left -= 1
        if self._left == 0 and self._before:
            raise DiedError
        act()
        self.done = what
        if self._left == 0:
            raise DiedError

    def value(self, level: int) -> None:
        if self._left <= 0:  # the loop is dead: this is the timer
            self._pin.value(level)
        else:
            self._touch("pin " + str(level), lambda: self._pin.value(level))

    def arm(self, ms: int, action: "object") -> None:
        self._touch("arm" if ms else "disarm", lambda: self._real_arm(ms, action))

    def run(self) -> None:
        locks = Guard([GpioCoils({1: self}, 1, self.arm)])
        begun = time.ticks_ms()
        try:
            locks.pulse(0, 1, 300)
            while locks.busy:
                locks.tick(time.ticks_diff(time.ticks_ms(), begun))
        except DiedError:
            pass
        while time.ticks_diff(time.ticks_ms(), begun) < STAND_STILL_MS:
            pass


lines = []
bundle.send = lines.append
bundle.watched.add(LOCK_PIN)
for last in range(1, 5):
    for before in (True, False):
        pulse = Pulse(last, before)
        lines.clear()
        pulse.run()
        edges = [line.split() for line in lines]
        on_ms = 0
        for place in range(len(edges) - 1):
            start, end = edges[place], edges[place + 1]
            if start[2] == "1":
                on_ms += int(end[3]) - int(start[3])
        assert not edges or edges[-1][2] == "0", "the coil is still on"
        print(pulse.done.replace(" ", "-"), on_ms)

"""Runs in MicroPython: a pulse begins, and the loop that should end it never comes back.

Prints how long the coil was on, by the ticks that the pin's wire carried.
"""

import time

import machine
from wires import bundle

from device.board import one_shot
from device.drivers.locks.gpio import GpioCoils
from device.drivers.locks.guard import Guard

LOCK_PIN = 101
lines = []
bundle.send = lines.append
bundle.watched.add(LOCK_PIN)
locks = Guard([GpioCoils({1: machine.Pin(LOCK_PIN, machine.Pin.OUT, value=0)}, 1, one_shot())])
lines.clear()
locks.pulse(0, 1, 300)
begun = time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), begun) < 1500:
    pass  # stuck
edges = [line.split() for line in lines]
assert [edge[2] for edge in edges] == ["1", "0"], edges
print(int(edges[1][3]) - int(edges[0][3]))

"""`machine` for a board that stands in a cabinet of tools.locker: the parts that device/ uses, as ESP32 has them."""

import _thread
import time
from typing import TYPE_CHECKING

import micropython
from wires import bundle, ticks_ms

if TYPE_CHECKING:
    from typing import Any

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
_TICKS_MASK = (1 << 30) - 1


class Board:
    """What launch knows of this life of the board; and what of `micropython` our code asks for: on a PC no byte
    interrupts what runs, but a signal, so the cabinet must know when one does."""

    cause = PWRON_RESET

    @staticmethod
    def kbd_intr(letter: int) -> None:
        bundle.send(f"K {letter}\n")


class Pin:
    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2

    def __init__(self, number: int, mode: int = IN, pull: "int | None" = None, *, value: "int | None" = None) -> None:
        self.number = number
        self._open_drain = mode == self.OPEN_DRAIN
        self._rest = 1 if pull == self.PULL_UP else 0
        if mode == self.IN:
            bundle.drive(number, None)
        else:
            self.value(value or 0)

    def value(self, level: "int | None" = None) -> "int | None":
        number = self.number
        if level is not None:
            if self._open_drain and level:
                bundle.drive(number, None)
                self._rest = 1
            else:
                bundle.drive(number, 1 if level else 0)
            return None
        if ticks_ms() != bundle.pumped:
            bundle.pump()
        if number in bundle.grounded:
            return 0
        if number in bundle.linked or number in bundle.low or number in bundle.high:
            found = bundle.level(number)
            if found is not None:
                return found
        return self._rest


class UART:
    def __init__(self, number: int, baud: int = 9600, *, rxbuf: int = 256, **_options: "Any") -> None:
        self._number = number
        self._byte_us = 10_000_000 // baud
        self.until = ticks_ms()
        self._size = rxbuf
        self._waiting = b""
        bundle.uarts[number] = self

    def take(self, data: bytes) -> None:
        """From the cabinet. What does not fit is lost, as on a board."""
        self._waiting = (self._waiting + data)[: self._size]

    def any(self) -> int:
        if ticks_ms() != bundle.pumped:
            bundle.pump()
        return len(self._waiting)

    def read(self, size: int = -1) -> "bytes | None":
        if not self.any():
            return None
        size = len(self._waiting) if size < 0 else size
        data = self._waiting[:size]
        self._waiting = self._waiting[size:]
        return data

    def write(self, data: bytes) -> int:
        now = ticks_ms()
        left = (self.until - now) & _TICKS_MASK
        begins = left if left <= _TICKS_MASK // 2 else 0
        self.until = now + begins + len(data) * self._byte_us // 1000 + 1
        bundle.transmit(self._number, data)
        return len(data)


class PWM:
    def __init__(self, pin: Pin, freq: int = 0, duty_u16: int = 0) -> None:
        self._pin = pin
        self._hertz = freq
        self._duty = 0
        self.duty_u16(duty_u16)

    def freq(self, hertz: int) -> None:
        self._hertz = hertz
        self._tell()

    def duty_u16(self, duty: int) -> None:
        if duty or self._duty:
            self._duty = duty
            self._tell()

    def _tell(self) -> None:
        bundle.send(f"Z {self._pin.number} {self._hertz if self._duty else 0}\n")


class Timer:
    """One-shot. It fires in the middle of whatever the program does, even of an endless loop, as on a board."""

    ONE_SHOT = 0

    def __init__(self, _number: int = -1) -> None:
        self.armed = 0

    def init(self, *, mode: int, period: int, callback: "Any") -> None:
        assert mode == self.ONE_SHOT
        self.armed += 1
        _thread.start_new_thread(_fire, (self, self.armed, period, callback))

    def deinit(self) -> None:
        self.armed += 1


def _fire(timer: Timer, armed: int, period: int, callback: "Any") -> None:
    time.sleep(period / 1000)
    if timer.armed == armed:
        micropython.schedule(callback, timer)


class WDT:
    def __init__(self, _number: int = 0, timeout: int = 5000) -> None:
        self._quiet = timeout // 10
        self._fed = ticks_ms()
        bundle.send(f"D {timeout}\n")

    def feed(self) -> None:
        if bundle.laps:
            bundle.laps -= 1
            if not bundle.laps:
                bundle.send("J\n")
        now = ticks_ms()
        if (now - self._fed) & _TICKS_MASK >= self._quiet:
            self._fed = now
            bundle.send("F\n")


def reset() -> None:
    bundle.send("X\n")
    while True:  # until the cabinet takes the power away
        time.sleep(1)


def reset_cause() -> int:
    return Board.cause

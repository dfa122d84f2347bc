"""What `machine` has besides, for lockers with parts that need it: I2C, SPI, interrupts of pins, WS2812, and a UART
that tells when all is out. Apart, since a board has their names in its ROM, and here each is one more in the heap.
"""

from binascii import hexlify, unhexlify
from typing import TYPE_CHECKING

import machine
from wires import bundle, ticks_ms

if TYPE_CHECKING:
    from typing import Any

_HALF = 1 << 29  # of what ticks count


class I2C:
    def __init__(self, number: int, **_options: "Any") -> None:
        self._number = number

    def writeto(self, address: int, data: bytes) -> int:
        self._access(address, data, 0)
        return len(data)

    def readfrom_mem(self, address: int, register: int, size: int) -> bytes:
        return self._access(address, bytes([register]), size)

    def _access(self, address: int, data: bytes, size: int) -> bytes:
        answer = bundle.request(f"I {self._number} {address} {size} {hexlify(data).decode()}\n")
        if not answer:
            raise OSError(19)  # ENODEV, as on ESP32
        if answer[0] == b"T":
            raise OSError(110)  # ETIMEDOUT: something holds the bus
        return unhexlify(answer[0])[1:]


class SPI:
    def __init__(self, number: int, **_options: "Any") -> None:
        self._number = number

    def write(self, data: bytes) -> None:
        self.write_readinto(data, bytearray(len(data)))

    def write_readinto(self, data: bytes, into: bytearray) -> None:
        answer = bundle.request(f"Q {self._number} {hexlify(data).decode()}\n")
        into[:] = unhexlify(answer[0])[1:]


def _irq(pin: "Any", handler: "Any", _trigger: int) -> None:
    """Soft, as ESP32's are: between two bytecodes of ours, when the wires are looked at."""
    bundle.handler[pin.number] = lambda: handler(pin)


def _bitstream(pin: "Any", _encoding: int, _timing: "tuple[int, ...]", data: bytes) -> None:
    bundle.send(f"B {pin.number} {hexlify(data).decode()}\n")


def _txdone(uart: "Any") -> bool:
    return (ticks_ms() - uart.until) & (2 * _HALF - 1) < _HALF


def install() -> None:
    board: Any = machine
    board.I2C = I2C
    board.SPI = SPI
    board.bitstream = _bitstream
    board.Pin.irq = _irq
    board.Pin.IRQ_FALLING = 2
    board.UART.txdone = _txdone

"""The drivers that are loaded only where they are named run on both interpreters."""

from typing import TYPE_CHECKING

from device.agent.events import KeyPressed, Sensed
from device.drivers.display import Texts
from device.drivers.gm65 import ASK, Gm65, crc16, framed
from device.drivers.hd44780 import Hd44780
from device.drivers.wiegand import Wiegand

if TYPE_CHECKING:
    from typing import Any


class Bus:
    def __init__(self):
        self.written = b""

    def writeto(self, _address: int, data: bytes) -> None:
        self.written += data


class Uart:
    def __init__(self):
        self.sent = b""
        self.waiting = b""

    def any(self) -> int:
        return len(self.waiting)

    def read(self, size: int) -> bytes:
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken

    def write(self, data: bytes) -> None:
        self.sent += data


class Wire:
    IRQ_FALLING = 2

    def irq(self, handler: "Any", _trigger: int, hard: bool = False) -> None:  # noqa: ARG002 - machine.Pin's own words
        self.fall: Any = handler


def run(source: "Any", ms: int) -> "list[Any]":
    events: list[Any] = []
    for now in range(0, ms, 10):
        source.gather(now, events)
    return events


def test_a_display_of_characters_is_begun_and_drawn():
    bus = Bus()
    display = Hd44780(bus, 39, Texts("nowhere", "fr"))
    display.show("é", ())
    assert run(display, 1_000) == [Sensed("display", 1)]
    assert bus.written[:2] == b"\x3c\x38", "the upper half of 30, with the light on, and E falling"


def test_a_scanner_is_asked_and_its_answer_is_cut_out_of_a_scan():
    uart = Uart()
    scanner = Gm65(uart, [b"\x08\x02\x00\x2a\x39\x01"])
    assert run(scanner, 10) == []
    assert uart.sent == bytes([0x7E, 0, 8, 2, 0, 0x2A, 0x39, 1, 0xA7, 0xEA])
    uart.waiting = bytes([2, 0, 0, 1, 0, 0x33, 0x31])
    run(scanner, 30)
    assert uart.sent.endswith(framed(ASK))
    assert crc16(ASK) == 0xD80F


def test_a_keypads_burst_is_a_key():
    zero, one = Wire(), Wire()
    keypad = Wiegand(zero, one)
    for bit in (0, 1, 0, 1):
        (one if bit else zero).fall(None)
    assert run(keypad, 100) == [KeyPressed("5")]

"""The drivers that are loaded only where they are named run on both interpreters."""

from typing import TYPE_CHECKING

from device.agent.events import DoorSensed, KeyPressed, Sensed
from device.drivers.chip import ChipTemperature, reader, tenths_of_rp2
from device.drivers.display import Texts
from device.drivers.gm65 import ASK, Gm65, crc16, framed
from device.drivers.hd44780 import Hd44780
from device.drivers.lights import WAIT_MS, Lights, Strip
from device.drivers.ssd1306 import Ssd1306, half_of
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


def test_a_display_of_dots_is_begun_drawn_and_only_then_switched_on():
    bus = Bus()
    display = Ssd1306(bus, {}, Texts("nowhere", "fr"))
    display.show("é", ())
    assert run(display, 1_000) == [Sensed("display", 1)]
    assert bus.written[:5] == b"\x00\x20\x02\xa8\x3f" and bus.written[-2:] == b"\x00\xaf"
    assert b"\x40" + bytes(4) + half_of(0xE9, 0) in bus.written
    assert half_of(0x7C, 0) + half_of(0x7C, 1) == b"\0\0\xff\0\0\0\0\0\x3f\0\0\0", "each row of | twice"


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


class Lock:
    """What stands behind the lights."""

    busy = True

    def __init__(self):
        self.pulses = []

    def pulse(self, _now_ms: int, compartment: int, ms: int) -> None:
        self.pulses.append((compartment, ms))


def test_a_light_shines_from_the_pulse_until_its_door_is_closed_again():
    rows: list[bytes] = []
    strip = Strip(lambda row: rows.append(bytes(row)), 2, (1, 2, 3))
    lock = Lock()
    lights = Lights(lock, {7: strip.lamp(1), 8: strip.lamp(2)})
    off, on = bytes(6), b"\0\0\0\2\1\3"
    assert rows == [off, off] and lights.busy, "what the lights do not know, the locks do"
    lights.pulse(0, 8, 300)
    lights.pulse(10, 9, 300)
    lights.gather(10, [DoorSensed(8, True), DoorSensed(7, False)])
    assert rows[-1] == on and lock.pulses == [(8, 300), (9, 300)]
    lights.gather(20, [DoorSensed(8, False)])
    lights.pulse(30, 8, 300)
    lights.gather(WAIT_MS * 2, [])
    assert rows[-1] == on, "for as long as it is open"
    lights.gather(WAIT_MS * 2, [DoorSensed(8, True)])
    assert rows[-1] == off


def test_a_light_goes_out_where_the_door_never_opened_and_a_pulse_taken_back_lights_nothing():
    rows: list[bytes] = []
    lights = Lights(Lock(), {8: Strip(lambda row: rows.append(bytes(row)), 1, (1, 1, 1)).lamp(1)})
    lights.pulse(0, 8, 0)
    lights.gather(0, [])
    assert rows == [bytes(3)]
    lights.pulse(0, 8, 300)
    lights.gather(WAIT_MS - 1, [])
    assert rows[-1] == b"\1\1\1"
    lights.gather(WAIT_MS, [])
    assert rows[-1] == bytes(3)


class Adc:
    CORE_TEMP = 8

    def __init__(self, channel: int):
        assert channel == 8

    def read_u16(self) -> int:
        return 14_021


class Rp2:
    ADC = Adc


def test_the_chip_tells_its_temperature_once_a_minute_and_a_chip_without_a_sensor_is_none():
    """0.706 V are 27 degrees (RP2040 data sheet), 1.721 mV less is one more."""
    assert [tenths_of_rp2(volts * 65_535 // 3_300_000) for volts in (706_000, 688_790, 740_420)] == [270, 370, 70]
    read = reader(Rp2)
    assert read is not None and run(ChipTemperature(read), 60_010) == [Sensed("chip_temperature_dc", 270)] * 2
    assert reader(None) is None


def test_a_chip_that_cannot_be_read_now_is_asked_again_a_minute_later():
    said = [b"", b"1"]

    def read() -> int:
        if not said.pop(0):
            raise OSError(5)
        return 411

    assert run(ChipTemperature(read), 60_010) == [Sensed("chip_temperature_dc", 411)]

"""Temperature, supply and tamper: by the vectors of the data sheets, and told to the gateway without a journal."""

from rig import Rig

from device.agent.events import Sensed
from device.drivers.ds18b20 import CONVERT_MS, EVERY_MS, Ds18b20, crc8, tenths_of
from device.drivers.ina226 import TELL_MS, Ina226, milliamperes, millivolts
from protocol.limits import HEARTBEAT_MS
from protocol.messages import Measured


class Wire:
    """A DS18B20; `there`: somebody answers a reset."""

    def __init__(self, raw):
        self.raw = raw
        self.there = True
        self.orders = []
        self.waiting = []

    def reset(self):
        self.waiting = []
        return self.there

    def writebyte(self, order):
        self.orders.append(order)
        if order == 0xBE:
            body = bytes([self.raw & 255, self.raw >> 8, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10])
            self.waiting = list(body + bytes([crc8(body)]))

    def readbyte(self):
        return self.waiting.pop(0) if self.waiting else 0xFF


class I2c:
    def __init__(self):
        self.registers = {1: 8_000, 2: 9_584}
        self.silent = False
        self.written = []

    def writeto(self, _address, data):
        if self.silent:
            raise OSError(19)
        self.written.append(data)

    def readfrom_mem(self, _address, register, _size):
        if self.silent:
            raise OSError(19)
        value = self.registers[register]
        return bytes([value >> 8, value & 255])


def run(source, ms, start=0):
    events = []
    for now in range(start, start + ms, 100):
        source.gather(now, events)
    return events


def test_a_ds18b20_is_read_as_its_data_sheet_says():
    for raw, tenths in (
        (0x07D0, 1250),
        (0x0191, 251),
        (0x00A2, 101),
        (0x0008, 5),
        (0, 0),
        (0xFFF8, -5),
        (0xFC90, -550),
    ):
        wire = Wire(raw)
        assert run(Ds18b20(wire), 2_000) == [Sensed("temperature_dc", tenths)], raw
        assert wire.orders == [0xCC, 0x44, 0xCC, 0xBE]
    assert crc8(bytes([0x02, 0x1C, 0xB8, 0x01, 0, 0, 0])) == 0xA2, "Maxim's application note 27"


def test_a_ds18b20_that_is_gone_damaged_or_has_measured_nothing_tells_nothing_and_is_asked_again():
    assert run(Ds18b20(Wire(0x0550)), 2_000) == [], "85 degrees at power-up"
    wire = Wire(0x0191)
    wire.there = False
    sensor = Ds18b20(wire)
    assert run(sensor, 2_000) == []
    wire.there = True
    assert run(sensor, 2 * CONVERT_MS, EVERY_MS) == [Sensed("temperature_dc", 251)]
    for scratchpad in (b"", bytes(9), bytes([0xFF] * 9), bytes([0x91, 1, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10, 0])):
        assert tenths_of(scratchpad) is None, "a wire that is held low or high, or a damaged answer"


def test_an_ina226_is_read_as_in_the_example_of_its_data_sheet():
    """12 V and 10 A through 2 milliohms: 1F40 and 2570."""
    assert millivolts(0x2570) == 11_980 and milliamperes(0x1F40, 2) == 10_000
    assert milliamperes(0xE0C0, 2) == -10_000 and milliamperes(0x8000, 2) == -40_960


def test_an_ina226_adds_up_the_energy_and_begins_anew_after_a_loss():
    bus = I2c()
    meter = Ina226(bus, 0x40, 2)
    events = run(meter, 2 * TELL_MS + 2_000)
    assert bus.written == [b"\x00\x45\x27"]
    assert [event.value for event in events if event.name == "supply_mv"] == [11_980] * 3
    assert [event.value for event in events if event.name == "energy_mwh"] == [33, 2_029, 4_026]
    bus.silent = True
    assert run(meter, 60_000, 300_000) == []
    bus.silent = False
    told = run(meter, 3_000, 400_000)
    assert [event.value for event in told if event.name == "energy_mwh"] == [4_059], "what nobody saw is not made up"


def told(rig):
    return [(event.name, event.value) for event in rig.gateway.heard(Measured)]


def test_a_housing_that_was_open_while_nobody_heard_is_told_once_the_link_is_back():
    rig = Rig()
    for value in (0, 1, 0):
        rig.do(Sensed("tamper", value))
    rig.do(Sensed("temperature_dc", -55))
    rig.connect()
    assert told(rig) == []
    rig.wait(HEARTBEAT_MS)
    assert sorted(told(rig)) == [("tamper", 1), ("temperature_dc", -55)]
    rig.wait(HEARTBEAT_MS)
    assert sorted(told(rig)[2:]) == [("tamper", 0), ("temperature_dc", -55)]


def test_an_opened_housing_is_told_at_once_and_a_temperature_with_the_heartbeat():
    rig = Rig()
    rig.connect()
    before = len(rig.flash.records)
    rig.do(Sensed("temperature_dc", 215))
    rig.do(Sensed("tamper", 1))
    rig.do(Sensed("tamper", 1))
    assert told(rig) == [("tamper", 1)] and len(rig.flash.records) == before, "and nothing of it is journalled"

"""Temperature, supply and tamper: by the vectors of the data sheets, and told to the gateway without a journal."""

from rig import Rig

from device.agent.events import Sensed
from device.drivers.ds18b20 import CONVERT_MS, EVERY_MS, Ds18b20, crc8, health_of, tenths_of
from device.drivers.ina226 import READ_MS, STEADY, TELL_MS, Ina226, milliamperes, millivolts
from protocol.limits import HEARTBEAT_MS, SUPPLY_BACK_MV, SUPPLY_LOW_MV
from protocol.messages import Measured
from protocol.numbers import PART_GARBLED, PART_SILENT, PART_STUCK, PART_WELL, PART_WRONG


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
        self.registers = {1: 8_000, 2: 9_584, 0xFE: 0x5449, 0xFF: 0x2260}
        self.silent = False
        self.held = False
        self.written = []

    def writeto(self, _address, data):
        if self.silent:
            raise OSError(19)
        self.written.append(data)

    def readfrom_mem(self, _address, register, _size):
        if self.silent or self.held:
            raise OSError(110 if self.held else 19)
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
        assert run(Ds18b20(wire), 2_000) == [Sensed("temperature_dc", tenths), Sensed("thermometer", 1)], raw
        assert wire.orders == [0xCC, 0x44, 0xCC, 0xBE]
    assert crc8(bytes([0x02, 0x1C, 0xB8, 0x01, 0, 0, 0])) == 0xA2, "Maxim's application note 27"


def test_a_ds18b20_that_is_gone_or_has_measured_nothing_tells_no_temperature_and_is_asked_again():
    assert run(Ds18b20(Wire(0x0550)), 2_000) == [Sensed("thermometer", PART_WELL)], "85 degrees at power-up"
    wire = Wire(0x0191)
    wire.there = False
    sensor = Ds18b20(wire)
    assert run(sensor, 2 * EVERY_MS) == [Sensed("thermometer", PART_SILENT)], "said once"
    wire.there = True
    assert run(sensor, 2 * CONVERT_MS, 2 * EVERY_MS) == [
        Sensed("temperature_dc", 251),
        Sensed("thermometer", PART_WELL),
    ]


def test_what_is_wrong_with_a_thermometer_shows_in_its_nine_bytes():
    of_ds18s20 = bytes([0x32, 0, 0x4B, 0x46, 0xFF, 0xFF, 0x0C, 0x10])
    for scratchpad, health in (
        (b"", PART_SILENT),
        (bytes([0xFF] * 9), PART_SILENT),
        (bytes(9), PART_STUCK),
        (bytes([0x91, 1, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10, 0]), PART_GARBLED),
        (of_ds18s20 + bytes([crc8(of_ds18s20)]), PART_WRONG),
    ):
        assert health_of(scratchpad) == health and tenths_of(scratchpad) is None


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
    assert run(meter, 60_000, 300_000) == [Sensed("meter", PART_SILENT)]
    bus.silent = False
    told = run(meter, 3_000, 400_000)
    assert [event.value for event in told if event.name == "energy_mwh"] == [4_059], "what nobody saw is not made up"


def test_a_meter_on_a_stuck_bus_or_of_another_kind_is_named_so():
    bus = I2c()
    bus.registers[0xFF] = 0x2271
    meter = Ina226(bus, 0x40, 2)
    assert run(meter, 3_000) == [Sensed("meter", PART_WRONG)] and bus.written == [], (
        "nothing is written into a stranger"
    )
    bus.held = True
    assert run(meter, 3_000, 3_000) == [Sensed("meter", PART_STUCK)]
    bus.held = False
    bus.registers[0xFF] = 0x2261  # a later revision
    assert Sensed("meter", PART_WELL) in run(meter, 3_000, 6_000)


def supply(bus, meter, start, readings):
    """Of the supply: what is told while these voltages are read, a second apart."""
    events = []
    for place in range(len(readings)):
        bus.registers[2] = (readings[place] * 4 + 4) // 5
        meter.gather(start + place * READ_MS, events)
    return [(event.name, event.value) for event in events if event.name in ("supply_mv", "supply_low")]


def test_a_locks_pulse_is_no_low_supply_and_one_that_stays_low_is_told_at_once_until_it_is_well_back():
    bus = I2c()
    meter = Ina226(bus, 0x40, 2)
    run(meter, 2 * READ_MS)
    sag, low, back = 8_000, SUPPLY_LOW_MV - 20, SUPPLY_BACK_MV
    pulses = [11_980, sag, 11_980, sag, sag, sag, sag, sag, sag, sag, 11_980] * 4
    now = 2 * READ_MS
    assert supply(bus, meter, now, pulses) == [], "seven readings in a row at the worst"
    now += len(pulses) * READ_MS
    assert supply(bus, meter, now, [low] * (STEADY - 1)) == []
    now += (STEADY - 1) * READ_MS
    assert supply(bus, meter, now, [sag]) == [("supply_mv", low), ("supply_low", 1)], "the highest of them"
    now += READ_MS
    assert supply(bus, meter, now, [SUPPLY_LOW_MV, sag, back - 20, sag] * 3) == [], (
        "between the two it stays as it was"
    )
    now += 12 * READ_MS
    assert supply(bus, meter, now, [back]) == [("supply_mv", back), ("supply_low", 0)]


def test_a_first_reading_in_a_locks_pulse_is_no_low_supply_and_a_low_one_is_known_after_eight():
    bus = I2c()
    meter = Ina226(bus, 0x40, 2)
    sag, low = 8_000, SUPPLY_LOW_MV - 20
    assert supply(bus, meter, 0, [sag] * STEADY) == [], "the first of them only sets it up"
    assert supply(bus, meter, STEADY * READ_MS, [11_980]) == [("supply_mv", 11_980)]
    meter = Ina226(bus, 0x40, 2)
    assert supply(bus, meter, 0, [low] * (STEADY + 1)) == [("supply_mv", low), ("supply_low", 1)]


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
    rig.do(Sensed("temperature_dc", -55))
    rig.wait(HEARTBEAT_MS)
    assert sorted(told(rig)[2:]) == [("tamper", 0), ("temperature_dc", -55)]
    rig.wait(HEARTBEAT_MS)
    assert sorted(told(rig)[4:]) == [("tamper", 0)], "a thermometer that says nothing any more has no temperature"


def test_an_opened_housing_is_told_at_once_and_a_temperature_with_it_or_with_the_heartbeat():
    rig = Rig()
    rig.connect()
    before = len(rig.flash.records)
    rig.do(Sensed("temperature_dc", 215))
    assert told(rig) == []
    rig.do(Sensed("tamper", 1))
    rig.do(Sensed("tamper", 1))
    assert sorted(told(rig)) == [("tamper", 1), ("temperature_dc", 215)] and len(rig.flash.records) == before, (
        "and nothing of it is journalled"
    )


def test_a_supply_that_sinks_is_told_as_it_is_now_and_a_low_one_is_not_lost_while_nobody_hears():
    rig = Rig()
    for mv, low in ((11_980, 0), (9_000, 1), (11_900, 0)):
        rig.do(Sensed("supply_mv", mv))
        rig.do(Sensed("supply_low", low))
    rig.connect()
    rig.wait(HEARTBEAT_MS)
    assert sorted(told(rig)) == [("supply_low", 1), ("supply_mv", 11_900)]
    rig.do(Sensed("supply_mv", 9_000))
    rig.do(Sensed("supply_low", 1))
    assert sorted(told(rig)[2:]) == [("supply_low", 1), ("supply_mv", 9_000)]

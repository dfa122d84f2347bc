"""Locks on a port expander and on shift registers, with the emulated chips, and every trap that they are known for:
both interpreters."""

from device.agent.events import ContentsSensed, DoorSensed, ModuleSensed
from device.drivers.locks.expander import CUT_OFF_SLACK_MS, Expander
from device.drivers.locks.guard import Guard
from device.drivers.locks.hc595 import Hc595
from device.drivers.locks.heard import LOSS_MS, Heard
from device.drivers.locks.mcp23017 import Mcp23017
from tools.locker.boards.hc595 import HC595
from tools.locker.boards.mcp23017 import BANK, GPPU, IOCON, IODIR, MCP23017, OLAT, SEQOP

ADDRESS = 0x21


class Metal:
    """Three doors: locks at 1, 2 and 3, their switches at 9, 10 and 11, what lies behind the first at 12."""

    def __init__(self):
        self.on = set()
        self.log = []
        self.open = set()
        self.empty = {12}

    def coil(self, channel, on):
        self.log.append((channel, on))
        (self.on.add if on else self.on.discard)(channel)

    def closed(self, channel):
        return channel not in self.open and channel not in self.empty


class Wire:
    """A pin of ours at a chip's: what it is set to, the chip is told."""

    def __init__(self, told):
        self.told = told

    def value(self, level):
        self.told(level)


class I2c:
    def __init__(self, *chips):
        self.chips = chips

    def _chip(self, address):
        for chip in self.chips:
            if chip.address == address:
                return chip
        raise OSError(19)

    def writeto(self, address, data):
        self._chip(address).transfer(data, 0)

    def readfrom_mem(self, address, register, size):
        return self._chip(address).transfer(bytes([register]), size)


class Spi:
    def __init__(self, chip):
        self.chip = chip

    def write(self, data):
        self.chip.shift(data)

    def write_readinto(self, data, came):
        came[:] = self.chip.shift(data)


class Rig:
    """A chip, its driver and the guard; `armed`: what the timer was told; `cut()`: as it fires."""

    def __init__(self, kind="mcp23017", checked=True, closed_when=1):
        self.metal = Metal()
        self.armed = []
        self.now = 0
        locks = {101: 1, 102: 2, 103: 3}
        if kind == "mcp23017":
            self.chip = MCP23017(ADDRESS, 16, self.metal)
            safe, level = Wire(self.chip.reset), 0
            heard = Heard(0, [(101, 9), (102, 10), (103, 11)], [(101, 12)], closed_when)
            self.driver = Mcp23017(I2c(self.chip), ADDRESS, safe, heard, {1: 9, 2: 10, 3: 11}, 0x0F00)
        else:
            self.chip = HC595(7, 16, self.metal)
            safe, level = Wire(self.chip.enable), 1
            self.driver = Hc595(Spi(self.chip), Wire(self.chip.latch), safe, 2, checked, Heard(0, [], [], 1))
        self.guard = Guard([Expander(self.driver, locks, safe, level, self.arm)])

    def arm(self, ms, action):
        assert not ms or not self.metal.on, "armed before the coil is energised"
        self.armed.append(ms)
        self.cut = lambda: action(None)

    def play(self, ms):
        events = []
        for _lap in range(ms // 10):
            self.now += 10
            self.guard.tick(self.now)
            self.driver.gather(self.now, events)
        return events

    def pulse(self, compartment):
        self.guard.pulse(self.now, compartment, 300)

    def fired(self):
        return [channel for channel, on in self.metal.log if on]


def doors(events):
    return [(event.compartment, event.closed) for event in events if type(event) is DoorSensed]


def faults(events):
    return [(event.fault, event.numbers) for event in events if type(event) is ModuleSensed]


KINDS = ("mcp23017", "hc595")


def test_a_pulse_reaches_the_ordered_lock_alone_and_ends_on_time():
    for kind in KINDS:
        rig = Rig(kind)
        rig.play(200)
        for compartment in (103, 101):
            rig.pulse(compartment)
            assert rig.metal.on == {compartment - 100}
            rig.play(290)
            assert rig.metal.on == {compartment - 100}, kind
            rig.play(20)
            assert rig.metal.on == set(), kind
            rig.play(200)
        assert rig.fired() == [3, 1] and rig.armed == [300 + CUT_OFF_SLACK_MS, 0] * 2


def test_a_loop_that_stands_still_has_its_coil_cut_off_by_one_wire_without_the_bus():
    for kind in KINDS:
        rig = Rig(kind)
        rig.play(200)
        rig.pulse(102)
        rig.chip.silent = True  # nothing that is sent on the bus arrives
        rig.cut()
        assert rig.metal.on == set(), kind
        rig.chip.silent = False
        rig.play(1_000)
        rig.pulse(103)
        assert rig.metal.on == {3}, "and it is set up anew for the next"


def test_a_bus_that_fails_in_the_midst_of_a_pulse_ends_it_all_the_same():
    for kind in KINDS:
        rig = Rig(kind)
        rig.play(200)
        rig.pulse(102)
        rig.chip.silent = True
        rig.play(310)
        assert rig.metal.on == set() and not rig.guard.busy, kind


def test_a_chip_that_does_not_answer_gets_no_pulse_and_the_guard_counts_it():
    rig = Rig()
    rig.play(200)
    rig.chip.silent = True
    rig.pulse(101)
    rig.play(200)
    assert rig.fired() == [] and rig.guard.refused == 1 and not rig.guard.busy


# ------------------------------------------------------------------ MCP23017
def test_an_expander_tells_its_doors_and_what_lies_inside_and_announces_the_sensor_first():
    rig = Rig()
    rig.metal.open = {10}
    events = rig.play(300)
    assert events[:2] == [ContentsSensed(101, None), ModuleSensed(0, "", [101, 102, 103])], "before any door"
    assert sorted(doors(events)) == [(101, True), (102, False), (103, True)]
    assert ContentsSensed(101, False) in events
    rig.metal.open = {9}
    rig.metal.empty = set()
    events = rig.play(200)
    assert sorted(doors(events)) == [(101, False), (102, True)] and ContentsSensed(101, True) in events
    assert sorted(doors(Rig(closed_when=0).play(300))) == [(101, False), (102, False), (103, False)]


def test_between_pulses_every_pin_is_an_input_and_in_one_only_the_ordered_is_not():
    """So one damaged write opens nothing."""
    rig = Rig()
    rig.play(200)
    for damaged in (bytes([OLAT, 0xFF, 0xFF]), bytes([IODIR, 0, 0])):
        rig.chip.write(damaged)
        assert rig.metal.on == set()
        rig.play(200)  # and the polls find it
        assert rig.chip.transfer(bytes([IODIR]), 2) == b"\xff\xff"
        assert rig.chip.transfer(bytes([OLAT]), 2) == b"\x00\x00"
    rig.pulse(102)
    rig.chip.write(bytes([IODIR, 0, 0]))
    assert rig.metal.on == {2}
    rig.play(100)
    assert rig.metal.on == set(), "what is not as it was set ends the pulse"


def test_an_opening_that_came_over_damaged_opens_nothing():
    rig = Rig()
    rig.play(200)
    rig.chip.damage = lambda data: bytes([OLAT, 4, 0]) if data == bytes([OLAT, 2, 0]) else data
    rig.pulse(102)
    assert rig.metal.on == set() and not rig.play(100) and rig.guard.refused == 1


def test_a_chip_that_its_supply_reset_calls_no_door_closed_and_is_set_up_anew():
    """Without its pull-ups every input reads low, which is what a closed door reads."""
    rig = Rig()
    rig.metal.open = {9, 10, 11}
    assert len(doors(rig.play(300))) == 3
    for _cut in range(5):
        rig.chip.power_on()
        assert doors(rig.play(170)) == []
    assert rig.chip.transfer(bytes([GPPU]), 2) == b"\x00\x0f"
    rig.pulse(101)
    rig.chip.power_on()
    assert rig.metal.on == set()
    rig.play(400)
    rig.pulse(101)
    assert rig.metal.on == {1}, "and the next try reaches its lock"


def test_a_chip_left_in_its_other_layout_of_registers_is_brought_back():
    for left in (BANK, SEQOP, BANK | SEQOP):
        rig = Rig()
        rig.chip.reset(1)
        rig.chip.write(bytes([IOCON, left]))
        assert len(doors(rig.play(300))) == 3, left
        rig.chip.write(bytes([IOCON, left]))
        assert doors(rig.play(300)) == [] and faults(rig.play(2_000)) == [], "also in the midst of its day"
        rig.pulse(103)
        assert rig.metal.on == {3}, left


def test_another_address_is_another_chip_and_a_lost_one_takes_out_its_own_doors_until_it_is_back():
    rig = Rig()
    rig.play(300)
    rig.chip.address = 0x22
    events = rig.play(2_000)
    assert faults(events) == [("silent", [101, 102, 103])] and doors(events) == [] and LOSS_MS < 2_000
    rig.chip.address = ADDRESS
    events = rig.play(1_000)
    assert type(events[1]) is ModuleSensed and faults(events) == [("", [101, 102, 103])]
    assert len(doors(events)) == 3, "every door is told again"


def test_a_door_seen_before_its_pulse_says_nothing_after_it():
    rig = Rig()
    rig.metal.open = {10}
    rig.play(300)
    rig.metal.open = set()
    rig.play(50)  # one answer says closed
    rig.pulse(102)
    assert doors(rig.play(50)) == [], "two later ones are needed"
    assert doors(rig.play(100)) == [(102, True)]


# ------------------------------------------------------------------ 74HC595
def test_what_stands_in_the_registers_at_power_up_or_after_a_dip_of_their_supply_reaches_no_lock():
    for checked in (True, False):
        rig = Rig("hc595", checked)
        for _time in range(20):
            rig.chip.power_on()
            rig.play(100)
        assert rig.metal.log == []
        rig.pulse(103)
        rig.chip.power_on()
        assert rig.metal.on == set()
        rig.play(1_000)
        assert rig.fired() == [3], checked


def test_a_clear_of_the_registers_in_a_pulse_moves_no_other_lock_and_the_next_pulse_is_whole():
    rig = Rig("hc595")
    rig.play(100)
    rig.pulse(102)
    rig.chip.clear(0)
    assert rig.metal.on == {2}, "it empties what is shifted, not what is on: ending a pulse needs OE and the latch"
    rig.play(1_000)
    assert rig.metal.on == set()
    rig.pulse(101)
    assert rig.metal.on == {1} and rig.fired() == [2, 1]


def test_a_row_that_came_over_damaged_reaches_no_lock_where_it_can_be_read_back():
    rig = Rig("hc595")
    rig.play(100)
    rig.chip.damage = lambda data: bytes([data[0] ^ 8]) + data[1:]
    rig.pulse(102)
    rig.play(100)
    assert rig.fired() == [] and rig.guard.refused == 1


def test_a_chain_that_is_gone_is_told_where_it_can_be_read_back_and_takes_no_door_with_it():
    rig = Rig("hc595")
    assert faults(rig.play(1_000)) == [("", [])]
    rig.chip.silent = True
    assert faults(rig.play(2_500)) == [("silent", [])]
    rig.chip.silent = False
    assert faults(rig.play(2_000)) == [("", [])]
    assert rig.metal.log == [], "asking lights nothing"
    assert Rig("hc595", checked=False).play(2_000) == []

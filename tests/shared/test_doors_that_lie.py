"""Doors, locks and wires that do not do what they say: what the locker makes of each, and whom it tells what."""

from rig import Rig
from test_agent_deposit import assign, courier_at
from test_agent_pickup import locker_with_parcel
from tokens_of_rig import COURIER_TOKEN

from device.agent import door
from device.agent import events as on
from device.agent.books import OUT, QUARANTINED
from device.drivers.doors import SAMPLE_MS, DoorSwitches
from protocol import messages, numbers
from protocol.limits import PULSE_MS, PULSE_RETRY_MS


class Switch:
    def __init__(self) -> None:
        self.level = 0

    def value(self) -> int:
        return self.level


def collections(rig: Rig) -> "list[object]":
    return [event for event in rig.flash.events() if isinstance(event, messages.Collected)]


def quarantined(rig: Rig, number: int) -> bool:
    return rig.agent.books.has(number - 1, QUARANTINED)


# ------------------------------------------------------------------ a glimpse of open
def test_a_switch_that_was_open_for_less_than_it_takes_to_believe_it_is_told_as_it_was():
    switch = Switch()
    switches = DoorSwitches([(4, switch)], 0)
    events: "list[object]" = []
    for lap in range(12):
        switch.level = 1 if lap == 6 else 0
        switches.gather(lap * SAMPLE_MS, events)
    assert events == [on.DoorSensed(4, True)] * 2


def test_a_door_pushed_shut_at_once_gets_no_second_pulse_and_its_code_stays_good():
    """One more pulse would open a door that nobody may stand at any more."""
    rig = locker_with_parcel()
    rig.jammed.add(2)  # nobody sensed it open
    pulses = len(rig.pulses)
    rig.keys(rig.code(2, 1))
    rig.do(on.DoorSensed(2, True))  # what the switches tell of a glimpse
    rig.wait(10 * PULSE_RETRY_MS)
    assert rig.pulses[pulses:] == [2] and not collections(rig)
    assert rig.screens.count("door_jammed") == 1 and quarantined(rig, 2)
    rig.jammed.clear()
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert collections(rig) == [messages.Collected(2, 1)]


def test_glimpses_of_a_closed_door_are_no_flapping():
    rig = locker_with_parcel()
    for _ in range(30):
        rig.do(on.DoorSensed(2, True))
    assert rig.agent.doors.states[1] == door.CLOSED


# ------------------------------------------------------------------ power
def test_a_pickup_that_power_cut_before_the_door_opened_is_over_once_the_door_was_seen_shut():
    rig = locker_with_parcel()
    rig.jammed.add(2)
    rig.keys(rig.code(2, 1))
    rig.power_on()  # between pulse and door
    assert rig.pulses[-1] == 2 and rig.pulses.count(2) == 2, "no pulse by itself"
    rig.wait(3_600_000)
    rig.power_on()
    rig.closed[2] = False  # forced in the dark, much later
    rig.power_on()
    rig.push(2)
    assert not collections(rig), "forced is not collected"
    assert rig.agent.books.holdings[1] == numbers.HELD and quarantined(rig, 2)
    rig.jammed.clear()
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert collections(rig) == [messages.Collected(2, 1)]


# ------------------------------------------------------------------ wires of two doors swapped
def test_where_another_door_opens_the_ordered_one_gets_no_more_pulses_for_ever():
    rig = locker_with_parcel()
    rig.deposit(3, 78)
    rig.keys("*")
    rig.wires = {2: 3, 3: 2}
    pulses = len(rig.pulses)
    rig.keys(rig.code(2, 1))
    assert rig.screen == ("wrong_door", ("3",))
    rig.wait(3 * PULSE_RETRY_MS)
    rig.push(3)
    assert rig.agent.doors.states[1] == door.OUT_OF_SERVICE and quarantined(rig, 3)
    told = rig.gateway.heard(messages.DoorFaulted)
    assert told[-2:] == [
        messages.DoorFaulted(3, door.FORCED, True),
        messages.DoorFaulted(2, door.OUT_OF_SERVICE, True),
    ]
    for _start in range(2):
        rig.wait(20_000)
        rig.keys(rig.code(2, 1))
        assert rig.screen == ("door_out_of_service", ("2",))
        assert rig.pulses[pulses:] == [2] and not collections(rig)
        rig.power_on()
    rig.connect()
    rig.say(rig.gateway.say(messages.OutOfService(2, False), ttl_s=86_400))
    rig.wires = {}
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert collections(rig) == [messages.Collected(2, 1)], "the wires are mended and the code is still good"


def test_a_courier_before_the_wrong_door_is_told_and_asked_for_the_label_again():
    rig = locker_with_parcel(3)
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.wires = {1: 3}
    rig.do(on.Scanned(b"PARCEL-2"))
    requests = rig.gateway.heard(messages.DepositRequested)
    assign(rig, 1, 99)
    assert rig.screen == ("wrong_door", ("3",))
    assert messages.DepositAbandoned(1, 1, 99, numbers.WRONG_BOX) in rig.flash.events()
    assert rig.agent.books.has(0, OUT) and rig.agent.books.holdings[2] == numbers.HELD
    rig.push(3)
    rig.do(on.Scanned(b"PARCEL-2"))
    assert len(rig.gateway.heard(messages.DepositRequested)) == len(requests) + 1


# ------------------------------------------------------------------ relays and sensors that stick
def test_a_welded_relay_is_reported_at_once_whenever_its_door_opens_by_itself():
    rig = locker_with_parcel()
    rig.keys(rig.code(2, 1))
    rig.push(2)
    since = rig.now
    rig.pull(2)  # its coil is still on
    rig.wait(1_000)
    assert messages.DoorFaulted(2, door.FORCED, True) in rig.gateway.heard(messages.DoorFaulted)
    assert rig.now - since < 10_000 and quarantined(rig, 2)
    for _ in range(6):
        rig.push(2)
        rig.pull(2)
    assert rig.agent.doors.states[1] == door.FAULTY


def test_a_sensor_stuck_closed_keeps_its_code_and_its_quarantine():
    rig = locker_with_parcel()
    rig.mute.add(2)
    for _ in range(2):
        pulses = len(rig.pulses)
        rig.keys(rig.code(2, 1))
        rig.wait(3 * PULSE_RETRY_MS + 1)
        assert rig.pulses[pulses:] == [2, 2, 2] and rig.screen == ("door_jammed", ("2",))
        rig.wait(120_000)
    assert not collections(rig) and quarantined(rig, 2)


def test_a_sensor_stuck_open_strands_nobody():
    rig = locker_with_parcel()
    rig.closed[2] = False  # so it says, from the start on
    rig.power_on()
    assert quarantined(rig, 2)
    pulses = len(rig.pulses)
    rig.keys(rig.code(2, 1))
    assert rig.pulses[pulses:] == [2], "the door is shut, whatever its sensor says"
    rig.wait(600_000)
    assert not collections(rig) and rig.pulses[pulses:] == [2]


def test_a_sensor_that_is_late_by_one_try_is_believed():
    rig = locker_with_parcel()
    rig.mute.add(2)
    pulses = len(rig.pulses)
    rig.keys(rig.code(2, 1))
    rig.wait(PULSE_RETRY_MS + PULSE_MS)
    rig.pull(2)
    rig.push(2)
    assert rig.pulses[pulses:] == [2, 2] and collections(rig) == [messages.Collected(2, 1)]


def test_a_jammed_deposit_door_that_its_courier_pulls_open_was_not_forced():
    rig = courier_at(Rig())
    rig.jammed.add(1)
    rig.do(on.Scanned(b"PARCEL-1"))
    assign(rig, 1, 99)
    rig.wait(3 * PULSE_RETRY_MS + 1)
    rig.pull(1)
    rig.push(1)
    faults = [event.state for event in rig.flash.events() if isinstance(event, messages.DoorFaulted)]
    assert faults == [door.JAMMED] and quarantined(rig, 1)

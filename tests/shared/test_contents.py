"""Compartments with an occupancy sensor: what it says together with the door, and against the books."""

from rig import Rig
from test_agent_deposit import assign, courier_at
from tokens_of_rig import COURIER_TOKEN

from device.agent import door
from device.agent import events as on
from device.agent.books import QUARANTINED
from protocol import messages, numbers
from protocol.limits import CONTENTS_SETTLE_MS, COURIER_IDLE_MS, DOOR_FLAPS_MAX
from protocol.numbers import MISSING, SENSOR_FAULTY, UNEXPECTED

SETTLED = CONTENTS_SETTLE_MS + 1


def watched_locker() -> Rig:
    """A courier stands there and has scanned a label."""
    rig = courier_at(Rig(watched={1, 2}))
    rig.do(on.Scanned(b"PARCEL-1"))
    return rig


def with_parcel(number: int = 2) -> Rig:
    rig = watched_locker()
    assign(rig, number)
    rig.put(number, True)
    rig.push(number)
    rig.wait(SETTLED)
    rig.keys("*")
    rig.wait(10_000)
    return rig


def those(rig: Rig, kind: type) -> "list[object]":
    return [event for event in rig.flash.events() if isinstance(event, kind)]


def is_quarantined(rig: Rig, number: int) -> bool:
    return rig.agent.books.has(number - 1, QUARANTINED)


# ------------------------------------------------------------------ deposits
def test_a_deposit_is_one_when_the_door_closed_and_the_sensor_says_full():
    rig = watched_locker()
    assign(rig, 2)
    rig.push(2)
    assert not those(rig, messages.Deposited), "the sensor may be later than the switch"
    rig.wait(CONTENTS_SETTLE_MS // 2)
    rig.put(2, True)
    rig.wait(SETTLED)
    assert those(rig, messages.Deposited) == [messages.Deposited(2, 1, 77)]
    assert rig.screen == ("deposited", ("2",))


def test_a_deposit_closed_empty_is_opened_again_by_its_courier():
    rig = watched_locker()
    assign(rig, 2)
    rig.push(2)
    rig.wait(SETTLED)
    assert rig.screen == ("deposit_empty", ("2",)) and not those(rig, messages.Deposited)
    rig.keys("#")
    assert rig.pulses == [2, 2] and rig.screen == ("deposit_open", ("2",))
    rig.put(2, True)
    rig.push(2)
    rig.wait(SETTLED)
    assert those(rig, messages.Deposited) == [messages.Deposited(2, 1, 77)]


def test_a_deposit_closed_empty_is_cancelled_by_its_courier_and_the_compartment_is_free():
    rig = watched_locker()
    assign(rig, 2)
    rig.push(2)
    rig.wait(SETTLED)
    rig.keys("*")
    assert those(rig, messages.DepositAbandoned) == [messages.DepositAbandoned(2, 1, 77, numbers.WRONG_BOX)]
    assert rig.agent.books.holdings[1] == numbers.FREE and not is_quarantined(rig, 2)
    rig.do(on.Scanned(b"PARCEL-1"))
    assign(rig, 2)
    assert rig.pulses == [2, 2]


def test_nothing_is_guessed_when_the_courier_leaves_a_deposit_that_seems_empty():
    rig = watched_locker()
    assign(rig, 2)
    rig.push(2)
    rig.wait(SETTLED + COURIER_IDLE_MS)
    assert rig.screen[0] == "welcome"
    assert those(rig, messages.ContentsDoubted) == [messages.ContentsDoubted(2, MISSING)]
    assert is_quarantined(rig, 2) and those(rig, messages.DepositAbandoned)


def test_too_small_does_not_give_a_deposit_away_whose_sensor_is_still_being_asked():
    rig = watched_locker()
    assign(rig, 2)
    rig.put(2, True)
    rig.push(2)
    rig.keys("B")
    rig.wait(SETTLED)
    assert those(rig, messages.Deposited) and not those(rig, messages.DepositAbandoned)


def test_a_compartment_that_senses_something_is_given_to_nobody():
    rig = watched_locker()
    rig.put(2, True)
    assign(rig, 2)
    assert rig.pulses == []


def test_a_door_forced_before_its_deposit_was_believed_ends_the_deposit_and_serves_the_courier_on():
    for waited in (10, SETTLED):
        rig = watched_locker()
        assign(rig, 2)
        rig.push(2)
        rig.wait(waited)
        rig.pull(2)
        assert those(rig, messages.DepositAbandoned) and is_quarantined(rig, 2)
        assert rig.gateway.heard(messages.DepositRequested)[-1].reason == numbers.JAMMED, "another is asked for"
        rig.push(2)
        rig.wait(2 * COURIER_IDLE_MS)
        assert not those(rig, messages.Deposited) and rig.screen[0] == "welcome"


# ------------------------------------------------------------------ pickups
def test_a_pickup_whose_parcel_is_still_inside_is_not_collected_and_its_code_stays_good():
    rig = with_parcel()
    for _ in range(2):
        rig.keys(rig.code(2, 1))
        rig.push(2)
        rig.wait(SETTLED)
        assert rig.screen == ("still_inside", ("2",)) and not those(rig, messages.Collected)
        assert rig.agent.books.holdings[1] == numbers.HELD and not is_quarantined(rig, 2)
    rig.keys(rig.code(2, 1))
    rig.put(2, False)
    rig.push(2)
    rig.wait(SETTLED)
    assert those(rig, messages.Collected) == [messages.Collected(2, 1)]
    assert rig.screen == ("collected", ("2",))


def test_a_sensor_that_is_later_than_the_door_is_waited_for():
    rig = with_parcel()
    rig.keys(rig.code(2, 1))
    rig.push(2)
    rig.wait(CONTENTS_SETTLE_MS - 10)
    rig.put(2, False)
    rig.wait(SETTLED)
    assert those(rig, messages.Collected) and "still_inside" not in rig.screens


def test_something_left_inside_after_a_reopening_is_in_the_way_of_the_next_deposit():
    rig = with_parcel()
    rig.keys(rig.code(2, 1))
    rig.put(2, False)
    rig.push(2)
    rig.wait(SETTLED)
    rig.keys(rig.code(2, 1))
    rig.put(2, True)
    rig.push(2)
    rig.wait(SETTLED)
    assert those(rig, messages.ContentsDoubted) == [messages.ContentsDoubted(2, UNEXPECTED)]
    assert is_quarantined(rig, 2)


# ------------------------------------------------------------------ power
def decided(rig: Rig) -> "list[object]":
    kinds = (messages.Deposited, messages.Collected, messages.ContentsDoubted, messages.DepositAbandoned)
    return [event for event in rig.flash.events() if isinstance(event, kinds)]


def test_a_power_cut_while_the_sensor_is_asked_changes_no_decision():
    for act in ("deposit", "pickup"):
        for full in (False, True):
            outcomes: "list[object]" = []
            for cut in (False, True):
                rig = with_parcel() if act == "pickup" else watched_locker()
                if act == "pickup":
                    rig.keys(rig.code(2, 1))
                else:
                    assign(rig, 2)
                rig.put(2, full)
                rig.push(2)
                if cut:
                    rig.power_on()
                rig.wait(SETTLED + COURIER_IDLE_MS)
                outcomes.append((decided(rig), rig.agent.books.holdings[1], is_quarantined(rig, 2)))
            assert outcomes[0] == outcomes[1], (act, full)


def test_a_cut_at_every_effect_of_a_watched_deposit_and_pickup_loses_and_invents_nothing():
    def story(rig: Rig) -> None:
        rig.online = True
        rig.wait(5_000)
        rig.do(on.Scanned(COURIER_TOKEN.encode()))
        rig.do(on.Scanned(b"PARCEL"))
        if rig.gateway.heard(messages.DepositRequested) and not rig.dead:
            assign(rig, 2)
        if not rig.closed[2]:
            rig.put(2, True)
            rig.push(2)
        rig.wait(SETTLED)
        rig.keys("*" + rig.code(2, 1))
        if not rig.closed[2]:
            rig.put(2, False)
            rig.push(2)
        rig.wait(SETTLED)

    rig = Rig(watched={1, 2})
    rig.cut_at = 1_000_000
    story(rig)
    count = 1_000_000 - rig.cut_at
    assert count > 30
    for cut in range(count):
        rig = Rig(watched={1, 2})
        rig.cut_at = cut
        story(rig)
        rig.power_on()
        if not rig.closed[2]:
            rig.push(2)
        rig.wait(10_000)
        held, there = rig.agent.books.holdings[1] == numbers.HELD, 2 in rig.inside
        assert held == there or is_quarantined(rig, 2), cut
        assert not (there and those(rig, messages.Collected)), cut


# ------------------------------------------------------------------ against the books
def test_a_parcel_that_is_gone_without_an_opening_is_an_alarm_across_restarts():
    rig = with_parcel()
    rig.put(2, False)
    rig.wait(SETTLED)
    assert rig.gateway.heard(messages.ContentsDoubted) == [messages.ContentsDoubted(2, MISSING)]
    rig.power_on()
    rig.wait(SETTLED)
    assert is_quarantined(rig, 2) and len(those(rig, messages.ContentsDoubted)) == 1, "said once"


def test_something_in_a_free_compartment_keeps_it_from_being_offered_until_a_person_cleared_it():
    rig = Rig(watched={1, 2})
    rig.inside.add(1)
    rig.power_on()
    rig.connect()
    rig.wait(SETTLED)
    assert those(rig, messages.ContentsDoubted) == [messages.ContentsDoubted(1, UNEXPECTED)]
    rig.say(rig.gateway.say(messages.Release(1), ttl_s=86_400))
    rig.wait(SETTLED)
    assert len(those(rig, messages.ContentsDoubted)) == 2 and is_quarantined(rig, 1), "it still is not empty"
    rig.put(1, False)
    rig.say(rig.gateway.say(messages.Release(1), ttl_s=86_400))
    rig.wait(SETTLED)
    assert not is_quarantined(rig, 1)


def test_a_door_that_is_first_seen_long_after_its_sensor_has_its_contents_asked_then():
    rig = Rig(watched={1})
    rig.agent.doors.states[0] = door.UNKNOWN
    rig.put(1, True)
    rig.wait(10 * SETTLED)
    assert not those(rig, messages.ContentsDoubted), "nothing is known of a door that was not seen"
    rig.do(on.DoorSensed(1, True))
    rig.wait(SETTLED)
    assert those(rig, messages.ContentsDoubted) == [messages.ContentsDoubted(1, UNEXPECTED)]


def test_a_flapping_sensor_is_said_to_be_faulty_and_ignored_until_cleared():
    rig = with_parcel()
    for change in range(2 * DOOR_FLAPS_MAX):
        rig.do(on.ContentsSensed(2, change % 2 == 1))
        rig.wait(100)
    rig.wait(SETTLED)
    assert those(rig, messages.ContentsDoubted) == [messages.ContentsDoubted(2, SENSOR_FAULTY)]
    assert not is_quarantined(rig, 2)
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert those(rig, messages.Collected), "as if there were no sensor"
    rig.say(rig.gateway.say(messages.Release(2), ttl_s=86_400))
    rig.do(on.ContentsSensed(2, True))
    rig.wait(SETTLED)
    assert those(rig, messages.ContentsDoubted)[-1] == messages.ContentsDoubted(2, UNEXPECTED)


def test_a_sensor_that_never_settles_is_faulty():
    rig = Rig()
    rig.do(on.ContentsSensed(1, None))
    rig.wait(SETTLED)
    assert those(rig, messages.ContentsDoubted) == [messages.ContentsDoubted(1, SENSOR_FAULTY)]


def test_what_a_sensor_says_while_the_door_is_open_is_no_contradiction():
    rig = with_parcel()
    rig.keys(rig.code(2, 1))
    rig.put(2, False)
    rig.wait(SETTLED)
    rig.put(2, True)
    rig.wait(SETTLED)
    assert not those(rig, messages.ContentsDoubted) and rig.agent.doors.states[1] == door.OPEN

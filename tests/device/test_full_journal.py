"""What a journal without an Ack does to the people in front: deposits end, pickups do not, and nobody eats their room.

The flash of these lockers is a list; how many records a real one holds is measured by tools.powercuts.
"""

import itertools

import pytest
from rig import Rig
from tokens_of_rig import COURIER_TOKEN

from device.agent import effects as do
from device.agent import events as on
from device.agent.books import QUARANTINED
from protocol import messages
from protocol.errors import number_of
from protocol.limits import (
    JOURNAL_COMMANDS_MAX,
    JOURNAL_GUESSES_MAX,
    JOURNAL_RESERVE_RECORDS,
    REOPENS_MAX,
    WRONG_CODE_REFILL_MS,
)
from protocol.numbers import HELD

TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000


def full(doors: int = 3, held: int = 2, reserve: int = JOURNAL_RESERVE_RECORDS - 1) -> Rig:
    """A locker with parcels behind its first doors, and so many records left beside what these need."""
    rig = Rig(list(range(1, doors + 1)))
    rig.connect()
    for number in range(1, held + 1):
        rig.deposit(number)
    rig.keys("*")
    rig.gateway.acknowledges = False
    rig.do(on.JournalMeasured(reserve + doors + 3 * held))
    return rig


def collect(rig: Rig, number: int) -> None:
    pulses = len(rig.pulses)
    rig.keys(rig.code(number, 1))
    assert rig.pulses[pulses:] == [number], rig.screen
    rig.push(number)


def events_since(rig: Rig, count: int) -> list[str]:
    return [type(event).__name__ for event in rig.flash.events()[count:]]


def test_every_parcel_inside_is_collected_from_the_room_that_was_kept_for_it():
    rig = full(doors=100, held=100, reserve=JOURNAL_RESERVE_RECORDS - JOURNAL_GUESSES_MAX + 1)
    before, free = len(rig.flash.records), rig.agent.ledger.journal_free
    for number in range(1, 101):
        rig.keys("*")
        collect(rig, number)
    taken = len(rig.flash.records) - before
    assert taken == 3 * 100
    assert rig.agent.ledger.journal_free == free - taken >= JOURNAL_RESERVE_RECORDS - JOURNAL_GUESSES_MAX


def test_deposits_are_refused_politely_and_the_courier_can_still_leave():
    rig = full()
    before = len(rig.flash.records)
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    assert rig.screen[0] == "journal_full"
    collect(rig, 1)
    assert events_since(rig, before) == ["PickupAuthorised", "DoorOpened", "Collected"]


def test_slamming_a_door_takes_nothing_of_the_reserve():
    rig = full()
    rig.pull(3)  # forced: once, because a person must look
    before = len(rig.flash.records)
    assert rig.agent.books.has(2, QUARANTINED)
    for _ in range(500):
        rig.push(3)
        rig.pull(3)
    rig.wait(600_000)
    assert events_since(rig, before) == []
    rig.push(3)
    collect(rig, 1)


def test_the_same_right_code_again_and_again_at_its_open_door_takes_nothing_of_the_reserve():
    rig = full()
    rig.keys(rig.code(1, 1))
    before = len(rig.flash.records)
    for _ in range(100):
        rig.keys(rig.code(1, 1))
        rig.wait(5_000)
    assert events_since(rig, before) == ["DoorFaulted"] or events_since(rig, before) == []
    rig.push(1)
    assert messages.Collected(1, 1) in rig.flash.events()


def test_re_opening_costs_one_record_and_ends_after_the_second_time():
    rig = full()
    collect(rig, 1)
    before = len(rig.flash.records)
    for _ in range(REOPENS_MAX):
        collect(rig, 1)
    rig.keys(rig.code(1, 1))
    assert rig.screen[0] == "code_used"
    assert events_since(rig, before) == ["PickupAuthorised"] * REOPENS_MAX


def test_wrong_codes_for_ten_years_leave_the_pickups_their_room():
    rig = full()
    ledger = rig.agent.ledger
    before = len(rig.flash.records)
    wrong = (rig.code(1, deposit) for deposit in itertools.count(100))
    for _ in range(TEN_YEARS_MS // WRONG_CODE_REFILL_MS):
        rig.keys(next(wrong))
        if rig.screen[0] == "throttled" and not ledger.has_room_for(messages.CodeRefused.TYPE):
            break
        rig.now += WRONG_CODE_REFILL_MS  # and the clock of nobody else
        rig.do(on.Ticked())
    assert rig.screen[0] == "throttled"
    days = rig.now / 86_400_000
    taken = len(rig.flash.records) - before
    assert taken <= JOURNAL_GUESSES_MAX and days > 240, (taken, days)
    after = len(rig.flash.records)
    rig.wait(10 * WRONG_CODE_REFILL_MS)
    assert len(rig.flash.records) == after, "nor does the bucket fill where no guess could be charged"


def test_a_restart_in_the_reserve_saves_nothing_and_what_follows_saves_only_itself():
    rig = full()
    before = len(rig.flash.records)
    rig.online = False
    for _ in range(50):
        rig.power_on()
        rig.do(on.JournalMeasured(JOURNAL_RESERVE_RECORDS - 1))
    collect(rig, 1)
    assert events_since(rig, before) == ["PickupAuthorised", "DoorOpened", "Collected"]


def test_a_captured_gateway_that_acknowledges_nothing_takes_its_share_and_no_more():
    rig = full()
    before = len(rig.flash.records)
    for _ in range(JOURNAL_COMMANDS_MAX + 200):
        rig.say(rig.gateway.say(messages.Identify()))
        rig.wait(1_100)
    assert JOURNAL_COMMANDS_MAX - 10 < len(rig.flash.records) - before <= JOURNAL_COMMANDS_MAX
    assert messages.MessageRefused(number_of("journal_full")) in rig.gateway.heard(messages.MessageRefused)
    rig.keys("*")
    collect(rig, 1)


def test_a_jammed_door_is_tried_until_the_reserve_ends_and_the_others_keep_what_is_theirs():
    rig = full(doors=3, held=3, reserve=JOURNAL_RESERVE_RECORDS - JOURNAL_GUESSES_MAX + 20)
    rig.jammed.add(1)
    for _ in range(40):
        rig.keys(rig.code(1, 1))
        rig.wait(30_000)
    assert rig.screen[0] == "throttled" or not rig.agent.ledger.has_room_for(messages.CodeRefused.TYPE)
    assert rig.agent.books.holdings[0] == HELD
    assert rig.agent.ledger.journal_free >= 3 + 3 * 3


@pytest.mark.parametrize("left", [0, 1, 2])
def test_where_not_even_one_pickup_fits_no_door_opens_and_nothing_is_half_done(left: int):
    rig = full()
    rig.do(on.JournalMeasured(left))
    before = len(rig.flash.records)
    rig.keys(rig.code(1, 1))
    assert rig.screen[0] == "throttled"
    assert rig.pulses[-1] == 2 and len(rig.flash.records) == before
    rig.do(on.JournalMeasured(100_000))
    rig.wait(60_000)
    collect(rig, 1)


def test_a_start_without_network_needs_no_record_at_all():
    """However many: a hundred thousand of them on a real flash are in tools.powercuts."""
    rig = Rig()
    for _ in range(200):
        rig.power_on()
        rig.wait(2_000)
    assert rig.flash.records == [] and rig.agent.boot == 201


def test_the_gateway_is_told_of_a_start_as_soon_as_it_listens_and_once():
    rig = Rig()
    rig.connect()
    rig.wait(60_000)
    rig.do(on.LinkClosed("reset"))
    rig.connect()
    assert [type(event).__name__ for event in rig.flash.events()] == ["Booted"]


def test_openings_commanded_before_a_restart_count_as_just_now_though_no_boot_is_journalled():
    rig = Rig()
    rig.connect()
    rig.wait(3_000_000)
    for _ in range(10):
        rig.say(rig.gateway.say(messages.Open(1, "look")))
        rig.push(1)
    rig.power_on()
    rig.power_on()
    assert rig.agent.books.opens_ms == [0] * 10
    rig.connect()
    rig.say(rig.gateway.say(messages.Open(1, "look")))
    assert rig.flash.events()[-1].code == number_of("rate_limited")  # type: ignore[attr-defined]
    rig.wait(3_600_000)
    pulses = len(rig.pulses)
    rig.say(rig.gateway.say(messages.Open(1, "look")))
    assert len(rig.pulses) == pulses + 1


def test_a_record_that_rotted_before_it_was_sent_does_not_hold_up_those_after_it():
    rig = Rig()
    rig.keys(rig.code(1, 100))
    rig.pull(1)
    rig.push(1)
    rig.pull(2)
    rotten = {2}
    perform = rig._wire

    def wire(effect: object) -> None:
        if isinstance(effect, do.ReadJournal):
            last = min(effect.first + effect.count, len(rig.flash.records) + 1)
            records = [rig.flash.records[seq - 1] for seq in range(effect.first, last) if seq not in rotten]
            rig._queue.append(on.JournalRead(effect.first, records))
        else:
            perform(effect)

    rig._wire = wire  # type: ignore[method-assign]
    rig.connect()
    rig.wait(120_000)
    heard = [up for up in rig.gateway.up if up.seq]
    assert [up.seq for up in heard] == list(range(1, len(rig.flash.records) + 1))
    assert heard[1].event == messages.ServiceActed("journal", "lost record")

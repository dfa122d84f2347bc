"""A customer at the locker: codes typed and shown, doors that open, jam, stay open or are forced."""

from rig import Rig
from tokens_of_rig import FOREIGN_LOCKER_TOKEN, FOREIGN_SIGNER_TOKEN, PICKUP_TOKEN

from device.agent import door
from device.agent import events as on
from protocol import messages, numbers
from protocol.limits import JOURNAL_RESERVE_RECORDS, PULSE_RETRY_MS, REOPEN_MS, WRONG_CODE_BUCKET, WRONG_CODE_PAUSE_MS


def locker_with_parcel(number: int = 2) -> Rig:
    """A parcel lies in `number` as its deposit 1; nobody is at the locker any more."""
    rig = Rig()
    rig.connect()
    rig.deposit(number)
    rig.keys("*")
    rig.screens.clear()
    return rig


def test_the_right_code_opens_its_door_and_closing_it_collects():
    rig = locker_with_parcel()
    pulses = len(rig.pulses)
    rig.keys(rig.code(2, 1))
    assert rig.pulses[pulses:] == [2]
    assert "take_parcel" in rig.screens
    rig.push(2)
    assert rig.screen == ("collected", ("2",))
    assert rig.flash.events()[-1] == messages.Collected(2, 1)
    assert rig.gateway.heard(messages.Collected) == [messages.Collected(2, 1)]


def test_the_token_opens_the_same_door():
    rig = locker_with_parcel()
    rig.do(on.Scanned(PICKUP_TOKEN.encode()))
    assert rig.pulses[-1] == 2
    rig.push(2)
    assert rig.flash.events()[-1] == messages.Collected(2, 1)


def test_a_pickup_needs_no_network_no_clock_and_no_past():
    flash = locker_with_parcel().flash
    rig = Rig(flash=flash)
    assert not rig.online and rig.agent.link.wall_s(rig.now) is None
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert rig.flash.events()[-1] == messages.Collected(2, 1)


def test_a_typo_costs_nothing_and_is_no_guess():
    rig = locker_with_parcel()
    code = rig.code(2, 1)
    typo = code[:4] + str((int(code[4]) + 1) % 10) + code[5:]
    before = len(rig.flash.records)
    rig.keys(typo)
    assert rig.screen[0] == "typo" and len(rig.flash.records) == before
    rig.keys(code)
    assert rig.pulses[-1] == 2


def test_a_wrong_code_costs_a_try_that_is_saved_and_a_pause():
    rig = locker_with_parcel()
    wrong = rig.code(2, 9)
    rig.keys(wrong)
    assert rig.screen[0] == "wrong_code"
    assert isinstance(rig.flash.events()[-1], messages.CodeRefused)
    assert rig.agent.books.bucket == WRONG_CODE_BUCKET - 1
    pulses = len(rig.pulses)
    rig.keys(rig.code(2, 1))
    assert len(rig.pulses) == pulses, "typed in the pause"
    rig.wait(WRONG_CODE_PAUSE_MS + 1)
    rig.keys(rig.code(2, 1))
    assert rig.pulses[-1] == 2 and len(rig.pulses) == pulses + 1


def test_an_empty_bucket_closes_the_keypad_across_restarts_but_never_the_scanner():
    rig = locker_with_parcel()
    for deposit in range(2, 2 + WRONG_CODE_BUCKET):
        rig.keys(rig.code(2, deposit + 10))
        rig.wait(WRONG_CODE_PAUSE_MS + 1)
    rig = Rig(flash=rig.flash)
    rig.wait(WRONG_CODE_PAUSE_MS + 1)
    rig.keys(rig.code(2, 1))
    assert rig.screen[0] == "throttled" and not rig.pulses
    rig.do(on.Scanned(PICKUP_TOKEN.encode()))
    assert rig.pulses == [2]


def test_the_bucket_refills_by_uptime_alone():
    rig = locker_with_parcel()
    rig.keys(rig.code(2, 30))
    rig.wait(8 * 3_600_000 + 10_000)
    assert rig.agent.books.bucket == WRONG_CODE_BUCKET
    assert [event for event in rig.flash.events() if isinstance(event, messages.BucketRefilled)]


def test_a_used_code_reopens_twice_within_three_minutes_and_then_never():
    rig = locker_with_parcel()
    code = rig.code(2, 1)
    rig.keys(code)
    rig.push(2)
    pulses = len(rig.pulses)
    for reopened in (1, 2):
        rig.keys(code)
        assert len(rig.pulses) == pulses + reopened
        rig.push(2)
        assert rig.screen == ("collected", ("2",))
    rig.keys(code)
    assert rig.screen[0] == "code_used" and len(rig.pulses) == pulses + 2
    assert rig.agent.books.bucket == WRONG_CODE_BUCKET, "a used code is no guess"


def test_a_used_code_opens_nothing_after_three_minutes():
    rig = locker_with_parcel()
    code = rig.code(2, 1)
    rig.keys(code)
    rig.push(2)
    rig.wait(REOPEN_MS + 1)
    pulses = len(rig.pulses)
    rig.keys(code)
    assert rig.screen[0] == "code_used" and len(rig.pulses) == pulses


def test_a_used_code_never_opens_the_next_customers_parcel():
    rig = locker_with_parcel()
    code = rig.code(2, 1)
    rig.keys(code)
    rig.push(2)
    rig.deposit(2, 78)
    rig.keys("*")
    pulses = len(rig.pulses)
    rig.keys(code)
    assert rig.screen[0] == "code_used" and len(rig.pulses) == pulses


def test_a_jammed_door_is_reported_and_the_code_stays_good():
    rig = locker_with_parcel()
    rig.jammed.add(2)
    pulses = len(rig.pulses)
    rig.keys(rig.code(2, 1))
    rig.wait(3 * PULSE_RETRY_MS + 1)
    assert rig.pulses[pulses:] == [2, 2, 2]
    assert rig.screen == ("door_jammed", ("2",))
    assert rig.flash.events()[-1] == messages.DoorFaulted(2, door.JAMMED, True)
    rig.jammed.clear()
    rig.wait(10_000)
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert messages.Collected(2, 1) in rig.flash.events()


def test_a_forced_door_is_quarantined_and_never_counts_as_collected():
    rig = locker_with_parcel()
    rig.pull(2)
    assert rig.flash.events()[-1] == messages.DoorFaulted(2, door.FORCED, True)
    rig.push(2)
    assert not [event for event in rig.flash.events() if isinstance(event, messages.Collected)]
    rig.keys(rig.code(2, 1))
    assert rig.pulses[-1] == 2, "the customer may still look"


def test_a_jammed_door_prised_open_an_hour_later_was_forced():
    rig = locker_with_parcel()
    rig.jammed.add(2)
    rig.keys(rig.code(2, 1))
    rig.wait(3_600_000)
    rig.pull(2)
    rig.push(2)
    assert not [event for event in rig.flash.events() if isinstance(event, messages.Collected)]
    assert messages.DoorFaulted(2, door.FORCED, True) in rig.flash.events()


def test_a_token_of_another_locker_or_another_signer_opens_nothing():
    rig = locker_with_parcel()
    pulses = len(rig.pulses)
    rig.do(on.Scanned(FOREIGN_LOCKER_TOKEN.encode()))
    assert rig.screen[0] == "wrong_locker"
    rig.do(on.Scanned(FOREIGN_SIGNER_TOKEN.encode()))
    assert rig.screen[0] == "token_refused"
    assert len(rig.pulses) == pulses


def test_scanner_noise_changes_nothing_but_the_screen():
    rig = locker_with_parcel()
    before = len(rig.flash.records)
    for noise in (b"", b"\x00\xff" * 40, b"%" * 900, PICKUP_TOKEN.encode()[:-9], b"\xc3("):
        rig.do(on.Scanned(noise))
    assert len(rig.flash.records) == before and rig.pulses == [2]


def test_a_flood_of_forged_tokens_does_not_fill_the_journal():
    rig = locker_with_parcel()
    before = len(rig.flash.records)
    for _ in range(50):
        rig.do(on.Scanned(FOREIGN_SIGNER_TOKEN.encode()))
        rig.wait(1_000)
    assert len(rig.flash.records) - before <= 2
    rig.do(on.JournalMeasured(JOURNAL_RESERVE_RECORDS - 1))
    before = len(rig.flash.records)
    rig.wait(60_000)
    rig.do(on.Scanned(FOREIGN_SIGNER_TOKEN.encode()))
    assert len(rig.flash.records) == before, "the reserve is for those who collect"


def test_a_code_of_sixteen_digits_needs_no_bucket():
    rig = Rig(digits=16)
    for deposit in range(WRONG_CODE_BUCKET + 2):
        rig.keys(rig.code(1, deposit + 1))
        assert rig.screen[0] == "wrong_code"
        rig.wait(WRONG_CODE_PAUSE_MS + 1)


def test_half_a_code_is_forgotten_when_its_typist_walks_away():
    rig = locker_with_parcel()
    code = rig.code(2, 1)
    rig.keys(code[:6])
    rig.wait(30_000)
    assert rig.screen[0] == "welcome"
    rig.keys(code[6:] + "#")
    assert rig.screen == ("short", ("6", "12"))


def test_a_door_forced_after_a_jam_is_not_collected_even_when_the_power_goes_meanwhile():
    rig = locker_with_parcel()
    rig.jammed.add(2)
    rig.keys(rig.code(2, 1))
    rig.wait(3_600_000)
    rig.pull(2)
    rig.power_on()
    rig.push(2)
    assert not [event for event in rig.flash.events() if isinstance(event, messages.Collected)]


def test_a_technician_may_open_the_jammed_door_that_a_customer_gave_up_on():
    rig = locker_with_parcel()
    rig.jammed.add(2)
    rig.keys(rig.code(2, 1))
    rig.wait(60_000)
    rig.jammed.clear()
    effects = []
    anna = messages.OpeningAuthorised(2, numbers.CONSOLE, "anna", None, None)
    assert rig.agent.openings.other(rig.now, rig.agent.books.place(2), anna, effects) == ""
    rig._perform(effects)
    rig.settle()
    rig.push(2)
    assert rig.flash.events()[-1] == messages.DoorClosed(2)
    assert rig.agent.books.holdings[1] == numbers.HELD, "the technician's opening collects nothing"


def test_a_door_taken_out_of_service_while_it_opens_collects_nothing_later():
    rig = locker_with_parcel()
    rig.jammed.add(2)
    rig.keys(rig.code(2, 1))
    rig.say(rig.gateway.say(messages.OutOfService(2, True), ttl_s=86_400))
    rig.say(rig.gateway.say(messages.OutOfService(2, False), ttl_s=86_400))
    rig.pull(2)
    rig.push(2)
    assert not [event for event in rig.flash.events() if isinstance(event, messages.Collected)]


def test_a_language_is_for_whoever_chose_it_and_the_next_person_is_greeted_as_everybody():
    rig = locker_with_parcel(2)
    rig.keys("A")
    assert rig.screen == ("language", ("",))
    rig.wait(19_000)
    assert rig.screens[-1] == "language"
    rig.wait(2_000)
    assert rig.screen[0] == "welcome", "nobody went on"
    rig.keys("A")
    rig.wait(19_000)
    rig.keys("1")
    rig.wait(2_000)
    assert rig.screen == ("typing", ("1",)), "somebody did"

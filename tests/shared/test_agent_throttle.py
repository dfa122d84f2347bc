"""What a guess costs, on every way to guess, across restarts and clocks; and what costs nothing."""

from rig import Rig
from tokens_of_rig import COURIER_TOKEN, PICKUP_TOKEN

from device.agent import events as on
from protocol import messages, numbers
from protocol.errors import number_of
from protocol.limits import WRONG_CODE_BUCKET, WRONG_CODE_PAUSE_MS

WRONG = number_of("wrong_code")


def locker_with_parcel(digits: int = 12) -> Rig:
    rig = Rig(digits=digits)
    rig.connect()
    rig.deposit(2)
    rig.keys("*")
    rig.pulses.clear()
    return rig


def refusals(rig: Rig) -> "list[messages.Message]":
    return [event for event in rig.flash.events() if isinstance(event, messages.CodeRefused)]


def guess(rig: Rig, channel: int, number: int) -> None:
    """A well-formed wrong code (or answer), by one of the ways there are."""
    if channel == numbers.KEYPAD:
        rig.keys(rig.code(3, 1_000 + number))
    elif channel == numbers.SCANNER:
        rig.do(on.Scanned(rig.code(3, 1_000 + number).encode()))
    else:
        rig.do(on.Typed(b"login eve\ranswer 000000000000\r"))


def test_every_way_to_guess_takes_from_one_bucket():
    rig = locker_with_parcel()
    ways = (numbers.KEYPAD, numbers.SCANNER, numbers.CONSOLE)
    for number in range(WRONG_CODE_BUCKET):
        guess(rig, ways[number % 3], number)
        rig.wait(WRONG_CODE_PAUSE_MS + 1)
    assert refusals(rig) == [
        messages.CodeRefused(ways[number % 3], WRONG, WRONG_CODE_BUCKET - 1 - number)
        for number in range(WRONG_CODE_BUCKET)
    ]
    for channel in ways:
        guess(rig, channel, 99)
    assert len(refusals(rig)) == WRONG_CODE_BUCKET and b"ERR throttled" in rig.written
    assert rig.screen[0] == "throttled"
    rig.do(on.Scanned(rig.code(2, 1).encode()))
    rig.keys(rig.code(2, 1))
    assert rig.pulses == [], "typed codes are closed, even the right one"
    rig.do(on.Scanned(PICKUP_TOKEN.encode()))
    assert rig.pulses == [2], "what is signed is never throttled"


def test_every_way_to_guess_keeps_one_pause():
    for first in (numbers.KEYPAD, numbers.SCANNER, numbers.CONSOLE):
        for second in (numbers.KEYPAD, numbers.SCANNER, numbers.CONSOLE):
            rig = locker_with_parcel()
            guess(rig, first, 1)
            guess(rig, second, 2)
            assert len(refusals(rig)) == 1, (first, second)
            rig.wait(WRONG_CODE_PAUSE_MS + 1)
            guess(rig, second, 3)
            assert len(refusals(rig)) == 2, (first, second)


def test_whoever_cuts_the_power_to_be_rid_of_the_pause_has_won_nothing():
    for digits in (12, 16):
        rig = locker_with_parcel(digits)
        for number in range(4):
            rig.wait(WRONG_CODE_PAUSE_MS + 1)
            guess(rig, numbers.KEYPAD, number)
            assert rig.screen[0] == "wrong_code"
            rig.power_on()
            rig.keys(rig.code(2, 1))
            assert rig.screen[0] == "wrong_code" and rig.pulses == [], "in the pause, which the restart kept"
        rig.wait(WRONG_CODE_PAUSE_MS + 1)
        rig.keys(rig.code(2, 1))
        assert rig.pulses == [2]
        rig.push(2)
        rig.power_on()
        rig.keys(rig.code(3, 5_000))
        assert len(refusals(rig)) == 5 or digits == 16, "after a right code a restart begins without a pause"
        assert rig.screen == ("wrong_code", ("5",))
        assert rig.agent.books.refused


def test_no_clock_fills_the_bucket():
    rig = locker_with_parcel()
    for number in range(WRONG_CODE_BUCKET):
        guess(rig, numbers.KEYPAD, number)
        rig.wait(WRONG_CODE_PAUSE_MS + 1)
    for years in (1, 50, -50):
        rig.gateway.now_ms += years * 31_536_000_000
        rig.agent.link.set_wall(rig.now, rig.gateway.now_s)
        rig.wait(1_000)
        assert rig.agent.books.bucket == 0
        rig.power_on()
        assert rig.agent.books.bucket == 0


def test_restarts_do_not_make_the_bucket_fill_faster():
    rig = locker_with_parcel()
    rig.online = False
    rig.power_on()
    guess(rig, numbers.KEYPAD, 1)
    for _ in range(5):
        rig.wait(7 * 3_600_000)
        rig.power_on()
    assert rig.agent.books.bucket == WRONG_CODE_BUCKET - 1
    rig.wait(8 * 3_600_000 + 1)
    assert rig.agent.books.bucket == WRONG_CODE_BUCKET


def test_sixteen_digits_may_be_guessed_at_without_end_and_without_filling_the_journal():
    rig = locker_with_parcel(16)
    before = len(rig.flash.records)
    for number in range(60):
        guess(rig, numbers.KEYPAD, number)
        rig.wait(WRONG_CODE_PAUSE_MS + 1)
    assert rig.agent.books.bucket == WRONG_CODE_BUCKET
    assert 1 <= len(rig.flash.records) - before <= 8, "the first, then one a minute"
    rig.keys(rig.code(2, 1))
    assert rig.pulses == [2]


def test_digits_at_the_scanner_are_a_code_with_or_without_the_spaces_of_its_groups():
    rig = locker_with_parcel()
    code = rig.code(2, 1)
    rig.do(on.Scanned(" ".join([code[at : at + 3] for at in range(0, 12, 3)]).encode()))
    assert rig.pulses == [2]
    assert rig.flash.events()[-2] == messages.PickupAuthorised(2, 1, numbers.SCANNER, 0, None)


def test_digits_at_the_scanner_are_a_label_while_a_courier_stands_there():
    rig = locker_with_parcel()
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(rig.code(2, 1).encode()))
    assert rig.pulses == []
    asked = rig.gateway.heard(messages.DepositRequested)[-1]
    assert asked.label == rig.code(2, 1)


def test_a_code_that_is_too_short_says_how_much_is_there():
    rig = locker_with_parcel()
    rig.keys(rig.code(2, 1)[:-2] + "#")
    assert rig.screen == ("short", ("10", "12"))
    assert refusals(rig) == []


def test_to_a_stranger_wrong_revoked_and_replaced_look_alike():
    """The same screen, the same pause; and what cannot be a guess costs no try."""
    rig = locker_with_parcel()
    rig.say(rig.gateway.say(messages.Revoke(2, 1), ttl_s=86_400))
    rig.deposit(1, 78)
    rig.say(rig.gateway.say(messages.Reissue(1, 1), ttl_s=86_400))
    rig.keys("*")
    seen = []
    for code in (rig.code(3, 500), rig.code(2, 1), rig.code(1, 1)):
        rig.keys(code)
        seen.append((rig.screen, rig.agent.deadline_ms(rig.now) >= rig.now))
        rig.keys(rig.code(1, 2))
        assert rig.screen[0] == "wrong_code", "in the pause"
        rig.wait(WRONG_CODE_PAUSE_MS + 1)
    assert seen[0] == seen[1] == seen[2] == (("wrong_code", ("5",)), True)
    assert rig.agent.books.bucket == WRONG_CODE_BUCKET - 1
    rig.keys(rig.code(1, 2))
    assert rig.pulses[-1] == 1

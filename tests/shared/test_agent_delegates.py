"""Neighbours who collect, codes that are replaced, several parcels of one person, badges that are taken back."""

from rig import LOCKER, Rig
from signer import SECRET, public_key, sign
from tokens_of_rig import (
    COURIER_TOKEN,
    DELEGATE_TOKEN,
    FOREIGN_SIGNER_TOKEN,
    PICKUP_TOKEN,
    TECHNICIAN_TOKEN,
)

from device.agent import door
from device.agent import events as on
from device.agent.books import Books
from protocol import messages, numbers, tokens
from protocol.errors import number_of
from protocol.limits import NEXT_PARCEL_MS, REOPEN_MS, REVOKED_TOKENS_KEPT

DAY = 86_400
FAR = 4_000_000_000


def locker_with_parcels(*places: int) -> Rig:
    rig = Rig()
    rig.connect()
    for place in places:
        rig.deposit(place, 70 + place)
    rig.keys("*")
    rig.pulses.clear()
    rig.screens.clear()
    return rig


def order(rig: Rig, command: messages.Message) -> int:
    """Order something; the number of the locker's answer (0: done)."""
    rig.say(rig.gateway.say(command, ttl_s=DAY))
    last = rig.flash.events()[-1]
    return last.code if isinstance(last, messages.CommandDone) else 0


def show(rig: Rig, token: str) -> None:
    rig.do(on.Scanned(token.encode()))


def token_for(role: int, compartment: int, deposit: int, name: bytes, expiry_s: int = FAR) -> str:
    claims = tokens.Token("delegate", LOCKER, expiry_s, name, role, compartment, deposit)
    return tokens.seal(claims, tokens.key_id(public_key(SECRET)), lambda message: sign(SECRET, message))


# ------------------------------------------------------------------ delegates
def test_a_neighbour_collects_and_the_books_say_that_it_was_the_neighbour():
    rig = locker_with_parcels(2)
    show(rig, DELEGATE_TOKEN)
    assert rig.pulses == [2]
    assert messages.PickupAuthorised(2, 1, numbers.SCANNER, 0, b"neighbor") in rig.flash.events()
    rig.push(2)
    assert rig.flash.events()[-1] == messages.Collected(2, 1)


def test_the_first_code_dies_when_the_second_is_used():
    rig = locker_with_parcels(2)
    show(rig, DELEGATE_TOKEN)
    rig.push(2)
    rig.keys(rig.code(2, 1))
    assert rig.screen[0] == "code_used"
    show(rig, PICKUP_TOKEN)
    assert rig.screen[0] == "code_used" and rig.pulses == [2]


def test_the_second_code_dies_when_the_first_is_used():
    rig = locker_with_parcels(2)
    rig.keys(rig.code(2, 1))
    rig.push(2)
    show(rig, DELEGATE_TOKEN)
    assert rig.screen[0] == "code_used" and rig.pulses == [2]


def test_whoever_collected_may_look_once_more_and_nobody_else():
    rig = locker_with_parcels(2)
    show(rig, DELEGATE_TOKEN)
    rig.push(2)
    show(rig, DELEGATE_TOKEN)
    assert rig.pulses == [2, 2]
    rig.push(2)
    show(rig, token_for(tokens.DELEGATE, 2, 1, b"another1"))
    assert rig.pulses == [2, 2] and rig.screen[0] == "code_used"
    rig.wait(REOPEN_MS + 1)
    show(rig, DELEGATE_TOKEN)
    assert rig.pulses == [2, 2]


def test_neither_recipient_nor_delegate_is_refused_for_the_hour():
    """The gateway's deadline may have moved since the QR was made; what ends it is a Revoke."""
    for role in (tokens.PICKUP, tokens.DELEGATE):
        rig = locker_with_parcels(2)
        show(rig, token_for(role, 2, 1, b"too-late", rig.gateway.now_s - 1))
        assert rig.pulses == [2]


def test_a_delegation_is_taken_back_at_once_and_the_recipient_keeps_the_code():
    rig = locker_with_parcels(2)
    assert order(rig, messages.RevokeToken(b"neighbor", FAR)) == 0
    assert isinstance(rig.flash.events()[-1], messages.TokenRevoked)
    for _boot in range(2):
        show(rig, DELEGATE_TOKEN)
        assert rig.screen[0] == "token_refused" and rig.pulses == []
        rig.power_on()
    rig.keys(rig.code(2, 1))
    assert rig.pulses == [2]


def test_a_neighbour_fetches_one_parcel_and_is_offered_no_other():
    rig = locker_with_parcels(2, 3)
    for place in (2, 3):
        assert order(rig, messages.Join(place, 1, 7)) == 0
    show(rig, DELEGATE_TOKEN)
    rig.push(2)
    assert rig.screen == ("collected", ("2",))
    rig.keys("#")
    show(rig, DELEGATE_TOKEN)
    assert rig.pulses == [2, 2], "once more the same door, and no other"


def test_a_power_cut_does_not_make_a_neighbour_the_recipient():
    rig = locker_with_parcels(2, 3)
    for place in (2, 3):
        order(rig, messages.Join(place, 1, 7))
    show(rig, DELEGATE_TOKEN)
    rig.closed[2] = True
    rig.power_on()
    assert messages.Collected(2, 1) in rig.flash.events()
    rig.keys("#")
    show(rig, DELEGATE_TOKEN)
    assert 3 not in rig.pulses
    rig.keys(rig.code(2, 1))
    assert rig.pulses[-1] == 3, "the recipient's own code still leads to what is left"


# ------------------------------------------------------------------ a code that somebody else knows
def test_a_code_that_was_phished_is_replaced_without_anybody_at_the_locker():
    rig = locker_with_parcels(2)
    assert order(rig, messages.Reissue(2, 1)) == 0
    assert rig.flash.events()[-1].value == 2
    for _boot in range(2):
        rig.wait(10_000)
        rig.keys(rig.code(2, 1))
        assert rig.screen[0] == "wrong_code"
        for old in (PICKUP_TOKEN, DELEGATE_TOKEN):
            show(rig, old)
            assert rig.screen[0] == "token_refused"
        assert rig.pulses == []
        rig.power_on()
    rig.keys(rig.code(2, 2))
    assert rig.pulses == [2]
    rig.push(2)
    assert rig.flash.events()[-1] == messages.Collected(2, 2)


def test_a_code_is_not_replaced_while_somebody_stands_before_its_door():
    rig = locker_with_parcels(2)
    rig.keys(rig.code(2, 1))
    assert order(rig, messages.Reissue(2, 1)) == number_of("wrong_state")
    rig.push(2)
    assert order(rig, messages.Reissue(2, 1)) == number_of("spent")
    assert order(rig, messages.Reissue(1, 1)) == number_of("spent")
    assert order(rig, messages.Reissue(2, 9)) == number_of("spent")


def test_a_pickup_begun_with_the_old_code_is_no_pickup_with_the_new_one():
    """The door jammed for whoever had the phished code; it is opened by force after the code was replaced."""
    rig = locker_with_parcels(2)
    rig.jammed.add(2)
    rig.keys(rig.code(2, 1))
    rig.wait(10_000)
    assert order(rig, messages.Reissue(2, 1)) == 0
    rig.pull(2)
    rig.push(2)
    assert not [event for event in rig.flash.events() if isinstance(event, messages.Collected)]
    assert messages.DoorFaulted(2, door.FORCED, True) in rig.flash.events()


def test_a_pickup_that_the_power_cut_short_is_no_pickup_with_the_new_code():
    """The old code was typed, the power went before the door opened; then the code was replaced, and the power goes
    again while somebody forces the door."""
    rig = locker_with_parcels(2)
    rig.jammed.add(2)
    rig.keys(rig.code(2, 1))
    rig.power_on()
    rig.connect()
    assert order(rig, messages.Reissue(2, 1)) == 0
    rig.closed[2] = False
    rig.power_on()
    rig.push(2)
    assert not [event for event in rig.flash.events() if isinstance(event, messages.Collected)]


def test_a_pickup_that_was_under_way_when_its_door_went_out_of_service_is_none_after_a_restart():
    rig = locker_with_parcels(2)
    rig.jammed.add(2)
    rig.keys(rig.code(2, 1))
    for out in (True, False):
        assert order(rig, messages.OutOfService(2, out)) == 0
        rig.power_on()
        rig.connect()
    rig.closed[2] = False  # forced while the power is away
    rig.power_on()
    rig.push(2)
    assert not [event for event in rig.flash.events() if isinstance(event, messages.Collected)]


# ------------------------------------------------------------------ several parcels
def test_one_code_opens_all_of_a_persons_parcels_in_turn():
    rig = locker_with_parcels(1, 2, 3)
    for place in (1, 2, 3):
        assert order(rig, messages.Join(place, 1, 7)) == 0
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert rig.screen == ("collected_more", ("1",)) and rig.pulses == [2], "no door opens before it is asked for"
    rig.keys("#")
    rig.push(1)
    assert rig.screen == ("collected_more", ("3",))
    rig.wait(NEXT_PARCEL_MS + 1)
    rig.keys("#")
    assert rig.pulses == [2, 1], "whoever comes later is not the one who was asked"
    rig.keys(rig.code(2, 1))
    rig.push(3)
    assert rig.pulses == [2, 1, 3] and rig.screen == ("collected", ("3",))
    assert [event for event in rig.flash.events() if isinstance(event, messages.Collected)] == [
        messages.Collected(2, 1),
        messages.Collected(1, 1),
        messages.Collected(3, 1),
    ]


def test_the_next_parcel_is_offered_to_who_sees_the_offer_and_to_nobody_who_comes_after():
    """Whatever else is put in or shown ends it: the first one may have left, and a stranger presses the key."""
    strangers = (
        lambda rig: rig.keys(rig.code(1, 99)),
        lambda rig: rig.keys("12#"),
        lambda rig: rig.keys("1*"),
        lambda rig: rig.keys("D"),
        lambda rig: rig.do(on.Scanned(b"\x00noise")),
        lambda rig: show(rig, FOREIGN_SIGNER_TOKEN),
        lambda rig: show(rig, TECHNICIAN_TOKEN),
        lambda rig: (show(rig, COURIER_TOKEN), rig.keys("*")),
        lambda rig: rig.say(rig.gateway.say(messages.Identify())),
        lambda rig: rig.wait(NEXT_PARCEL_MS),
    )
    for number in range(len(strangers)):
        rig = locker_with_parcels(2, 3)
        for place in (2, 3):
            order(rig, messages.Join(place, 1, 7))
        rig.keys(rig.code(2, 1))
        rig.push(2)
        assert rig.screen == ("collected_more", ("3",))
        strangers[number](rig)
        rig.keys("#")
        assert rig.pulses == [2], number
        rig.wait(10_000)
        rig.keys("#")
        assert rig.pulses == [2], number


def test_the_offer_is_read_in_ones_own_language():
    rig = locker_with_parcels(2, 3)
    for place in (2, 3):
        order(rig, messages.Join(place, 1, 7))
    rig.keys(rig.code(2, 1))
    rig.push(2)
    rig.keys("A#")
    assert rig.pulses == [2, 3]


def test_an_offer_whose_parcel_is_gone_meanwhile_opens_nothing():
    for gone in (messages.Revoke(3, 1), messages.OutOfService(3, True)):
        rig = locker_with_parcels(2, 3)
        for place in (2, 3):
            order(rig, messages.Join(place, 1, 7))
        rig.keys(rig.code(2, 1))
        rig.push(2)
        assert order(rig, gone) == 0
        rig.keys("#")
        assert rig.pulses == [2]


def test_the_shown_token_leads_to_the_other_parcels_too_also_after_a_restart():
    rig = locker_with_parcels(2, 3)
    for place in (2, 3):
        order(rig, messages.Join(place, 1, 7))
    show(rig, PICKUP_TOKEN)
    rig.push(2)
    rig.power_on()
    show(rig, PICKUP_TOKEN)
    assert rig.pulses == [2, 3]


def test_parcels_of_different_people_never_open_with_one_code():
    rig = locker_with_parcels(1, 2, 3)
    order(rig, messages.Join(1, 1, 7))
    order(rig, messages.Join(2, 1, 8))
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert rig.screen == ("collected", ("2",))
    rig.keys("#")
    rig.keys(rig.code(2, 1))
    assert set(rig.pulses) == {2}


def test_a_compartments_next_parcel_belongs_to_nobody_before_it():
    rig = locker_with_parcels(2, 3)
    for place in (2, 3):
        order(rig, messages.Join(place, 1, 7))
    rig.keys(rig.code(2, 1))
    rig.push(2)
    rig.deposit(2, 90)
    rig.keys("*")
    rig.pulses.clear()
    rig.keys(rig.code(2, 1))
    assert rig.pulses == [] and rig.screen[0] == "code_used"
    rig.keys(rig.code(2, 2))
    rig.push(2)
    assert rig.screen == ("collected", ("2",)), "a stranger's parcel that came later leads nowhere"
    rig.keys(rig.code(3, 1))
    assert rig.pulses == [2, 3]


def test_a_door_that_stands_open_or_is_out_of_service_is_not_offered():
    rig = locker_with_parcels(1, 2, 3)
    for place in (1, 2, 3):
        order(rig, messages.Join(place, 1, 7))
    order(rig, messages.OutOfService(1, True))
    rig.keys(rig.code(3, 1))
    assert rig.pulses == [3]
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert rig.screen == ("collected", ("2",)), "door 3 is open already, door 1 out of service"
    rig.push(3)
    rig.keys(rig.code(2, 1))
    assert 1 not in rig.pulses


def test_a_revoked_code_leads_to_no_other_parcel():
    rig = locker_with_parcels(2, 3)
    for place in (2, 3):
        order(rig, messages.Join(place, 1, 7))
    order(rig, messages.Revoke(2, 1))
    rig.keys(rig.code(2, 1))
    show(rig, PICKUP_TOKEN)
    assert rig.pulses == []


def test_a_deposit_that_is_gone_joins_nothing():
    rig = locker_with_parcels(2)
    assert order(rig, messages.Join(2, 2, 7)) == number_of("spent")
    assert order(rig, messages.Join(3, 1, 7)) == number_of("spent")


# ------------------------------------------------------------------ badges
def test_a_revoked_badge_is_refused_and_its_session_ends():
    rig = locker_with_parcels(2)
    show(rig, COURIER_TOKEN)
    assert rig.screen[0] == "courier_ready"
    order(rig, messages.RevokeToken(b"badge001", FAR))
    assert rig.screen[0] == "welcome"
    for _boot in range(2):
        show(rig, COURIER_TOKEN)
        assert rig.screen[0] == "token_refused"
        rig.power_on()


def test_an_order_to_take_a_badge_back_counts_once():
    rig = locker_with_parcels(2)
    packet = rig.gateway.say(messages.RevokeToken(b"badge001", FAR), ttl_s=DAY)
    for _ in range(2):
        rig.say(packet)
    assert len([event for event in rig.flash.events() if isinstance(event, messages.TokenRevoked)]) == 1


def test_a_restart_from_a_snapshot_knows_what_one_from_the_records_knows():
    rig = locker_with_parcels(1, 2, 3)
    order(rig, messages.Reissue(1, 1))
    for place, count in ((1, 2), (3, 1)):
        order(rig, messages.Join(place, count, 7))
    order(rig, messages.RevokeToken(b"badge001", FAR))
    rig.keys(rig.code(3, 1))
    rig.push(3)
    rig.keys(rig.code(3, 77))
    numbers_of = rig.config.numbers
    snapshot = rig.agent.snapshot()
    assert Books.replay(numbers_of, None, rig.flash.records).snapshot() == snapshot
    again = Books.replay(numbers_of, snapshot, [])
    assert again.snapshot() == snapshot
    assert again.group(0) == again.group(2) == 7 and again.was_collected(2, 1) and not again.was_collected(0, 1)
    assert again.token_is_revoked(b"badge001") and again.refused and again.wall_s > 1_700_000_000


def test_a_technicians_badge_at_the_scanner_opens_the_console_until_it_is_revoked():
    rig = locker_with_parcels(2)
    show(rig, TECHNICIAN_TOKEN)
    assert rig.screen == ("technician", ("anna",)) and rig.agent.console.actor == "anna"
    assert rig.flash.events()[-1] == messages.ServiceActed("anna", "login by badge")
    assert rig.written.endswith(b"\r\ntest-1 anna# "), "who sits at the console sees it"
    rig.do(on.Typed(b"open 2\r"))
    assert rig.pulses == [2]
    order(rig, messages.RevokeToken(b"techno01", FAR))
    assert rig.agent.console.actor == ""
    show(rig, TECHNICIAN_TOKEN)
    assert rig.agent.console.actor == "" and rig.screen[0] == "token_refused"


def test_the_list_of_revoked_tokens_has_an_end_and_forgets_only_what_has_expired():
    rig = locker_with_parcels(2)
    now_s = rig.gateway.now_s
    for number in range(REVOKED_TOKENS_KEPT):
        expiry = now_s + 100 if number < 2 else FAR
        assert order(rig, messages.RevokeToken(number.to_bytes(8, "big"), expiry)) == 0
    assert order(rig, messages.RevokeToken(b"badge001", FAR)) == number_of("no_room")
    assert order(rig, messages.RevokeToken((5).to_bytes(8, "big"), FAR)) == 0, "it is on the list already"
    rig.wait(200_000)
    assert order(rig, messages.RevokeToken(b"badge001", FAR)) == 0
    for _boot in range(2):
        books = rig.agent.books
        assert books.token_is_revoked(b"badge001") and not books.token_is_revoked((1).to_bytes(8, "big"))
        assert all([books.token_is_revoked(number.to_bytes(8, "big")) for number in range(2, REVOKED_TOKENS_KEPT)])
        rig.power_on()

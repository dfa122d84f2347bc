"""A courier at the locker: badge, label, door; and everything that can come between."""

from rig import Rig
from tokens_of_rig import COURIER_TOKEN

from device.agent import door
from device.agent import events as on
from device.agent.books import QUARANTINED
from protocol import messages, numbers
from protocol.errors import number_of
from protocol.limits import JOURNAL_RESERVE_RECORDS, LEFT_OPEN_MS, PULSE_RETRY_MS


def courier_at(rig: Rig) -> Rig:
    rig.connect()
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    assert rig.screen[0] == "courier_ready"
    return rig


def last_request(rig: Rig) -> messages.DepositRequested:
    return rig.gateway.heard(messages.DepositRequested)[-1]


def assign(rig: Rig, number: int, parcel: int = 77) -> None:
    rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, last_request(rig).request, number, parcel)))


def test_badge_label_door_and_the_next_scan_follows():
    rig = courier_at(Rig())
    rig.do(on.Scanned(b"PARCEL-1"))
    assert last_request(rig).label == "PARCEL-1"
    assign(rig, 2)
    assert rig.pulses == [2] and rig.screen == ("deposit_open", ("2",))
    rig.push(2)
    assert rig.screen == ("deposited", ("2",))
    assert messages.Deposited(2, 1, 77) in rig.gateway.heard(messages.Deposited)
    rig.do(on.Scanned(b"PARCEL-2"))
    assert last_request(rig).label == "PARCEL-2"


def test_a_label_scanned_while_another_is_asked_about_takes_its_place():
    """After a jam the locker asks again by itself; a courier who has gone on must not get that parcel's door."""
    rig = courier_at(Rig())
    rig.do(on.Scanned(b"PARCEL-1"))
    first = last_request(rig).request
    rig.do(on.Scanned(b"PARCEL-1"))
    assert last_request(rig).request == first, "read twice"
    rig.do(on.Scanned(b"PARCEL-2"))
    assert last_request(rig).label == "PARCEL-2"
    rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, first, 1, 77)))
    assert rig.pulses == []
    assign(rig, 2, 78)
    rig.push(2)
    assert rig.pulses == [2] and rig.flash.events()[-1] == messages.Deposited(2, 1, 78)


def test_a_label_without_a_badge_asks_for_the_badge():
    rig = Rig()
    rig.do(on.Scanned(b"PARCEL-1"))
    assert rig.screen[0] == "badge_first"


def test_too_small_gives_the_compartment_back_and_asks_for_a_bigger_one():
    rig = courier_at(Rig())
    rig.do(on.Scanned(b"PARCEL-1"))
    assign(rig, 1)
    rig.keys("B")
    assert messages.DepositAbandoned(1, 1, 77, numbers.TOO_SMALL) in rig.flash.events()
    assert last_request(rig).reason == numbers.TOO_SMALL
    assign(rig, 3)
    rig.push(1)
    rig.push(3)
    assert messages.Deposited(3, 1, 77) in rig.flash.events()
    assert not [event for event in rig.flash.events() if event == messages.Deposited(1, 1, 77)]


def test_a_door_that_is_not_open_yet_is_not_too_small_and_is_not_pulsed_for_nobody():
    rig = courier_at(Rig())
    rig.jammed.add(1)
    rig.do(on.Scanned(b"PARCEL-1"))
    assign(rig, 1)
    rig.keys("B")
    assert rig.agent.books.holdings[0] == numbers.DEPOSITING
    rig.wait(PULSE_RETRY_MS)
    rig.jammed.clear()
    rig.wait(PULSE_RETRY_MS)
    assert rig.pulses == [1, 1, 1], "each under the deposit's authorisation: the rig looks"
    rig.keys("B")
    assert messages.DepositAbandoned(1, 1, 77, numbers.TOO_SMALL) in rig.flash.events()


def test_a_jammed_door_is_replaced_on_the_spot_and_not_offered_again():
    rig = courier_at(Rig())
    rig.jammed.add(1)
    rig.do(on.Scanned(b"PARCEL-1"))
    assign(rig, 1)
    rig.wait(3 * PULSE_RETRY_MS + 1)
    assert messages.DoorFaulted(1, door.JAMMED, True) in rig.flash.events()
    assert last_request(rig).reason == numbers.JAMMED
    assign(rig, 1)
    assert isinstance(rig.flash.events()[-1], messages.CommandDone), "a quarantined compartment is refused"
    rig.do(on.Scanned(b"PARCEL-1"))


def test_a_declined_request_tells_the_courier_why():
    screens = {
        "no_room": "no_room",
        "unknown_label": "unknown_label",
        "not_allowed": "not_allowed",
        "wrong_state": "parcel_done",
        "wrong_locker": "parcel_elsewhere",
    }
    for word, screen in sorted(screens.items()):
        rig = courier_at(Rig())
        rig.do(on.Scanned(b"PARCEL-1"))
        rig.say(rig.gateway.say(messages.Decline(rig.agent.boot, last_request(rig).request, number_of(word))))
        assert rig.screen[0] == screen


def test_an_assign_that_answers_nobody_opens_nothing():
    rig = courier_at(Rig())
    rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, 1, 2, 77)))
    rig.do(on.Scanned(b"PARCEL-1"))
    request = last_request(rig).request
    rig.say(rig.gateway.say(messages.Assign(rig.agent.boot + 1, request, 2, 77)))
    rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, request + 1, 2, 77)))
    rig.wait(61_000)
    rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, request, 2, 77)))
    assert rig.pulses == []
    codes = [event.code for event in rig.flash.events() if isinstance(event, messages.CommandDone)]
    assert codes == [number_of("no_such_request")] * 4


def test_the_same_assign_twice_opens_once():
    rig = courier_at(Rig())
    rig.do(on.Scanned(b"PARCEL-1"))
    packet = rig.gateway.say(messages.Assign(rig.agent.boot, last_request(rig).request, 2, 77))
    rig.say(packet)
    rig.say(packet)
    assert rig.pulses == [2]
    assert messages.MessageRefused(number_of("repeated")) in rig.gateway.heard(messages.MessageRefused)


def test_without_an_answer_the_courier_is_asked_for_the_size():
    rig = courier_at(Rig())
    rig.do(on.Scanned(b"PARCEL-1"))
    rig.wait(11_000)
    assert rig.screen[0] == "size", "test_agent_offline tells how it goes on"


def test_a_full_journal_refuses_deposits_and_never_pickups():
    rig = courier_at(Rig())
    rig.deposit(2)
    rig.do(on.JournalMeasured(JOURNAL_RESERVE_RECORDS - 1))
    rig.do(on.Scanned(b"PARCEL-2"))
    assert rig.screen[0] == "journal_full"
    rig.keys("*")
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    assert rig.screen[0] == "journal_full"
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert messages.Collected(2, 1) in rig.flash.events()


def test_two_live_codes_are_never_the_same():
    rig = courier_at(Rig())
    codes = rig.agent.openings._codes
    taken = int(rig.code(2, 1))
    codes._live[0] = taken
    assert codes.next_deposit(1) == 2


def test_a_customer_need_not_wait_for_the_couriers_session_to_end():
    rig = courier_at(Rig())
    rig.deposit(2)
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert messages.Collected(2, 1) in rig.flash.events()


def test_a_deposit_whose_door_lies_or_is_taken_out_of_service_goes_elsewhere_and_a_person_looks():
    for disturb in ("flap", "out"):
        rig = courier_at(Rig())
        rig.do(on.Scanned(b"PARCEL-1"))
        assign(rig, 2)
        if disturb == "out":
            rig.say(rig.gateway.say(messages.OutOfService(2, True), ttl_s=86_400))
            assert last_request(rig).reason == numbers.JAMMED, "the courier gets another one"
        else:
            rig.agent.openings._outcome(rig.now, 1, door.DOUBTED, [])
        assert rig.agent.books.holdings[1] == numbers.FREE
        assert rig.agent.books.has(1, QUARANTINED), "the parcel may be inside"


def test_a_courier_who_leaves_a_door_open_does_not_lock_the_customers_out():
    rig = courier_at(Rig())
    rig.deposit(1)
    rig.do(on.Scanned(b"PARCEL-2"))
    assign(rig, 2)
    rig.wait(LEFT_OPEN_MS + 20_000)
    rig.keys(rig.code(1, 1))
    rig.push(1)
    assert messages.Collected(1, 1) in rig.flash.events()
    rig.push(2)
    assert messages.Deposited(2, 1, 77) in rig.flash.events(), "closed late, and still in the books"


def test_a_courier_may_look_once_more_into_the_compartment_just_filled():
    rig = courier_at(Rig())
    rig.deposit(2)
    rig.keys("C")
    assert rig.pulses == [2, 2]
    rig.push(2)
    assert rig.screen[0] == "courier_ready"
    assert rig.flash.events()[-1] == messages.DoorClosed(2) and rig.agent.books.holdings[1] == numbers.HELD
    rig.keys("C")
    assert rig.pulses == [2, 2], "once"
    rig.deposit(1)
    rig.keys("*C")
    assert rig.pulses == [2, 2, 1], "and not by whoever comes next"


def test_an_assign_of_an_occupied_revoked_or_quarantined_compartment_is_refused():
    rig = courier_at(Rig())
    rig.deposit(1)
    rig.deposit(2)
    rig.say(rig.gateway.say(messages.Revoke(2, 1), ttl_s=86_400))
    rig.pull(3)
    rig.push(3)  # forced, and closed again: nobody knows what is inside
    pulses = len(rig.pulses)
    for number in (1, 2, 3):
        rig.do(on.Scanned(b"PARCEL-9"))
        assign(rig, number, 99)
        last = rig.flash.events()[-1]
        assert isinstance(last, messages.CommandDone) and last.code == number_of("wrong_state"), number
        rig.wait(11_000)
    assert len(rig.pulses) == pulses

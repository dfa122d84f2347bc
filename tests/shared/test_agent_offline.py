"""A courier at a locker that no gateway answers: the size by key, a door by the locker's choice, a receipt."""

from rig import KEY, LOCKER, Rig
from tokens_of_rig import COURIER_TOKEN, PICKUP_TOKEN
from without_gateway import alone, begin, saved

from device.agent import events as on
from device.agent.allocation import is_reserved
from device.agent.panel import ASKING, COURIER_READY, DEPOSITING, IDLE, SIZING
from protocol import messages, numbers, receipts
from protocol.errors import number_of
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.limits import COURIER_IDLE_MS, JOURNAL_RESERVE_RECORDS, LEFT_OPEN_MS, PULSE_RETRY_MS

BADGE = b"badge001"
S, M, L = 0, 1, 2


def test_a_parcel_goes_in_and_out_without_a_network_and_the_books_learn_it_all_in_order():
    rig = alone()
    identified = saved(rig, messages.CourierIdentified)[-1]
    begin(rig)
    authorised = messages.OfflineDepositAuthorised(1, 1, identified.badge, identified.carrier, "PARCEL-1", S)
    assert rig.flash.events()[-2:] == [authorised, messages.DoorOpened(1)]
    assert rig.pulses == [1] and rig.screen == ("deposit_open", ("1",))
    rig.push(1)
    assert rig.flash.events()[-1] == messages.Deposited(1, 1, 0)
    assert rig.screen[0] == "receipt"
    rig.keys("*" + rig.code(1, 1))
    rig.push(1)
    assert rig.pulses == [1, 1] and rig.flash.events()[-1] == messages.Collected(1, 1)
    rig.connect()
    rig.wait(60_000)
    assert [messages.encode(up) for up in rig.gateway.up if up.seq] == rig.flash.records


def test_the_screen_shows_a_receipt_that_the_gateway_can_check():
    rig = alone(bytes([M, S, L]))
    begin(rig, size="3")
    rig.push(3)
    door, size, groups, text = rig.screen[1]
    assert (door, size, len(groups)) == ("3", "L", 15)
    key = HmacKey(sub_key(KEY, "receipt"))
    assert receipts.locker_of(text) == LOCKER
    receipt = receipts.open_receipt(key, b"\x01", text)
    event = saved(rig, messages.OfflineDepositAuthorised)[-1]
    assert receipt.values()[:-1] == event.values()
    assert receipt.t_wall_s is None, "a locker without a clock names no time"
    assert receipts.digits(key, receipt) == groups.replace(" ", "")


def test_a_receipt_says_when_if_the_locker_has_a_clock():
    rig = Rig()
    rig.connect()
    rig.online = False
    rig.do(on.LinkClosed("reset"))
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    at = rig.gateway.now_s
    begin(rig)
    rig.push(1)
    receipt = receipts.open_receipt(HmacKey(sub_key(KEY, "receipt")), b"\x01", rig.screen[1][3])
    assert abs(receipt.t_wall_s - at) <= 1


def test_a_gateway_that_is_silent_is_not_waited_for_longer_than_ten_seconds():
    rig = Rig()
    rig.connect()
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(b"PARCEL-1"))
    assert rig.screen[0] == "asking"
    rig.wait(10_000)
    assert rig.screen[0] == "size"
    rig.keys("1")
    assert rig.pulses == [1]


def test_an_answer_that_comes_after_the_locker_went_on_without_opens_nothing():
    for keys, pulses in (("", []), ("1", [1])):
        rig = Rig()
        rig.connect()
        rig.do(on.Scanned(COURIER_TOKEN.encode()))
        rig.do(on.Scanned(b"PARCEL-1"))
        request = rig.gateway.heard(messages.DepositRequested)[-1].request
        rig.wait(10_000)
        rig.keys(keys)
        rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, request, 2, 77)))
        assert rig.pulses == pulses
        assert rig.flash.events()[-1].code == number_of("no_such_request")
        rig.say(rig.gateway.say(messages.Decline(rig.agent.boot, request, number_of("no_room"))))
        assert rig.screen[0] == ("deposit_open" if keys else "size"), "nor does it change the screen"


def test_too_small_gives_the_next_bigger_one_and_at_last_none():
    rig = alone(bytes([S, L, M]))
    begin(rig)
    rig.keys("B")
    assert messages.DepositAbandoned(1, 1, 0, numbers.TOO_SMALL) in rig.flash.events()
    rig.keys("B")
    assert rig.pulses == [1, 3, 2]
    assert [event.size for event in saved(rig, messages.OfflineDepositAuthorised)] == [S, M, L]
    rig.keys("B")
    assert rig.pulses == [1, 3, 2] and rig.screen[0] == "no_room"
    for number in (1, 2, 3):
        rig.push(number)
    assert saved(rig, messages.Deposited) == []
    assert bytes(rig.agent.books.holdings) == bytes(3)
    rig = alone(bytes([M, M, L]))
    begin(rig, size="1")
    rig.keys("B")
    assert rig.pulses == [1, 3], "bigger than the one that was too small"


def test_a_receipt_stays_up_while_the_door_that_was_too_small_is_closed_behind_it():
    rig = alone(bytes([S, M, M]))
    begin(rig)
    rig.keys("B")
    rig.push(2)
    assert rig.screen[0] == "receipt"
    rig.push(1)
    assert rig.screen[0] == "receipt" and rig.screen[1][:2] == ("2", "M")


def test_a_jammed_door_is_replaced_by_another_one():
    rig = alone()
    rig.jammed.add(1)
    begin(rig)
    rig.wait(3 * PULSE_RETRY_MS + 1)
    assert messages.DepositAbandoned(1, 1, 0, numbers.JAMMED) in rig.flash.events()
    assert rig.pulses == [1, 1, 1, 2] and rig.screen == ("deposit_open", ("2",))
    rig.push(2)
    assert rig.screen[0] == "receipt" and rig.flash.events()[-1] == messages.Deposited(2, 1, 0)


def test_a_courier_may_look_once_more_and_has_the_receipt_again():
    rig = alone()
    begin(rig)
    rig.push(1)
    receipt = rig.screen
    rig.keys("C")
    assert rig.pulses == [1, 1] and rig.screen[0] == "deposit_open"
    rig.push(1)
    assert rig.screen == ("receipt_again", receipt[1]), "and is not told that C opens it"
    rig.keys("C")
    assert rig.pulses == [1, 1]
    assert rig.flash.events()[-1] == messages.DoorClosed(1) and rig.agent.books.holdings[0] == numbers.HELD


def test_a_deposit_that_the_gateway_began_goes_on_without_it():
    for trouble in ("too small", "jammed"):
        rig = Rig(sizes=bytes([S, S, M]))
        rig.connect()
        rig.do(on.Scanned(COURIER_TOKEN.encode()))
        rig.do(on.Scanned(b"PARCEL-1"))
        if trouble == "jammed":
            rig.jammed.add(1)
        request = rig.gateway.heard(messages.DepositRequested)[-1].request
        rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, request, 1, 77)))
        rig.online = False
        rig.do(on.LinkClosed("reset"))
        if trouble == "jammed":
            rig.wait(3 * PULSE_RETRY_MS + 1)
        else:
            rig.keys("B")
        assert rig.screen[0] == "size", trouble
        rig.keys("2")
        rig.push(3)
        assert rig.flash.events()[-1] == messages.Deposited(3, 1, 0), trouble


def test_a_badge_that_was_revoked_or_has_expired_deposits_nothing():
    for what in ("revoked", "expired", "revoked since"):
        rig = Rig()
        if what == "expired":
            rig.gateway.now_ms = 4_200_000_000_000
        rig.connect()
        if what == "revoked since":
            rig.deposit(3)
            rig.do(on.Scanned(b"PARCEL-0"))
            request = rig.gateway.heard(messages.DepositRequested)[-1].request
            rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, request, 2, 77)))
        if what != "expired":
            rig.say(rig.gateway.say(messages.RevokeToken(BADGE, 4_200_000_000), ttl_s=86_400))
        rig.online = False
        rig.do(on.LinkClosed("reset"))
        if what == "revoked since":  # with a door open it may be closed, and that is the end
            rig.push(2)
        else:
            rig.do(on.Scanned(COURIER_TOKEN.encode()))
            assert rig.screen[0] in ("badge_refused", "token_refused")
        rig.do(on.Scanned(b"PARCEL-1"))
        rig.keys("1")
        assert saved(rig, messages.OfflineDepositAuthorised) == [], what


def test_a_badge_that_had_expired_by_the_last_known_time_is_refused_by_a_locker_without_a_clock():
    rig = Rig()
    rig.gateway.now_ms = 4_200_000_000_000
    rig.connect()
    rig.say(rig.gateway.say(messages.Identify()))
    rig.online = False
    rig.power_on()
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    assert rig.screen[0] == "badge_refused"


def test_a_journal_below_its_reserve_refuses_and_a_full_locker_says_so():
    rig = alone()
    rig.do(on.Scanned(b"PARCEL-1"))
    rig.do(on.JournalMeasured(JOURNAL_RESERVE_RECORDS - 1))
    rig.keys("1")
    assert rig.screen[0] == "journal_full" and rig.pulses == []
    rig = alone(bytes([S, M, M]))
    begin(rig, size="3")
    assert rig.screen[0] == "no_room" and rig.pulses == [] and rig.agent.panel.mode == COURIER_READY
    begin(rig, "PARCEL-2", "2")
    assert rig.pulses == [2], "the next label goes on"


def test_what_is_promised_broken_or_in_use_is_not_chosen():
    rig = Rig([1, 2, 3, 4, 5, 6])
    rig.connect()
    rig.deposit(1)
    rig.say(rig.gateway.say(messages.OutOfService(2, True), ttl_s=86_400))
    rig.pull(3)
    rig.push(3)  # forced, and closed again
    rig.say(rig.gateway.say(messages.Reserved(bytes([1 << 4, 0xFF, 0xFF]))))
    rig.pull(6)
    rig.keys("*")
    rig.online = False
    rig.do(on.LinkClosed("reset"))
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    pulses = len(rig.pulses)
    begin(rig)
    assert rig.pulses[pulses:] == [5]
    rig.push(5)
    begin(rig, "PARCEL-2")
    assert rig.screen[0] == "no_room"


def test_a_door_that_stands_open_or_was_not_seen_yet_is_not_chosen():
    rig = Rig()
    rig.closed[1] = False
    rig.power_on()
    rig.agent.doors.states[1] = 0
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    begin(rig)
    assert rig.pulses == [3]


def test_what_is_promised_is_told_without_an_answer_and_forgotten_with_the_power():
    rig = Rig()
    rig.connect()
    records = len(rig.flash.records)
    heard = len(rig.gateway.up)
    rig.say(rig.gateway.say(messages.Reserved(b"\x06"), age_s=86_400))
    rig.say(rig.gateway.say(messages.Reserved(b"\x04")))
    assert len(rig.flash.records) == records and len(rig.gateway.up) == heard
    assert is_reserved(rig.agent.panel.alone.reserved, 2) and not is_reserved(rig.agent.panel.alone.reserved, 1)
    rig.power_on()
    assert not is_reserved(rig.agent.panel.alone.reserved, 2)


# ------------------------------------------------------------------ who stands there
def test_a_label_that_is_inside_already_is_not_put_in_twice_and_its_courier_has_the_receipt_again():
    rig = alone()
    begin(rig)
    rig.push(1)
    receipt = rig.screen
    rig.do(on.Scanned(b"PARCEL-1"))
    assert rig.screen == receipt and rig.pulses == [1]
    receipt = ("receipt_again", receipt[1])
    rig.do(on.Scanned(b"PARCEL-2"))
    rig.keys("*")
    assert rig.screen[0] == "courier_ready"
    rig.keys("*")
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(b"PARCEL-1"))
    assert rig.screen == receipt
    rig.power_on()
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(b"PARCEL-1"))
    assert rig.screen == receipt and rig.pulses == [1], "nor is it lost with the power"


def test_another_couriers_label_that_is_inside_is_refused():
    rig = alone()
    begin(rig)
    rig.push(1)
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    assert rig.screen[0] == "courier_ready", "nor is the receipt for whoever comes next"
    rig.agent.panel._badge = b"another1"
    rig.do(on.Scanned(b"PARCEL-1"))
    assert rig.screen[0] == "parcel_done"
    rig.agent.panel._carrier = "another carrier, whose label only looks the same"
    rig.do(on.Scanned(b"PARCEL-1"))
    assert rig.screen[0] == "size"


def test_a_label_whose_parcel_is_out_again_may_come_back():
    rig = alone()
    begin(rig)
    rig.push(1)
    rig.keys("*" + rig.code(1, 1))
    rig.push(1)
    rig.keys("*")
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    begin(rig)
    assert rig.pulses == [1, 1, 2], "into the least used"
    rig = alone(numbers_of=[1, 2])
    begin(rig)
    rig.push(1)
    rig.keys("*" + rig.code(1, 1))
    rig.push(1)
    rig.connect()
    rig.deposit(1)  # somebody else's, by the gateway's order
    rig.online = False
    rig.do(on.LinkClosed("reset"))
    begin(rig)
    assert rig.screen == ("deposit_open", ("2",))


def test_the_deposit_of_a_courier_who_left_the_door_open_goes_on_with_the_same_label():
    rig = alone()
    begin(rig)
    rig.wait(LEFT_OPEN_MS + 20_000)
    assert rig.agent.panel.mode < COURIER_READY
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(b"PARCEL-1"))
    assert rig.screen == ("deposit_open", ("1",)) and rig.agent.panel.mode == DEPOSITING
    rig.push(1)
    assert rig.screen[0] == "receipt" and saved(rig, messages.Deposited) == [messages.Deposited(1, 1, 0)]


def test_the_size_is_asked_for_until_anything_else_is_shown():
    for other, after in (
        (on.KeyPressed("D"), COURIER_READY),
        (on.Scanned(PICKUP_TOKEN.encode()), COURIER_READY),
        (on.Scanned(COURIER_TOKEN.encode()), COURIER_READY),
        (on.Scanned(b"\x00\x01"), COURIER_READY),
        (on.Scanned(b"PARCEL-2"), SIZING),
        (on.KeyPressed("*"), COURIER_READY),
        (on.KeyPressed("A"), SIZING),
        (on.KeyPressed("#"), SIZING),
    ):
        rig = alone()
        rig.do(on.Scanned(b"PARCEL-1"))
        assert rig.agent.panel.mode == SIZING
        rig.do(other)
        assert rig.agent.panel.mode == after, other
        rig.keys("1")
        assert rig.pulses == ([1] if after == SIZING else []), other
    rig = alone()
    rig.do(on.Scanned(b"PARCEL-1"))
    rig.wait(30_000)
    assert rig.screen[0] == "courier_ready"
    rig.keys("1")
    assert rig.screen[0] == "typing", "the courier has left, and a customer types"


def test_a_customers_code_is_typed_over_the_question_if_it_begins_with_no_size():
    for number in range(1, 30):
        rig = alone(numbers_of=[number])
        begin(rig)
        rig.push(number)
        code = rig.code(number, 1)
        if code[0] in "123":
            continue
        rig.do(on.Scanned(b"PARCEL-2"))
        rig.keys(code)
        rig.push(number)
        assert rig.flash.events()[-1] == messages.Collected(number, 1)
        return
    raise AssertionError("no such code")


def test_a_second_label_at_the_question_is_the_one_that_is_put_in():
    rig = alone()
    rig.do(on.Scanned(b"PARCEL-1"))
    begin(rig, "PARCEL-2")
    assert saved(rig, messages.OfflineDepositAuthorised)[-1].label == "PARCEL-2"


def test_a_courier_who_leaves_gives_the_screen_back():
    rig = alone()
    begin(rig)
    rig.push(1)
    rig.wait(COURIER_IDLE_MS)
    assert rig.screen[0] == "welcome" and rig.agent.panel.mode == IDLE


def test_with_the_gateway_back_the_next_label_is_asked_for_again():
    rig = alone()
    begin(rig)
    rig.push(1)
    rig.connect()
    if rig.agent.panel.mode < COURIER_READY:
        rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(b"PARCEL-2"))
    assert rig.agent.panel.mode == ASKING

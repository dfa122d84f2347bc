"""What the gateway may order, and when the locker does not obey."""

from rig import Rig

from device.agent import door
from device.agent import events as on
from device.agent.effects import Pulse
from protocol import messages, numbers
from protocol.errors import number_of
from protocol.limits import COMMAND_IDS_KEPT, COMMAND_OPENS_PER_HOUR_MAX

DAY = 86_400


def connected() -> Rig:
    rig = Rig()
    rig.connect()
    return rig


def results(rig: Rig) -> "list[int]":
    return [event.code for event in rig.flash.events() if isinstance(event, messages.CommandDone)]


def test_an_open_command_opens_and_is_on_record_before_the_pulse():
    rig = connected()
    rig.say(rig.gateway.say(messages.Open(2, "inspection")))
    assert rig.pulses == [2]
    rig.push(2)
    assert rig.flash.events()[-1] == messages.DoorClosed(2)


def test_the_language_to_greet_in_is_on_flash_before_the_answer_is():
    rig = connected()
    rig.cut_at = 1
    packet = rig.gateway.say(messages.Greet(1))
    rig.say(packet)
    assert rig.screen == ("language", ("en", "kept")) and results(rig) == []
    again = Rig(flash=rig.flash)
    again.gateway = rig.gateway
    again.connect()
    again.say(packet)
    done = again.flash.events()[-1]
    assert isinstance(done, messages.CommandDone) and (done.code, done.order, done.value) == (0, 27, 1)


def test_a_language_that_a_locker_does_not_know_changes_nothing():
    rig = connected()
    rig.say(rig.gateway.say(messages.Greet(len(numbers.LANGUAGES))))
    assert results(rig) == [number_of("bad_value")] and "language" not in rig.screens


def test_a_door_that_was_shut_is_not_opened_by_a_pulse_that_still_waits_for_its_turn():
    """Found open when ordered, it is pulsed all the same: its switch may lie. It may also have been shut just now."""
    rig = connected()
    rig.say(rig.gateway.say(messages.Open(2, "inspection")))
    rig.say(rig.gateway.say(messages.Open(2, "inspection")))
    assert rig.pulses == [2, 2]
    assert Pulse(2, 0) in rig.agent.step(rig.now, on.DoorSensed(2, True))


def test_a_command_issued_six_hours_ago_opens_nothing_when_it_arrives():
    rig = connected()
    rig.say(rig.gateway.say(messages.Open(2, "late"), age_s=6 * 3600))
    assert rig.pulses == [] and results(rig) == [number_of("expired")]


def test_a_repeated_command_opens_once_even_across_a_restart():
    rig = connected()
    packet = rig.gateway.say(messages.Open(2, "once"))
    rig.say(packet)
    rig.say(packet)
    rig.push(2)
    again = Rig(flash=rig.flash)
    again.gateway = rig.gateway
    again.connect()
    again.say(packet)
    assert rig.pulses == [2] and again.pulses == []


def test_a_retained_command_is_refused():
    rig = connected()
    packet = rig.gateway.say(messages.Open(2, "retained"))
    rig.say(bytes([packet[0] | 1]) + packet[1:])
    assert rig.pulses == []
    assert messages.MessageRefused(number_of("retained")) in rig.gateway.heard(messages.MessageRefused)


def test_a_forged_command_is_refused():
    rig = connected()
    packet = bytearray(rig.gateway.say(messages.Open(2, "forged")))
    packet[-1] ^= 1
    rig.say(bytes(packet))
    assert rig.pulses == []
    assert messages.MessageRefused(number_of("bad_mac")) in rig.gateway.heard(messages.MessageRefused)


def test_without_a_clock_nothing_opens_on_command():
    rig = connected()
    rig.agent.link.wall_s = lambda _now: None
    rig.say(rig.gateway.say(messages.Open(2, "no clock")))
    assert rig.pulses == [] and results(rig) == [number_of("no_clock")]


def test_a_captured_gateway_opens_ten_doors_an_hour_at_most_even_with_restarts():
    rig = connected()
    for count in range(COMMAND_OPENS_PER_HOUR_MAX + 5):
        rig.say(rig.gateway.say(messages.Open(1 + count % 3, "attack")))
        rig.push(1 + count % 3)
    assert len(rig.pulses) == COMMAND_OPENS_PER_HOUR_MAX
    again = Rig(flash=rig.flash)
    again.gateway = rig.gateway
    again.connect()
    again.say(again.gateway.say(messages.Open(1, "attack")))
    assert again.pulses == []
    again.wait(3_600_001)
    again.say(again.gateway.say(messages.Open(1, "an hour later")))
    assert again.pulses == [1]


def test_an_agent_made_anew_after_hours_of_power_grants_no_ten_more():
    """Then its clock goes on where it stood: openings of before must not seem to be hours old."""
    rig = connected()
    rig.wait(3 * 3_600_000)
    for _ in range(COMMAND_OPENS_PER_HOUR_MAX):
        rig.say(rig.gateway.say(messages.Open(1, "mass open")))
        rig.push(1)
    rig.make_agent("anew")
    rig.connect()
    rig.say(rig.gateway.say(messages.Open(1, "one more")))
    assert len(rig.pulses) == COMMAND_OPENS_PER_HOUR_MAX and results(rig)[-1] == number_of("rate_limited")


def test_a_revoked_deposit_opens_nothing_and_keeps_its_compartment():
    rig = connected()
    rig.deposit(2)
    rig.keys("*")
    rig.say(rig.gateway.say(messages.Revoke(2, 1), ttl_s=DAY))
    assert results(rig)[-1] == 0
    rig.pulses.clear()
    for _boot in range(2):
        rig.keys(rig.code(2, 1))
        assert rig.screen == ("wrong_code", ("5",)), "as to a stranger"
        rig.power_on()
    assert rig.pulses == []
    assert rig.agent.books.holdings[1] == numbers.REVOKED


def test_an_old_revocation_does_not_touch_a_later_deposit():
    rig = connected()
    rig.deposit(2)
    rig.keys("*" + rig.code(2, 1))
    rig.push(2)
    rig.deposit(2, 78)
    rig.say(rig.gateway.say(messages.Revoke(2, 1), ttl_s=DAY))
    assert results(rig)[-1] == number_of("spent")
    assert rig.agent.books.holdings[1] == numbers.HELD


def test_release_frees_a_checked_compartment_and_never_one_with_a_live_code():
    rig = connected()
    rig.deposit(2)
    rig.keys("*")
    rig.say(rig.gateway.say(messages.Release(2), ttl_s=DAY))
    assert results(rig)[-1] == number_of("wrong_state")
    rig.say(rig.gateway.say(messages.Revoke(2, 1), ttl_s=DAY))
    rig.say(rig.gateway.say(messages.Release(2), ttl_s=DAY))
    assert results(rig)[-1] == 0 and rig.agent.books.holdings[1] == numbers.FREE


def test_out_of_service_survives_a_restart_and_ends_by_order():
    rig = connected()
    rig.say(rig.gateway.say(messages.OutOfService(2, True), ttl_s=DAY))
    again = Rig(flash=rig.flash)
    assert again.agent.doors.states[1] == door.OUT_OF_SERVICE
    again.gateway = rig.gateway
    again.connect()
    again.say(again.gateway.say(messages.Open(2, "try")))
    assert again.pulses == [] and results(again)[-1] == number_of("out_of_service")
    again.say(again.gateway.say(messages.OutOfService(2, False), ttl_s=DAY))
    assert again.agent.doors.states[1] == door.CLOSED


def test_forgotten_command_ids_do_not_come_back():
    rig = connected()
    first = rig.gateway.say(messages.Identify(), ttl_s=DAY)
    rig.say(first)
    for _ in range(COMMAND_IDS_KEPT + 1):
        rig.wait(10)
        rig.say(rig.gateway.say(messages.Identify(), ttl_s=DAY))
    identified = results(rig).count(0)
    rig.say(first)
    assert results(rig)[-1] == number_of("expired") and results(rig).count(0) == identified


def test_orders_for_compartments_that_are_not_there_are_refused_each_time_and_leave_no_place_behind():
    rig = connected()
    orders = [messages.Release(9), messages.OutOfService(9, True), messages.Revoke(9, 1), messages.Reissue(9, 1)]
    for _ in range(2):
        for order in orders:
            rig.say(rig.gateway.say(order))
    assert results(rig) == [number_of("unknown_compartment")] * 2 * len(orders)
    assert list(rig.agent.books.numbers) == [1, 2, 3]
    rig.power_on()
    assert list(rig.agent.books.numbers) == [1, 2, 3]


def test_an_unknown_compartment_and_an_unknown_message_get_their_code():
    rig = connected()
    rig.say(rig.gateway.say(messages.Open(9, "where")))
    assert results(rig) == [number_of("unknown_compartment")]
    rig.do(on.Received(rig.gateway.publish(b"\xa0")))
    assert rig.gateway.heard(messages.MessageRefused)

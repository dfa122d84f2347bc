"""A lock board falls silent: only its own compartments are out, nothing is guessed, and all of it comes back."""

from rig import Rig
from test_agent_deposit import assign, courier_at
from test_agent_pickup import locker_with_parcel

from device.agent import door
from device.agent import events as on
from device.agent.books import QUARANTINED
from protocol import messages, numbers
from protocol.errors import number_of
from protocol.limits import LEFT_OPEN_REMIND_MS, LINK_STABLE_MS

BOTH = [1, 2]  # the compartments of module 0; 3 is another's


def lose(rig: Rig, fault: str = "silent") -> None:
    rig.mute.update(BOTH)
    rig.jammed.update(BOTH)
    rig.do(on.ModuleSensed(0, fault, BOTH))


def back(rig: Rig) -> None:
    """It answers again, and tells every door anew."""
    rig.mute.clear()
    rig.jammed.clear()
    rig.do(on.ModuleSensed(0, "", BOTH))
    for number in BOTH:
        rig.do(on.DoorSensed(number, rig.closed[number]))


def state(rig: Rig, number: int) -> int:
    return rig.agent.doors.states[number - 1]


def quarantined(rig: Rig, number: int) -> bool:
    return rig.agent.books.has(number - 1, QUARANTINED)


def births(rig: Rig) -> "list[bytes]":
    return [birth.doors for birth in rig.gateway.births]


def test_only_the_lost_boards_doors_are_unknown_and_what_comes_back_is_known_again():
    rig = locker_with_parcel()
    before = len(rig.flash.records)
    lose(rig)
    assert [state(rig, number) for number in (1, 2, 3)] == [door.UNKNOWN, door.UNKNOWN, door.CLOSED]
    assert rig.agent.lost == {0: "silent"}
    back(rig)
    assert [state(rig, number) for number in (1, 2, 3)] == [door.CLOSED] * 3
    assert rig.agent.lost == {}
    assert len(rig.flash.records) == before, "a loose plug must not fill the journal"


def test_the_customer_of_a_lost_board_is_told_that_the_parcel_is_safe_and_the_code_stays_good():
    rig = locker_with_parcel()
    lose(rig)
    pulses, records = len(rig.pulses), len(rig.flash.records)
    rig.keys(rig.code(2, 1))
    assert rig.screen == ("door_out_of_service", ("2",))
    assert len(rig.pulses) == pulses and len(rig.flash.records) == records and not quarantined(rig, 2)
    back(rig)
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert rig.flash.events()[-1] == messages.Collected(2, 1)


def test_the_other_modules_serve_on():
    rig = locker_with_parcel(3)
    lose(rig)
    rig.keys(rig.code(3, 1))
    rig.push(3)
    assert rig.flash.events()[-1] == messages.Collected(3, 1)


def test_no_parcel_is_put_behind_a_door_that_cannot_be_seen():
    rig = courier_at(Rig())
    lose(rig)
    rig.do(on.Scanned(b"PARCEL-1"))
    assign(rig, 2)
    assert rig.pulses == []
    done = rig.flash.events()[-1]
    assert isinstance(done, messages.CommandDone) and done.code == number_of("wrong_state")
    rig.do(on.Scanned(b"PARCEL-2"))
    assign(rig, 3)
    assert rig.pulses == [3]


def test_no_command_opens_a_door_that_cannot_be_seen():
    rig = courier_at(Rig())
    lose(rig)
    rig.say(rig.gateway.say(messages.Open(2, "look")))
    done = rig.flash.events()[-1]
    assert isinstance(done, messages.CommandDone) and done.code == number_of("out_of_service") and rig.pulses == []


def test_a_door_of_a_lost_board_that_opens_meanwhile_is_found_so():
    rig = locker_with_parcel()
    lose(rig)
    rig.closed[2] = False
    back(rig)
    fault = rig.flash.events()[-1]
    assert fault == messages.DoorFaulted(2, door.OPEN, True) and quarantined(rig, 2)


def test_a_pickup_whose_door_was_seen_open_ends_when_the_board_is_back_and_finds_it_shut():
    rig = locker_with_parcel()
    rig.keys(rig.code(2, 1))
    lose(rig)
    rig.closed[2] = True  # closed while nobody could see it
    rig.wait(LEFT_OPEN_REMIND_MS - 1_000)
    back(rig)
    assert rig.flash.events()[-1] == messages.Collected(2, 1) and not quarantined(rig, 2)


def test_whoever_stands_before_a_door_that_stays_unseen_is_told_and_a_person_looks():
    rig = locker_with_parcel()
    rig.keys(rig.code(2, 1))
    lose(rig)
    rig.wait(LEFT_OPEN_REMIND_MS + 1)
    assert rig.screen == ("door_jammed", ("2",))
    assert rig.flash.events()[-1] == messages.DoorFaulted(2, door.JAMMED, True)
    rig.closed[2] = True
    back(rig)
    assert messages.Collected(2, 1) not in rig.flash.events(), "it was not seen to close"
    rig.keys(rig.code(2, 1))  # the code is as good as before
    rig.push(2)
    assert rig.flash.events()[-1] == messages.Collected(2, 1)


def test_a_courier_before_a_door_that_stays_unseen_gets_another_and_a_person_looks_into_the_first():
    rig = courier_at(Rig())
    rig.do(on.Scanned(b"PARCEL-1"))
    assign(rig, 2)
    asked = len(rig.gateway.heard(messages.DepositRequested))
    lose(rig)
    rig.wait(LEFT_OPEN_REMIND_MS + 1)
    assert quarantined(rig, 2)
    assert messages.DepositAbandoned(2, 1, 77, numbers.JAMMED) in rig.flash.events()
    again = rig.gateway.heard(messages.DepositRequested)[asked:]
    assert [request.label for request in again] == ["PARCEL-1"]


def test_a_deposit_shut_unseen_for_a_moment_is_a_deposit():
    rig = courier_at(Rig())
    rig.do(on.Scanned(b"PARCEL-1"))
    assign(rig, 2)
    lose(rig)
    rig.closed[2] = True
    back(rig)
    assert rig.flash.events()[-1] == messages.Deposited(2, 1, 77)


def test_a_board_lost_before_its_door_was_seen_to_open_leaves_nothing_to_guess():
    """The pulse may have come or not; the parcel may be out or in."""
    rig = Rig()
    rig.connect()
    rig.deposit(2)
    rig.keys("*")
    rig.mute.add(2)
    rig.keys(rig.code(2, 1))
    assert state(rig, 2) == door.OPENING
    lose(rig)
    rig.closed[2] = True
    back(rig)
    assert rig.flash.events()[-1] == messages.DoorFaulted(2, door.UNKNOWN, True)
    assert messages.Collected(2, 1) not in rig.flash.events()


def test_a_door_out_of_service_and_a_faulty_one_stay_so():
    rig = locker_with_parcel()
    rig.say(rig.gateway.say(messages.OutOfService(1, True)))
    rig.agent.doors.states[1] = door.FAULTY
    lose(rig)
    assert [state(rig, number) for number in BOTH] == [door.OUT_OF_SERVICE, door.FAULTY]
    back(rig)
    assert [state(rig, number) for number in BOTH] == [door.OUT_OF_SERVICE, door.FAULTY]


def test_the_gateway_is_told_by_a_new_birth_and_again_when_the_board_is_back():
    rig = locker_with_parcel()
    rig.wait(LINK_STABLE_MS)
    told = len(births(rig))
    lose(rig)
    rig.wait(1)
    assert births(rig)[told:] == [bytes([door.UNKNOWN, numbers.HELD << 4 | door.UNKNOWN, door.CLOSED])]
    back(rig)
    rig.wait(2 * LINK_STABLE_MS)
    assert births(rig)[told + 1 :] == [bytes([door.CLOSED, numbers.HELD << 4 | door.CLOSED, door.CLOSED])]


def test_a_loose_plug_does_not_make_the_locker_introduce_itself_all_the_time():
    rig = locker_with_parcel()
    rig.wait(LINK_STABLE_MS)
    told = len(births(rig))
    for _ in range(180):
        lose(rig)
        back(rig)
        rig.wait(500)
    assert 3 <= len(births(rig)) - told <= 5  # in 90 s


def test_the_word_for_a_loss_may_change_and_a_board_that_was_never_lost_says_nothing_new():
    rig = locker_with_parcel()
    rig.wait(LINK_STABLE_MS)
    told = len(births(rig))
    rig.do(on.ModuleSensed(0, "", BOTH))
    rig.wait(2 * LINK_STABLE_MS)
    assert len(births(rig)) == told
    lose(rig)
    lose(rig, "garbled")
    assert rig.agent.lost == {0: "garbled"}


def test_compartments_that_this_locker_has_not_are_passed_over():
    rig = locker_with_parcel()
    rig.do(on.ModuleSensed(0, "silent", [1, 99]))
    assert state(rig, 1) == door.UNKNOWN and state(rig, 2) == door.CLOSED


def test_a_door_put_back_into_service_while_its_board_is_lost_is_told_to_be_unknown():
    rig = locker_with_parcel()
    rig.say(rig.gateway.say(messages.OutOfService(1, True)))
    lose(rig)
    rig.wait(2 * LINK_STABLE_MS)
    told = len(births(rig))
    rig.say(rig.gateway.say(messages.OutOfService(1, False)))
    rig.wait(1)
    assert [doors[0] for doors in births(rig)[told:]] == [door.UNKNOWN]

"""A courier at the locker: one door for each request, another one when that fails, and none left blocked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import COLIBRI, OPERATOR, Town, open_town

from gateway.services import commands, expiry, lockers, parcels, people
from gateway.services.take_up import take_up
from protocol.errors import number_of
from protocol.messages import (
    Assign,
    CommandDone,
    Decline,
    DepositAbandoned,
    DepositAuthorised,
    DepositRequested,
    DoorClosed,
    DoorFaulted,
    DoorOpened,
)
from protocol.numbers import DOOR_STATES, FIRST, JAMMED, TOO_SMALL, WRONG_BOX

JAM = DOOR_STATES.index("jammed")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    yield made
    made.store.close()


def compartment_of(answer: Assign | Decline) -> int:
    assert isinstance(answer, Assign), answer
    return answer.compartment


def test_a_request_repeated_gets_the_same_answer_and_no_second_door(town: Town) -> None:
    town.locker("S", "S")
    parcel = town.expect("label-1")
    badge = town.badge()
    request = DepositRequested(1, badge.id, "colibri", "label-1", FIRST)
    town.tell("mairie-1", request)
    first = commands.due_commands(town.desk, 10)
    town.sent()
    town.tell("mairie-1", request)
    assert commands.due_commands(town.desk, 10) == first
    assert first[0][1].command == Assign(1, 1, 1, parcel.number)
    assert town.availability() == ["reserved", "free"]


def test_a_request_that_was_answered_and_carried_out_is_not_answered_again(town: Town) -> None:
    town.locker("S")
    parcel = town.expect("label-1")
    badge = town.badge()
    request = DepositRequested(1, badge.id, "colibri", "label-1", FIRST)
    town.tell("mairie-1", request)
    down = commands.due_commands(town.desk, 10)[0][1]
    town.sent()
    town.says("mairie-1", DepositAuthorised(1, 1, 1, parcel.number, down.id, down.issued_s))
    town.tell("mairie-1", request)
    assert town.outbox() == []


def test_a_request_of_an_earlier_boot_is_from_nobody(town: Town) -> None:
    town.locker("S")
    town.expect("label-1")
    badge = town.badge()
    town.boots["mairie-1"] = 2
    town.wake("mairie-1", 1)
    town.boots["mairie-1"] = 1
    town.tell("mairie-1", DepositRequested(9, badge.id, "colibri", "label-1", FIRST))
    assert town.outbox() == []


def test_too_small_gives_the_next_bigger_size(town: Town) -> None:
    town.locker("S", "S", "M", "L")
    parcel, badge = town.expect("label-1"), town.badge()
    assert compartment_of(town.ask("mairie-1", badge, "label-1")) == 1
    town.says(
        "mairie-1",
        DepositAuthorised(1, 1, 1, parcel.number, None, None),
        DoorOpened(1),
        DepositAbandoned(1, 1, parcel.number, TOO_SMALL),
    )
    assert compartment_of(town.ask("mairie-1", badge, "label-1", TOO_SMALL)) == 3
    town.says("mairie-1", DoorClosed(1))
    assert town.availability() == ["free", "free", "reserved", "free"]
    town.says("mairie-1", DepositAuthorised(3, 1, 2, parcel.number, None, None))
    town.says("mairie-1", DepositAbandoned(3, 1, parcel.number, TOO_SMALL))
    assert compartment_of(town.ask("mairie-1", badge, "label-1", TOO_SMALL)) == 4
    town.says("mairie-1", DepositAuthorised(4, 1, 3, parcel.number, None, None))
    town.says("mairie-1", DepositAbandoned(4, 1, parcel.number, TOO_SMALL))
    answer = town.ask("mairie-1", badge, "label-1", TOO_SMALL)
    assert isinstance(answer, Decline) and answer.code == number_of("no_room")
    assert town.parcel(parcel.number).state == "expected"


def test_the_courier_may_ask_again_before_the_abandoned_deposit_is_told(town: Town) -> None:
    """DepositRequested is told at once, the journal's DepositAbandoned may come after it."""
    town.locker("S", "M")
    parcel, badge = town.expect("label-1"), town.badge()
    town.ask("mairie-1", badge, "label-1")
    town.says("mairie-1", DepositAuthorised(1, 1, 1, parcel.number, None, None), DoorOpened(1))
    assert compartment_of(town.ask("mairie-1", badge, "label-1", TOO_SMALL)) == 2
    town.says("mairie-1", DepositAbandoned(1, 1, parcel.number, TOO_SMALL), DoorClosed(1))
    assert town.availability() == ["free", "reserved"]
    assert town.parcel(parcel.number).compartment == 2


def test_a_jammed_door_gives_another_one_and_is_offered_to_nobody(town: Town) -> None:
    town.locker("S", "S")
    parcel, badge = town.expect("label-1"), town.badge()
    assert compartment_of(town.ask("mairie-1", badge, "label-1")) == 1
    town.says(
        "mairie-1",
        DepositAuthorised(1, 1, 1, parcel.number, None, None),
        DoorFaulted(1, JAM, True),
        DepositAbandoned(1, 1, parcel.number, JAMMED),
    )
    assert compartment_of(town.ask("mairie-1", badge, "label-1", JAMMED)) == 2
    assert town.availability() == ["quarantined", "reserved"]


def test_the_wrong_box_is_not_given_twice_in_a_row(town: Town) -> None:
    town.locker("S", "S")
    town.expect("label-1")
    badge = town.badge()
    assert compartment_of(town.ask("mairie-1", badge, "label-1")) == 1
    assert compartment_of(town.ask("mairie-1", badge, "label-1", WRONG_BOX)) == 2
    assert compartment_of(town.ask("mairie-1", badge, "label-1", WRONG_BOX)) == 1


def test_a_reserved_door_that_broke_meanwhile_is_replaced(town: Town) -> None:
    town.locker("S", "S")
    parcel = town.expect("label-1")
    assert parcels.reserve_compartment(town.desk, COLIBRI, parcel.number).compartment == 1
    town.says("mairie-1", DoorFaulted(1, JAM, True))
    assert compartment_of(town.ask("mairie-1", town.badge(), "label-1")) == 2


def test_an_assign_that_the_locker_refuses_frees_the_door(town: Town) -> None:
    town.locker("S")
    parcel, badge = town.expect("label-1"), town.badge()
    town.tell("mairie-1", DepositRequested(1, badge.id, "colibri", "label-1", FIRST))
    down = commands.due_commands(town.desk, 10)[0][1]
    town.says("mairie-1", CommandDone(down.id, down.issued_s, number_of("no_such_request"), Assign.TYPE, 1, 0))
    assert (town.parcel(parcel.number).state, town.availability()) == ("expected", ["free"])


def test_the_late_refusal_of_an_old_answer_does_not_take_the_new_ones_door(town: Town) -> None:
    town.locker("S")
    parcel, badge = town.expect("label-1"), town.badge()
    town.tell("mairie-1", DepositRequested(1, badge.id, "colibri", "label-1", FIRST))
    old = commands.due_commands(town.desk, 10)[0][1]
    town.sent()
    town.tell("mairie-1", DepositRequested(2, badge.id, "colibri", "label-1", FIRST))
    assert town.outbox() == [Assign(1, 2, 1, parcel.number)]
    town.says("mairie-1", CommandDone(old.id, old.issued_s, number_of("no_such_request"), Assign.TYPE, 1, 0))
    assert (town.parcel(parcel.number).state, town.availability()) == ("reserved", ["reserved"])


def test_an_assign_that_nobody_answers_frees_the_door_when_its_time_is_up(town: Town) -> None:
    town.locker("S")
    parcel = town.expect("label-1")
    town.ask("mairie-1", town.badge(), "label-1")
    town.now[0] += 61
    assert commands.expire_commands(town.desk) == 0  # a result may be on its way
    town.now[0] += 30
    assert commands.expire_commands(town.desk) == 1
    assert (town.parcel(parcel.number).state, town.availability()) == ("expected", ["free"])


def test_a_silent_locker_keeps_the_door_it_may_be_filling(town: Town) -> None:
    town.locker("S")
    parcel = town.expect("label-1")
    town.ask("mairie-1", town.badge(), "label-1")
    town.now[0] += 200
    commands.expire_commands(town.desk)
    assert town.parcel(parcel.number).state == "reserved"
    town.put_in("mairie-1", 1, 1, parcel.number)
    assert (town.parcel(parcel.number).state, town.alarms()) == ("deposited", [])


def test_a_deposit_under_way_is_not_freed_by_the_clock(town: Town) -> None:
    town.locker("S")
    parcel, badge = town.expect("label-1"), town.badge()
    town.tell("mairie-1", DepositRequested(1, badge.id, "colibri", "label-1", FIRST))
    town.says("mairie-1", DepositAuthorised(1, 1, 1, parcel.number, None, None), DoorOpened(1))
    town.now[0] += 100
    commands.expire_commands(town.desk)
    assert town.availability() == ["occupied"]
    assert town.parcel(parcel.number).state == "reserved"


def test_a_badge_of_the_wrong_carrier_is_no_badge(town: Town) -> None:
    town.locker("S")
    town.expect("label-1")
    badge = town.badge()
    town.tell("mairie-1", DepositRequested(1, badge.id, "rival", "label-1", FIRST))
    answer = town.answer("mairie-1")
    assert isinstance(answer, Decline) and answer.code == number_of("not_allowed")
    people.revoke_badge(town.desk, COLIBRI, badge.id)
    assert isinstance(town.ask("mairie-1", badge, "label-1"), Decline)


def test_couriers_who_ask_in_one_batch_get_different_doors(town: Town) -> None:
    town.locker("S", "S")
    badge = town.badge()
    for place in range(3):
        town.expect(f"label-{place}")
    take_up(
        town.desk,
        [
            town.up("mairie-1", DepositRequested(place + 1, badge.id, "colibri", f"label-{place}", FIRST), 0)
            for place in range(3)
        ],
    )
    answers = town.outbox()
    assert sorted(answer.compartment for answer in answers if isinstance(answer, Assign)) == [1, 2]
    assert [answer.code for answer in answers if isinstance(answer, Decline)] == [number_of("no_room")]


def test_a_reservation_given_back_takes_its_answer_out_of_the_outbox(town: Town) -> None:
    town.locker("S")
    parcel, badge = town.expect("label-1"), town.badge()
    town.tell("mairie-1", DepositRequested(1, badge.id, "colibri", "label-1", FIRST))
    parcels.release_reservation(town.desk, COLIBRI, parcel.number)
    assert town.outbox() == []


def test_a_reservation_does_not_run_out_while_the_parcel_is_put_in(town: Town) -> None:
    town.locker("S")
    parcel = town.expect("label-1")
    town.ask("mairie-1", town.badge(), "label-1")
    town.says("mairie-1", DepositAuthorised(1, 1, 1, parcel.number, None, None), DoorOpened(1))
    town.now[0] += town.desk.settings.reservation_minutes * 60
    assert expiry.expire_due(town.desk) == 0
    assert town.parcel(parcel.number).state == "reserved"


def test_a_locker_with_a_new_key_counts_its_requests_from_the_start(town: Town) -> None:
    town.locker("S")
    parcel, badge = town.expect("label-1"), town.badge()
    request = DepositRequested(1, badge.id, "colibri", "label-1", FIRST)
    town.tell("mairie-1", request)
    town.sent()
    lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
    town.now[0] += 100  # the answer under the old key has run out
    town.wake("mairie-1", 1)
    town.tell("mairie-1", request)
    assert town.outbox() == [Assign(1, 1, 1, parcel.number)]


def test_old_requests_and_answers_are_not_kept_for_ever(town: Town) -> None:
    town.locker("S")
    town.expect("label-1")
    town.ask("mairie-1", town.badge(), "label-1")
    with town.store.transaction() as tx:
        tx.keep_answer(b"i" * 32, b"f", b"sealed", town.now[0])
    town.now[0] += 8 * 86_400
    expiry.expire_due(town.desk)
    with town.store.reading() as tx:
        assert tx.find_answer(b"i" * 32) is None
        assert tx.answer_to("mairie-1", 1, 1) is None


def test_an_assign_that_runs_out_frees_no_door_with_a_parcel_inside(town: Town) -> None:
    """The locker's word that the parcel is inside came, and its word about the Assign did not."""
    town.locker("S")
    parcel = town.deposited("L-1")
    town.later(600)
    assert commands.expire_commands(town.desk) == 0, "it means nothing since its door was opened"
    with town.store.reading() as tx:
        assert tx.allocation_of(parcel.number) is not None
    assert town.parcel(parcel.number) == parcel


def test_what_was_assigned_before_takes_no_door_from_a_parcel_that_its_locker_put_elsewhere(town: Town) -> None:
    town.locker("S", "S")
    made = town.expect("L-1")
    assigned = town.ask("mairie-1", town.badge(), "L-1")
    assert isinstance(assigned, Assign)
    other = 3 - assigned.compartment
    town.says("mairie-1", DepositAuthorised(other, 1, 1, made.number, None, None))
    town.later(600)
    commands.expire_commands(town.desk)
    with town.store.reading() as tx:
        kept = tx.allocation_of(made.number)
    assert kept is not None and kept.compartment == other

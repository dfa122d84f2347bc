"""A phished code: the parcel gets a new one, at the locker first and in the books when the locker has said so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import BOOKSHOP, CLOSED, COLIBRI, OPERATOR, RIVAL, Town, done, open_town, refused

from gateway.domain.ids import OperationNumber
from gateway.domain.operations import Operation
from gateway.domain.parcels import Parcel
from gateway.domain.people import COURIER, Principal
from gateway.services import commands, doors, expiry, parcels, people, reissues
from protocol.messages import (
    Booted,
    Collected,
    CommandDone,
    DoorOpened,
    PickupAuthorised,
    Reissue,
    Revoke,
)
from protocol.numbers import HELD, KEYPAD
from protocol.tokens import open_token

DAY_S = 86_400


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    made.locker("S", "S")
    yield made
    made.store.close()


def order(town: Town, parcel: Parcel) -> Operation:
    return reissues.reissue(town.desk, COLIBRI, parcel.number)


def now(town: Town, number: OperationNumber) -> Operation:
    return doors.get_operation(town.desk, COLIBRI, number)


def deposit_in_books(town: Town, box: int = 1) -> int:
    with town.store.reading() as tx:
        found = tx.compartment("mairie-1", box)
    assert found is not None
    return found.deposit


# ------------------------------------------------------------------ the main way
def test_the_new_code_is_given_out_when_the_locker_has_taken_the_old_one_back(town: Town) -> None:
    parcel = town.deposited("label-1")
    old = parcels.pickup_code(town.desk, COLIBRI, parcel.number)
    operation = order(town, parcel)
    assert (operation.kind, operation.state, operation.parcel) == ("reissue", "waiting", parcel.number)
    assert town.outbox() == [Reissue(1, 1)]
    waiting = parcels.pickup_code(town.desk, COLIBRI, parcel.number)
    assert (waiting.code, waiting.reissue, old.reissue) == (old.code, operation.number, None)
    town.says("mairie-1", done(town, Reissue(1, 1), value=2))
    assert now(town, operation.number).state == "done"
    new = parcels.pickup_code(town.desk, COLIBRI, parcel.number)
    assert new.code != old.code and new.reissue is None
    token = open_token(new.token, town.desk.keys.trusted)
    assert (token.compartment, token.deposit) == (1, 2)
    assert (town.parcel(parcel.number).deposit, deposit_in_books(town)) == (2, 2)
    town.fetch(town.parcel(parcel.number))
    assert (town.parcel(parcel.number).state, town.availability(), town.alarms()) == (
        "collected",
        ["free", "free"],
        [],
    )


def test_two_reissues_at_once_are_one_operation_and_one_order(town: Town) -> None:
    parcel = town.deposited("label-1")
    assert order(town, parcel) == order(town, parcel)
    assert town.outbox() == [Reissue(1, 1)]
    town.says("mairie-1", done(town, Reissue(1, 1), value=2))
    order(town, parcel)
    assert town.outbox() == [Reissue(1, 2)], "once it has ended, the next one is about the new number"


@pytest.mark.parametrize("why", ["wrong_state", "spent"])
def test_a_reissue_that_the_locker_refuses_leaves_the_old_code(town: Town, why: str) -> None:
    parcel = town.deposited("label-1")
    old = parcels.pickup_code(town.desk, COLIBRI, parcel.number)
    operation = order(town, parcel)
    town.says("mairie-1", done(town, Reissue(1, 1), why))
    ended = now(town, operation.number)
    assert (ended.state, ended.code, bool(ended.next_actions)) == ("failed", why, True)
    pickup = parcels.pickup_code(town.desk, COLIBRI, parcel.number)
    assert (pickup.code, pickup.reissue) == (old.code, None)


def test_a_reissue_that_nobody_answers_fails_and_counts_if_the_locker_did_it_after_all(town: Town) -> None:
    parcel = town.deposited("label-1")
    operation = order(town, parcel)
    answer = done(town, Reissue(1, 1), value=2)
    town.sent()
    town.now[0] += DAY_S + 31
    commands.expire_commands(town.desk)
    assert (now(town, operation.number).state, now(town, operation.number).code) == ("failed", "expired")
    assert parcels.pickup_code(town.desk, COLIBRI, parcel.number).deposit == 1
    town.says("mairie-1", answer)
    assert now(town, operation.number).state == "done"
    assert parcels.pickup_code(town.desk, COLIBRI, parcel.number).deposit == 2


def test_only_what_lies_in_a_locker_is_reissued_and_only_by_whom_it_concerns(town: Town) -> None:
    refused("wrong_state", order, town, town.expect("label-0"))
    parcel = town.deposited("label-1")
    for stranger in (RIVAL, BOOKSHOP):
        refused("unknown_parcel", reissues.reissue, town.desk, stranger, parcel.number)
    reader = Principal(COURIER, "colibri", frozenset({"codes:read", "parcels:write"}), "reads codes")
    assert "codes:write" in refused("not_allowed", reissues.reissue, town.desk, reader, parcel.number).detail
    refused("bad_value", reissues.reissue, town.desk, COLIBRI, parcel.number, "x" * 33)
    town.fetch(parcel)
    refused("wrong_state", order, town, parcel)


# ------------------------------------------------------------------ races
def test_a_pickup_with_the_old_code_before_the_reissue_is_booked_and_ends_it(town: Town) -> None:
    parcel = town.deposited("label-1")
    operation = order(town, parcel)
    answer = done(town, Reissue(1, 1), "spent")
    town.fetch(parcel)
    assert town.parcel(parcel.number).state == "collected"
    assert (now(town, operation.number).state, now(town, operation.number).code) == ("failed", "spent")
    assert town.outbox() == [], "what was not sent yet is not sent any more"
    town.says("mairie-1", answer)
    assert (now(town, operation.number).code, town.alarms()) == ("spent", [])
    assert town.availability() == ["free", "free"]


def test_a_pickup_told_in_one_batch_with_the_result_is_booked_in_its_order(town: Town) -> None:
    """Somebody stood there with the old code, did not open, and came again with the new one."""
    parcel = town.deposited("label-1")
    order(town, parcel)
    town.says(
        "mairie-1",
        PickupAuthorised(1, 1, KEYPAD, 0, None),
        done(town, Reissue(1, 1), value=2),
        PickupAuthorised(1, 2, KEYPAD, 0, None),
        DoorOpened(1),
        Collected(1, 2),
    )
    assert (town.parcel(parcel.number).state, town.alarms()) == ("collected", [])
    assert town.availability() == ["free", "free"]


def test_late_word_of_the_old_number_is_still_about_that_parcel(town: Town) -> None:
    """The locker's journal lost its end, the re-issue with it: the parcel goes out under the old number."""
    parcel = town.deposited("label-1")
    order(town, parcel)
    town.says("mairie-1", done(town, Reissue(1, 1), value=2))
    town.boots["mairie-1"], town.seqs["mairie-1"] = 2, 3
    town.wake("mairie-1", 2, bytes([HELD << 4 | CLOSED, CLOSED]))
    town.says("mairie-1", PickupAuthorised(1, 1, KEYPAD, 0, None), DoorOpened(1), Collected(1, 1))
    assert (town.parcel(parcel.number).state, town.alarms()) == ("collected", ["journal_went_back"])
    assert town.availability() == ["free", "free"]


def test_an_old_number_means_nobody_once_its_parcel_has_left(town: Town) -> None:
    parcel = town.deposited("label-1")
    order(town, parcel)
    town.says("mairie-1", done(town, Reissue(1, 1), value=2))
    town.fetch(town.parcel(parcel.number))
    later = town.expect("label-2")
    town.put_in("mairie-1", 1, 3, later.number)
    town.says("mairie-1", Collected(1, 1))
    assert town.alarms() == ["pickup_of_an_unknown_parcel"]
    assert (town.parcel(later.number).state, town.availability()[0]) == ("deposited", "occupied")


def test_a_result_whose_order_the_books_have_lost_still_moves_the_parcel(town: Town) -> None:
    """Restored from a backup of before the order: the locker tells what it did."""
    parcel = town.deposited("label-1")
    town.says("mairie-1", CommandDone(b"unknown!", town.now[0], 0, Reissue.TYPE, 1, 2))
    assert (town.parcel(parcel.number).deposit, deposit_in_books(town), town.alarms()) == (2, 2, [])


def test_another_lockers_result_moves_nothing_here(town: Town) -> None:
    parcel = town.deposited("label-1")
    town.locker("S", locker="gare-1")
    operation = order(town, parcel)
    town.says("gare-1", done(town, Reissue(1, 1), value=2))
    assert (town.parcel(parcel.number).deposit, now(town, operation.number).state) == (1, "waiting")


def test_a_parcel_is_not_taken_back_and_reissued_at_once(town: Town) -> None:
    parcel, other = town.deposited("label-1"), town.deposited("label-2")
    order(town, parcel)
    assert refused("wrong_state", parcels.take_back, town.desk, COLIBRI, parcel.number).next_actions
    town.says("mairie-1", done(town, Reissue(1, 1), value=2))
    parcels.take_back(town.desk, COLIBRI, parcel.number)
    assert Revoke(1, 2) in town.outbox()
    parcels.take_back(town.desk, COLIBRI, other.number)
    assert refused("wrong_state", order, town, other).next_actions


def test_a_parcel_that_expires_while_its_reissue_waits_is_revoked_under_the_new_number(town: Town) -> None:
    parcel = town.deposited("label-1")
    town.later(town.desk.settings.pickup_days * DAY_S - 1)
    order(town, parcel)
    answer = done(town, Reissue(1, 1), value=2)
    town.now[0] += 1
    expiry.expire_due(town.desk)
    assert town.outbox() == [Reissue(1, 1), Revoke(1, 1)]
    town.says("mairie-1", answer, done(town, Revoke(1, 1), "spent"))
    town.now[0] += 601
    expiry.expire_due(town.desk)
    assert town.outbox() == [Revoke(1, 2)]
    town.says("mairie-1", done(town, Revoke(1, 2), value=2))
    assert (town.parcel(parcel.number).state, town.alarms()) == ("expired", [])


def test_the_same_word_twice_moves_the_parcel_once(town: Town) -> None:
    parcel = town.deposited("label-1")
    order(town, parcel)
    town.says("mairie-1", done(town, Reissue(1, 1), value=2))
    order(town, parcel)
    before = town.dump()
    town.seqs["mairie-1"] -= 1
    town.says("mairie-1", CommandDone(b"whatever", town.now[0], 0, Reissue.TYPE, 1, 9))
    assert town.dump() == before
    town.says("mairie-1", Booted("1.0.0", "power"))


def test_an_operators_key_of_an_earlier_version_may_do_what_has_come_since(town: Town) -> None:
    with town.store.transaction() as tx:
        people.ensure_operator(town.desk, "the first key")
        tx.sql.execute("UPDATE credentials SET scopes = 'parcels:read'")
    people.ensure_operator(town.desk, "the first key")
    assert people.authenticate(town.desk, "the first key").scopes == OPERATOR.scopes

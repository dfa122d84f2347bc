"""A parcel whose code has ended and that nobody took out: the operator is told at once, and can give it another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import BOOKSHOP, COLIBRI, OPERATOR, Town, authorised, done, open_town, refused
from test_services_leaving import LOCKER, decides, leaves, takes_out

from gateway.domain.parcels import Parcel
from gateway.limits import ASSIGN_GRACE_S, TTL_OPEN_S
from gateway.services import commands, customer, doors, expiry, parcels, reissues
from protocol.messages import (
    ContentsDoubted,
    DoorClosed,
    DoorOpened,
    Message,
    OpeningAuthorised,
    Reissue,
    Release,
    Revoke,
)
from protocol.numbers import CONSOLE, MISSING

WITHOUT_CODE = "parcel_without_code"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    made.locker("S", "S", "M", "M")
    yield made
    made.store.close()


def walked_away(town: Town, label: str = "label-1") -> Parcel:
    """Its technician opened the door, shut it, and said nothing."""
    parcel = town.deposited(label)
    assert parcel.compartment is not None
    leaves(town, parcel.compartment)
    town.says(LOCKER, *takes_out(parcel.compartment, 1))
    return parcel


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_the_operator_is_told_at_whatever_step_the_technician_walks_away(town: Town, steps: int) -> None:
    parcel = town.deposited("label-1")
    leaves(town, 1)
    town.says(LOCKER, *takes_out(1, 1)[:steps])
    assert town.alarms() == [WITHOUT_CODE]
    with town.store.reading() as tx:
        assert [alarm.parcel for alarm in tx.alarms_of(LOCKER)] == [parcel.number]


@pytest.mark.parametrize(
    ("said", "alarms"),
    [
        (decides(Release, 1, 1), []),
        (decides(Reissue, 1, 2), []),
        (ContentsDoubted(1, MISSING), ["contents_missing"]),
    ],
)
def test_the_technicians_word_ends_it(town: Town, said: Message, alarms: list[str]) -> None:
    walked_away(town)
    town.says(LOCKER, said)
    assert town.alarms() == alarms


def test_a_door_opened_once_more_is_told_once_more_though_the_alarm_had_been_settled(town: Town) -> None:
    walked_away(town)
    with town.store.transaction() as tx:
        tx.clear_alarms(LOCKER, 1, None, town.now[0])
    town.says(LOCKER, OpeningAuthorised(1, CONSOLE, "anna", None, None))
    assert town.alarms() == [WITHOUT_CODE]


def test_the_operator_who_knows_that_it_is_inside_gives_it_another_code(town: Town) -> None:
    parcel = walked_away(town)
    operation = reissues.reissue(town.desk, OPERATOR, parcel.number)
    assert town.outbox() == [Reissue(1, 2)], "the number after the one that has ended"
    assert reissues.reissue(town.desk, OPERATOR, parcel.number) == operation
    town.says(LOCKER, done(town, Reissue(1, 2), value=2))
    assert doors.get_operation(town.desk, OPERATOR, operation.number).state == "done"
    assert town.alarms() == [] and parcels.pickup_code(town.desk, OPERATOR, parcel.number).deposit == 2
    assert customer.situation_of(town.desk, parcel.number).shown == "waiting"
    town.fetch(town.parcel(parcel.number))
    assert town.parcel(parcel.number).state == "collected" and town.alarms() == []


def test_nobody_else_can_whoever_asks_would_be_sent_to_what_may_be_empty(town: Town) -> None:
    parcel = walked_away(town)
    assert refused("wrong_state", reissues.reissue, town.desk, COLIBRI, parcel.number).next_actions
    assert refused("wrong_state", customer.new_code, town.desk, parcel.number).next_actions
    refused("unknown_parcel", reissues.reissue, town.desk, BOOKSHOP, parcel.number)
    assert town.outbox() == [] and town.alarms() == [WITHOUT_CODE]


def test_an_order_that_is_not_carried_out_leaves_the_alarm_and_is_not_true_for_long(town: Town) -> None:
    parcel = walked_away(town)
    refused_there = reissues.reissue(town.desk, OPERATOR, parcel.number)
    town.says(LOCKER, done(town, Reissue(1, 2), "wrong_state"))
    late = reissues.reissue(town.desk, OPERATOR, parcel.number)
    town.later(TTL_OPEN_S + ASSIGN_GRACE_S + 1)
    commands.expire_commands(town.desk)
    ended = [doors.get_operation(town.desk, OPERATOR, one.number) for one in (refused_there, late)]
    assert [(one.state, one.code) for one in ended] == [("failed", "wrong_state"), ("failed", "expired")]
    assert town.alarms() == [WITHOUT_CODE]


def test_when_the_technician_comes_back_before_the_order_each_counts_once(town: Town) -> None:
    parcel = walked_away(town)
    reissues.reissue(town.desk, OPERATOR, parcel.number)
    answer = done(town, Reissue(1, 2), value=3)
    town.says(LOCKER, decides(Reissue, 1, 2), answer)
    assert town.parcel(parcel.number).deposit == 3 and town.alarms() == []
    assert parcels.pickup_code(town.desk, OPERATOR, parcel.number).deposit == 3


def test_the_operator_who_takes_it_back_ends_it_too(town: Town) -> None:
    parcel = walked_away(town)
    parcels.take_back(town.desk, OPERATOR, parcel.number)
    town.says(LOCKER, authorised(town, 1), DoorOpened(1), DoorClosed(1))
    assert town.parcel(parcel.number).state == "taken_back"
    town.says(LOCKER, done(town, Release(1)))
    assert town.alarms() == []


def test_a_take_back_that_ended_the_code_and_no_more_is_told_too(town: Town) -> None:
    parcel = town.deposited("label-1")
    parcels.take_back(town.desk, OPERATOR, parcel.number)
    town.says(LOCKER, done(town, Revoke(1, 1), value=1))
    assert town.alarms() == [], "it is under way"
    town.later(TTL_OPEN_S + ASSIGN_GRACE_S + 1)
    commands.expire_commands(town.desk)
    assert town.alarms() == [WITHOUT_CODE]


def test_a_parcel_that_has_expired_is_on_the_round_and_no_alarm(town: Town) -> None:
    parcel = town.deposited("label-1")
    assert parcel.deadline_s is not None
    town.later(parcel.deadline_s + 1 - town.now[0])
    expiry.expire_due(town.desk)
    town.says(LOCKER, done(town, Revoke(1, 1), value=1))
    assert town.parcel(parcel.number).state == "expired" and town.alarms() == []

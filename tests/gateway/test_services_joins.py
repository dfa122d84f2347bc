"""Several parcels for one person: any of their codes opens them in turn, and nobody else's ever."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from books_town import BOOKSHOP, COLIBRI, OPERATOR, RIVAL, Town, done, open_town, refused

from gateway.domain.parcels import NewParcel, Parcel
from gateway.domain.people import Principal
from gateway.services import commands, expiry, parcels, reissues
from protocol.messages import CommandDone, Join, Reissue

DAY_S = 86_400
REF = "K-1047 Kanarek"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    made.locker("S", "S", "S", "S")
    yield made
    made.store.close()


def joins(town: Town) -> list[Join]:
    return [message for message in town.outbox() if isinstance(message, Join)]


def obey(town: Town) -> None:
    """The locker joins all that it was told to."""
    for _, down in commands.due_commands(town.desk, 50):
        order = down.command
        if isinstance(order, Join):
            town.says("mairie-1", CommandDone(down.id, down.issued_s, 0, Join.TYPE, order.compartment, order.group))


def opens_also(town: Town, parcel: Parcel) -> tuple[int, ...]:
    return parcels.pickup_code(town.desk, COLIBRI, parcel.number).opens_also


def put(town: Town, who: Principal, new: NewParcel, box: int, locker: str = "mairie-1") -> Parcel:
    made = parcels.expect_parcel(town.desk, who, new)
    town.put_in(locker, box, 1, made.number)
    return town.parcel(made.number)


# ------------------------------------------------------------------ the main way
def test_the_second_parcel_of_a_recipient_is_joined_with_the_first(town: Town) -> None:
    first = town.deposited("label-1", ref=REF)
    assert joins(town) == []
    second = town.deposited("label-2", ref=REF)
    one, two = joins(town)
    assert {(one.compartment, one.deposit), (two.compartment, two.deposit)} == {(1, 1), (2, 1)}
    assert one.group == two.group > 0
    assert (opens_also(town, first), opens_also(town, second)) == ((), ()), "not before the locker has said so"
    obey(town)
    assert (opens_also(town, first), opens_also(town, second)) == ((2,), (1,))


def test_the_third_parcel_joins_the_group_that_is_there(town: Town) -> None:
    first, _ = town.deposited("label-1", ref=REF), town.deposited("label-2", ref=REF)
    group = joins(town)[0].group
    obey(town)
    third = town.deposited("label-3", ref=REF)
    assert joins(town) == [Join(3, 1, group)]
    obey(town)
    assert (opens_also(town, first), opens_also(town, third)) == ((2, 3), (1, 2))
    town.fetch(first)
    assert opens_also(town, third) == (2,), "what has left is opened by nothing"


# ------------------------------------------------------------------ whom it never joins
def test_parcels_of_other_senders_lockers_and_recipients_are_never_joined(town: Town) -> None:
    town.locker("S", locker="gare-1")
    put(town, COLIBRI, NewParcel("a", "mairie-1", "S", "colibri", recipient_ref=REF), 1)
    put(town, RIVAL, NewParcel("b", "mairie-1", "S", "rival", recipient_ref=REF), 2)
    put(town, BOOKSHOP, NewParcel("c", "mairie-1", "S", "colibri", recipient_ref=REF), 3)
    put(town, COLIBRI, NewParcel("d", "gare-1", "S", "colibri", recipient_ref=REF), 1, "gare-1")
    put(town, COLIBRI, NewParcel("e", "mairie-1", "S", "colibri", recipient_ref=REF + "!"), 4)
    assert joins(town) == []


def test_the_same_mail_and_phone_join_nothing(town: Town) -> None:
    """A carrier that writes its own address into every order would open everybody's doors with one code."""
    for box in (1, 2):
        new = NewParcel(
            f"label-{box}", "mairie-1", "S", "colibri", recipient_mail="a@b.fr", recipient_phone="+33 3 22"
        )
        put(town, COLIBRI, new, box)
    assert joins(town) == []


def test_what_is_expired_disputed_or_being_taken_back_is_not_joined(town: Town) -> None:
    expired = town.deposited("label-1", ref=REF)
    town.later(town.desk.settings.pickup_days * DAY_S)
    expiry.expire_due(town.desk)
    town.wake_alive()
    disputed = town.deposited("label-2", ref=REF)
    town.put_in("mairie-1", 2, 2, town.expect("label-3").number)
    going = town.deposited("label-4", ref=REF)
    parcels.take_back(town.desk, COLIBRI, going.number)
    assert joins(town) == []
    assert town.parcel(expired.number).state == "expired" and town.parcel(disputed.number).state == "disputed"
    town.deposited("label-5", ref=REF)
    assert joins(town) == []


def test_a_parcel_whose_reissue_runs_is_joined_when_that_has_ended(town: Town) -> None:
    first = town.deposited("label-1", ref=REF)
    reissues.reissue(town.desk, COLIBRI, first.number)
    answer = done(town, Reissue(1, 1), value=2)
    town.deposited("label-2", ref=REF)
    assert joins(town) == []
    town.says("mairie-1", answer)
    one, two = joins(town)
    assert {(one.compartment, one.deposit), (two.compartment, two.deposit)} == {(1, 2), (2, 1)}
    assert one.group == two.group


@pytest.mark.parametrize("answered", [True, False])
def test_a_parcel_whose_reissue_failed_is_joined_under_its_old_number(town: Town, answered: bool) -> None:
    first = town.deposited("label-1", ref=REF)
    reissues.reissue(town.desk, COLIBRI, first.number)
    answer = done(town, Reissue(1, 1), "wrong_state")
    town.deposited("label-2", ref=REF)
    if answered:
        town.says("mairie-1", answer)
    else:
        town.sent()
        town.now[0] += DAY_S + 31
        commands.expire_commands(town.desk)
    assert {(one.compartment, one.deposit) for one in joins(town)} == {(1, 1), (2, 1)}


def test_a_reissued_parcel_is_joined_anew_under_its_new_number(town: Town) -> None:
    first, second = town.deposited("label-1", ref=REF), town.deposited("label-2", ref=REF)
    group = joins(town)[0].group
    obey(town)
    reissues.reissue(town.desk, COLIBRI, first.number)
    town.says("mairie-1", done(town, Reissue(1, 1), value=2))
    assert (opens_also(town, first), opens_also(town, second)) == ((), ())
    assert joins(town) == [Join(1, 2, group)]
    obey(town)
    assert (opens_also(town, first), opens_also(town, second)) == ((2,), (1,))


# ------------------------------------------------------------------ what the locker makes of it
def test_a_join_whose_deposit_is_gone_is_no_alarm(town: Town) -> None:
    first, second = town.deposited("label-1", ref=REF), town.deposited("label-2", ref=REF)
    one, two = joins(town)
    gone = done(town, one, "spent")
    town.fetch(first)
    town.says("mairie-1", CommandDone(gone.command, gone.issued, gone.code, Join.TYPE, 1, 0), done(town, two))
    assert (town.alarms(), opens_also(town, second)) == ([], ())


def test_a_join_that_was_refused_is_tried_again_with_the_next_parcel(town: Town) -> None:
    town.deposited("label-1", ref=REF)
    town.deposited("label-2", ref=REF)
    for _, down in commands.due_commands(town.desk, 50):
        if isinstance(down.command, Join):
            answer = CommandDone(down.id, down.issued_s, 13, Join.TYPE, down.command.compartment, 0)
            town.says("mairie-1", answer)
    assert (joins(town), town.alarms()) == ([], [])
    town.deposited("label-3", ref=REF)
    assert sorted(one.compartment for one in joins(town)) == [1, 2, 3]


def test_a_join_that_nobody_answers_is_ordered_anew_while_it_means_something(town: Town) -> None:
    first = town.deposited("label-1", ref=REF)
    town.deposited("label-2", ref=REF)
    ordered = joins(town)
    town.sent()
    town.fetch(first)
    town.now[0] += DAY_S + 31
    commands.expire_commands(town.desk)
    assert joins(town) == [one for one in ordered if one.compartment == 2]


def test_a_join_that_the_books_have_lost_counts_when_the_locker_tells_it(town: Town) -> None:
    first, second = (put(town, COLIBRI, NewParcel(f"{n}", "mairie-1", "S", "colibri"), n) for n in (1, 2))
    for box in (1, 2):
        town.says("mairie-1", CommandDone(b"unknown" + bytes([box]), town.now[0], 0, Join.TYPE, box, 77))
    assert (opens_also(town, first), opens_also(town, second)) == ((2,), (1,))
    town.says("mairie-1", CommandDone(b"unknown!", town.now[0], 0, Join.TYPE, 1, 2**40))
    assert town.parcel(first.number).group == 77


def test_a_number_is_never_given_to_two_groups_of_a_locker(town: Town) -> None:
    chance, draws = random.Random(1), [7, 7, 0, 8]

    def randomness(size: int) -> bytes:
        return draws.pop(0).to_bytes(4, "big") if size == 4 else chance.randbytes(size)

    town.desk = replace(town.desk, randomness=randomness)
    groups: list[int] = []
    for ref in ("one", "two"):
        town.deposited(f"{ref}-1", ref=ref)
        town.deposited(f"{ref}-2", ref=ref)
        groups += [one.group for one in joins(town)]
    assert groups == [7, 7, 8, 8]


# ------------------------------------------------------------------ what is kept
def test_the_senders_number_for_the_recipient_is_forgotten_with_the_recipient(town: Town) -> None:
    parcel = town.deposited("label-1", ref=REF)
    town.fetch(parcel)
    town.now[0] += 30 * DAY_S - 1
    expiry.expire_due(town.desk)
    assert any("Kanarek" in row for row in town.dump())
    town.now[0] += 1
    expiry.expire_due(town.desk)
    assert not any("Kanarek" in row for row in town.dump())


@pytest.mark.parametrize("ref", ["", "x" * 65, "é", "line\nbreak"])
def test_a_number_that_cannot_be_is_refused(town: Town, ref: str) -> None:
    new = NewParcel("a", "mairie-1", "S", "colibri", recipient_ref=ref)
    refused("bad_value", parcels.expect_parcel, town.desk, OPERATOR, new)

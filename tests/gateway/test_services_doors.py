"""Single doors by order, and the keys, badges and answers of people."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import BOOKSHOP, COLIBRI, NOW_S, OPERATOR, RIVAL, Town, authorised, done, open_town, refused

from gateway.domain.people import COURIER, MERCHANT, SCOPES_OF, Principal
from gateway.services import commands, doors, lockers, parcels, people
from protocol.keys import console_answer
from protocol.messages import (
    DepositAuthorised,
    DoorClosed,
    DoorOpened,
    Open,
    OutOfService,
    Release,
    Revoke,
)

DAY_S = 86_400


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    yield made
    made.store.close()


# ------------------------------------------------------------------ single doors
def test_an_opening_is_done_when_the_door_was_seen_to_open(town: Town) -> None:
    town.locker("S")
    operation = doors.open_compartment(town.desk, OPERATOR, "mairie-1", 1, "cleaning")
    assert town.outbox() == [Open(1, "cleaning")]
    opening = authorised(town, 1)
    town.says("mairie-1", opening, DoorOpened(1))
    assert doors.get_operation(town.desk, OPERATOR, operation.number).state == "done"
    assert (town.outbox(), town.availability()) == ([], ["open"])
    town.says("mairie-1", DoorClosed(1))
    assert town.availability() == ["free"]


def test_an_opening_that_the_locker_refuses_or_never_hears_of_fails_with_its_reason(town: Town) -> None:
    town.locker("S")
    refused_one = doors.open_compartment(town.desk, OPERATOR, "mairie-1", 1, "cleaning")
    town.says("mairie-1", done(town, Open(1, ""), "rate_limited"))
    assert doors.get_operation(town.desk, OPERATOR, refused_one.number).code == "rate_limited"
    late = doors.open_compartment(town.desk, OPERATOR, "mairie-1", 1, "cleaning")
    town.now[0] += 60 + 31
    assert town.outbox() == []  # never sent after its time
    assert commands.expire_commands(town.desk) == 1
    ended = doors.get_operation(town.desk, OPERATOR, late.number)
    assert (ended.state, ended.code) == ("failed", "expired")


def test_out_of_service_holds_from_the_order_on_and_until_the_locker_is_back_in_service(town: Town) -> None:
    town.locker("S")
    doors.set_service(town.desk, OPERATOR, "mairie-1", 1, True, "broken hinge")
    assert (town.outbox(), town.availability()) == ([OutOfService(1, True)], ["out_of_service"])
    refused("out_of_service", doors.open_compartment, town.desk, OPERATOR, "mairie-1", 1, "look")
    town.says("mairie-1", done(town, OutOfService(1, True), value=1))
    back = doors.set_service(town.desk, OPERATOR, "mairie-1", 1, False, "mended")
    assert town.availability() == ["out_of_service"]
    town.says("mairie-1", done(town, OutOfService(1, False), value=0))
    assert (doors.get_operation(town.desk, OPERATOR, back.number).state, town.availability()) == ("done", ["free"])


def test_a_compartment_with_a_parcel_in_it_is_not_released(town: Town) -> None:
    town.locker("S")
    town.deposited("label-1")
    refused("wrong_state", doors.release_compartment, town.desk, OPERATOR, "mairie-1", 1, "looked")


def test_what_nobody_knows_is_revoked_before_it_is_released(town: Town) -> None:
    town.locker("S")
    town.put_in("mairie-1", 1, 1, 4711)
    doors.release_compartment(town.desk, OPERATOR, "mairie-1", 1, "looked")
    assert town.outbox() == [Revoke(1, 1), Release(1)]


def test_a_compartment_that_is_being_filled_is_not_released(town: Town) -> None:
    town.locker("S")
    parcel = town.expect("label-1")
    town.says("mairie-1", DepositAuthorised(1, 1, 1, parcel.number, None, None), DoorOpened(1))
    refused("wrong_state", doors.release_compartment, town.desk, OPERATOR, "mairie-1", 1, "looked")


def test_a_release_leaves_the_reservation_of_the_next_parcel(town: Town) -> None:
    town.locker("S")
    parcel = town.expect("label-1")
    parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    doors.release_compartment(town.desk, OPERATOR, "mairie-1", 1, "looked")
    town.says("mairie-1", done(town, Release(1)))
    assert town.availability() == ["reserved"]


def test_a_door_order_that_cannot_be_is_refused(town: Town) -> None:
    town.locker("S")
    refused("unknown_compartment", doors.open_compartment, town.desk, OPERATOR, "mairie-1", 2, "x")
    refused("unknown_locker", doors.open_compartment, town.desk, OPERATOR, "gare-1", 1, "x")
    refused("bad_value", doors.open_compartment, town.desk, OPERATOR, "mairie-1", 1, "x" * 33)
    refused("unknown_operation", doors.get_operation, town.desk, OPERATOR, 1)


def test_an_operation_is_its_tenants_own(town: Town) -> None:
    town.locker("S")
    operation = parcels.take_back(town.desk, COLIBRI, town.deposited("label-1").number)
    namesake = Principal(MERCHANT, "colibri", SCOPES_OF[MERCHANT], "a shop of the same name")
    opening = doors.open_compartment(town.desk, OPERATOR, "mairie-1", 1, "cleaning")
    refused("unknown_operation", doors.get_operation, town.desk, COLIBRI, opening.number)
    for stranger in (RIVAL, BOOKSHOP, namesake):
        refused("unknown_operation", doors.get_operation, town.desk, stranger, operation.number)
    assert doors.get_operation(town.desk, OPERATOR, operation.number) == operation


# ------------------------------------------------------------------ people and keys
def test_a_secret_is_a_principal_until_it_is_revoked(town: Town) -> None:
    made, secret = people.issue_credential(
        town.desk, OPERATOR, COURIER, "colibri", frozenset({"parcels:read"}), "van 3"
    )
    who = people.authenticate(town.desk, secret)
    assert (who.role, who.tenant, who.scopes, who.credential) == (COURIER, "colibri", {"parcels:read"}, made.number)
    people.revoke_credential(town.desk, OPERATOR, made.number)
    refused("unauthenticated", people.authenticate, town.desk, secret)
    refused("unauthenticated", people.authenticate, town.desk, "consigne_guess")
    refused("unknown_credential", people.revoke_credential, town.desk, OPERATOR, 1)


def test_the_operators_key_file_is_good_at_every_start(town: Town) -> None:
    for _ in range(2):
        people.ensure_operator(town.desk, "from-the-file")
    assert people.authenticate(town.desk, "from-the-file").role == "operator"
    assert len(people.list_credentials(town.desk, OPERATOR)) == 1


def test_a_carrier_makes_and_revokes_its_own_badges_only(town: Town) -> None:
    badge = town.badge()
    refused("not_allowed", people.issue_badge, town.desk, RIVAL, "colibri", "x", 1)
    refused("unknown_badge", people.revoke_badge, town.desk, RIVAL, badge.id)
    assert people.list_badges(town.desk, RIVAL) == []
    assert [each.id for each in people.list_badges(town.desk, COLIBRI)] == [badge.id]
    assert people.list_badges(town.desk, COLIBRI)[0].token is None
    assert people.revoke_badge(town.desk, COLIBRI, badge.id).revoked_s == NOW_S


def test_the_console_is_answered_for_a_provisioned_locker_only(town: Town) -> None:
    town.locker("S")
    key = town.desk.keys.locker_key("mairie-1", 1)
    said = people.console_answer(town.desk, OPERATOR, "mairie-1", b"12345678", "anna")
    assert said == console_answer(key, b"12345678", "anna")
    refused("bad_value", people.console_answer, town.desk, OPERATOR, "mairie-1", b"123", "anna")
    refused("not_allowed", people.console_answer, town.desk, COLIBRI, "mairie-1", b"12345678", "anna")


def test_a_locker_registered_twice_is_refused_and_provisioned_again_gets_another_key(town: Town) -> None:
    town.locker("S")
    refused("already_exists", town.locker, "S")
    assert lockers.generation_of(town.desk, "mairie-1") == 1
    first = town.desk.keys.locker_key("mairie-1", 1)
    again = lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
    assert (again.generation, lockers.provisioned(town.desk)) == (2, [("mairie-1", 2)])
    assert again.key != first
    assert again.trusted == {kid.hex(): table for kid, table in town.desk.keys.trusted.items()}
    assert lockers.generation_of(town.desk, "gare-1") is None


def test_a_locker_with_a_new_key_and_empty_books_offers_nothing_that_was_occupied(town: Town) -> None:
    town.locker("S", "S")
    parcel = town.deposited("label-1")
    lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
    town.seqs.clear()
    town.wake("mairie-1", 2)
    assert parcel.compartment == 1
    assert town.availability() == ["quarantined", "free"]
    assert town.alarms() == ["parcel_unknown_to_its_locker"]
    assert town.desk.store is town.store

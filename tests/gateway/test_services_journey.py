"""One parcel's way through the books: expected, reserved, deposited, collected; and every way off that path."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import BOOKSHOP, CLOSED, COLIBRI, NOW_S, OPERATOR, RIVAL, Town, authorised, done, open_town, refused

from gateway.domain.parcels import NewParcel
from gateway.domain.people import MERCHANT, Principal
from gateway.services import commands, doors, events, expiry, lockers, parcels, people
from protocol.errors import number_of
from protocol.messages import Ack, Assign, Decline, DoorClosed, DoorOpened, Open, Release, Reserved, Revoke
from protocol.numbers import HELD
from protocol.tokens import open_token

DAY_S = 86_400


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    yield made
    made.store.close()


# ------------------------------------------------------------------ the main way
def test_a_parcel_is_expected_deposited_and_collected(town: Town) -> None:
    town.locker("S", "M")
    parcel = town.expect("label-1")
    assert (parcel.state, town.availability()) == ("expected", ["free", "free"])
    assert town.ask("mairie-1", town.badge(), "label-1") == Assign(1, 1, 1, parcel.number)
    assert (town.parcel(parcel.number).state, town.availability()) == ("reserved", ["reserved", "free"])
    assert town.put_in("mairie-1", 1, 1, parcel.number) == [Reserved(b""), Ack(3)]
    inside = town.parcel(parcel.number)
    assert (inside.state, inside.compartment, inside.deposit) == ("deposited", 1, 1)
    assert inside.deadline_s == NOW_S + town.desk.settings.pickup_days * DAY_S
    assert town.availability() == ["occupied", "free"]
    town.fetch(inside)
    gone = town.parcel(parcel.number)
    assert (gone.state, gone.ended_s, town.availability()) == ("collected", NOW_S, ["free", "free"])
    assert town.alarms() == []


def test_the_code_is_the_lockers_own_and_the_token_opens_that_door_alone(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    pickup = parcels.pickup_code(town.desk, COLIBRI, parcel.number)
    assert pickup.code == parcels.pickup_code(town.desk, COLIBRI, parcel.number).code
    assert len(pickup.code) == 12
    token = open_token(pickup.token, town.desk.keys.trusted)
    assert (token.locker, token.compartment, token.deposit) == ("mairie-1", 1, 1)
    assert token.expiry_s == parcel.deadline_s


def test_only_what_lies_in_a_locker_has_a_code(town: Town) -> None:
    town.locker("S")
    expected = town.expect("label-1")
    assert refused("wrong_state", parcels.pickup_code, town.desk, COLIBRI, expected.number).next_actions
    parcel = town.deposited("label-2")
    town.fetch(parcel)
    refused("wrong_state", parcels.pickup_code, town.desk, COLIBRI, parcel.number)


def test_a_label_comes_again_only_when_its_parcel_has_ended(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    refused("already_exists", town.expect, "label-1")
    town.fetch(parcel)
    assert town.expect("label-1").number != parcel.number


def test_the_next_deposit_in_the_same_compartment_is_another_parcel(town: Town) -> None:
    town.locker("S")
    first = town.deposited("label-1")
    town.fetch(first)
    second = town.deposited("label-2")
    assert (second.compartment, second.deposit) == (1, 2)
    town.fetch(second)
    assert town.parcel(second.number).state == "collected"
    assert town.alarms() == []


def test_the_log_tells_all_of_it_in_order_and_to_each_its_own(town: Town) -> None:
    town.locker("S")
    town.fetch(town.deposited("label-1"))
    logged, cursor = events.list_events(town.desk, OPERATOR)
    names = [event.name for event in logged]
    assert names == [
        "DepositAuthorised",
        "DoorOpened",
        "Deposited",
        "PickupAuthorised",
        "DoorOpened",
        "Collected",
    ]
    assert [event.seq for event in logged] == [1, 2, 3, 4, 5, 6]
    assert events.list_events(town.desk, OPERATOR, cursor) == ([], cursor)
    own, _ = events.list_events(town.desk, COLIBRI)
    assert [event.name for event in own] == ["DepositAuthorised", "Deposited", "PickupAuthorised", "Collected"]
    assert events.list_events(town.desk, RIVAL) == ([], cursor)
    assert events.list_events(town.desk, BOOKSHOP, 3) == ([], cursor)


# ------------------------------------------------------------------ reserving ahead
def test_a_reservation_is_kept_used_and_the_same_when_asked_again(town: Town) -> None:
    town.locker("S", "S")
    parcel = town.expect("label-1")
    kept = parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    assert kept == parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    assert kept.until_s == NOW_S + town.desk.settings.reservation_minutes * 60
    answer = town.ask("mairie-1", town.badge(), "label-1")
    assert isinstance(answer, Assign) and answer.compartment == kept.compartment


def test_a_reservation_can_be_released_and_runs_out_by_itself(town: Town) -> None:
    town.locker("S")
    parcel = town.expect("label-1")
    parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    assert parcels.release_reservation(town.desk, COLIBRI, parcel.number).state == "expected"
    refused("wrong_state", parcels.release_reservation, town.desk, COLIBRI, parcel.number)
    parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    town.now[0] += town.desk.settings.reservation_minutes * 60
    assert expiry.expire_due(town.desk) == 1
    assert (town.parcel(parcel.number).state, town.availability()) == ("expected", ["free"])


def test_a_full_locker_says_so_and_so_does_one_nobody_hears_of(town: Town) -> None:
    town.locker("S")
    one, two = town.expect("label-1"), town.expect("label-2")
    parcels.reserve_compartment(town.desk, COLIBRI, one.number)
    assert refused("no_room", parcels.reserve_compartment, town.desk, COLIBRI, two.number).next_actions
    parcels.release_reservation(town.desk, COLIBRI, one.number)
    town.now[0] += 181
    refused("no_room", parcels.reserve_compartment, town.desk, COLIBRI, two.number)
    town.wake("mairie-1", 1)
    parcels.reserve_compartment(town.desk, COLIBRI, two.number)


# ------------------------------------------------------------------ whose parcel it is
def test_nobody_sees_or_touches_another_tenants_parcel(town: Town) -> None:
    town.locker("S")
    number = town.deposited("label-1").number
    for stranger in (RIVAL, BOOKSHOP):
        for act in (
            parcels.get_parcel,
            parcels.reserve_compartment,
            parcels.release_reservation,
            parcels.pickup_code,
            parcels.take_back,
        ):
            refused("unknown_parcel", act, town.desk, stranger, number)
        assert parcels.list_parcels(town.desk, stranger) == ([], None)
        assert [status.parcel for status in lockers.list_compartments(town.desk, stranger, "mairie-1")] == [None]


def test_a_merchants_parcel_is_its_carriers_too(town: Town) -> None:
    town.locker("S")
    made = parcels.expect_parcel(town.desk, BOOKSHOP, NewParcel("label-1", "mairie-1", "S", "colibri"))
    assert made.merchant == "bookshop"
    for who in (BOOKSHOP, COLIBRI, OPERATOR):
        assert parcels.get_parcel(town.desk, who, made.number) == made
    refused("unknown_parcel", parcels.get_parcel, town.desk, RIVAL, made.number)


def test_nobody_announces_parcels_for_others(town: Town) -> None:
    town.locker("S")
    refused("not_allowed", parcels.expect_parcel, town.desk, RIVAL, NewParcel("a", "mairie-1", "S", "colibri"))
    other = NewParcel("a", "mairie-1", "S", "colibri", merchant="other-shop")
    refused("not_allowed", parcels.expect_parcel, town.desk, BOOKSHOP, other)
    refused("unknown_locker", town.expect, "a", "S", "gare-1")


def test_a_key_without_the_scope_is_told_which_one_it_lacks(town: Town) -> None:
    town.locker("S")
    number = town.deposited("label-1").number
    poor = Principal(MERCHANT, "bookshop", frozenset({"events:read"}), "poor")
    for act in (parcels.get_parcel, parcels.pickup_code, parcels.take_back, parcels.reserve_compartment):
        assert "scope" in refused("not_allowed", act, town.desk, poor, number).detail
    refused("not_allowed", doors.open_compartment, town.desk, COLIBRI, "mairie-1", 1, "curious")
    refused("not_allowed", lockers.provision_locker, town.desk, COLIBRI, "mairie-1")


def test_parcels_are_listed_newest_first_page_by_page(town: Town) -> None:
    town.locker("S")
    made = [town.expect(f"label-{place}").number for place in range(5)]
    first, cursor = parcels.list_parcels(town.desk, COLIBRI, None, 3)
    rest, end = parcels.list_parcels(town.desk, COLIBRI, cursor, 3)
    assert [parcel.number for parcel in (*first, *rest)] == made[::-1]
    assert end is None


# ------------------------------------------------------------------ expiry and the way back
def test_a_parcel_nobody_fetches_expires_is_revoked_and_taken_back(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    town.later(town.desk.settings.pickup_days * DAY_S)
    assert expiry.expire_due(town.desk) == 1
    assert expiry.expire_due(town.desk) == 0
    assert town.parcel(parcel.number).state == "expired"
    assert town.outbox() == [Revoke(1, 1)]
    refused("wrong_state", parcels.pickup_code, town.desk, COLIBRI, parcel.number)
    town.says("mairie-1", done(town, Revoke(1, 1), value=1))
    operation = parcels.take_back(town.desk, COLIBRI, parcel.number)
    assert town.outbox() == [Open(1, "take_back")]  # revoked already: no second order
    opening = authorised(town, 1)
    town.says("mairie-1", opening)
    assert doors.get_operation(town.desk, COLIBRI, operation.number).state == "authorised"
    town.says("mairie-1", DoorOpened(1))
    assert doors.get_operation(town.desk, COLIBRI, operation.number).state == "opened"
    town.says("mairie-1", DoorClosed(1))
    assert doors.get_operation(town.desk, COLIBRI, operation.number).state == "done"
    assert town.parcel(parcel.number).state == "taken_back"
    assert (town.outbox(), town.availability()) == ([Release(1)], ["occupied"])
    town.says("mairie-1", done(town, Release(1)))
    assert (town.outbox(), town.availability()) == ([], ["free"])
    assert town.alarms() == []


def test_a_take_back_revokes_the_code_before_it_opens_and_is_one_operation(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    operation = parcels.take_back(town.desk, COLIBRI, parcel.number)
    assert town.outbox() == [Revoke(1, 1), Open(1, "take_back")]
    assert parcels.take_back(town.desk, COLIBRI, parcel.number) == operation
    assert len(town.outbox()) == 2


def test_a_door_that_moved_for_another_reason_takes_no_parcel_back(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    parcels.take_back(town.desk, COLIBRI, parcel.number)
    town.says("mairie-1", DoorOpened(1), DoorClosed(1))
    assert town.parcel(parcel.number).state == "deposited"


def test_a_release_after_a_take_back_is_ordered_until_it_is_done(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    parcels.take_back(town.desk, COLIBRI, parcel.number)
    town.says("mairie-1", done(town, Revoke(1, 1), value=1), authorised(town, 1), DoorOpened(1), DoorClosed(1))
    assert town.outbox() == [Release(1)]
    town.now[0] += DAY_S + 31
    assert town.outbox() == []
    commands.expire_commands(town.desk)
    assert town.outbox() == [Release(1)]
    town.says("mairie-1", done(town, Release(1), "wrong_state"))
    assert (town.outbox(), town.alarms()) == ([], ["release_refused"])


def test_a_deposit_number_used_again_under_a_new_key_means_the_later_parcel(town: Town) -> None:
    town.locker("S")
    for turn in range(5):
        made = town.expect(f"label-{turn}")
        town.ask("mairie-1", town.badge(), f"label-{turn}")
        town.put_in("mairie-1", 1, 1, made.number)
        town.fetch(town.parcel(made.number))
        assert (town.parcel(made.number).state, town.alarms()) == ("collected", [])
        lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
        town.seqs.clear()
        town.wake("mairie-1", 1)


def test_the_customer_who_was_quicker_ends_the_take_back(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    operation = parcels.take_back(town.desk, COLIBRI, parcel.number)
    town.fetch(parcel)
    assert doors.get_operation(town.desk, COLIBRI, operation.number).state == "failed"
    town.says("mairie-1", done(town, Revoke(1, 1), "spent"), done(town, Open(1, ""), "wrong_state"))
    ended = doors.get_operation(town.desk, COLIBRI, operation.number)
    assert (ended.state, ended.code, town.parcel(parcel.number).state) == ("failed", "wrong_state", "collected")
    assert town.availability() == ["free"]


def test_a_customer_who_comes_before_the_revoke_arrives_still_gets_the_parcel(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    town.later(town.desk.settings.pickup_days * DAY_S)
    expiry.expire_due(town.desk)
    town.fetch(parcel)
    assert (town.parcel(parcel.number).state, town.alarms()) == ("collected", [])


def test_a_revoke_refused_because_somebody_stood_there_is_ordered_again_later(town: Town) -> None:
    town.locker("S")
    town.deposited("label-1")
    town.later(town.desk.settings.pickup_days * DAY_S)
    expiry.expire_due(town.desk)
    town.says("mairie-1", done(town, Revoke(1, 1), "wrong_state"))
    expiry.expire_due(town.desk)
    assert town.outbox() == []
    town.now[0] += 601
    expiry.expire_due(town.desk)
    assert town.outbox() == [Revoke(1, 1)]


def test_names_are_forgotten_thirty_days_after_the_parcel_left(town: Town) -> None:
    town.locker("S")
    new = NewParcel("label-1", "mairie-1", "S", "colibri", recipient_name="Zsófia Kanarek")
    made = parcels.expect_parcel(town.desk, COLIBRI, new)
    town.ask("mairie-1", town.badge(), "label-1")
    town.put_in("mairie-1", 1, 1, made.number)
    town.fetch(town.parcel(made.number))
    town.now[0] += 30 * DAY_S - 1
    expiry.expire_due(town.desk)
    assert any("Kanarek" in row for row in town.dump())
    town.now[0] += 1
    expiry.expire_due(town.desk)
    assert not any("Kanarek" in row for row in town.dump())


def test_a_declined_courier_learns_why(town: Town) -> None:
    town.locker("S")
    town.locker("S", locker="gare-1")
    town.expect("small")
    town.expect("big", "L")
    town.expect("elsewhere", locker="gare-1")
    inside = town.deposited("inside", locker="gare-1")
    badge = town.badge()
    stranger = people.issue_badge(town.desk, OPERATOR, "rival", "r-1", 1)
    spent = town.badge()
    people.revoke_badge(town.desk, COLIBRI, spent.id)
    assert inside.state == "deposited"
    why = {
        "unknown": town.ask("mairie-1", badge, "never-heard"),
        "foreign": town.ask("mairie-1", stranger, "small"),
        "revoked": town.ask("mairie-1", spent, "small"),
        "big": town.ask("mairie-1", badge, "big"),
        "elsewhere": town.ask("mairie-1", badge, "elsewhere"),
        "inside": town.ask("gare-1", badge, "inside"),
    }
    codes = {name: number for name, said in why.items() if isinstance(said, Decline) for number in (said.code,)}
    assert codes == {
        "unknown": number_of("unknown_label"),
        "foreign": number_of("unknown_label"),
        "revoked": number_of("not_allowed"),
        "big": number_of("no_room"),
        "elsewhere": number_of("wrong_locker"),
        "inside": number_of("wrong_state"),
    }
    town.now[0] += 31 * DAY_S
    late = town.ask("mairie-1", badge, "small")
    assert isinstance(late, Decline) and late.code == number_of("not_allowed")


def test_the_birth_of_a_locker_with_a_parcel_in_it_is_no_contradiction(town: Town) -> None:
    town.locker("S")
    town.deposited("label-1")
    town.wake("mairie-1", 1, bytes([HELD << 4 | CLOSED]))
    assert (town.alarms(), town.availability()) == ([], ["occupied"])

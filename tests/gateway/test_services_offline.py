"""A locker took deposits while nobody could be asked: its word wins, nothing is lost, and no code comes late."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from books_town import BOOKSHOP, CLOSED, COLIBRI, OPERATOR, Town, done, open_town, refused

from gateway.domain.parcels import NewParcel, Parcel
from gateway.domain.people import Badge
from gateway.services import commands, contracts, parcels, people
from gateway.services.take_up import take_up
from protocol.messages import (
    Ack,
    Assign,
    Birth,
    Collected,
    DepositAbandoned,
    Deposited,
    DepositRequested,
    DoorClosed,
    DoorOpened,
    Heartbeat,
    Join,
    Message,
    OfflineDepositAuthorised,
    PickupAuthorised,
    Resend,
    Reserved,
)
from protocol.numbers import FIRST, JAMMED, SIZES, TOO_SMALL

DAY_S = 86_400


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    yield made
    made.store.close()


def alone(badge: Badge, box: int, deposit: int, label: str, size: str = "S") -> list[Message]:
    """What a locker tells of a deposit that it took by itself."""
    return [
        OfflineDepositAuthorised(box, deposit, badge.id, badge.carrier, label, SIZES.index(size)),
        DoorOpened(box),
        Deposited(box, deposit, 0),
    ]


def found(town: Town, label: str, carrier: str = "colibri") -> Parcel:
    with town.store.reading() as tx:
        parcel = tx.parcel_of_label(carrier, label)
    assert parcel is not None
    return parcel


# ------------------------------------------------------------------ announced parcels
def test_an_expected_parcel_lies_where_the_locker_put_it_and_its_code_is_there_at_once(town: Town) -> None:
    town.locker("S", "S")
    parcel = town.expect("label-1")
    assert town.says("mairie-1", *alone(town.badge(), 2, 1, "label-1")) == [Reserved(b""), Ack(3)]
    inside = town.parcel(parcel.number)
    assert (inside.state, inside.compartment, inside.deposit, inside.announced) == ("deposited", 2, 1, True)
    assert (town.availability(), town.alarms()) == (["free", "occupied"], [])
    assert parcels.pickup_code(town.desk, COLIBRI, parcel.number).compartment == 2
    town.fetch(inside)
    assert town.parcel(parcel.number).state == "collected"
    assert town.availability() == ["free", "free"]


def test_a_reservation_elsewhere_in_the_locker_is_given_back(town: Town) -> None:
    town.locker("S", "S")
    parcel = town.expect("label-1")
    assert parcels.reserve_compartment(town.desk, COLIBRI, parcel.number).compartment == 1
    town.says("mairie-1", *alone(town.badge(), 2, 1, "label-1"))
    assert town.availability() == ["free", "occupied"]
    assert town.parcel(parcel.number).compartment == 2


def test_a_door_reserved_for_another_parcel_is_lost_to_that_one_which_gets_another(town: Town) -> None:
    town.locker("S", "S")
    planned, came = town.expect("label-1"), town.expect("label-2")
    badge = town.badge()
    assert parcels.reserve_compartment(town.desk, COLIBRI, planned.number).compartment == 1
    town.says("mairie-1", *alone(badge, 1, 1, "label-2"))
    assert (town.parcel(planned.number).state, town.parcel(came.number).state) == ("expected", "deposited")
    answer = town.ask("mairie-1", badge, "label-1")
    assert isinstance(answer, Assign) and answer.compartment == 2


def test_an_answer_that_came_too_late_does_not_take_the_door_away_when_it_runs_out(town: Town) -> None:
    """The link broke between the request and the Assign; the courier then did it without."""
    town.locker("S", "S")
    parcel, badge = town.expect("label-1"), town.badge()
    town.tell("mairie-1", DepositRequested(1, badge.id, "colibri", "label-1", FIRST))
    assert [type(message) for message in town.outbox()] == [Assign]
    town.says("mairie-1", *alone(badge, 2, 1, "label-1"))
    assert town.outbox() == []
    town.now[0] += 3_600
    town.wake_alive()
    commands.expire_commands(town.desk)
    assert town.availability() == ["free", "occupied"]
    assert town.parcel(parcel.number).state == "deposited"


def test_a_late_answer_that_named_the_very_door_which_was_opened_without_it_takes_nothing_away(
    town: Town,
) -> None:
    """The request came, the locker opened that door by itself, and refuses the Assign while it stands open."""
    town.locker("S", "S")
    parcel, badge = town.expect("label-1"), town.badge()
    town.tell("mairie-1", DepositRequested(1, badge.id, "colibri", "label-1", FIRST))
    (late,) = town.outbox()
    assert isinstance(late, Assign) and late.compartment == 1
    opened, *inside = alone(badge, 1, 1, "label-1")
    town.says("mairie-1", opened, done(town, late, "no_such_request"), *inside)
    assert (town.parcel(parcel.number).state, town.alarms()) == ("deposited", [])
    assert parcels.pickup_code(town.desk, COLIBRI, parcel.number).compartment == 1


def test_a_parcel_of_another_locker_is_booked_where_it_lies_with_an_alarm(town: Town) -> None:
    town.locker("S")
    town.locker("S", locker="gare-1")
    parcel = town.expect("label-1", locker="gare-1")
    parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    town.says("mairie-1", *alone(town.badge(), 1, 1, "label-1"))
    inside = town.parcel(parcel.number)
    assert (inside.locker, inside.compartment, inside.state) == ("mairie-1", 1, "deposited")
    assert town.alarms() == ["deposit_at_another_locker"]
    assert (town.availability("gare-1"), town.availability()) == (["free"], ["occupied"])
    assert parcels.pickup_code(town.desk, COLIBRI, parcel.number).locker == "mairie-1"


def test_it_joins_the_other_parcels_of_its_recipient(town: Town) -> None:
    town.locker("S", "S")
    town.deposited("label-1", ref="K-1")
    town.sent()
    town.expect("label-2", ref="K-1")
    town.says("mairie-1", *alone(town.badge(), 2, 1, "label-2"))
    assert [message.compartment for message in town.outbox() if isinstance(message, Join)] == [1, 2]


# ------------------------------------------------------------------ parcels nobody announced
def test_an_unknown_label_makes_a_parcel_without_a_recipient_and_an_alarm(town: Town) -> None:
    town.locker("S", "M")
    town.says("mairie-1", *alone(town.badge(), 2, 1, "label-9", "M"))
    parcel = found(town, "label-9")
    assert (parcel.state, parcel.carrier, parcel.size, parcel.announced) == ("deposited", "colibri", "M", False)
    assert (town.availability(), town.alarms()) == (["free", "occupied"], ["deposit_unannounced"])
    assert parcels.pickup_code(town.desk, COLIBRI, parcel.number).deposit == 1
    town.fetch(parcel)
    assert town.parcel(parcel.number).state == "collected"


def test_the_announcement_that_comes_later_completes_it_and_its_days_count_from_then(town: Town) -> None:
    town.locker("S", "S")
    town.deposited("label-1", ref="K-1")
    town.says("mairie-1", *alone(town.badge(), 2, 1, "label-9"))
    town.sent()
    town.now[0] += 3 * DAY_S
    new = NewParcel("label-9", "mairie-1", "S", "colibri", "", "Anne", None, "+33 3", "K-1", heavy=True)
    parcel = parcels.expect_parcel(town.desk, COLIBRI, new)
    assert parcel == replace(found(town, "label-9"))
    assert (parcel.state, parcel.compartment, parcel.heavy, parcel.announced) == ("deposited", 2, True, True)
    assert parcel.deadline_s == town.now[0] + town.desk.settings.pickup_days * DAY_S
    assert [message.compartment for message in town.outbox() if isinstance(message, Join)] == [1, 2]
    assert town.alarms() == []
    with town.store.reading() as tx:
        assert tx.sql.execute("SELECT name, phone FROM recipients WHERE parcel = ?", (parcel.number,)).fetchall() == [
            ("Anne", "+33 3")
        ]
    refused("already_exists", parcels.expect_parcel, town.desk, COLIBRI, new)


def test_what_lies_inside_already_is_announced_by_its_carrier_and_is_no_merchants_by_its_own(
    town: Town,
) -> None:
    town.locker("S")
    town.locker("S", locker="gare-1")
    town.says("mairie-1", *alone(town.badge(), 1, 1, "label-9"))
    here, elsewhere = (NewParcel("label-9", place, "S", "colibri", "bookshop") for place in ("mairie-1", "gare-1"))
    refused("already_exists", parcels.expect_parcel, town.desk, COLIBRI, elsewhere)
    refused("already_exists", parcels.expect_parcel, town.desk, BOOKSHOP, here)
    assert found(town, "label-9").merchant == "" and town.alarms() == ["deposit_unannounced"]
    parcel = parcels.expect_parcel(town.desk, COLIBRI, here)
    assert parcels.get_parcel(town.desk, BOOKSHOP, parcel.number).merchant == "bookshop"
    refused("already_exists", parcels.expect_parcel, town.desk, COLIBRI, here)


def test_a_merchant_that_brings_its_parcels_itself_may_announce_one_that_lies_inside(town: Town) -> None:
    town.locker("S")
    badge = people.issue_badge(town.desk, OPERATOR, "bookshop", "paul", 30)
    town.says("mairie-1", *alone(badge, 1, 1, "label-9"))
    contracts.make(town.desk, OPERATOR, "bookshop", "bookshop")
    new = NewParcel("label-9", "mairie-1", "S", "bookshop")
    assert parcels.expect_parcel(town.desk, BOOKSHOP, new).announced


def test_the_same_label_of_another_carrier_is_another_parcel(town: Town) -> None:
    town.locker("S")
    others = parcels.expect_parcel(town.desk, OPERATOR, NewParcel("label-1", "mairie-1", "S", "rival"))
    town.says("mairie-1", *alone(town.badge(), 1, 1, "label-1"))
    assert town.parcel(others.number).state == "expected"
    assert found(town, "label-1").announced is False


def test_a_size_that_is_no_letter_is_that_of_the_compartment(town: Town) -> None:
    town.locker("L")
    badge = town.badge()
    town.says("mairie-1", OfflineDepositAuthorised(1, 1, badge.id, "colibri", "label-9", 77))
    assert found(town, "label-9").size == "L"


# ------------------------------------------------------------------ abandoned
def test_an_abandoned_one_frees_its_door_and_the_next_try_is_the_same_parcel(town: Town) -> None:
    town.locker("S", "M")
    badge = town.badge()
    first, *_ = alone(badge, 1, 1, "label-9")
    town.says("mairie-1", first, DoorOpened(1), DepositAbandoned(1, 1, 0, TOO_SMALL), DoorClosed(1))
    parcel = found(town, "label-9")
    assert (parcel.state, parcel.size, parcel.compartment) == ("expected", "M", None)
    assert (town.availability(), town.alarms()) == (["free", "free"], [])
    town.says("mairie-1", *alone(badge, 2, 1, "label-9"))
    assert found(town, "label-9").number == parcel.number
    assert town.availability() == ["free", "occupied"]


def test_an_abandoned_one_that_was_announced_is_expected_as_before(town: Town) -> None:
    town.locker("S")
    parcel = town.expect("label-1")
    first, *_ = alone(town.badge(), 1, 1, "label-1")
    town.says("mairie-1", first, DepositAbandoned(1, 1, 0, JAMMED))
    assert town.parcel(parcel.number).state == "expected"
    assert town.parcel(parcel.number).size == "S"


# ------------------------------------------------------------------ what cannot be
def test_a_label_whose_parcel_lies_elsewhere_already_is_suspect(town: Town) -> None:
    town.locker("S", "S")
    inside = town.deposited("label-1")
    town.says("mairie-1", *alone(town.badge(), 2, 1, "label-1"))
    assert town.parcel(inside.number) == inside
    assert town.availability() == ["occupied", "quarantined"]
    assert sorted(town.alarms()) == ["deposit_of_a_parcel_that_cannot_be", "deposit_of_an_unknown_parcel"]


def test_a_box_in_which_another_parcel_lies_as_the_books_say_is_disputed(town: Town) -> None:
    town.locker("S")
    inside = town.deposited("label-1")
    town.says("mairie-1", *alone(town.badge(), 1, 2, "label-2"))
    assert town.parcel(inside.number).state == "disputed"
    assert found(town, "label-2").state == "deposited"
    assert "two_parcels_in_one_compartment" in town.alarms()


def test_no_parcel_is_nobody_elses(town: Town) -> None:
    """The event that names the label never came (a journal that lost its start): parcel 0 matches nothing."""
    town.locker("S", "S")
    collected = town.deposited("label-1")
    town.fetch(collected)
    reserved = town.expect("label-2")
    assert parcels.reserve_compartment(town.desk, COLIBRI, reserved.number).compartment == 2
    before = (town.parcel(collected.number), town.parcel(reserved.number))
    town.says("mairie-1", Deposited(1, 1, 0), DepositAbandoned(1, 1, 0, TOO_SMALL), Deposited(2, 1, 0))
    assert (town.parcel(collected.number), town.parcel(reserved.number)) == before
    assert town.alarms() == ["deposit_of_an_unknown_parcel"] * 2


# ------------------------------------------------------------------ badges
@pytest.mark.parametrize("what", ["revoked", "expired", "unknown", "of another carrier", "a technician's"])
def test_a_badge_that_was_not_good_is_an_alarm_and_the_parcel_stays_in_the_books(town: Town, what: str) -> None:
    town.locker("S")
    badge = town.badge()
    if what == "revoked":
        people.revoke_badge(town.desk, COLIBRI, badge.id)
    elif what == "expired":
        town.now[0] = badge.expiry_s
    elif what == "unknown":
        badge = replace(badge, id=b"no-badge")
    elif what == "of another carrier":
        badge = replace(badge, carrier="rival")
    else:
        badge = replace(people.issue_technician(town.desk, OPERATOR, "tech-1", 9), carrier="colibri")
    parcel = parcels.expect_parcel(town.desk, OPERATOR, NewParcel("label-1", "mairie-1", "S", badge.carrier))
    town.says("mairie-1", *alone(badge, 1, 1, "label-1"))
    assert town.alarms() == ["deposit_by_revoked_badge"]
    assert town.parcel(parcel.number).state == "deposited"


def test_a_badge_revoked_after_the_deposit_was_good_when_it_counted(town: Town) -> None:
    town.locker("S")
    town.expect("label-1")
    badge = town.badge()
    arrivals = [town.up("mairie-1", message, seq + 1) for seq, message in enumerate(alone(badge, 1, 1, "label-1"))]
    town.now[0] += 60
    people.revoke_badge(town.desk, COLIBRI, badge.id)
    town.now[0] = badge.expiry_s + 60
    take_up(town.desk, arrivals)
    assert town.alarms() == []


# ------------------------------------------------------------------ twice, and after a restored backup
def test_told_twice_and_in_pieces_is_told_once(tmp_path: Path) -> None:
    dumps: list[list[str]] = []
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
        town = open_town(tmp_path / name)
        town.locker("S")
        badge = town.badge()
        story = [*alone(badge, 1, 1, "label-9"), PickupAuthorised(1, 1, 1, 0, None), Collected(1, 1)]
        arrivals = [town.up("mairie-1", message, seq + 1) for seq, message in enumerate(story)]
        if name == "once":
            take_up(town.desk, arrivals)
        else:
            for end in range(1, len(arrivals) + 1):
                take_up(town.desk, arrivals[:end])
                take_up(town.desk, arrivals[max(0, end - 2) : end])
        dumps.append(town.dump())
        town.store.close()
    assert dumps[0] == dumps[1]


@pytest.mark.parametrize("kept", range(5))
def test_books_restored_from_a_backup_take_up_what_the_locker_sends_again(tmp_path: Path, kept: int) -> None:
    town = open_town(tmp_path)
    town.locker("S")
    badge = town.badge()
    story = [*alone(badge, 1, 1, "label-9"), PickupAuthorised(1, 1, 1, 0, None), Collected(1, 1)]
    arrivals = [town.up("mairie-1", message, seq + 1) for seq, message in enumerate(story)]
    take_up(town.desk, arrivals[:kept])
    town.store.close()
    (tmp_path / "backup").mkdir()
    shutil.copy(tmp_path / "consigne.db", tmp_path / "backup")
    town = open_town(tmp_path)
    take_up(town.desk, arrivals)
    assert town.availability() == ["free"]
    town.store.close()
    restored = open_town(tmp_path / "backup", seed=2)
    assert take_up(restored.desk, arrivals[-1:])[0].messages == [Resend(kept + 1) if kept < 4 else Ack(5)]
    take_up(restored.desk, arrivals)
    with restored.store.reading() as tx:
        states = tx.sql.execute("SELECT label, state FROM parcels").fetchall()
    assert (states, restored.availability(), restored.alarms()) == (
        [("label-9", "collected")],
        ["free"],
        ["deposit_unannounced"],
    )
    restored.store.close()


# ------------------------------------------------------------------ what the locker is told before it is alone
def test_a_locker_that_wakes_up_is_told_which_doors_are_promised(town: Town) -> None:
    town.locker(*["S"] * 9)
    for number in range(9):
        parcel = town.expect(f"label-{number}")
        parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    town.says("mairie-1", *alone(town.badge(), 1, 1, "label-0"))
    told = town.tell("mairie-1", Birth("1.0.0", bytes(8), 1, 3, bytes([CLOSED]) * 9))
    assert told[-1] == Reserved(bytes([0b1111_1100, 0b11]))  # 2 to 9: what lies in 1, it knows itself


def test_it_is_told_anew_when_a_reservation_changes_and_never_otherwise(town: Town) -> None:
    town.locker("S", "S")
    town.locker("S", locker="gare-1")
    badge = town.badge()
    parcel = town.expect("label-1")
    assert town.tell("mairie-1", DepositRequested(1, badge.id, "colibri", "label-1", FIRST)) == [Reserved(b"\x02")]
    assert town.tell("mairie-1", DepositRequested(1, badge.id, "colibri", "label-1", FIRST)) == []
    assert town.tell("gare-1", Heartbeat(1, 2, 3)) == []
    assert town.says("mairie-1", DoorOpened(2), DoorClosed(2)) == [Ack(2)]
    town.put_in("mairie-1", 1, 1, parcel.number)
    assert town.fetch(town.parcel(parcel.number)) == [Ack(8)]  # a parcel that leaves was no reservation


def test_what_the_api_reserved_is_told_with_the_lockers_next_word_once(town: Town) -> None:
    town.locker("S")
    town.locker("S", locker="gare-1")
    parcel = town.expect("label-1")
    parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    assert town.tell("gare-1", Heartbeat(1, 2, 3)) == []
    assert town.tell("mairie-1", Heartbeat(1, 2, 3)) == [Reserved(b"\x02")]
    assert town.tell("mairie-1", Heartbeat(1, 2, 3)) == []
    parcels.release_reservation(town.desk, COLIBRI, parcel.number)
    assert town.tell("mairie-1", Heartbeat(1, 2, 3)) == [Reserved(b"")]


def test_nothing_is_asked_of_the_books_for_a_batch_without_a_change(town: Town) -> None:
    town.locker("S")
    asked: list[str] = []
    with town.store.transaction() as tx:
        tx.sql.set_trace_callback(asked.append)
    town.says("mairie-1", DoorOpened(1), DoorClosed(1))
    assert asked and not [sql for sql in asked if "allocations" in sql]

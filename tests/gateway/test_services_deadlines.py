"""Days on which nobody could fetch a parcel are not counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import OPERATOR, Town, done, open_town

from gateway.limits import DEADLINE_LEFT_S_MIN, LOCKER_ALIVE_S
from gateway.services import doors, expiry
from gateway.store.queries.parcels import _AT_FAULT
from protocol.messages import DoorClosed, DoorFaulted, Heartbeat, Lost, OutOfService
from protocol.numbers import DOOR_STATES

DAY_S = 86_400


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    yield made
    made.store.close()


def look(town: Town) -> int:
    return expiry.expire_due(town.desk)


def alive(town: Town) -> None:
    town.wake_alive()
    look(town)


def test_a_locker_counts_as_heard_to_the_second_that_the_limit_says(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    town.now[0] += LOCKER_ALIVE_S
    look(town)
    assert not town.parcel(parcel.number).deadline_paused
    town.now[0] += 1
    look(town)
    assert town.parcel(parcel.number).deadline_paused
    assert town.parcel(parcel.number).deadline_s == parcel.deadline_s


def test_a_parcel_of_a_silent_locker_does_not_expire_and_gets_the_time_back(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    assert parcel.deadline_s is not None
    heard = town.now[0] = town.now[0] + DAY_S
    alive(town)
    before = town.parcel(parcel.number).deadline_s
    town.now[0] = heard + 9 * DAY_S
    assert look(town) == 0
    town.now[0] += 60
    alive(town)
    back = town.parcel(parcel.number)
    assert before is not None and back.deadline_s == before + 9 * DAY_S + 60
    assert (back.state, back.deadline_paused) == ("deposited", False)
    town.now[0] = back.deadline_s - 1
    alive(town)
    assert town.parcel(parcel.number).state == "deposited"
    town.now[0] = back.deadline_s
    town.wake_alive()
    assert look(town) == 0  # it was silent for a week: that week is given back too
    assert town.parcel(parcel.number).state == "deposited"


def hear_until(town: Town, until_s: int) -> None:
    """Heartbeats up to then."""
    while town.now[0] < until_s:
        town.now[0] = min(town.now[0] + LOCKER_ALIVE_S, until_s)
        town.wake_alive()


def test_a_parcel_of_a_locker_that_is_heard_expires_to_the_second(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    assert parcel.deadline_s is not None
    hear_until(town, parcel.deadline_s - 1)
    assert (look(town), town.parcel(parcel.number).state) == (0, "deposited")
    hear_until(town, parcel.deadline_s)
    assert (look(town), town.parcel(parcel.number).state) == (1, "expired")


def test_a_day_is_left_after_the_outage_and_a_restart_in_it_forgets_nothing(tmp_path: Path) -> None:
    town = open_town(tmp_path)
    town.locker("S")
    parcel = town.deposited("label-1")
    assert parcel.deadline_s is not None
    hear_until(town, parcel.deadline_s - 60)
    town.tell("mairie-1", Lost())
    look(town)
    now, boots = town.now[0], town.boots
    town.store.close()
    again = open_town(tmp_path, seed=2)
    again.now[0], again.boots = now + 3_600, boots
    assert look(again) == 0
    assert again.parcel(parcel.number).deadline_paused
    again.tell("mairie-1", Heartbeat(1, 1, 0))
    look(again)
    assert again.parcel(parcel.number).deadline_s == again.now[0] + DEADLINE_LEFT_S_MIN
    again.store.close()


@pytest.mark.parametrize("state", ["jammed", "faulty", "forced"])
def test_a_door_at_fault_stops_the_days_until_it_works(town: Town, state: str) -> None:
    town.locker("S", "S")
    parcel, other = town.deposited("label-1"), town.deposited("label-2")
    assert parcel.compartment is not None and parcel.deadline_s is not None
    town.says("mairie-1", DoorFaulted(parcel.compartment, DOOR_STATES.index(state), False))
    look(town)
    began = town.now[0]
    hear_until(town, parcel.deadline_s + DAY_S)
    assert look(town) == 1
    assert (town.parcel(parcel.number).state, town.parcel(other.number).state) == ("deposited", "expired")
    town.says("mairie-1", DoorClosed(parcel.compartment))
    look(town)
    assert town.parcel(parcel.number).deadline_s == parcel.deadline_s + town.now[0] - began


def test_out_of_service_stops_the_days_and_back_in_service_goes_on(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("label-1")
    assert parcel.compartment == 1 and parcel.deadline_s is not None
    doors.set_service(town.desk, OPERATOR, "mairie-1", 1, True, "paint")
    look(town)
    began = town.now[0]
    hear_until(town, began + DAY_S)
    assert town.parcel(parcel.number).deadline_paused
    doors.set_service(town.desk, OPERATOR, "mairie-1", 1, False, "dry")
    town.says("mairie-1", done(town, OutOfService(1, False)))
    look(town)
    assert town.parcel(parcel.number).deadline_s == parcel.deadline_s + DAY_S


def test_what_counts_as_a_fault_is_what_the_books_have_an_index_of(town: Town) -> None:
    with town.store.reading() as tx:
        plan = tx.sql.execute(
            "EXPLAIN QUERY PLAN SELECT number FROM compartments INDEXED BY compartments_at_fault"
            f" WHERE locker = 'mairie-1' AND {_AT_FAULT}"
        ).fetchall()
    assert "compartments_at_fault" in plan[0][3]

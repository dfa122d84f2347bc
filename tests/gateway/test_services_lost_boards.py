"""A locker cannot see some of its doors: nothing is offered there, no day counts, and somebody is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import CLOSED, NOW_S, OPERATOR, Town, done, open_town

from gateway.domain.lockers import NewCompartment, NewLocker, NewModule
from gateway.services import doors, expiry, lockers
from gateway.services.alarms import open_alarms
from protocol.messages import Assign, Decline, Measured, OutOfService
from protocol.numbers import DOOR_STATES, HELD

UNKNOWN = DOOR_STATES.index("unknown")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A locker of two modules with two doors each."""
    made = open_town(tmp_path)
    modules = tuple(
        NewModule(
            name,
            tuple(NewCompartment(number, "S", 440, 200, 500, 0, 250 * number, False) for number in numbers),
        )
        for name, numbers in (("A", (1, 2)), ("B", (3, 4)))
    )
    lockers.register_locker(made.desk, OPERATOR, NewLocker("mairie-1", "Mairie", modules))
    lockers.provision_locker(made.desk, OPERATOR, "mairie-1")
    made.boots["mairie-1"] = 1
    made.wake("mairie-1", 4)
    yield made
    made.store.close()


def sees(town: Town, *doors: int) -> None:
    """A birth with how its doors stand."""
    with town.store.reading() as tx:
        holdings = [box.holding << 4 for box in tx.compartments_of("mairie-1")]
    town.wake("mairie-1", 4, bytes(holding | door for holding, door in zip(holdings, doors, strict=True)))


def alarms(town: Town) -> list[tuple[int, str]]:
    return [(alarm.compartment, alarm.kind) for alarm in open_alarms(town.desk, OPERATOR)]


def test_a_lost_module_is_one_alarm_until_any_of_its_doors_is_seen(town: Town) -> None:
    assert alarms(town) == []
    sees(town, CLOSED, CLOSED, UNKNOWN, UNKNOWN)
    sees(town, CLOSED, CLOSED, UNKNOWN, UNKNOWN)
    assert alarms(town) == [(3, "module_lost")]
    sees(town, CLOSED, CLOSED, UNKNOWN, CLOSED)
    assert alarms(town) == []


def test_one_door_that_cannot_be_seen_is_no_lost_module(town: Town) -> None:
    sees(town, CLOSED, CLOSED, CLOSED, UNKNOWN)
    assert alarms(town) == [] and town.availability() == ["free", "free", "free", "unknown"]


def test_a_door_out_of_service_says_nothing_of_its_board(town: Town) -> None:
    doors.set_service(town.desk, OPERATOR, "mairie-1", 3, True, "paint")
    town.says("mairie-1", done(town, OutOfService(3, True), value=1))
    sees(town, CLOSED, CLOSED, DOOR_STATES.index("out_of_service"), UNKNOWN)
    assert alarms(town) == [(3, "module_lost")]
    sees(town, CLOSED, CLOSED, DOOR_STATES.index("out_of_service"), CLOSED)
    assert alarms(town) == []


def test_nothing_is_offered_behind_doors_that_cannot_be_seen(town: Town) -> None:
    sees(town, UNKNOWN, UNKNOWN, CLOSED, UNKNOWN)
    town.expect("label-1")
    first = town.ask("mairie-1", town.badge(), "label-1")
    assert isinstance(first, Assign) and first.compartment == 3
    town.expect("label-2")
    assert isinstance(town.ask("mairie-1", town.badge(), "label-2"), Decline)


def test_the_days_of_a_parcel_stand_still_while_its_board_is_lost(town: Town) -> None:
    parcel = town.deposited("label-1")
    assert parcel.deadline_s is not None and parcel.compartment == 1
    holding = HELD << 4
    town.wake("mairie-1", 4, bytes([holding | UNKNOWN, UNKNOWN, CLOSED, CLOSED]))
    expiry.expire_due(town.desk)
    assert town.parcel(parcel.number).deadline_paused
    town.later(30 * 86_400)
    expiry.expire_due(town.desk)
    assert town.parcel(parcel.number).state == "deposited"
    town.wake("mairie-1", 4, bytes([holding | CLOSED, CLOSED, CLOSED, CLOSED]))
    expiry.expire_due(town.desk)
    back = town.parcel(parcel.number)
    assert back.deadline_s == parcel.deadline_s + 30 * 86_400 and not back.deadline_paused
    assert town.now[0] == NOW_S + 30 * 86_400


def test_an_open_housing_is_one_alarm_until_a_person_settles_it_and_other_values_are_none(town: Town) -> None:
    for name, value in (("tamper", 0), ("temperature_dc", 215), ("supply_mv", 11_980), ("what_comes_later", -1)):
        assert town.tell("mairie-1", Measured(name, value)) == []
    assert alarms(town) == []
    for value in (1, 1, 0):
        town.tell("mairie-1", Measured("tamper", value))
    assert alarms(town) == [(0, "housing_open")]

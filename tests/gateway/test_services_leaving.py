"""A technician leads a module out at the console: the books hear of it, at once or weeks later, and follow."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from books_town import CLOSED, OPERATOR, Town, open_town

from gateway.services import doors, parcels, reissues
from gateway.services.customer import situation_of
from protocol.messages import (
    Assign,
    CommandDone,
    ContentsDoubted,
    Decline,
    DoorClosed,
    DoorOpened,
    Message,
    OpeningAuthorised,
    OutOfService,
    Reissue,
    Release,
    Revoke,
    ServiceActed,
)
from protocol.numbers import CONSOLE, HELD, LEAVES, LEAVING_FLAG, MISSING, REVOKED, STAYS

LOCKER = "mairie-1"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Doors 1 and 2 are small, 3 and 4 of medium size."""
    made = open_town(tmp_path)
    made.locker("S", "S", "M", "M")
    yield made
    made.store.close()


NAMES = count(1)


def decides(order: type[Message], number: int, value: int) -> CommandDone:
    return CommandDone(next(NAMES).to_bytes(8, "big"), 0, 0, order.TYPE, number, value)


def takes_out(number: int, deposit: int) -> list[Message]:
    """What the locker says of `module retire C 1`, up to the door that is shut again."""
    opening = OpeningAuthorised(number, CONSOLE, "anna", None, None)
    return [decides(Revoke, number, deposit), opening, DoorOpened(number), DoorClosed(number)]


def leaves(town: Town, *numbers: int) -> None:
    town.says(LOCKER, *[decides(OutOfService, number, LEAVES) for number in numbers])


def test_nothing_more_is_put_into_a_module_that_leaves_not_even_what_a_door_was_kept_for(town: Town) -> None:
    kept = town.expect("label-1", "M")
    place = parcels.reserve_compartment(town.desk, OPERATOR, kept.number)
    assert place.compartment == 3
    leaves(town, 3)
    assert town.availability() == ["free", "free", "out_of_service", "free"]
    answer = town.ask(LOCKER, town.badge(), "label-1")
    assert isinstance(answer, Assign) and answer.compartment == 4
    leaves(town, 4)
    town.expect("label-2", "M")
    assert isinstance(town.ask(LOCKER, town.badge(), "label-2"), Decline)
    town.says(LOCKER, decides(OutOfService, 3, STAYS))
    answer = town.ask(LOCKER, town.badge(), "label-2")
    assert isinstance(answer, Assign) and answer.compartment == 3, "it stays after all"


def test_a_birth_says_it_too_and_a_later_one_takes_it_back(town: Town) -> None:
    town.wake(LOCKER, 4, bytes([CLOSED, CLOSED, CLOSED | LEAVING_FLAG, CLOSED]))
    assert town.availability()[2] == "out_of_service"
    with town.store.reading() as tx:
        assert [row[1:3] for row in tx.count_compartments()] and tx.free_doors([LOCKER]) == {LOCKER: {"S": 2, "M": 1}}
        alike = {(one.size, one.availability): one.count for one in tx.compartments_alike(LOCKER)}
    assert alike == {("S", "free"): 2, ("M", "free"): 1, ("M", "out_of_service"): 1}
    town.wake(LOCKER, 4)
    assert town.availability() == ["free"] * 4


def test_a_parcel_in_a_module_that_leaves_is_fetched_with_its_code_as_ever(town: Town) -> None:
    parcel = town.deposited("label-1")
    leaves(town, 1, 2)
    assert town.availability()[:2] == ["occupied", "out_of_service"]
    assert parcels.pickup_code(town.desk, OPERATOR, parcel.number).compartment == 1
    town.fetch(parcel)
    assert town.parcel(parcel.number).state == "collected" and town.alarms() == []
    assert town.availability()[0] == "out_of_service"


def test_a_parcel_that_a_technician_took_out_is_taken_back_and_its_recipient_sees_it(town: Town) -> None:
    parcel = town.deposited("label-1")
    leaves(town, 1)
    town.says(LOCKER, *takes_out(1, 1))
    assert town.parcel(parcel.number).state == "deposited"
    assert situation_of(town.desk, parcel.number).shown == "being_taken", "its code opens nothing any more"
    town.says(LOCKER, ServiceActed("anna", "module retire A 1 taken"), decides(Release, 1, 1))
    after = town.parcel(parcel.number)
    assert (after.state, after.ended_s) == ("taken_back", town.now[0])
    assert situation_of(town.desk, parcel.number).shown == "taken_back"
    assert town.availability()[0] == "out_of_service" and town.alarms() == []
    town.expect("label-1")
    assert isinstance(town.ask(LOCKER, town.badge(), "label-1"), Assign), "brought again, under another code"


def test_what_the_technician_left_inside_has_another_code(town: Town) -> None:
    parcel = town.deposited("label-1")
    leaves(town, 1)
    before = parcels.pickup_code(town.desk, OPERATOR, parcel.number)
    town.says(LOCKER, *takes_out(1, 1), decides(Reissue, 1, 2))
    now = parcels.pickup_code(town.desk, OPERATOR, parcel.number)
    assert now.deposit == 2 and now.code != before.code and town.availability()[0] == "occupied"
    assert situation_of(town.desk, parcel.number).shown == "waiting"


def test_an_order_from_here_that_was_under_way_meanwhile_ends_with_it(town: Town) -> None:
    back, renewed = town.deposited("label-1"), town.deposited("label-2")
    ordered = parcels.take_back(town.desk, OPERATOR, back.number)
    asked = reissues.reissue(town.desk, OPERATOR, renewed.number)
    for parcel in (back, renewed):
        assert parcel.compartment is not None
        town.says(LOCKER, *takes_out(parcel.compartment, 1), decides(Release, parcel.compartment, 1))
        assert town.parcel(parcel.number).state == "taken_back"
    ended = [doors.get_operation(town.desk, OPERATOR, one.number) for one in (ordered, asked)]
    assert [(one.state, one.code) for one in ended] == [("done", None), ("failed", "spent")]


def test_a_parcel_that_was_not_there_is_an_alarm_and_stays_in_the_books(town: Town) -> None:
    parcel = town.deposited("label-1")
    leaves(town, 1)
    town.says(LOCKER, *takes_out(1, 1), ContentsDoubted(1, MISSING))
    assert town.alarms() == ["contents_missing"] and town.parcel(parcel.number).state == "deposited"
    town.says(LOCKER, decides(Release, 1, 0))
    assert "parcel_unknown_to_its_locker" in town.alarms() and town.parcel(parcel.number).state == "deposited"


def test_what_a_locker_says_of_nothing_changes_nothing(town: Town) -> None:
    parcel = town.deposited("label-1")
    before = [town.parcel(parcel.number), town.availability()]
    refused = CommandDone(bytes(8), 0, 12, Release.TYPE, 1, 1)
    nowhere = CommandDone(bytes(8), 0, 0, Release.TYPE, None, 1)
    town.says(LOCKER, refused, nowhere, decides(Release, 77, 1), decides(OutOfService, 1, 9), decides(Assign, 1, 1))
    assert [town.parcel(parcel.number), town.availability()] == before
    town.says(LOCKER, decides(Release, 2, 5), decides(Revoke, 2, 5))
    assert town.availability()[1] == "free"
    with town.store.reading() as tx:
        box = tx.compartment(LOCKER, 1)
    assert box is not None and box.holding == HELD != REVOKED

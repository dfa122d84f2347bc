"""A locker says how it is built, and the books follow: they grow over parcels, rest numbers, and miss what is gone."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import CLOSED, OPERATOR, Town, open_town

from device.agent.described import layout
from gateway.domain import layouts
from gateway.domain.compartments import MISSING, PRESENT, RETIRED
from gateway.domain.errors import Refusal
from gateway.domain.lockers import NewCompartment, NewLocker, NewModule, check_locker
from gateway.services import doors
from protocol.messages import Assign, Deposited, Layout, OfflineDepositAuthorised
from protocol.numbers import HELD

Modules = dict[tuple[str, str], list[int]]
TWO: Modules = {("A", "KR-1"): [1, 2], ("B", "KR-2"): [3]}
LOCKER = "mairie-1"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A locker of three compartments that has said how it is built."""
    made = open_town(tmp_path)
    made.locker("S", "S", "M")
    wakes(made, TWO)
    yield made
    made.store.close()


def document(modules: Modules, retired: list[int], size: str = "S") -> Layout:
    described = [
        {"name": name, "id": serial, "compartments": [{"number": number, "size": size} for number in numbers]}
        for (name, serial), numbers in modules.items()
    ]
    return Layout(layout({"modules": described, "retired": retired}))


def wakes(town: Town, modules: Modules, retired: tuple[int, ...] = (), held: tuple[int, ...] = ()) -> None:
    """After a restart, with every door closed."""
    town.boots[LOCKER] += 1
    town.tell(LOCKER, document(modules, list(retired)))
    numbers = sorted(number for row in modules.values() for number in row)
    town.wake(LOCKER, len(numbers), bytes(CLOSED | (HELD << 4 if number in held else 0) for number in numbers))


def books(town: Town) -> list[tuple[int, str, str, str]]:
    with town.store.reading() as tx:
        boxes = tx.compartments_of(LOCKER, retired=True)
    return [(box.number, box.module, box.module_id, box.presence) for box in boxes]


def alarms(town: Town) -> list[str]:
    return sorted(town.alarms())


def test_a_locker_grows_while_a_parcel_is_inside_and_what_is_new_is_offered(town: Town) -> None:
    parcel = town.deposited("label-1")
    wakes(town, TWO | {("C", "KR-3"): [7, 8]}, held=(1,))
    assert books(town)[3:] == [(7, "C", "KR-3", PRESENT), (8, "C", "KR-3", PRESENT)]
    assert town.availability() == ["occupied", "free", "free", "free", "free"] and alarms(town) == []
    assert town.parcel(parcel.number).state == "deposited"
    with town.store.reading() as tx:
        new = tx.compartments_of(LOCKER)[3:]
    assert new[0].x_mm == new[1].x_mm and new[0].bottom_mm < new[1].bottom_mm, "drawn on top of each other"


def test_what_happened_at_a_new_door_before_the_gateway_heard_of_it_is_not_lost(town: Town) -> None:
    town.expect("label-9")
    badge = town.badge()
    town.boots[LOCKER] += 1
    town.tell(LOCKER, document(TWO | {("C", "KR-3"): [4]}, []))
    town.says(LOCKER, OfflineDepositAuthorised(4, 1, badge.id, "colibri", "label-9", 0), Deposited(4, 1, 0))
    assert "unknown_compartment" not in alarms(town) and town.availability()[3] == "occupied"


def test_an_empty_module_that_is_retired_is_shown_and_offered_no_more_and_stays_in_the_books(town: Town) -> None:
    wakes(town, {("A", "KR-1"): [1, 2]}, retired=(3,))
    assert books(town)[2] == (3, "B", "KR-2", RETIRED)
    assert town.availability() == ["free", "free"] and alarms(town) == []
    town.expect("label-1", "M")
    assert not isinstance(town.ask(LOCKER, town.badge(), "label-1"), Assign)


def test_a_parcel_whose_compartment_is_gone_is_an_alarm_until_it_is_back_and_is_kept(town: Town) -> None:
    parcel = town.deposited("label-1", "M")
    assert parcel.compartment == 3
    wakes(town, {("A", "KR-1"): [1, 2]})
    assert books(town)[2][3] == MISSING and alarms(town) == ["compartment_missing"]
    assert town.availability()[2] == "unknown" and town.parcel(parcel.number).state == "deposited"
    wakes(town, {("A", "KR-1"): [1, 2]}, retired=(3,))
    assert books(town)[2][3] == MISSING, "no number is put to rest over a parcel"
    wakes(town, TWO, held=(3,))
    assert books(town)[2][3] == PRESENT and alarms(town) == []


def test_a_door_that_only_a_trial_had_is_missed_by_nobody(town: Town) -> None:
    wakes(town, TWO | {("C", "KR-3"): [4]})
    wakes(town, TWO)
    assert books(town)[3][3] == MISSING and alarms(town) == []
    wakes(town, TWO | {("D", "KR-4"): [4]})
    assert books(town)[3] == (4, "D", "KR-4", PRESENT) and alarms(town) == []


def test_a_number_that_means_another_door_now_is_looked_at_first(town: Town) -> None:
    town.deposited("label-1")
    wakes(town, {("A", "KR-1"): [2], ("B", "KR-2"): [1, 3]}, held=(1,))
    assert alarms(town) == ["compartment_moved"] and town.availability()[0] == "quarantined"


def test_what_is_no_layout_changes_nothing(town: Town) -> None:
    before = books(town)
    chance = random.Random(7)
    whole = document(TWO, [9]).modules
    for _try in range(200):
        broken = bytearray(whole[: chance.randrange(1, len(whole) + 1)])
        broken[chance.randrange(len(broken))] ^= chance.randrange(1, 256)
        found = layouts.read(bytes(broken))
        assert found is None or all(1 <= place.number <= 400 for place in found.places)
    town.tell(LOCKER, Layout(b"\x01A\x00\x05\x01"))
    assert books(town) == before and alarms(town) == []


def test_any_layout_is_read_as_it_was_told() -> None:
    chance = random.Random(3)
    for _try in range(100):
        numbers = chance.sample(range(1, 401), chance.randrange(2, 60))
        cut = chance.randrange(1, len(numbers))
        told = document({("A", "KR-1"): numbers[:cut]}, numbers[cut:], "M").modules
        found = layouts.read(told)
        assert found is not None
        assert [place.number for place in found.places] == sorted(numbers[:cut])
        assert {(place.module, place.module_id, place.size) for place in found.places} == {("A", "KR-1", "M")}
        assert found.retired == set(numbers[cut:])


def test_a_locker_may_be_registered_with_numbers_left_out() -> None:
    boxes = tuple(NewCompartment(number, "S", 440, 200, 500, 0, 250 * number) for number in (1, 4))
    check_locker(NewLocker("halles-1", "Halles", (NewModule("A", boxes),)))
    with pytest.raises(Refusal):
        check_locker(NewLocker("halles-1", "Halles", (NewModule("A", (boxes[0], boxes[0])),)))


def test_a_person_may_clear_what_was_begun_in_a_compartment_that_is_gone(town: Town) -> None:
    town.deposited("label-1", "M")
    wakes(town, {("A", "KR-1"): [1, 2]})
    with pytest.raises(Refusal):
        doors.release_compartment(town.desk, OPERATOR, LOCKER, 3, "gone")

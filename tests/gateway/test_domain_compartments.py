"""Whether a compartment may be offered, and what a Birth's bytes say."""

from itertools import product

import pytest

from gateway.domain.compartments import AVAILABILITIES, Compartment, availability, standing
from protocol.numbers import DEPOSITING, DOOR_STATES, FREE, HELD, QUARANTINED_FLAG, REVOKED


def box(**changes: object) -> Compartment:
    made = Compartment("mairie-1", 1, "A", "S", 440, 200, 500, 0, 500, False, door="closed")
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_only_a_closed_empty_trusted_door_that_nobody_has_is_free() -> None:
    for door, holding, quarantined, out, allocated in product(
        DOOR_STATES, (FREE, DEPOSITING, HELD, REVOKED), (False, True), (False, True), (False, True)
    ):
        said = availability(box(door=door, holding=holding, quarantined=quarantined, out_of_service=out), allocated)
        assert said in AVAILABILITIES
        perfect = door == "closed" and holding == FREE and not (quarantined or out or allocated)
        assert (said == "free") == perfect


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"door": "unknown"}, "unknown"),
        ({"door": "jammed"}, "unknown"),
        ({"door": "left_open"}, "open"),
        ({"holding": HELD}, "occupied"),
        ({"holding": REVOKED}, "occupied"),
        ({"quarantined": True, "holding": HELD}, "quarantined"),
        ({"out_of_service": True, "quarantined": True}, "out_of_service"),
    ],
)
def test_people_are_told_the_reason_that_matters_most(changes: dict[str, object], said: str) -> None:
    assert availability(box(**changes), allocated=False) == said


def test_a_births_byte_is_read_and_one_that_names_no_state_changes_nothing() -> None:
    for holding, (number, word) in product((FREE, DEPOSITING, HELD, REVOKED), enumerate(DOOR_STATES)):
        told = standing(QUARANTINED_FLAG | holding << 4 | number)
        assert told is not None
        assert (told.door, told.holding, told.quarantined) == (word, holding, True)
    assert standing(0x0F) is None

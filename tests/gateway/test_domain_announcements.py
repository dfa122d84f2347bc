"""What an announcement says beside what is known of its label, rule by rule."""

from dataclasses import replace

import pytest

from gateway.domain.announcements import Person, agrees, decides, said_so
from gateway.domain.contracts import CONTESTED, GOOD, NO_CONTRACT, Standing
from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import NewParcel, Parcel
from gateway.domain.people import COURIER, MERCHANT, Principal

ANNE: Person = ("Anne", "anne@example.org", None, None)
SAID = Parcel(
    number=ParcelNumber(1),
    label="L-1",
    locker="mairie-1",
    size="S",
    carrier="colibri",
    merchant="fleurs",
    accessible=False,
    heavy=False,
    state="expected",
    expected_s=0,
    vouched=False,
)


def says(merchant: str = "", person: Person = (None, None, None, None), locker: str = "mairie-1") -> NewParcel:
    return NewParcel("L-1", locker, "S", "colibri", merchant, *person)


@pytest.mark.parametrize(
    ("new", "the_same"),
    [
        (says("fleurs", ANNE), True),
        (says("", ANNE), True),
        (says("fleurs"), True),  # it leaves the person to its merchant
        (says(""), False),
        (says("pain", ANNE), False),
        (says("fleurs", ("Anne", "other@example.org", None, None)), False),
        (says("fleurs", ANNE, locker="gare-1"), False),  # it comes to another place than was said
    ],
)
def test_it_agrees_if_it_names_the_same_person_at_the_same_locker_or_leaves_it_to_that_merchant(
    new: NewParcel, the_same: bool
) -> None:
    assert agrees(SAID, ANNE, new) is the_same


@pytest.mark.parametrize(
    ("standing", "new", "enough"),
    [
        (GOOD, says(), False),
        (CONTESTED, says(), False),
        (NO_CONTRACT, says(), True),
        (GOOD, says("pain"), True),
        (CONTESTED, says("", ANNE), True),
    ],
)
def test_whoever_names_nobody_has_decided_nothing_unless_the_word_before_is_worth_nothing(
    standing: Standing, new: NewParcel, enough: bool
) -> None:
    assert decides(replace(SAID, standing=standing), new) is enough


def test_only_a_merchants_own_word_that_nobody_contests_was_said_before() -> None:
    fleurs = Principal(MERCHANT, "fleurs", frozenset(), "web shop")
    assert said_so(fleurs, SAID)
    assert not said_so(fleurs, replace(SAID, standing=CONTESTED))
    assert not said_so(Principal(MERCHANT, "pain", frozenset(), "shop"), SAID)
    assert not said_so(Principal(COURIER, "fleurs", frozenset(), "van"), SAID)

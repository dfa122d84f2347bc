"""The parcel's life as a table, and what a parcel may be described as."""

import pytest

from gateway.domain.errors import Refusal
from gateway.domain.parcels import ENDED, NEXT_ACTIONS, STATES, STEPS, TABLE, NewParcel, after, can, check_parcel


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
def test_every_state_takes_or_refuses_every_step_and_nothing_else(state: str, step: str) -> None:
    if can(state, step):
        assert after(state, step) in STATES
        return
    with pytest.raises(Refusal) as refused:
        after(state, step)
    assert refused.value.code == "wrong_state"
    assert refused.value.next_actions == NEXT_ACTIONS[state]


def test_the_table_names_no_state_or_step_that_does_not_exist() -> None:
    assert {state for state, _ in TABLE} | set(TABLE.values()) <= set(STATES)
    assert {step for _, step in TABLE} == set(STEPS)
    assert set(NEXT_ACTIONS) == set(STATES)


def test_every_state_can_be_reached_and_only_the_ended_ones_are_final() -> None:
    reached = {"expected"}
    for _ in STATES:
        reached |= {TABLE[state, step] for state, step in TABLE if state in reached}
    assert reached == set(STATES)
    assert {state for state in STATES if not any(can(state, step) for step in STEPS)} == set(ENDED)


@pytest.mark.parametrize(
    "wrong",
    [
        NewParcel("", "mairie-1", "S", "colibri"),
        NewParcel("x" * 65, "mairie-1", "S", "colibri"),
        NewParcel("sücht", "mairie-1", "S", "colibri"),
        NewParcel("a\n", "mairie-1", "S", "colibri"),
        NewParcel("a", "mairie-1", "XL", "colibri"),
        NewParcel("a", "mairie-1", "S", "Colibri!"),
        NewParcel("a", "mairie-1", "S", "colibri", merchant="-"),
        NewParcel("a", "mairie-1", "S", "colibri", recipient_name=""),
        NewParcel("a", "mairie-1", "S", "colibri", recipient_phone="0" * 33),
    ],
)
def test_a_parcel_that_cannot_be_is_refused(wrong: NewParcel) -> None:
    with pytest.raises(Refusal) as refused:
        check_parcel(wrong)
    assert refused.value.code == "bad_value"


def test_a_recipients_name_is_never_in_a_refusal() -> None:
    with pytest.raises(Refusal) as refused:
        check_parcel(NewParcel("a", "mairie-1", "S", "colibri", recipient_mail="anna.bertin@example.org" * 20))
    assert "anna" not in str(refused.value)

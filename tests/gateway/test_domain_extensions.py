"""When a parcel may wait one more day: pure, at every boundary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.compartments import Compartment
from gateway.domain.extensions import ANSWERS, extension_of, nearly_full
from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import STATES, Parcel
from gateway.limits import EXTENSION_BEFORE_S

END_S = 1_000_000


def boxes(free: int, taken: int, out: int = 0, size: str = "M") -> list[Compartment]:
    made = [
        Compartment("a", number, "A", size, 1, 1, 1, 0, 0, False, door="closed")
        for number in range(free + taken + out)
    ]
    for box in made[free : free + taken]:
        box.holding = 2
    for box in made[free + taken :]:
        box.out_of_service = True
    return made


def parcel(state: str = "deposited", deadline_s: int | None = END_S, paused_s: int | None = None) -> Parcel:
    known = Parcel(ParcelNumber(1), "l", "a", "M", "c", "", False, False, state, 0)
    return Parcel(
        **{name: getattr(known, name) for name in known.__slots__} | {"deadline_s": deadline_s, "paused_s": paused_s}
    )


@pytest.mark.parametrize(
    ("free", "taken", "out", "full"),
    [(1, 9, 0, True), (2, 9, 0, False), (1, 8, 0, False), (1, 9, 5, True), (0, 1, 0, True), (1, 8, 90, False)],
)
def test_a_tenth_at_the_most_is_nearly_full_and_doors_out_of_service_do_not_count(
    free: int, taken: int, out: int, full: bool
) -> None:
    assert nearly_full("M", boxes(free, taken, out), ()) is full
    assert nearly_full("M", [*boxes(free, taken, out), *boxes(50, 0, size="S")], ()) is full


def test_a_door_that_is_kept_for_somebody_is_not_free() -> None:
    assert not nearly_full("M", boxes(2, 8), ())
    assert nearly_full("M", boxes(2, 8), (0,))


@pytest.mark.parametrize(
    ("left_s", "answer"),
    [
        (EXTENSION_BEFORE_S + 1, "early"),
        (EXTENSION_BEFORE_S, "offered"),
        (1, "offered"),
        (0, "none"),
        (-1, "none"),
    ],
)
def test_it_is_offered_in_the_last_two_days_to_the_second(left_s: int, answer: str) -> None:
    assert extension_of(parcel(), False, False, END_S - left_s) == answer


@given(
    state=st.sampled_from(STATES),
    deadline_s=st.none() | st.integers(0, END_S),
    paused_s=st.none() | st.just(1),
    extended=st.booleans(),
    full=st.booleans(),
    now_s=st.integers(0, 2 * END_S),
)
def test_it_is_never_offered_twice_when_full_or_when_there_is_nothing_to_move(  # noqa: PLR0917 - what is drawn
    state: str, deadline_s: int | None, paused_s: int | None, extended: bool, full: bool, now_s: int
) -> None:
    answer = extension_of(parcel(state, deadline_s, paused_s), extended, full, now_s)
    assert answer in ANSWERS
    if answer == "offered":
        assert state == "deposited" and paused_s is None and deadline_s is not None and not extended and not full
        assert 0 < deadline_s - now_s <= EXTENSION_BEFORE_S

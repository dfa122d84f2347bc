"""Which door a parcel gets: the hard rules hold for any locker, the soft ones in their order."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.allocation import Wish, choose, next_size
from gateway.domain.compartments import RANK, SIZES, Compartment, availability
from protocol.numbers import DOOR_STATES


def box(number: int, size: str = "S", module: str = "A", bottom_mm: int = 500, **more: object) -> Compartment:
    made = Compartment("mairie-1", number, module, size, 440, 200, 500, 0, bottom_mm, False, door="closed")
    for name, value in more.items():
        setattr(made, name, value)
    return made


def chosen(wish: Wish, *boxes: Compartment, allocated: tuple[int, ...] = ()) -> int | None:
    found = choose(wish, boxes, allocated)
    return None if found is None else found.number


def test_the_smallest_that_fits_is_chosen() -> None:
    assert chosen(Wish("S"), box(1, "L"), box(2, "M"), box(3, "S")) == 3
    assert chosen(Wish("M"), box(1, "L"), box(2, "M"), box(3, "S")) == 2
    assert chosen(Wish("L"), box(2, "M"), box(3, "S")) is None


def test_what_is_not_free_is_never_chosen() -> None:
    doubtful = [box(1, door="unknown"), box(2, holding=2), box(3, quarantined=True), box(4, out_of_service=True)]
    assert chosen(Wish("S"), *doubtful, box(5), allocated=(5,)) is None


def test_accessible_doors_are_kept_for_those_who_ask() -> None:
    boxes = (box(1, accessible=True), box(2), box(3, "L", accessible=True))
    assert chosen(Wish("S"), *boxes) == 2
    assert chosen(Wish("S", accessible=True), *boxes) == 1
    assert chosen(Wish("S", accessible=True), *boxes, allocated=(1,)) == 3
    assert chosen(Wish("S", accessible=True), box(2)) is None
    assert chosen(Wish("S"), box(1, accessible=True)) == 1


def test_heavy_parcels_go_where_people_can_lift() -> None:
    boxes = (box(1, bottom_mm=50), box(2, bottom_mm=400), box(3, bottom_mm=1_600))
    assert chosen(Wish("S", heavy=True), *boxes) == 2
    assert chosen(Wish("S"), *boxes) == 1


def test_modules_are_filled_evenly_and_locks_wear_evenly() -> None:
    boxes = (box(1, module="A"), box(2, module="A"), box(3, module="B"), box(4, module="B"))
    assert chosen(Wish("S"), *boxes, allocated=(1,)) == 3
    assert chosen(Wish("S"), box(1, cycles=10), box(2, cycles=9)) == 2


def test_a_door_that_has_just_failed_is_not_offered_again() -> None:
    assert chosen(Wish("S", refused=frozenset({1})), box(1), box(2)) == 2
    assert chosen(Wish("S", refused=frozenset({1})), box(1)) is None


def test_sizes_grow_to_an_end() -> None:
    assert [next_size(size) for size in SIZES] == ["M", "L", None]


BOXES = st.lists(
    st.builds(
        box,
        number=st.just(0),
        size=st.sampled_from(SIZES),
        module=st.sampled_from("AB"),
        bottom_mm=st.integers(0, 2_000),
        accessible=st.booleans(),
        door=st.sampled_from(DOOR_STATES),
        holding=st.integers(0, 3),
        quarantined=st.booleans(),
        out_of_service=st.booleans(),
        cycles=st.integers(0, 3),
    ),
    max_size=12,
)
WISHES = st.builds(
    Wish, st.sampled_from(SIZES), st.booleans(), st.booleans(), st.frozensets(st.integers(1, 12), max_size=3)
)


@given(WISHES, BOXES, st.sets(st.integers(1, 12)), st.randoms(use_true_random=False))
def test_the_choice_is_free_fits_is_the_smallest_and_does_not_depend_on_the_order(
    wish: Wish, boxes: list[Compartment], allocated: set[int], chance: object
) -> None:
    for place, each in enumerate(boxes):
        each.number = place + 1
    suits = [
        each
        for each in boxes
        if availability(each, each.number in allocated) == "free"
        and RANK[each.size] >= RANK[wish.size]
        and (each.accessible or not wish.accessible)
        and each.number not in wish.refused
    ]
    found = choose(wish, boxes, allocated)
    assert (found is None) == (not suits)
    if found is not None:
        assert found in suits
        assert RANK[found.size] == min(RANK[each.size] for each in suits)
        shuffled = list(boxes)
        chance.shuffle(shuffled)  # type: ignore[attr-defined]
        assert choose(wish, shuffled, allocated) == found

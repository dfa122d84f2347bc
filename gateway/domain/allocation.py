"""Which compartment a parcel gets. Pure and deterministic: the same books, the same door.

Hard rules: it fits, its door is known closed, it is empty, nobody else has it, it is in service and unsuspected.
Then, in this order: the smallest size; accessible doors kept for those who need them; heavy parcels where
people can lift; modules evenly, so that one failure costs less; the least worn lock.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gateway.domain.compartments import RANK, SIZES, Compartment, availability
from gateway.limits import HEAVY_BOTTOM_MM_MAX, HEAVY_BOTTOM_MM_MIN


@dataclass(frozen=True, slots=True)
class Wish:
    """What a parcel needs. `size` is the smallest that will do; `refused`: doors it has just failed at."""

    size: str
    accessible: bool = False
    heavy: bool = False
    refused: frozenset[int] = frozenset()


def next_size(size: str) -> str | None:
    """The next bigger size; None: there is none."""
    rank = RANK[size] + 1
    return SIZES[rank] if rank < len(SIZES) else None


def choose(wish: Wish, compartments: Iterable[Compartment], allocated: Collection[int]) -> Compartment | None:
    """The best free compartment of one locker, or None. `allocated`: numbers with a live allocation."""
    boxes = list(compartments)
    free = [box for box in boxes if availability(box, box.number in allocated) == "free" and _suits(wish, box)]
    if not free:
        return None
    total = Counter(box.module for box in boxes)
    free_left = Counter(box.module for box in boxes if availability(box, box.number in allocated) == "free")

    def worth(box: Compartment) -> tuple[int, bool, bool, int, int, int]:
        busy_permille = 1000 - 1000 * free_left[box.module] // total[box.module]
        return (
            RANK[box.size],
            box.accessible and not wish.accessible,
            wish.heavy and not _in_lifting_band(box),
            busy_permille,
            box.cycles,
            box.number,
        )

    return min(free, key=worth)


def _suits(wish: Wish, box: Compartment) -> bool:
    fits = RANK[box.size] >= RANK[wish.size]
    return fits and (box.accessible or not wish.accessible) and box.number not in wish.refused


def _in_lifting_band(box: Compartment) -> bool:
    return HEAVY_BOTTOM_MM_MIN <= box.bottom_mm <= HEAVY_BOTTOM_MM_MAX

"""Guaranteed shares: of a locker's doors of each size a part is kept for one tenant's parcels, and no other gets it.

What is guaranteed is counted by doors, rounded down, and what the tenant has already counts as had: nobody is promised
a door more than the share.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.domain.compartments import Compartment, availability
from gateway.domain.errors import Refusal
from gateway.domain.people import check_slug
from gateway.limits import GUARANTEED_PERCENT_MAX, GUARANTEES_MAX


@dataclass(frozen=True, slots=True)
class Guarantee:
    """`tenant`: the slug of a carrier or a merchant."""

    tenant: str
    percent: int


def check_guarantees(wanted: Iterable[Guarantee]) -> None:
    """Raises Refusal("bad_value")."""
    found = list(wanted)
    for one in found:
        check_slug(one.tenant, "tenant")
        if not 1 <= one.percent <= 100:
            raise Refusal("bad_value", "a share: 1 to 100 percent")
    if len(found) > GUARANTEES_MAX or len({one.tenant for one in found}) < len(found):
        raise Refusal("bad_value", f"{GUARANTEES_MAX} tenants at the most, each once")
    if sum(one.percent for one in found) > GUARANTEED_PERCENT_MAX:
        raise Refusal("bad_value", f"all shares together: {GUARANTEED_PERCENT_MAX} percent at the most")


def kept_for_others(
    guarantees: Iterable[Guarantee],
    tenants: frozenset[str],
    boxes: Iterable[Compartment],
    holders: Mapping[int, frozenset[str]],
) -> frozenset[int]:
    """Doors that a parcel of `tenants` (its carrier and merchant) may not take now. `holders`: number -> whose parcel
    has it."""
    others = [one for one in guarantees if one.tenant not in tenants]
    if not others:
        return frozenset()
    known = list(boxes)
    doors = Counter(box.size for box in known)
    free = Counter(box.size for box in known if availability(box, box.number in holders) == "free")
    closed = {
        size
        for size in doors
        if free[size] <= sum(_still_due(one, size, doors[size], known, holders) for one in others)
    }
    return frozenset(box.number for box in known if box.size in closed)


def _still_due(
    one: Guarantee, size: str, doors: int, boxes: Iterable[Compartment], holders: Mapping[int, frozenset[str]]
) -> int:
    has = sum(1 for box in boxes if box.size == size and one.tenant in holders.get(box.number, ()))
    return max(0, doors * one.percent // 100 - has)

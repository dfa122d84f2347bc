"""One more day for who cannot come in time: once, near the deadline, and while others find a door too."""

from collections.abc import Collection, Iterable

from gateway.domain.compartments import Compartment, availability
from gateway.domain.parcels import Parcel
from gateway.limits import EXTENSION_BEFORE_S, EXTENSION_FREE_PERCENT_MIN

# offered: now. early: not yet. used: it was extended. full: others need the doors. none: there is nothing to extend.
ANSWERS = ("offered", "early", "used", "full", "none")


def nearly_full(size: str, boxes: Iterable[Compartment], allocated: Collection[int]) -> bool:
    """Whether of the doors of this size that are in service a tenth at the most is free."""
    found = [availability(box, box.number in allocated) for box in boxes if box.size == size]
    in_service = len(found) - found.count("out_of_service")
    return found.count("free") * 100 <= EXTENSION_FREE_PERCENT_MIN * in_service


def extension_of(parcel: Parcel, extended: bool, full: bool, now_s: int) -> str:
    """One of ANSWERS. While its days stand still there is nothing to extend."""
    if parcel.state != "deposited" or parcel.deadline_s is None or parcel.deadline_paused:
        return "none"
    if extended:
        return "used"
    left_s = parcel.deadline_s - now_s
    if left_s <= 0:
        return "none"
    if left_s > EXTENSION_BEFORE_S:
        return "early"
    return "full" if full else "offered"

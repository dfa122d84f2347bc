"""Giving a compartment to a parcel, and taking it away again: the same for the API and for a courier at the door."""

from collections.abc import Iterable
from dataclasses import replace

from gateway.domain.allocation import Wish, choose
from gateway.domain.compartments import Compartment
from gateway.domain.guarantees import kept_for_others
from gateway.domain.parcels import Parcel, after, can
from gateway.services.desk import Desk
from gateway.services.ports import Transaction
from protocol.messages import Assign


def wish_of(parcel: Parcel, refused: frozenset[int] = frozenset()) -> Wish:
    return Wish(parcel.size, parcel.accessible, parcel.heavy, refused)


def reserve(
    desk: Desk, tx: Transaction, parcel: Parcel, boxes: Iterable[Compartment], wish: Wish
) -> tuple[Parcel, Compartment] | None:
    """Keep the best free compartment for `parcel`, which has none. None: there is none to give."""
    known = list(boxes)
    box = choose(_within_shares(tx, parcel, known, wish), known, tx.allocated(parcel.locker))
    if box is None:
        return None
    return seat(desk, tx, parcel, box), box


def _within_shares(tx: Transaction, parcel: Parcel, boxes: list[Compartment], wish: Wish) -> Wish:
    """What is guaranteed to other tenants is not for this one."""
    promised = tx.guarantees(parcel.locker)
    if not promised:
        return wish
    own = frozenset({parcel.carrier, parcel.merchant})
    others = kept_for_others(promised, own, boxes, tx.holders(parcel.locker))
    return replace(wish, refused=wish.refused | others)


def seat(desk: Desk, tx: Transaction, parcel: Parcel, box: Compartment) -> Parcel:
    """Make `box`, which nobody else has, the parcel's; what was assigned before means nothing now, and must take
    nothing away when it runs out. Raises Refusal("wrong_state")."""
    now = desk.clock()
    state = after(parcel.state, "reserve")
    tx.end_allocation(parcel.number, now)
    tx.supersede(parcel.number, Assign.TYPE)
    tx.allocate(parcel.number, box.locker, box.number, now, now + desk.settings.reservation_minutes * 60)
    # One that never came had ended; a locker may tell of it after all.
    reserved = replace(parcel, state=state, locker=box.locker, compartment=box.number, deposit=None, ended_s=None)
    tx.keep_parcel(reserved)
    return reserved


def release(desk: Desk, tx: Transaction, parcel: Parcel) -> Parcel:
    """A reserved parcel has no compartment any more; what was told to the locker about it means nothing now. One that
    lies in its compartment keeps it."""
    tx.supersede(parcel.number, Assign.TYPE)
    if not can(parcel.state, "release"):
        return parcel
    tx.end_allocation(parcel.number, desk.clock())
    released = replace(parcel, state=after(parcel.state, "release"), compartment=None, deposit=None)
    tx.keep_parcel(released)
    return released

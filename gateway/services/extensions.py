"""Use case: one more day for a parcel. Codes and QRs stay as they are: a locker refuses no recipient for the hour,
only what it was told to revoke, and that order follows the books' deadline."""

from dataclasses import replace

from gateway.domain.errors import Refusal
from gateway.domain.extensions import extension_of, nearly_full
from gateway.domain.ids import ParcelNumber
from gateway.domain.operations import TAKE_BACK
from gateway.domain.parcels import Parcel
from gateway.domain.people import Principal
from gateway.limits import EXTENSION_S
from gateway.services.desk import Desk, known_parcel
from gateway.services.ports import Transaction
from gateway.services.reissues import running_for

_WHY_NOT = {
    "early": ("wrong_state", "it still waits for longer than two days", ("ask again near the deadline",)),
    "used": ("wrong_state", "it was extended once", ("send somebody else",)),
    "full": ("no_room", "this locker is nearly full", ("send somebody else", "ask again after the next pickup")),
    "none": ("wrong_state", "there is no deadline that could be moved", ()),
}


def look(desk: Desk, tx: Transaction, parcel: Parcel) -> str:
    """One of gateway.domain.extensions.ANSWERS."""
    if running_for(tx, parcel, TAKE_BACK) is not None:
        return "none"
    boxes = tx.compartments_of(parcel.locker)
    size = next((box.size for box in boxes if box.number == parcel.compartment), parcel.size)
    full = nearly_full(size, boxes, tx.allocated(parcel.locker))
    return extension_of(parcel, tx.is_extended(parcel.number), full, desk.clock())


def extend(desk: Desk, who: Principal, number: ParcelNumber) -> Parcel:
    """Raises Refusal: not_allowed, wrong_state, no_room."""
    who.must("parcels:write")
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        answer = look(desk, tx, parcel)
        if answer != "offered":
            raise Refusal(*_WHY_NOT[answer])
        assert parcel.deadline_s is not None
        tx.extend(number, parcel.deadline_s + EXTENSION_S, desk.clock())
        return replace(parcel, deadline_s=parcel.deadline_s + EXTENSION_S)

"""Use case: "I need a low door". Before the deposit the parcel gets one; after it a person helps.

The need is kept with the parcel and with nothing else: the next one is asked anew.
"""

from collections.abc import Iterable
from dataclasses import replace

from gateway.domain.compartments import RANK, Compartment
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import Parcel
from gateway.domain.people import Principal
from gateway.services import allocations
from gateway.services.desk import Desk, known_parcel
from gateway.services.ports import Transaction
from protocol.numbers import DEPOSITING

BEFORE = ("expected", "reserved")


def low_doors(parcel: Parcel, boxes: Iterable[Compartment]) -> bool:
    """Whether this locker has a door within everyone's reach that would hold it: else no courier could deliver it."""
    return any(box.accessible and not box.out_of_service and RANK[box.size] >= RANK[parcel.size] for box in boxes)


def need_low(desk: Desk, who: Principal, number: ParcelNumber, needed: bool) -> Parcel:
    """A door that was kept for it and is too high is given back. Raises Refusal: not_allowed, wrong_state, no_room."""
    who.must("parcels:write")
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        boxes = tx.compartments_of(parcel.locker)
        kept = next((box for box in boxes if box.number == parcel.compartment), None)
        if parcel.state not in BEFORE or (kept is not None and kept.holding == DEPOSITING):
            raise Refusal(
                "wrong_state", f"a parcel that is {parcel.state} has its door", ("ask the operator to help",)
            )
        if needed and not low_doors(parcel, boxes):
            raise Refusal("no_room", "no low door of this locker would hold it", ("ask the operator to help",))
        tx.keep_accessible(number, needed)
        parcel = replace(parcel, accessible=needed)
        if needed and kept is not None and not kept.accessible:
            parcel = _another(desk, tx, parcel, boxes)
        return parcel


def _another(desk: Desk, tx: Transaction, parcel: Parcel, boxes: list[Compartment]) -> Parcel:
    """A low door now, or the first that is free when its courier comes."""
    parcel = allocations.release(desk, tx, parcel)
    given = allocations.reserve(desk, tx, parcel, boxes, allocations.wish_of(parcel))
    return parcel if given is None else given[0]

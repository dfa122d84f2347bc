"""A receipt runs ahead of its locker's events: it says what lies in a compartment now, and the news from before
comes later. What was overtaken changes no door; only whose deposit it was is still kept.
"""

from dataclasses import replace

from gateway.domain.compartments import Compartment
from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import Parcel, after, can
from gateway.services.batch import Batch

NOBODYS = 0  # as a locker says that was alone: whose it is, its label has told
OVERTAKEN = "deposit_overtaken"  # a receipt shows another parcel where this one lay, and nothing says where it is
UNANNOUNCED = "deposit_unannounced"
INSIDE = ("deposited", "expired", "disputed")


def lies_in(parcel: Parcel, box: Compartment, deposit: int) -> bool:
    """Under this very number."""
    place = (parcel.locker, parcel.compartment, parcel.deposit)
    return parcel.state in INSIDE and place == (box.locker, box.number, deposit)


def seated(batch: Batch, box: Compartment) -> Parcel | None:
    """Whose the compartment is."""
    kept = batch.tx.allocation_at(box.locker, box.number)
    return None if kept is None else batch.tx.parcel(kept.parcel)


def overtaken(batch: Batch, box: Compartment, deposit: int) -> bool:
    """Something lies there since, as its receipt has shown. Asks the books only where numbers go backwards."""
    if deposit >= box.deposit:
        return False
    there = seated(batch, box)
    return there is not None and there.by_receipt and there.deposit is not None and there.deposit > deposit


def meant(batch: Batch, box: Compartment, number: int, deposit: int) -> Parcel | None:
    """Whose deposit the locker speaks of. One without a parcel is that of the label told just before it: the parcel
    that has the compartment under this very number, or had it when a receipt overtook it. Never any other."""
    if number != NOBODYS:
        return batch.tx.parcel(number)
    there = seated(batch, box)
    if there is not None and there.deposit == deposit:
        return there
    if not overtaken(batch, box, deposit):
        return None
    before = batch.tx.parcel_at(box.locker, box.number, deposit)
    return before if before is not None and before.ended_s is None else None


def pass_through(
    batch: Batch, box: Compartment, parcel: Parcel, deposit: int, inside_s: int | None = None
) -> ParcelNumber:
    """It was there before what a receipt has shown. Its pickup is told next; until then nobody knows where it is."""
    if not can(parcel.state, "reserve" if inside_s is None else "deposit"):
        return parcel.number
    batch.tx.end_allocation(parcel.number, batch.now)
    state = after(parcel.state, "reserve")
    if inside_s is not None:
        state = after(after(parcel.state, "deposit"), "dispute")
        batch.alarm(box.locker, box.number, OVERTAKEN, parcel.number)
    batch.tx.keep_parcel(
        replace(parcel, state=state, locker=box.locker, compartment=box.number, deposit=deposit, deposited_s=inside_s)
    )
    return parcel.number


def overtake(batch: Batch, box: Compartment, parcel: Parcel) -> None:
    """A receipt shows that `parcel`, which lay there, is gone; the locker has yet to say how."""
    batch.tx.end_allocation(parcel.number, batch.now)
    if can(parcel.state, "dispute"):
        batch.tx.keep_parcel(replace(parcel, state=after(parcel.state, "dispute")))
        batch.tx.end_delegations(parcel.number, batch.now)
    batch.alarm(box.locker, box.number, OVERTAKEN, parcel.number)


def confirm(batch: Batch, box: Compartment, parcel: Parcel) -> None:
    """The locker itself says what its receipt said."""
    batch.tx.keep_parcel(replace(parcel, by_receipt=False))
    batch.tx.clear_alarms(box.locker, box.number, "holding_differs", batch.now)

"""What lockers tell of deposits and pickups. The locker's word on its doors wins over the gateway's plan.

A contradiction never raises: it becomes an alarm, and the compartment is offered to nobody until a person looked.
"""

from dataclasses import replace

from gateway.domain.allocation import next_size
from gateway.domain.compartments import RANK, Compartment
from gateway.domain.contracts import GOOD
from gateway.domain.ids import ParcelNumber
from gateway.domain.operations import REISSUE, TAKE_BACK
from gateway.domain.parcels import Parcel, after, can
from gateway.services import allocations, delegations, joins
from gateway.services.batch import Batch
from gateway.services.receipt_order import (
    NOBODYS,
    OVERTAKEN,
    UNANNOUNCED,
    confirm,
    lies_in,
    meant,
    overtaken,
    pass_through,
)
from gateway.services.told_doors import end_operation, interrupt, shut
from gateway.services.withdrawals import withdraw
from protocol.messages import (
    Assign,
    Collected,
    DepositAbandoned,
    DepositAuthorised,
    Deposited,
    PickupAuthorised,
    Reissue,
    Up,
)
from protocol.numbers import DEPOSITING, FREE, HELD, TOO_SMALL

_TOO_LATE = {TAKE_BACK: "wrong_state", REISSUE: "spent"}  # what the locker would have answered


# ------------------------------------------------------------------ deposits
def deposit_authorised(batch: Batch, box: Compartment, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, DepositAuthorised)
    if event.command is not None:
        batch.tx.finish_command(event.command, "done", 0)
    parcel = batch.tx.parcel(event.parcel)
    if overtaken(batch, box, event.deposit):
        return None if parcel is None else pass_through(batch, box, parcel, event.deposit)
    box.holding = DEPOSITING
    box.deposit = event.deposit
    if parcel is None:
        return None  # an alarm once it is inside
    badge = batch.tx.badge_that_asked(box.locker, up.boot, event.request)
    batch.tx.note_handover(parcel.number, badge, batch.when_s(up))
    return put_before(batch, box, parcel, event.deposit)


def put_before(batch: Batch, box: Compartment, parcel: Parcel, deposit: int) -> ParcelNumber:
    """The door is opened for it. An answer that is still on its way to the courier means nothing now: its refusal, or
    that it ran out, must not take away what the parcel has."""
    interrupt(batch, box)
    batch.tx.supersede(parcel.number, Assign.TYPE)
    if not can(parcel.state, "reserve"):
        batch.suspect(box, "deposit_of_a_parcel_that_cannot_be", parcel.number)
        return parcel.number
    parcel = _claim(batch, box, parcel)
    batch.tx.keep_parcel(replace(parcel, deposit=deposit))
    return parcel.number


def deposited(batch: Batch, box: Compartment, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, Deposited)
    shut(batch, box)
    parcel = meant(batch, box, event.parcel, event.deposit)
    if overtaken(batch, box, event.deposit):
        return None if parcel is None else pass_through(batch, box, parcel, event.deposit, batch.when_s(up))
    box.holding = HELD
    box.deposit = event.deposit
    if parcel is None:
        batch.alarm(box.locker, box.number, "deposit_of_an_unknown_parcel")
        return None
    if parcel.by_receipt and lies_in(parcel, box, event.deposit):
        confirm(batch, box, parcel)
        return parcel.number
    if not can(parcel.state, "deposit"):
        batch.suspect(box, "deposit_of_a_parcel_that_cannot_be", parcel.number)
        return parcel.number
    put_in(batch, box, parcel, event.deposit, batch.when_s(up))
    return parcel.number


def put_in(  # noqa: PLR0917 - what is known of a deposit
    batch: Batch, box: Compartment, parcel: Parcel, deposit: int, when_s: int, by_receipt: bool = False
) -> None:
    if parcel.standing != GOOD:  # its locker was alone, or the door was open when it came to that
        parcel = withdraw(batch.desk, batch.tx, parcel)
        batch.alarm(box.locker, box.number, UNANNOUNCED, parcel.number)
    parcel = _claim(batch, box, parcel)
    batch.tx.settle_allocation(parcel.number, None)
    inside = replace(
        parcel,
        state=after(parcel.state, "deposit"),
        deposit=deposit,
        deposited_s=when_s,
        # From when the books know, which is when the recipient can be told: an outage costs nobody a day.
        deadline_s=batch.now + batch.desk.pickup_s_at(batch.tx, box.locker),
        by_receipt=by_receipt,
    )
    batch.tx.keep_parcel(inside)
    joins.join(batch.desk, batch.tx, inside)


def _claim(batch: Batch, box: Compartment, parcel: Parcel) -> Parcel:
    """The parcel is, or is about to be, in `box`, whatever was planned for either."""
    kept = batch.tx.allocation_at(box.locker, box.number)
    if kept is not None and kept.parcel == parcel.number:
        return replace(parcel, compartment=box.number)
    if kept is not None:
        _unseat(batch, box, kept.parcel, lay_there=kept.until_s is None)
    if parcel.locker != box.locker:
        batch.alarm(box.locker, box.number, "deposit_at_another_locker", parcel.number)
    return allocations.seat(batch.desk, batch.tx, parcel, box)


def _unseat(batch: Batch, box: Compartment, number: ParcelNumber, lay_there: bool) -> None:
    """Another parcel loses its place: a reservation is made anew when its courier comes, a deposit is disputed."""
    other = batch.tx.parcel(number)
    if other is None:
        return
    if not lay_there:
        allocations.release(batch.desk, batch.tx, other)
        return
    batch.tx.end_allocation(number, batch.now)
    if can(other.state, "dispute"):
        batch.tx.keep_parcel(replace(other, state=after(other.state, "dispute")))
        batch.tx.end_delegations(number, batch.now)
    batch.suspect(box, "two_parcels_in_one_compartment", number)


def deposit_abandoned(batch: Batch, box: Compartment, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, DepositAbandoned)
    if event.deposit == box.deposit and box.holding == DEPOSITING:
        box.holding = FREE
    parcel = meant(batch, box, event.parcel, event.deposit)
    if parcel is None:
        return None
    bigger = next_size(box.size)
    if event.reason == TOO_SMALL and bigger is not None and RANK[bigger] > RANK[parcel.size]:
        parcel = replace(parcel, size=bigger)
        batch.tx.keep_parcel(parcel)
    if parcel.by_receipt and lies_in(parcel, box, event.deposit):  # its receipt says that it was put in
        batch.suspect(box, "deposit_of_a_parcel_that_cannot_be", parcel.number)
        return parcel.number
    kept = batch.tx.allocation_of(parcel.number)
    here = kept is not None and (kept.locker, kept.compartment) == (box.locker, box.number)
    # Its courier may have asked again already, and have another door by now.
    if here or event.parcel == NOBODYS:
        allocations.release(batch.desk, batch.tx, parcel)
    if not parcel.announced:
        batch.tx.clear_alarms(box.locker, box.number, UNANNOUNCED, batch.now)
    return parcel.number


# ------------------------------------------------------------------ pickups
def pickup_authorised(batch: Batch, box: Compartment, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, PickupAuthorised)
    interrupt(batch, box)
    parcel = batch.tx.parcel_at(box.locker, box.number, event.deposit)
    if parcel is None:
        batch.alarm(box.locker, box.number, "pickup_of_an_unknown_parcel")
        return None
    delegations.opened_by(batch, box, parcel, up)
    if can(parcel.state, "collect") and parcel.delegation != event.token:
        batch.tx.keep_parcel(replace(parcel, delegation=event.token))
    return parcel.number


def collected(batch: Batch, box: Compartment, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, Collected)
    shut(batch, box)
    parcel = batch.tx.parcel_at(box.locker, box.number, event.deposit)
    # Its number from before a re-issue, from a journal that lost its end: it is gone all the same.
    renumbered = parcel is not None and parcel.deposit == box.deposit and can(parcel.state, "collect")
    if event.deposit == box.deposit or renumbered:
        box.holding = FREE
    if parcel is None:
        batch.alarm(box.locker, box.number, "pickup_of_an_unknown_parcel")
        return None
    if parcel.state == "collected":  # opened once more by the same person
        return parcel.number
    if not can(parcel.state, "collect"):
        batch.suspect(box, "pickup_of_a_parcel_that_cannot_be", parcel.number)
        return parcel.number
    if parcel.state == "disputed":
        batch.tx.clear_alarms(box.locker, box.number, OVERTAKEN, batch.now)
    batch.tx.keep_parcel(replace(parcel, state=after(parcel.state, "collect"), ended_s=batch.now, by_receipt=False))
    batch.tx.end_allocation(parcel.number, batch.now)
    batch.tx.end_delegations(parcel.number, batch.now)
    for operation in batch.tx.running_at(box.locker, box.number):
        if operation.kind in _TOO_LATE and operation.parcel == parcel.number:
            end_operation(batch, operation, "failed", _TOO_LATE[operation.kind])
    batch.tx.supersede(parcel.number, Reissue.TYPE)
    return parcel.number

"""What a technician decides at a locker's console, about a module that is led out: the locker tells it as what came of
a command, which nobody ordered (`issued` 0). The network may have been away all along; the books follow afterwards.
"""

from collections.abc import Callable
from dataclasses import replace

from gateway.domain.compartments import Compartment
from gateway.domain.ids import ParcelNumber
from gateway.domain.lockers import Locker
from gateway.domain.operations import REISSUE, TAKE_BACK
from gateway.domain.parcels import Parcel, after, can
from gateway.services import dead_codes, joins, reissues, told_doors
from gateway.services.batch import Batch
from gateway.services.receipt_order import OVERTAKEN, overtaken, seated
from protocol.messages import CommandDone, OutOfService, Reissue, Release, Revoke, Up
from protocol.numbers import FREE, LEAVES, STAYS

_NOT_THERE = "parcel_unknown_to_its_locker"


def command_done(batch: Batch, locker: Locker, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, CommandDone)
    if event.issued:
        return told_doors.command_done(batch, locker, up)
    decided = _DECIDED.get(event.order)
    box = None if event.compartment is None else batch.box(locker.id, event.compartment)
    if event.code or decided is None or box is None:
        return None
    batch.touch(box)
    return decided(batch, box, event.value)


def _leaves(_batch: Batch, box: Compartment, value: int) -> None:
    if value in (STAYS, LEAVES):
        box.leaving = value == LEAVES


def _code_ends(batch: Batch, box: Compartment, deposit: int) -> ParcelNumber | None:
    """Its door is about to be opened for the technician; the code has ended, whatever comes of it: somebody is told,
    until what came of it is."""
    told_doors.revoked(batch, box, deposit, None)
    parcel = batch.tx.parcel_at(box.locker, box.number, deposit)
    return None if parcel is None else parcel.number


def _stays_inside(batch: Batch, box: Compartment, deposit: int) -> ParcelNumber | None:
    """Under another number: whoever had its code needs the new one."""
    reissues.reissued(batch, box, deposit, None)
    parcel = batch.tx.parcel_at(box.locker, box.number, deposit)
    if parcel is None:
        return None
    joins.join(batch.desk, batch.tx, parcel)
    return parcel.number


def _emptied(batch: Batch, box: Compartment, deposit: int) -> ParcelNumber | None:
    """`deposit`: what was taken out; 0: somebody looked, and nothing was inside. What a receipt has shown came
    later."""
    parcel = batch.tx.parcel_at(box.locker, box.number, deposit) if deposit else None
    if parcel is not None and can(parcel.state, "take_back"):
        _take_out(batch, box, parcel)
    if overtaken(batch, box, deposit):
        return None if parcel is None else parcel.number
    box.holding = FREE
    lies_there = seated(batch, box)
    if lies_there is not None and lies_there.state in ("deposited", "expired"):
        batch.suspect(box, _NOT_THERE, lies_there.number)
        return lies_there.number
    told_doors.released(batch, box, 0, None)
    return None if parcel is None else parcel.number


def _take_out(batch: Batch, box: Compartment, parcel: Parcel) -> None:
    """As if it had been ordered from here: the technician has it, and its recipient is told so."""
    out = replace(parcel, state=after(parcel.state, "take_back"), ended_s=batch.now, by_receipt=False)
    batch.tx.keep_parcel(out)
    dead_codes.settle(batch, box)
    if parcel.state == "disputed":
        batch.tx.clear_alarms(box.locker, box.number, OVERTAKEN, batch.now)
    batch.tx.end_allocation(parcel.number, batch.now)
    batch.tx.end_delegations(parcel.number, batch.now)
    for operation in batch.tx.running_at(box.locker, box.number):
        if operation.parcel == parcel.number and operation.kind == TAKE_BACK:
            told_doors.end_operation(batch, operation, "done")
        elif operation.parcel == parcel.number and operation.kind == REISSUE:
            told_doors.end_operation(batch, operation, "failed", "spent")
    batch.tx.supersede(parcel.number, Reissue.TYPE)


_DECIDED: dict[int, Callable[[Batch, Compartment, int], ParcelNumber | None]] = {
    OutOfService.TYPE: _leaves,
    Revoke.TYPE: _code_ends,
    Reissue.TYPE: _stays_inside,
    Release.TYPE: _emptied,
}

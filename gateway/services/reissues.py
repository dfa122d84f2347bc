"""Re-issue: the parcel stays where it is and gets a new deposit number, so that the code a stranger knows is spent.

The locker makes the number; until it has said so the books keep the old one, because the old code still opens.
"""

from dataclasses import replace

from gateway.domain.compartments import Compartment
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.operations import REISSUE, TAKE_BACK, Command, Operation, check_reason
from gateway.domain.parcels import NEXT_ACTIONS, Parcel
from gateway.domain.people import Principal
from gateway.services.batch import Batch
from gateway.services.desk import Desk, known_parcel
from gateway.services.orders import begin_operation, order
from gateway.services.ports import Transaction
from gateway.services.receipt_order import overtaken
from protocol.messages import Reissue
from protocol.numbers import HELD


def running_for(tx: Transaction, parcel: Parcel, kind: str) -> Operation | None:
    """The operation of this kind that is under way about this parcel."""
    if parcel.compartment is None:
        return None
    at_its_door = tx.running_at(parcel.locker, parcel.compartment)
    return next((one for one in at_its_door if one.kind == kind and one.parcel == parcel.number), None)


def reissue(desk: Desk, who: Principal, number: ParcelNumber, reason: str = REISSUE) -> Operation:
    """Asked again while one is under way: that one. Raises Refusal: not_allowed, wrong_state, bad_value."""
    who.must("codes:write")
    check_reason(reason)
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        if parcel.state != "deposited":
            raise Refusal("wrong_state", f"a parcel that is {parcel.state} has no code", NEXT_ACTIONS[parcel.state])
        assert parcel.compartment is not None and parcel.deposit is not None
        under_way = running_for(tx, parcel, REISSUE)
        if under_way is not None:
            return under_way
        if running_for(tx, parcel, TAKE_BACK) is not None:
            raise Refusal("wrong_state", "it is being taken back, which revokes its code", ("wait for its end",))
        operation = begin_operation(desk, tx, who, REISSUE, (parcel.locker, parcel.compartment), parcel, reason)
        message = Reissue(parcel.compartment, parcel.deposit)
        order(desk, tx, parcel.locker, message, operation=operation.number, parcel=parcel.number)
        return operation


def reissued(batch: Batch, box: Compartment, deposit: int, command: Command | None) -> None:
    """The locker did it: what lies in `box` has the number `deposit` from here on. An order that the books lost
    (restored from a backup), or that a technician gave there, was about the number they had; or, where a receipt has
    shown what lies there since, about the one before: the locker passes over a number only where two codes are
    alike."""
    message = None if command is None else command.down.command
    passed = overtaken(batch, box, deposit)
    before = message.deposit if isinstance(message, Reissue) else deposit - 1 if passed else box.deposit
    parcel = batch.tx.parcel_at(box.locker, box.number, before)
    unknown = parcel is None or parcel.ended_s is not None
    if not passed:
        box.holding = HELD
        box.deposit = deposit
        if unknown:
            batch.suspect(box, "deposit_of_an_unknown_parcel")
    if parcel is None or unknown:
        return
    batch.tx.keep_former_deposit(box.locker, box.number, before, parcel.number)
    # A new deposit belongs to no group until it is joined again.
    batch.tx.keep_parcel(replace(parcel, deposit=deposit, group=None, joined=False))
    batch.tx.end_delegations(parcel.number, batch.now)

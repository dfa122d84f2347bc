"""Re-issue: the parcel stays where it is and gets a new deposit number, so that the code a stranger knows is spent.

The locker makes the number; until it has said so the books keep the old one, because the old code still opens.

Where the code has ended and the parcel stays (gateway.services.dead_codes), the order names the number after it. One
that was given before, about the number that was, is refused: somebody has opened that door since.
"""

from dataclasses import replace

from gateway.domain.compartments import Compartment
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.operations import REISSUE, TAKE_BACK, Command, Operation, check_reason
from gateway.domain.parcels import NEXT_ACTIONS, Parcel
from gateway.domain.people import Principal
from gateway.limits import TTL_OPEN_S
from gateway.services import dead_codes
from gateway.services.batch import Batch
from gateway.services.desk import Desk, known_parcel
from gateway.services.orders import begin_operation, order
from gateway.services.ports import Transaction
from gateway.services.receipt_order import overtaken
from protocol.messages import Reissue
from protocol.numbers import HELD, REVOKED


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
        message, ttl_s = Reissue(parcel.compartment, parcel.deposit), None
        if _has_no_code(tx, parcel):
            if not dead_codes.may_give_another(who):
                next_actions = ("ask the operator to look inside",)
                raise Refusal("wrong_state", "its code has ended, and it may have been taken out", next_actions)
            # What somebody saw inside is not true for long.
            message, ttl_s = Reissue(parcel.compartment, parcel.deposit + 1), TTL_OPEN_S
        operation = begin_operation(desk, tx, who, REISSUE, (parcel.locker, parcel.compartment), parcel, reason)
        order(desk, tx, parcel.locker, message, operation=operation.number, parcel=parcel.number, ttl_s=ttl_s)
        return operation


def _has_no_code(tx: Transaction, parcel: Parcel) -> bool:
    box = None if parcel.compartment is None else tx.compartment(parcel.locker, parcel.compartment)
    return box is not None and box.holding == REVOKED


def reissued(batch: Batch, box: Compartment, deposit: int, command: Command | None) -> None:
    """The locker did it: what lies in `box` has the number `deposit` from here on. An order that the books lost
    (restored from a backup), or that a technician gave there, was about the number they had; or, where a receipt has
    shown what lies there since, about the one before: the locker passes over a number only where two codes are
    alike."""
    passed = overtaken(batch, box, deposit)
    named = None if command is None else _named(batch, box, command)
    before = named if named is not None else deposit - 1 if passed else box.deposit
    parcel = batch.tx.parcel_at(box.locker, box.number, before)
    unknown = parcel is None or parcel.ended_s is not None
    if not passed:
        box.holding = HELD
        box.deposit = deposit
        dead_codes.settle(batch, box)
        if unknown:
            batch.suspect(box, "deposit_of_an_unknown_parcel")
    if parcel is None or unknown:
        return
    batch.tx.keep_former_deposit(box.locker, box.number, before, parcel.number)
    # A new deposit belongs to no group until it is joined again.
    batch.tx.keep_parcel(replace(parcel, deposit=deposit, group=None, joined=False))
    batch.tx.end_delegations(parcel.number, batch.now)


def _named(batch: Batch, box: Compartment, command: Command) -> int | None:
    """The number that the parcel had, by the order: the one before, where it names one that nothing has."""
    message = command.down.command
    if not isinstance(message, Reissue):
        return None
    ordered = None if command.parcel is None else batch.tx.parcel(command.parcel)
    without_code = ordered is not None and ordered.ended_s is None and ordered.deposit == message.deposit - 1
    if without_code and batch.tx.parcel_at(box.locker, box.number, message.deposit) is None:
        return message.deposit - 1
    return message.deposit

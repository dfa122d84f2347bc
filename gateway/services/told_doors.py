"""What lockers tell of their doors and of commands. A door did what the locker says; the books follow.

Each handler: (batch, compartment or locker, envelope) -> the parcel it is about, or None.
"""

from dataclasses import replace

from gateway.domain.compartments import PRESENT, Compartment
from gateway.domain.ids import OperationNumber, ParcelNumber
from gateway.domain.lockers import Locker
from gateway.domain.operations import OPEN, TAKE_BACK, Command, Operation
from gateway.domain.parcels import after, can
from gateway.services import (
    allocations,
    dead_codes,
    delegations,
    greetings,
    joins,
    reissues,
    reports,
    revocations,
    trust_orders,
)
from gateway.services.batch import Batch
from gateway.services.orders import order
from gateway.services.receipt_order import seated
from protocol.errors import CODES
from protocol.messages import (
    Assign,
    BucketRefilled,
    CodeRefused,
    CommandDone,
    ContentsDoubted,
    DoorFaulted,
    Greet,
    Join,
    OpeningAuthorised,
    OutOfService,
    Reissue,
    Release,
    Revoke,
    RevokeToken,
    TokenRevoked,
    Trust,
    Up,
)
from protocol.numbers import CONTENTS_FINDINGS, DOOR_STATES, FREE, HELD, MISSING, REVOKED, SENSOR_FAULTY

UNKNOWN_ORDER = "opened_by_an_unknown_order"


# ------------------------------------------------------------------ doors
def door_opened(batch: Batch, box: Compartment, _up: Up) -> ParcelNumber | None:
    box.door = "open"
    box.cycles += 1
    for operation in _running(batch, box):
        if operation.state == "authorised" and operation.kind == OPEN:
            end_operation(batch, operation, "done")
        elif operation.state == "authorised" and operation.kind == TAKE_BACK:
            batch.tx.keep_operation(replace(operation, state="opened"))
            return operation.parcel
    return None


def door_closed(batch: Batch, box: Compartment, _up: Up) -> ParcelNumber | None:
    shut(batch, box)
    for operation in _running(batch, box):
        if operation.state == "opened" and operation.kind == TAKE_BACK:
            _taken_back(batch, box, operation)
            return operation.parcel
    return None


def shut(batch: Batch, box: Compartment) -> None:
    """It was seen to close: a reminder about it has done its work."""
    if box.door == "left_open":
        batch.tx.clear_alarms(box.locker, box.number, "door_left_open", batch.now)
    box.door = "closed"


def door_faulted(batch: Batch, box: Compartment, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, DoorFaulted)
    box.door = DOOR_STATES[event.state] if event.state < len(DOOR_STATES) else "faulty"
    box.quarantined = box.quarantined or event.quarantined
    box.out_of_service = box.out_of_service or box.door == "out_of_service"  # an operator brings it back
    parcel = _lies_there(batch, box)
    batch.alarm(box.locker, box.number, f"door_{box.door}", parcel)
    for operation in _running(batch, box):
        if operation.state == "authorised" and box.door == "jammed":
            end_operation(batch, operation, "failed", "jammed")
    return parcel


def contents_doubted(batch: Batch, box: Compartment, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, ContentsDoubted)
    box.quarantined = box.quarantined or event.finding != SENSOR_FAULTY
    finding = CONTENTS_FINDINGS[event.finding] if event.finding < len(CONTENTS_FINDINGS) else "differ"
    parcel = _lies_there(batch, box)
    batch.alarm(box.locker, box.number, f"contents_{finding}", parcel)
    if event.finding == MISSING:
        dead_codes.settle(batch, box)
    return parcel


def opening_authorised(batch: Batch, box: Compartment, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, OpeningAuthorised)
    command = None if event.command is None else batch.tx.command(event.command)
    interrupt(batch, box, None if command is None else command.operation)
    if event.command is not None and command is None:
        # Somebody has our keys, or these books are a backup's: in either case a person has to look what is inside.
        batch.suspect(box, UNKNOWN_ORDER, _lies_there(batch, box))
    if command is None:
        dead_codes.tell(batch, box)
        return None
    batch.tx.finish_command(command.down.id, "done", 0)
    operation = None if command.operation is None else batch.tx.operation(command.operation)
    # An operation that we gave up on is carried out after all: the locker's word counts.
    if operation is not None and operation.state in ("waiting", "failed"):
        batch.tx.keep_operation(replace(operation, state="authorised", code=None, ended_s=None))
        batch.running.add((box.locker, box.number))
        return operation.parcel
    return None


def interrupt(batch: Batch, box: Compartment, ours: OperationNumber | None = None) -> None:
    """Somebody else is let in there now: what an earlier order was to open did not open, and what this opening does is
    not that order's doing."""
    for operation in _running(batch, box):
        if operation.state == "authorised" and operation.number != ours:
            end_operation(batch, operation, "failed", "wrong_state")


def _lies_there(batch: Batch, box: Compartment) -> ParcelNumber | None:
    kept = batch.tx.allocation_at(box.locker, box.number)
    return None if kept is None else kept.parcel


def _running(batch: Batch, box: Compartment) -> list[Operation]:
    if (box.locker, box.number) not in batch.running:
        return []
    return batch.tx.running_at(box.locker, box.number)


def end_operation(batch: Batch, operation: Operation, state: str, code: str | None = None) -> None:
    batch.tx.keep_operation(replace(operation, state=state, code=code, ended_s=batch.now))
    box = batch.box(operation.locker, operation.compartment) if operation.kind == TAKE_BACK else None
    if box is not None and state == "failed":
        dead_codes.tell(batch, box)  # it may have ended the code, and got no further


def _taken_back(batch: Batch, box: Compartment, operation: Operation) -> None:
    """The door was ordered open, opened, and closed: the parcel is out, and the compartment can be had again."""
    parcel = None if operation.parcel is None else batch.tx.parcel(operation.parcel)
    if parcel is None or not can(parcel.state, "take_back"):
        end_operation(batch, operation, "failed", "wrong_state")
        return
    batch.tx.keep_parcel(replace(parcel, state=after(parcel.state, "take_back"), ended_s=batch.now))
    batch.tx.end_allocation(parcel.number, batch.now)
    batch.tx.end_delegations(parcel.number, batch.now)
    order(batch.desk, batch.tx, box.locker, Release(box.number), parcel=parcel.number)
    end_operation(batch, operation, "done")


# ------------------------------------------------------------------ codes
def code_refused(batch: Batch, locker: Locker, up: Up) -> ParcelNumber | None:
    assert isinstance(up.event, CodeRefused)
    if up.event.left == 0:
        batch.alarm(locker.id, 0, "typed_codes_closed")
    if CODES.get(up.event.code) == "revoked":  # somebody holds what was taken back: a phished code, a lost badge
        batch.alarm(locker.id, 0, "revoked_code_tried")
    return None


def bucket_refilled(batch: Batch, locker: Locker, up: Up) -> ParcelNumber | None:
    assert isinstance(up.event, BucketRefilled)
    if up.event.left:
        batch.tx.clear_alarms(locker.id, 0, "typed_codes_closed", batch.now)
    return None


# ------------------------------------------------------------------ results of commands
def command_done(batch: Batch, locker: Locker, up: Up) -> ParcelNumber | None:
    event = up.event
    assert isinstance(event, CommandDone)
    box = None if event.compartment is None else batch.box(locker.id, event.compartment)
    effect = _EFFECTS.get(event.order)
    command = batch.tx.command(event.command)
    if command is not None and command.locker != locker.id:
        command = None
    if event.code == 0 and effect is not None and box is not None:
        batch.touch(box)
        effect(batch, box, event.value, command)
    if event.order == Trust.TYPE:
        trust_orders.told(batch, locker, event)
    if event.order == Greet.TYPE:
        greetings.told(batch, locker, event)
    if command is None:
        return None
    unfinished = command.state in ("waiting", "sent")
    batch.tx.finish_command(event.command, "refused" if event.code else "done", event.code)
    if event.code and unfinished:
        refused(batch, command, CODES.get(event.code, "malformed"))
    elif not event.code:
        _carried_out(batch, command.operation)
        if isinstance(command.down.command, Reissue):
            joins.after_reissue(batch, command)
    return command.parcel


def token_revoked(batch: Batch, locker: Locker, up: Up) -> ParcelNumber | None:
    """RevokeToken's own result. It names the token, so it counts also when the books have lost the order."""
    event = up.event
    assert isinstance(event, TokenRevoked)
    revocations.carried_out(batch, locker.id, event.token)
    known = delegations.revoked(batch, locker.id, event.token)
    operation = None if known is None else known.revocation
    command = batch.tx.command(event.command)
    if command is not None and command.locker == locker.id:
        batch.tx.finish_command(event.command, "done", 0)
        operation = command.operation
    _carried_out(batch, operation)
    return None if known is None else known.parcel


def refused(batch: Batch, command: Command, why: str) -> None:
    """The locker will not do it, or did not say anything in time."""
    if isinstance(command.down.command, Assign) and command.parcel is not None:
        parcel = batch.tx.parcel(command.parcel)
        if parcel is not None:
            allocations.release(batch.desk, batch.tx, parcel)
    elif isinstance(command.down.command, Release):
        batch.alarm(command.locker, command.down.command.compartment, "release_refused", command.parcel)
    elif isinstance(command.down.command, Join):
        joins.not_joined(batch, command)
    elif isinstance(command.down.command, RevokeToken):
        delegations.not_revoked(batch, command.down.command.token)
        revocations.not_carried_out(batch, command.locker, command.down.command.token, why)
    operation = None if command.operation is None else batch.tx.operation(command.operation)
    if operation is not None and operation.ended_s is None:
        end_operation(batch, operation, "failed", why)
    if isinstance(command.down.command, Reissue):
        joins.after_reissue(batch, command)


def _carried_out(batch: Batch, number: OperationNumber | None) -> None:
    operation = None if number is None else batch.tx.operation(number)
    if operation is not None:
        end_operation(batch, operation, "done")


def released(batch: Batch, box: Compartment, _value: int, _command: Command | None) -> None:
    """A person looked and it is empty. The locker takes that only from a door it senses closed; should it not be,
    a DoorFaulted follows."""
    there = seated(batch, box)
    if there is not None and there.by_receipt:
        return  # looked at before this deposit
    box.holding = FREE
    box.quarantined = False
    box.door = _shut(box)
    batch.tx.clear_alarms(box.locker, box.number, None, batch.now)
    kept = batch.tx.allocation_at(box.locker, box.number)
    if kept is not None and kept.until_s is None:  # a disputed parcel: it does not lie here
        batch.tx.end_allocation(kept.parcel, batch.now)
        reports.settle(batch.tx, kept.parcel, batch.now)


def revoked(batch: Batch, box: Compartment, value: int, _command: Command | None) -> None:
    if value == box.deposit and box.holding == HELD:
        box.holding = REVOKED
        dead_codes.tell(batch, box)


def _service_changed(_batch: Batch, box: Compartment, value: int, _command: Command | None) -> None:
    """Back in service, a door found open is told by a DoorFaulted right after; silence means closed."""
    box.out_of_service = bool(value)
    if not value:
        box.door = _shut(box)


def _shut(box: Compartment) -> str:
    """Of a compartment that is not there nobody knows how its door stands."""
    return "closed" if box.presence == PRESENT else "unknown"


_EFFECTS = {
    Release.TYPE: released,
    Revoke.TYPE: revoked,
    OutOfService.TYPE: _service_changed,
    Reissue.TYPE: reissues.reissued,
    Join.TYPE: joins.joined,
}

"""Use cases about single doors: open one, take one out of service, say that one is empty. Each is an operation."""

from gateway.domain.compartments import PRESENT, Compartment
from gateway.domain.errors import Refusal
from gateway.domain.ids import OperationNumber
from gateway.domain.operations import OPEN, RELEASE, SERVICE, Operation, check_reason
from gateway.domain.people import OPERATOR, Principal
from gateway.services.desk import Desk, known_compartment
from gateway.services.orders import begin_operation, order
from gateway.services.ports import Transaction
from protocol.messages import Message, Open, OutOfService, Release, Revoke
from protocol.numbers import DEPOSITING, HELD


def _operate(
    desk: Desk, tx: Transaction, who: Principal, box: Compartment, *, kind: str, reason: str, message: Message
) -> Operation:
    check_reason(reason)
    operation = begin_operation(desk, tx, who, kind, (box.locker, box.number), None, reason)
    order(desk, tx, box.locker, message, operation=operation.number)
    return operation


def open_compartment(desk: Desk, who: Principal, locker: str, number: int, reason: str) -> Operation:
    """Raises Refusal: not_allowed, unknown_compartment, out_of_service, bad_value."""
    who.must("doors:open")
    with desk.store.transaction() as tx:
        box = known_compartment(tx, locker, number)
        if box.out_of_service:
            raise Refusal("out_of_service", "this compartment is out of service", ("put it into service first",))
        return _operate(desk, tx, who, box, kind=OPEN, reason=reason, message=Open(number, reason))


def set_service(  # noqa: PLR0917 - a use case takes what it takes
    desk: Desk, who: Principal, locker: str, number: int, out: bool, reason: str
) -> Operation:
    """Out: it is offered to nobody from this moment on, whether the locker can be reached or not."""
    who.must("lockers:write")
    with desk.store.transaction() as tx:
        box = known_compartment(tx, locker, number)
        if out:
            box.out_of_service = True
            tx.keep_compartments([box])
        return _operate(desk, tx, who, box, kind=SERVICE, reason=reason, message=OutOfService(number, out))


def release_compartment(desk: Desk, who: Principal, locker: str, number: int, reason: str) -> Operation:
    """A person looked: it is empty and sound. Frees it and lifts its quarantine. Raises Refusal("wrong_state")."""
    who.must("lockers:write")
    with desk.store.transaction() as tx:
        box = known_compartment(tx, locker, number)
        if box.holding == DEPOSITING and box.presence == PRESENT:
            raise Refusal("wrong_state", "a courier is putting a parcel in", ("wait for the door to close",))
        kept = tx.allocation_at(locker, number)
        parcel = None if kept is None or kept.until_s is not None else tx.parcel(kept.parcel)
        if parcel is not None and parcel.state in ("deposited", "expired"):
            raise Refusal("wrong_state", "by the books a parcel lies in it", ("take that parcel back",))
        if box.holding == HELD:
            # Nobody's parcel, or a disputed one: its code must end before the compartment can be free.
            order(desk, tx, locker, Revoke(number, box.deposit), parcel=None if parcel is None else parcel.number)
        return _operate(desk, tx, who, box, kind=RELEASE, reason=reason, message=Release(number))


def get_operation(desk: Desk, who: Principal, number: OperationNumber) -> Operation:
    """Raises Refusal("unknown_operation")."""
    with desk.store.reading() as tx:
        operation = tx.operation(number)
        if operation is None or not _may_see(tx, who, operation):
            raise Refusal("unknown_operation", "there is no such operation")
    return operation


def _may_see(tx: Transaction, who: Principal, operation: Operation) -> bool:
    """What is about a parcel is for whom the parcel is; the rest for those who run the lockers."""
    parcel = None if operation.parcel is None else tx.parcel(operation.parcel)
    return who.role == OPERATOR or (parcel is not None and who.may_see(parcel.carrier, parcel.merchant))

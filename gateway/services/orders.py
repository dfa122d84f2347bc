"""Orders to lockers: a row in the outbox, in the transaction of whoever orders. Nothing is sent from here."""

from gateway.domain.ids import OperationNumber, ParcelNumber
from gateway.domain.operations import Command, Operation
from gateway.domain.parcels import Parcel
from gateway.domain.people import Principal
from gateway.limits import TTL_ANSWER_S, TTL_OPEN_S, TTL_STANDING_S
from gateway.services import acts
from gateway.services.desk import Desk
from gateway.services.ports import Transaction
from protocol.messages import (
    Assign,
    Decline,
    Down,
    Greet,
    Identify,
    Join,
    Message,
    Open,
    OutOfService,
    Reissue,
    Release,
    Revoke,
    RevokeToken,
    Trust,
)

TTL_S: dict[type[Message], int] = {
    Assign: TTL_ANSWER_S,
    Decline: TTL_ANSWER_S,
    Open: TTL_OPEN_S,
    Identify: TTL_OPEN_S,
    Release: TTL_STANDING_S,
    Revoke: TTL_STANDING_S,
    OutOfService: TTL_STANDING_S,
    Trust: TTL_STANDING_S,
    Greet: TTL_STANDING_S,
    Reissue: TTL_STANDING_S,
    Join: TTL_STANDING_S,
    RevokeToken: TTL_STANDING_S,
}


def order(
    desk: Desk,
    tx: Transaction,
    locker: str,
    message: Message,
    *,
    operation: OperationNumber | None = None,
    parcel: ParcelNumber | None = None,
    ttl_s: int | None = None,
) -> bytes:
    """Write it into the outbox; its id. `ttl_s` None: as long as is usual for its kind."""
    down = Down(desk.randomness(8), desk.clock(), TTL_S[type(message)] if ttl_s is None else ttl_s, message)
    compartment: int | None = getattr(message, "compartment", None)
    tx.add_command(Command(locker, down, "waiting", operation, parcel, compartment))
    return down.id


def begin_operation(  # noqa: PLR0917 - what an operation says
    desk: Desk, tx: Transaction, who: Principal, kind: str, place: tuple[str, int], parcel: Parcel | None, reason: str
) -> Operation:
    """In the books as waiting; its order is the caller's to write, in the same transaction. `place`: locker, door."""
    operation = Operation(
        number=OperationNumber(desk.number()),
        kind=kind,
        locker=place[0],
        compartment=place[1],
        parcel=None if parcel is None else parcel.number,
        reason=reason,
        by=who.name,
        state="waiting",
        code=None,
        made_s=desk.clock(),
    )
    tx.add_operation(operation)
    acts.note(
        desk,
        tx,
        who,
        kind,
        operation.made_s,
        place=place,
        parcel=operation.parcel,
        operation=operation.number,
        reason=reason,
    )
    return operation

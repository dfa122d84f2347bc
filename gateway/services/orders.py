"""Orders to lockers: a row in the outbox, in the transaction of whoever orders. Nothing is sent from here."""

from gateway.domain.ids import OperationNumber, ParcelNumber
from gateway.domain.operations import Command
from gateway.limits import TTL_ANSWER_S, TTL_OPEN_S, TTL_STANDING_S
from gateway.services.desk import Desk
from gateway.services.ports import Transaction
from protocol.messages import (
    Assign,
    Decline,
    Down,
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
) -> bytes:
    """Write it into the outbox; its id."""
    down = Down(desk.randomness(8), desk.clock(), TTL_S[type(message)], message)
    compartment: int | None = getattr(message, "compartment", None)
    tx.add_command(Command(locker, down, "waiting", operation, parcel, compartment))
    return down.id

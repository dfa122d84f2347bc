"""What people did: a row of the log of acts, in the transaction of the act itself, and in the chain."""

from gateway.domain.acts import Act
from gateway.domain.ids import OperationNumber, ParcelNumber
from gateway.domain.people import Principal
from gateway.services.desk import Desk
from gateway.services.ports import Transaction


def note(
    desk: Desk,
    tx: Transaction,
    who: Principal,
    kind: str,
    now_s: int,
    *,
    place: tuple[str, int | None] | None = None,
    parcel: ParcelNumber | None = None,
    operation: OperationNumber | None = None,
    reason: str = "",
) -> None:
    """`place`: locker and door. `reason`: why, or an id; never a name of a person, a code or a secret."""
    locker, compartment = place or (None, None)
    act = Act(0, kind, who.name, who.credential, locker, compartment, parcel, operation, reason, now_s)
    tx.add_act(act, desk.randomness)

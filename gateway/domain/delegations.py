"""Delegations: "my neighbour collects". A token of its own for one deposit, single use, taken back at any time.

The name tells them apart for whoever made them. It never leaves the gateway: the token says "delegate" and no more.
"""

from dataclasses import dataclass

from gateway.domain.errors import Refusal
from gateway.domain.ids import OperationNumber, ParcelNumber
from gateway.limits import NAME_SIZE_MAX

# ended: its parcel was collected, taken back, expired or given another code, so its deposit number is spent.
STATES = ("open", "used", "revoking", "revoked", "ended")

# What a person should know and do about one in this state.
NEXT_ACTIONS: dict[str, tuple[str, ...]] = {
    "open": ("take it back with DELETE when it is no longer wanted",),
    "used": (),
    "revoking": ("it may still open the door until the locker has answered: follow the operation of its DELETE",),
    "revoked": (),
    "ended": (),
}


@dataclass(frozen=True, slots=True)
class Delegation:
    """`token` is what the QR holds, known only at the moment it is made. `revocation`: the operation that takes it
    back, from the order on; none after one that failed."""

    id: bytes
    parcel: ParcelNumber
    name: str
    made_s: int
    expiry_s: int
    used_s: int | None = None
    revoked_s: int | None = None
    ended_s: int | None = None
    revocation: OperationNumber | None = None
    token: str | None = None

    @property
    def state(self) -> str:
        """One of STATES. What the locker did counts before what was ordered."""
        if self.used_s is not None:
            return "used"
        if self.revoked_s is not None:
            return "revoked"
        if self.ended_s is not None:
            return "ended"
        return "open" if self.revocation is None else "revoking"

    @property
    def opens(self) -> bool:
        """Whether the locker may still take it, as far as the books know."""
        return self.revoked_s is None and self.ended_s is None


def check_delegate(name: str) -> None:
    """Raises Refusal("bad_value")."""
    if not 0 < len(name) <= NAME_SIZE_MAX or not name.isprintable():
        raise Refusal("bad_value", f"name: 1 to {NAME_SIZE_MAX} printable characters")

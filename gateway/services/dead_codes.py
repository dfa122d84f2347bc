"""A parcel that lies in a locker and whose code has ended: nobody can fetch it, so somebody must know of it.

A technician's opening ends the code first, and so does a take-back; either may break off before anybody has said what
became of the parcel. The alarm lasts until that is told: taken, left inside under a new code, missing, taken back.
"""

from gateway.domain.compartments import Compartment
from gateway.domain.operations import TAKE_BACK
from gateway.domain.people import OPERATOR, Principal
from gateway.services.batch import Batch
from gateway.services.receipt_order import seated
from protocol.numbers import REVOKED

WITHOUT_CODE = "parcel_without_code"


def tell(batch: Batch, box: Compartment) -> None:
    """At once: whoever opened that door may never say a word. An expired parcel is on the round to be taken back, and
    a take-back that is under way says itself how it ends."""
    parcel = seated(batch, box) if box.holding == REVOKED else None
    if parcel is None or parcel.state != "deposited":
        return
    under_way = batch.tx.running_at(box.locker, box.number)
    if not any(one.kind == TAKE_BACK and one.parcel == parcel.number for one in under_way):
        batch.alarm(box.locker, box.number, WITHOUT_CODE, parcel.number)


def settle(batch: Batch, box: Compartment) -> None:
    """Its end was told, or another alarm says more."""
    batch.tx.clear_alarms(box.locker, box.number, WITHOUT_CODE, batch.now)


def may_give_another(who: Principal) -> bool:
    """Whether the parcel is still inside, only whoever runs the lockers can find out. Its recipient and its carrier
    would be sent to a compartment that may be empty."""
    return who.role == OPERATOR and "lockers:write" in who.scopes

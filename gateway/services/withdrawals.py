"""An announcement that does not stand is taken back: the parcel stays where it is, and is nobody's until its carrier
says whose. Whoever was told of it before is told nothing more, and what they know opens nothing once the locker heard.
"""

from gateway.domain.operations import TAKE_BACK
from gateway.domain.parcels import Parcel
from gateway.domain.people import GATEWAY
from gateway.limits import EXPIRIES_PER_ROUND_MAX
from gateway.services.desk import Desk, known_parcel
from gateway.services.ports import Transaction
from gateway.services.reissues import reissue, running_for
from protocol.messages import Reissue

REASON = "label_contested"  # of the new code
_AGAIN_S = 600  # refused because somebody stood at the door: asked again, but not in a loop


def withdraw(desk: Desk, tx: Transaction, parcel: Parcel) -> Parcel:
    """Its merchant keeps a claim to it, and sees by that what has become of it."""
    if parcel.merchant:
        tx.add_claim(parcel.number, parcel.merchant, desk.clock())
    tx.note_contested(parcel)
    tx.withdraw_announcement(parcel.number)
    tx.end_delegations(parcel.number, desk.clock())
    return known_parcel(tx, GATEWAY, parcel.number)


def spend_code(desk: Desk, tx: Transaction, parcel: Parcel) -> None:
    """The code that the wrong one may have is replaced. Where it lies no more, or is being taken back, there is none,
    or it is revoked already."""
    if parcel.state == "deposited" and running_for(tx, parcel, TAKE_BACK) is None:
        reissue(desk, GATEWAY, parcel.number, REASON)


def spend_again(desk: Desk, tx: Transaction) -> None:
    """What its locker refused or never heard. By a timer."""
    for parcel in tx.taken_back_from_somebody(EXPIRIES_PER_ROUND_MAX):
        last = tx.last_command_about(parcel.number, Reissue.TYPE)
        failed = last is not None and last.state in ("refused", "expired")
        if last is not None and failed and last.down.issued_s <= desk.clock() - _AGAIN_S:
            spend_code(desk, tx, parcel)

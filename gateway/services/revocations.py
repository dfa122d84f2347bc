"""Badges taken back: every locker that would take one is told, again and again, until it has answered or the badge
has expired by itself. A locker that gets a new key has forgotten what it was told, and is told anew.
"""

from gateway.domain.people import Badge
from gateway.limits import EXPIRIES_PER_ROUND_MAX, REVOCATION_NO_ROOM_RETRY_S, REVOCATION_RETRY_S
from gateway.services.batch import Batch
from gateway.services.desk import Desk
from gateway.services.orders import order
from gateway.services.ports import Transaction
from protocol.messages import RevokeToken

NO_ROOM_ALARM = "no_room_for_revocations"  # the signing key is due for rotation (protocol.limits)


def tell_all(desk: Desk, tx: Transaction, badge: Badge) -> None:
    """Every locker that has a key; a badge of one locker: that one."""
    for locker in tx.lockers():
        if locker.generation and badge.locker in (None, locker.id):
            _tell(desk, tx, locker.id, badge)


def tell_again(desk: Desk, tx: Transaction, locker: str) -> None:
    """All of it: this locker has a new key, or lost its memory."""
    tx.supersede_at(locker, RevokeToken.TYPE)
    for badge in tx.revoked_badges(locker, desk.clock()):
        _tell(desk, tx, locker, badge)


def _tell(desk: Desk, tx: Transaction, locker: str, badge: Badge) -> None:
    tx.add_revocation(badge.id, locker, badge.expiry_s)
    order(desk, tx, locker, RevokeToken(badge.id, badge.expiry_s))


def order_due(desk: Desk, tx: Transaction) -> None:
    """One round of those that a locker could not carry out when it was asked."""
    now = desk.clock()
    tx.drop_revocations(now)
    for token, locker, expiry_s in tx.revocations_due(now, EXPIRIES_PER_ROUND_MAX):
        tx.add_revocation(token, locker, expiry_s)
        order(desk, tx, locker, RevokeToken(token, expiry_s))


# ------------------------------------------------------------------ what the locker says
def carried_out(batch: Batch, locker: str, token: bytes) -> None:
    batch.tx.end_revocation(token, locker, batch.now)
    batch.tx.clear_alarms(locker, 0, NO_ROOM_ALARM, batch.now)


def not_carried_out(batch: Batch, locker: str, token: bytes, why: str) -> None:
    if why == "no_room":
        batch.alarm(locker, 0, NO_ROOM_ALARM)
    pause_s = REVOCATION_NO_ROOM_RETRY_S if why == "no_room" else REVOCATION_RETRY_S
    batch.tx.retry_revocation(token, locker, batch.now + pause_s)

"""What time alone brings: parcels past their deadline, reservations nobody came for, fields that must be erased."""

from dataclasses import replace

from gateway.domain.parcels import Parcel, after
from gateway.limits import (
    ANSWERS_KEPT_S,
    DEADLINE_LEFT_S_MIN,
    EXPIRIES_PER_ROUND_MAX,
    LOCKER_ALIVE_S,
    REQUESTS_KEPT_S,
)
from gateway.services import allocations, revocations, withdrawals
from gateway.services.desk import Desk
from gateway.services.orders import order
from gateway.services.ports import Transaction
from protocol.messages import Revoke
from protocol.numbers import DEPOSITING

_REVOKE_AGAIN_S = 600  # refused because somebody stood at the door: asked again, but not in a loop


def expire_due(desk: Desk) -> int:
    """One round; how many parcels and reservations it ended. Called by a timer."""
    now = desk.clock()
    with desk.store.transaction() as tx:
        # Nobody can fetch a parcel from a locker or a door that does not work: those days are not counted.
        tx.resume_deadlines(now, LOCKER_ALIVE_S, DEADLINE_LEFT_S_MIN)
        tx.pause_silent(now, LOCKER_ALIVE_S, desk.pickup_s)
        tx.pause_at_fault(now)
        expired = tx.parcels_past_deadline(now, EXPIRIES_PER_ROUND_MAX)
        for parcel in expired:
            tx.keep_parcel(replace(parcel, state=after(parcel.state, "expire")))
            tx.end_delegations(parcel.number, now)
        for parcel in tx.expired_but_open(Revoke.TYPE, now - _REVOKE_AGAIN_S, EXPIRIES_PER_ROUND_MAX):
            _revoke(desk, tx, parcel)
        revocations.order_due(desk, tx)
        withdrawals.spend_again(desk, tx)
        given_back = _end_reservations(desk, tx, now)
        tx.end_what_is_due(now)
        tx.drop_requests(now - REQUESTS_KEPT_S)
        tx.drop_answers(now - ANSWERS_KEPT_S)
    return len(expired) + given_back


def _revoke(desk: Desk, tx: Transaction, parcel: Parcel) -> None:
    assert parcel.compartment is not None and parcel.deposit is not None
    order(desk, tx, parcel.locker, Revoke(parcel.compartment, parcel.deposit), parcel=parcel.number)


def _end_reservations(desk: Desk, tx: Transaction, now: int) -> int:
    ended = 0
    for kept in tx.reservations_past_end(now, EXPIRIES_PER_ROUND_MAX):
        box = tx.compartment(kept.locker, kept.compartment)
        parcel = tx.parcel(kept.parcel)
        if box is not None and box.holding == DEPOSITING:
            tx.settle_allocation(kept.parcel, now + desk.settings.reservation_minutes * 60)
        elif parcel is not None:
            allocations.release(desk, tx, parcel)
            ended += 1
    return ended

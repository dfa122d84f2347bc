"""Proof of handover: what the locker told of a deposit, signed for the courier, the carrier and whoever asks them."""

from gateway.domain import proofs
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.instants import instant, maybe_instant
from gateway.domain.parcels import NEXT_ACTIONS
from gateway.domain.people import Principal
from gateway.domain.proofs import Handover, Proof
from gateway.services.desk import Desk, known_parcel


def proof_of_handover(desk: Desk, who: Principal, number: ParcelNumber) -> Proof:
    """Made anew each time, under the key that signs now. Raises Refusal: unknown_parcel, wrong_state."""
    who.must("parcels:read")
    with desk.store.reading() as tx:
        parcel = known_parcel(tx, who, number)
        badge, opened_s = tx.handover_of(number)
        holder = None if badge is None else tx.badge(badge)
    if parcel.deposited_s is None or parcel.compartment is None or parcel.deposit is None:
        raise Refusal("wrong_state", "this parcel was not put in yet", NEXT_ACTIONS[parcel.state])
    handover = Handover(
        parcel=parcel.id,
        label=parcel.label,
        carrier=parcel.carrier,
        locker=parcel.locker,
        compartment=parcel.compartment,
        deposit=parcel.deposit,
        courier=None if holder is None else holder.holder,
        badge=None if badge is None else badge.hex(),
        opened_at=maybe_instant(opened_s),
        closed_at=instant(parcel.deposited_s),
        by_receipt=parcel.by_receipt,
        made_at=instant(desk.clock()),
    )
    kid = desk.keys.kid
    return proofs.sign(handover, kid, desk.keys.trusted[kid][:32], desk.keys.sign)

"""Use cases about parcels: expect, look, reserve, read the code, take back. Nobody sees another tenant's."""

from gateway.domain.acts import CODE_SHOWN
from gateway.domain.codes import pickup_token, typed_code
from gateway.domain.contracts import refusal
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.operations import REISSUE, TAKE_BACK, Operation
from gateway.domain.parcels import (
    NEXT_ACTIONS,
    NewParcel,
    Parcel,
    Pickup,
    Reservation,
    after,
)
from gateway.domain.people import COURIER, MERCHANT, Principal
from gateway.limits import LOCKER_ALIVE_S, PAGE_SIZE_MAX, TTL_OPEN_S
from gateway.services import acts, allocations, announcements, reports
from gateway.services.desk import Desk, known_locker, known_parcel
from gateway.services.orders import begin_operation, order
from gateway.services.reissues import running_for
from protocol.messages import Open, Revoke
from protocol.numbers import HELD, REVOKED


def expect_parcel(desk: Desk, who: Principal, new: NewParcel) -> Parcel:
    """announcements.announce, for whoever is told by a refusal alone. In a transaction of the caller's, a claim that
    was noted is lost with the refusal. Raises Refusal: as there, and label_contested."""
    made = announcements.announce(desk, who, new)
    if isinstance(made, Refusal):
        raise made
    return made


def get_parcel(desk: Desk, who: Principal, number: ParcelNumber) -> Parcel:
    who.must("parcels:read")
    with desk.store.reading() as tx:
        return known_parcel(tx, who, number)


def list_parcels(
    desk: Desk, who: Principal, cursor: int | None = None, limit: int = PAGE_SIZE_MAX
) -> tuple[list[Parcel], int | None]:
    """Newest first, and the cursor of what follows (None: nothing)."""
    who.must("parcels:read")
    carrier = who.tenant if who.role == COURIER else None
    merchant = who.tenant if who.role == MERCHANT else None
    with desk.store.reading() as tx:
        return tx.parcels_page(carrier, merchant, cursor or None, max(1, min(limit, PAGE_SIZE_MAX)))


def reserve_compartment(desk: Desk, who: Principal, number: ParcelNumber) -> Reservation:
    """Again for a parcel that has a compartment: the same one. Raises Refusal: wrong_state, no_contract,
    label_contested, no_room."""
    who.must("parcels:write")
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        after(parcel.state, "reserve")
        if parcel.ended_s is not None:
            raise Refusal("wrong_state", "it was announced and never came", ("announce it again",))
        if parcel.held_back is not None:
            raise refusal(parcel.held_back)
        kept = tx.allocation_of(number)
        if kept is not None:
            return kept
        if not known_locker(tx, parcel.locker).alive_at(desk.clock(), LOCKER_ALIVE_S):
            raise Refusal(
                "no_room", "this locker is not heard of at the moment", ("try again later", "choose another")
            )
        given = allocations.reserve(desk, tx, parcel, tx.compartments_of(parcel.locker), allocations.wish_of(parcel))
        if given is None:
            raise Refusal("no_room", "no free compartment fits", ("try again later", "choose another locker"))
        made = tx.allocation_of(number)
        assert made is not None
        return made


def release_reservation(desk: Desk, who: Principal, number: ParcelNumber) -> Parcel:
    """Raises Refusal("wrong_state")."""
    who.must("parcels:write")
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        after(parcel.state, "release")
        return allocations.release(desk, tx, parcel)


def pickup_code(desk: Desk, who: Principal, number: ParcelNumber) -> Pickup:
    """Worked out anew each time; the same deposit has the same digits. Raises Refusal("wrong_state")."""
    who.must("codes:read")
    with desk.store.reading() as tx:
        parcel = known_parcel(tx, who, number)
        locker = known_locker(tx, parcel.locker)
        reissue = running_for(tx, parcel, REISSUE)
        box = None if parcel.compartment is None else tx.compartment(parcel.locker, parcel.compartment)
        beside = tx.parcels_joined(parcel) if parcel.joined else []
        to_fetch = reports.to_fetch(tx, parcel)
    if not to_fetch:
        raise Refusal("wrong_state", f"a parcel that is {parcel.state} has no code", NEXT_ACTIONS[parcel.state])
    if box is not None and box.holding == REVOKED:  # the door of a parcel taken back was not opened in time, say
        next_actions = ("take it back again", "let the operator look inside, and give it a new code")
        raise Refusal("wrong_state", "its code has been revoked to take it back", next_actions)
    if not locker.generation:
        raise Refusal("wrong_state", "this locker's key was lost, and its codes with it", ("provision it again",))
    assert parcel.compartment is not None and parcel.deposit is not None and parcel.deadline_s is not None
    key = desk.keys.hmac(locker.id, locker.generation, "code")
    return Pickup(
        parcel=parcel.number,
        code=typed_code(key, parcel.compartment, parcel.deposit, locker.code_digits),
        token=pickup_token(parcel, desk.randomness(8), desk.keys.kid, desk.keys.sign),
        locker=locker.id,
        locker_name=locker.name,
        compartment=parcel.compartment,
        deposit=parcel.deposit,
        deadline_s=parcel.deadline_s,
        reissue=None if reissue is None else reissue.number,
        opens_also=tuple(other.compartment for other in beside if other.compartment is not None),
    )


def show_code(desk: Desk, who: Principal, number: ParcelNumber) -> Pickup:
    """The code, for a person who asks to see it: that it was shown is noted first."""
    who.must("codes:read")
    with desk.store.transaction() as tx:
        pickup = pickup_code(desk, who, number)
        acts.note(
            desk,
            tx,
            who,
            CODE_SHOWN,
            desk.clock(),
            place=(pickup.locker, pickup.compartment),
            parcel=number,
            reason="page",
        )
        return pickup


def take_back(desk: Desk, who: Principal, number: ParcelNumber) -> Operation:
    """Open the door for whoever fetches the parcel; it is taken back when the door was seen to open and close.

    The code is revoked first: from the moment the locker answers, the customer cannot come in between.
    """
    who.must("parcels:write")
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        after(parcel.state, "take_back")
        assert parcel.compartment is not None and parcel.deposit is not None
        running = running_for(tx, parcel, TAKE_BACK)
        if running is not None:
            return running
        # A Revoke of the old number would be refused as spent, and the door opened with the new code still good.
        if running_for(tx, parcel, REISSUE) is not None:
            raise Refusal("wrong_state", "a new code is on its way to the locker", ("wait for that operation's end",))
        operation = begin_operation(desk, tx, who, TAKE_BACK, (parcel.locker, parcel.compartment), parcel, "take_back")
        box = tx.compartment(parcel.locker, parcel.compartment)
        if box is not None and box.holding == HELD:
            # It ends with the Open: one that came later would take the code from a parcel that stays.
            revoke = Revoke(parcel.compartment, parcel.deposit)
            order(desk, tx, parcel.locker, revoke, parcel=parcel.number, ttl_s=TTL_OPEN_S)
        order(desk, tx, parcel.locker, Open(parcel.compartment, "take_back"), operation=operation.number)
        return operation

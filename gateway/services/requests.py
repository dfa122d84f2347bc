"""A courier stands at a locker and wants a door: the answer is one row in the outbox, Assign or Decline.

Asked again (the same boot and number) the locker gets the same answer: two doors for one parcel cannot be.
"""

from dataclasses import replace

from gateway.domain.allocation import Wish, next_size
from gateway.domain.compartments import RANK, Compartment, availability
from gateway.domain.parcels import Parcel, can
from gateway.domain.people import COURIER
from gateway.services import allocations
from gateway.services.batch import Batch, Turn
from gateway.services.orders import order
from protocol.errors import number_of
from protocol.messages import Assign, Decline, DepositRequested, Up
from protocol.numbers import FIRST, TOO_SMALL


def deposit_requested(batch: Batch, turn: Turn, up: Up) -> None:
    event = up.event
    assert isinstance(event, DepositRequested)
    locker = turn.locker.id
    if up.boot < turn.locker.boot:
        return  # whoever asked is gone
    told = batch.tx.answer_to(locker, up.boot, event.request)
    if told is not None:
        batch.tx.queue_command_again(told)
        return
    parcel, why = _parcel_of(batch, locker, event)
    box = None
    if parcel is not None:
        parcel, box = _door_for(batch, parcel, event.reason)
        why = "no_room"
    if parcel is not None and box is not None:
        answer = Assign(up.boot, event.request, box.number, parcel.number)
        command = order(batch.desk, batch.tx, locker, answer, parcel=parcel.number)
    else:
        command = order(batch.desk, batch.tx, locker, Decline(up.boot, event.request, number_of(why)))
    batch.tx.keep_request(locker, up.boot, event.request, command, batch.now, event.badge)


def _parcel_of(batch: Batch, locker: str, event: DepositRequested) -> tuple[Parcel | None, str]:
    """The parcel that this badge may put in here, or the code of why not."""
    badge = batch.tx.badge(event.badge)
    if badge is None or (badge.role, badge.carrier) != (COURIER, event.carrier) or not badge.good_at(batch.now):
        return None, "not_allowed"
    parcel = batch.tx.parcel_of_label(badge.carrier, event.label)
    if parcel is None or parcel.held_back is not None:  # nobody announced it whose word is good
        return None, "unknown_label"
    if parcel.locker != locker:
        return None, "wrong_locker"
    if not can(parcel.state, "reserve"):
        return None, "wrong_state"
    return parcel, ""


def _door_for(batch: Batch, parcel: Parcel, reason: int) -> tuple[Parcel, Compartment | None]:
    """The door it has, if that one is as good as it was; else another one."""
    boxes = batch.boxes_of(parcel.locker)
    kept = batch.tx.allocation_of(parcel.number)
    reserved = None if kept is None else next((box for box in boxes if box.number == kept.compartment), None)
    if reason == FIRST and reserved is not None and availability(reserved, allocated=False) == "free":
        batch.tx.supersede(parcel.number, Assign.TYPE)
        return parcel, reserved
    wish = _wish(batch, parcel, boxes, reason)
    # It gives back what it had before it looks again, so that a re-allocation never needs a second free door.
    parcel = allocations.release(batch.desk, batch.tx, parcel)
    given = None
    if wish is not None:
        parcel = replace(parcel, size=wish.size)
        batch.tx.keep_parcel(parcel)
        given = allocations.reserve(batch.desk, batch.tx, parcel, boxes, wish)
    return (parcel, None) if given is None else given


def _wish(batch: Batch, parcel: Parcel, boxes: list[Compartment], reason: int) -> Wish | None:
    """What it needs after what its courier has just seen. None: no compartment is big enough."""
    last = batch.tx.last_allocation_of(parcel.number)
    if reason == FIRST or last is None or last.locker != parcel.locker:
        return allocations.wish_of(parcel)
    failed = next((box for box in boxes if box.number == last.compartment), None)
    if reason == TOO_SMALL and failed is not None:
        bigger = next_size(failed.size)
        if bigger is None:
            return None
        size = bigger if RANK[bigger] > RANK[parcel.size] else parcel.size
        return allocations.wish_of(replace(parcel, size=size))
    return allocations.wish_of(parcel, frozenset({last.compartment}))

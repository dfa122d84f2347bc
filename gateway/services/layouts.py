"""Lockers that grow, shrink and have their parts replaced: the books follow what each says of itself.

New compartments are taken in as soon as they are told of, because events about them may be next. What is gone is
judged when the books have come as far as the locker's birth: retired, or missing, which is an alarm if anything was
ever put in there. A number is never another compartment's: its records stay.
"""

from collections.abc import Sequence

from gateway.domain.compartments import MISSING, PRESENT, RETIRED, Compartment
from gateway.domain.layouts import Layout, Place, grown, read
from gateway.domain.lockers import Locker
from gateway.services.batch import Batch, Turn
from protocol import messages
from protocol.messages import Up
from protocol.numbers import FREE


def told(batch: Batch, turn: Turn, up: Up) -> None:
    event = up.event
    assert isinstance(event, messages.Layout)
    locker = turn.locker
    found = read(event.modules)
    if up.boot < locker.boot or found is None:
        return
    locker.layout = event.modules
    boxes = batch.boxes_of(locker.id)
    known = {box.number for box in boxes}
    for place in found.places:
        if place.number not in known:
            box = grown(locker.id, place, boxes)
            batch.tx.add_compartments([box])
            boxes = batch.boxes_of(locker.id)


def of(locker: Locker) -> Layout | None:
    """None: it has never said how it is built."""
    return None if locker.layout is None else read(locker.layout)


def settle(batch: Batch, layout: Layout, boxes: Sequence[Compartment]) -> list[Compartment]:
    """What there is, in order of number; the books and the layout agree from here on."""
    places = {place.number: place for place in layout.places}
    present: list[Compartment] = []
    for box in boxes:
        place = places.get(box.number)
        if place is not None:
            _is_there(batch, box, place)
            present.append(box)
        elif box.number in layout.retired:
            _is_gone(batch, box, RETIRED)
        else:
            _is_gone(batch, box, MISSING)
    return present


def _is_there(batch: Batch, box: Compartment, place: Place) -> None:
    before = (box.presence, box.module, box.module_id)
    if box.presence != PRESENT:
        batch.tx.clear_alarms(box.locker, box.number, "compartment_missing", batch.now)
    if box.module_id and place.module_id and box.module_id != place.module_id and box.deposit:
        kept = batch.tx.allocation_at(box.locker, box.number)  # another box has this number now: what lies in it?
        batch.suspect(box, "compartment_moved", None if kept is None else kept.parcel)
    box.presence, box.module, box.module_id = PRESENT, place.module, place.module_id or box.module_id
    if before != (box.presence, box.module, box.module_id):
        batch.touch(box)


def _is_gone(batch: Batch, box: Compartment, presence: str) -> None:
    kept = batch.tx.allocation_at(box.locker, box.number)
    used = kept is not None or box.holding != FREE
    if used or (presence == MISSING and box.deposit):
        batch.alarm(box.locker, box.number, "compartment_missing", None if kept is None else kept.parcel)
    if used:
        presence = MISSING  # no number is put to rest over a parcel
    elif presence == RETIRED and box.presence != RETIRED:
        batch.tx.clear_alarms(box.locker, box.number, None, batch.now)
    if (box.presence, box.door) != (presence, "unknown"):
        box.presence, box.door = presence, "unknown"
        batch.touch(box)

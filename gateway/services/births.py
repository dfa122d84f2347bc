"""Births and deaths of lockers: who woke up, what it still has to send, and how its doors stand.

The doors in a Birth are the sum of the locker's events up to its last_seq. They are compared with the books when
the books have come exactly that far, so that old news is never taken for a contradiction.
"""

from collections.abc import Sequence

from gateway.domain.compartments import Compartment, Standing, standing
from gateway.domain.lockers import Locker
from gateway.services import layouts, revocations
from gateway.services.batch import Batch, Turn
from gateway.services.receipt_order import seated
from protocol.messages import Ack, Birth, Resend, SetTime, Up
from protocol.numbers import FREE, HELD


def birth(batch: Batch, turn: Turn, up: Up) -> None:
    event = up.event
    assert isinstance(event, Birth)
    locker = turn.locker
    if up.boot < locker.boot:
        return  # an old one that the broker kept
    woke_again = up.boot > locker.boot
    locker.boot = up.boot
    locker.firmware = event.firmware
    locker.birth_seq, locker.birth_doors = event.last_seq, event.doors
    if woke_again and event.last_seq < locker.last_seq:
        # Its journal lost its end. Its next events carry numbers we have seen: taking those as repeats would
        # lose parcels, so we go back with it.
        batch.alarm(locker.id, 0, "journal_went_back")
        revocations.tell_again(batch.desk, batch.tx, locker.id)  # it may have forgotten whom it must not let in
        locker.last_seq = event.last_seq
    if event.last_seq > locker.last_seq and event.first_seq > locker.last_seq + 1:
        batch.alarm(locker.id, 0, "events_lost")
        locker.last_seq = event.first_seq - 1
    behind = event.last_seq > locker.last_seq
    turn.woke = True
    turn.news = [
        SetTime(event.nonce, batch.now),
        Resend(locker.last_seq + 1) if behind else Ack(locker.last_seq),
    ]
    if locker.birth_seq == locker.last_seq:
        reconcile(batch, locker)
    batch.tx.queue_again(locker.id)


def lost(_batch: Batch, turn: Turn, up: Up) -> None:
    """A will of an earlier boot says nothing about this one."""
    if up.boot == turn.locker.boot:
        turn.locker.online = False


def reconcile(batch: Batch, locker: Locker) -> None:
    """The books have come as far as the locker's last Birth: compare."""
    doors = locker.birth_doors
    locker.birth_seq = locker.birth_doors = None
    if doors is None:
        return
    boxes = batch.boxes_of(locker.id)
    layout = layouts.of(locker)
    if layout is not None:
        boxes = layouts.settle(batch, layout, boxes)
    if len(doors) != len(boxes):
        batch.alarm(locker.id, 0, "compartments_differ")
        return
    batch.tx.clear_alarms(locker.id, 0, "compartments_differ", batch.now)
    for box, byte in zip(boxes, doors, strict=True):
        told = standing(byte)
        if told is not None:
            _compare(batch, box, told)
    _look_at_modules(batch, locker.id, boxes)


def _look_at_modules(batch: Batch, locker: str, boxes: Sequence[Compartment]) -> None:
    """A module none of whose doors can be seen has lost its board: one alarm, at its first compartment."""
    modules: dict[str, list[Compartment]] = {}
    for box in boxes:
        modules.setdefault(box.module, []).append(box)
    for module in modules.values():
        first = min(box.number for box in module)
        in_service = [box for box in module if not box.out_of_service]
        if in_service and all(box.door == "unknown" for box in in_service):
            batch.alarm(locker, first, "module_lost")
        else:
            batch.tx.clear_alarms(locker, first, "module_lost", batch.now)


def _compare(batch: Batch, box: Compartment, told: Standing) -> None:
    before = (box.door, box.quarantined, box.out_of_service, box.holding, box.leaving)
    box.leaving = told.leaving
    if told.door == "out_of_service":
        box.out_of_service = True  # what an operator took out comes back by an operator only
    else:
        box.door = told.door
    box.quarantined = box.quarantined or told.quarantined
    if told.holding != box.holding:
        _holding_differs(batch, box, told.holding)
    if before != (box.door, box.quarantined, box.out_of_service, box.holding, box.leaving):
        batch.touch(box)


def _holding_differs(batch: Batch, box: Compartment, holding: int) -> None:
    """The locker's word counts, and a person has to find out why."""
    there = seated(batch, box)
    if there is not None and there.by_receipt:  # this Birth may be from before what its receipt shows
        batch.alarm(box.locker, box.number, "holding_differs", there.number)
        return
    box.holding = holding
    kept = batch.tx.allocation_at(box.locker, box.number)
    if holding == FREE and kept is not None and kept.until_s is None:
        batch.suspect(box, "parcel_unknown_to_its_locker", kept.parcel)
    elif holding == HELD and (kept is None or kept.until_s is not None):
        batch.suspect(box, "deposit_of_an_unknown_parcel")
    else:
        batch.alarm(box.locker, box.number, "holding_differs", None if kept is None else kept.parcel)

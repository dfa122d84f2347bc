"""Use cases of whoever looks back: the log of events, the log of acts, one door's past, one parcel's."""

from dataclasses import dataclass

from gateway.domain.acts import Act, Opening
from gateway.domain.compartments import CompartmentStatus, availability
from gateway.domain.events import LoggedEvent
from gateway.domain.ids import ParcelNumber
from gateway.domain.operations import Operation
from gateway.domain.parcels import Parcel
from gateway.domain.people import Principal
from gateway.limits import HISTORY_MAX, HISTORY_OF_LOCKER_MAX, PAGE_SIZE, TIMELINE_MAX
from gateway.services.desk import Desk, known_compartment, known_locker, known_parcel, must_operate

_BEFORE_S = 900  # what led to a deposit or a pickup came a little earlier


@dataclass(frozen=True, slots=True)
class DoorPast:
    """One compartment as it stands, whose parcel it is, and what was done there. `opening`: waits for a second
    person."""

    status: CompartmentStatus
    parcel: Parcel | None
    opening: Opening | None
    operations: list[Operation]
    events: list[LoggedEvent]


def events_page(
    desk: Desk, who: Principal, locker: str | None, before: int | None
) -> tuple[list[LoggedEvent], int | None]:
    """Newest first, and where to go on; a page may be short, or empty, where others said much in between."""
    must_operate(who, "events:read")
    with desk.store.reading() as tx:
        if locker is not None:
            known_locker(tx, locker)
        return tx.events_before(before, locker, PAGE_SIZE)


def acts_page(desk: Desk, who: Principal, locker: str | None, before: int | None) -> tuple[list[Act], int | None]:
    """Newest first, and where to go on."""
    must_operate(who, "events:read")
    with desk.store.reading() as tx:
        if locker is not None:
            known_locker(tx, locker)
        found = tx.acts_before(before, locker, PAGE_SIZE)
    return found, found[-1].id if len(found) == PAGE_SIZE else None


def door(desk: Desk, who: Principal, locker: str, number: int) -> DoorPast:
    """Raises Refusal: not_allowed, unknown_locker, unknown_compartment."""
    must_operate(who, "lockers:read")
    must_operate(who, "events:read")
    with desk.store.reading() as tx:
        box = known_compartment(tx, locker, number)
        kept = tx.allocation_at(locker, number)
        waiting = tx.live_opening(locker, number)
        events, _ = tx.events_before(None, locker, HISTORY_OF_LOCKER_MAX)
        return DoorPast(
            CompartmentStatus(box, availability(box, kept is not None), None if kept is None else kept.parcel),
            None if kept is None else tx.parcel(kept.parcel),
            waiting if waiting is not None and waiting.waits_at(desk.clock()) else None,
            tx.operations_at(locker, number, HISTORY_MAX),
            [event for event in events if event.fields.get("compartment") == number][:HISTORY_MAX],
        )


def parcel_past(desk: Desk, who: Principal, number: ParcelNumber) -> tuple[list[LoggedEvent], list[Act]]:
    """What its locker said of it, oldest first, and what people did about it, newest first."""
    must_operate(who, "events:read")
    with desk.store.reading() as tx:
        parcel = known_parcel(tx, who, number)
        told = {parcel.expected_s, (parcel.deposited_s or 0) - _BEFORE_S, (parcel.ended_s or 0) - _BEFORE_S}
        since = [when_s for when_s in sorted(told) if when_s > 0]
        return tx.events_of_parcel(number, since, TIMELINE_MAX), tx.acts_of_parcel(number, TIMELINE_MAX)

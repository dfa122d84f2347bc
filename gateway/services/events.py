"""Use cases about the event log: read it on from where one was."""

from gateway.domain.events import LoggedEvent
from gateway.domain.people import Principal
from gateway.limits import PAGE_SIZE_MAX
from gateway.services.desk import Desk


def list_events(
    desk: Desk, who: Principal, cursor: int | None = 0, limit: int = PAGE_SIZE_MAX
) -> tuple[list[LoggedEvent], int]:
    """Oldest first, after `cursor`; and the cursor to go on with, now or later."""
    who.must("events:read")
    with desk.store.reading() as tx:
        return tx.events_page(who.role, who.tenant, cursor or 0, max(1, min(limit, PAGE_SIZE_MAX)))


def newest(desk: Desk) -> int:
    """The cursor of whoever wants what comes from now on."""
    with desk.store.reading() as tx:
        return tx.newest_event()

"""Use case: what a locker's sensors said last, for those who run it."""

from gateway.domain.people import OPERATOR, Principal
from gateway.domain.readings import QUANTITIES, Reading
from gateway.services.desk import Desk, known_locker


def readings_of(desk: Desk, who: Principal, locker: str) -> list[Reading]:
    """In the order of QUANTITIES; nothing for carriers and merchants. Raises Refusal: not_allowed, unknown_locker."""
    who.must("lockers:read")
    with desk.store.reading() as tx:
        known_locker(tx, locker)
        found = {one.name: one for one in tx.readings_of(locker)} if who.role == OPERATOR else {}
    return [found[name] for name in QUANTITIES if name in found]

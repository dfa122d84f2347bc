"""Use cases of whoever runs the lockers: all of them at a glance, and how they are used."""

from collections import Counter

from gateway.domain.overview import Alike, Glance, Use
from gateway.domain.people import Principal
from gateway.limits import LOCKER_ALIVE_S, USE_DAYS
from gateway.services.desk import Desk, known_locker, must_operate

_DAY_S = 86_400
_SHARES = (0.5, 0.9)


def glances(desk: Desk, who: Principal) -> list[Glance]:
    """Those in trouble first, then by name."""
    must_operate(who, "lockers:read")
    now = desk.clock()
    with desk.store.reading() as tx:
        lockers, alarms, alike = tx.lockers(), tx.open_alarms_by_locker(), tx.compartments_alike(None)
    doors: dict[str, Counter[str]] = {}
    for group in alike:
        doors.setdefault(group.locker, Counter())[group.availability] += group.count
    found = [
        Glance(locker, locker.alive_at(now, LOCKER_ALIVE_S), dict(doors.get(locker.id, {})), alarms.get(locker.id, 0))
        for locker in lockers
    ]
    return sorted(found, key=lambda glance: (not glance.in_trouble, glance.alive, -glance.alarms, glance.locker.name))


def use(desk: Desk, who: Principal, locker: str | None = None) -> Use:
    """Of the last weeks, of one locker or of all. Raises Refusal: not_allowed, unknown_locker."""
    must_operate(who, "lockers:read")
    since_s = desk.clock() - USE_DAYS * _DAY_S
    with desk.store.reading() as tx:
        if locker is not None:
            known_locker(tx, locker)
        collected, waited = tx.dwell_s(since_s, locker, _SHARES)
        return Use(
            since_s,
            _by_size(tx.compartments_alike(locker)),
            tx.deposits_by_hour(since_s, locker),
            collected,
            (waited[0], waited[1]) if waited else None,
            tx.failures(since_s, locker),
        )


def _by_size(alike: list[Alike]) -> dict[str, dict[str, int]]:
    sizes: dict[str, Counter[str]] = {}
    for group in alike:
        sizes.setdefault(group.size, Counter())[group.availability] += group.count
    return {size: dict(counts) for size, counts in sizes.items()}

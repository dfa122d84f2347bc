"""Use cases of whoever runs the lockers: all of them at a glance, and how they are used."""

from collections import Counter
from datetime import datetime

from gateway.domain.overview import Alike, Day, Days, Glance, Use, inside_at
from gateway.domain.people import Principal
from gateway.domain.sites import Site
from gateway.limits import LOCKER_ALIVE_S, OCCUPANCY_BEFORE_S, OCCUPANCY_STEP_S, USE_DAYS
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


def days(desk: Desk, who: Principal, locker: str | None = None) -> Days:
    """The last weeks day by day, today included. Raises Refusal: not_allowed, unknown_locker."""
    must_operate(who, "lockers:read")
    now = desk.clock()
    since_s = _midnight(now - (USE_DAYS - 1) * _DAY_S)
    steps = (now - since_s) // OCCUPANCY_STEP_S + 1
    with desk.store.reading() as tx:
        if locker is not None:
            known_locker(tx, locker)
        stays = tx.stays(since_s, OCCUPANCY_STEP_S, since_s - OCCUPANCY_BEFORE_S, locker)
        dwell, failures = tx.dwell_by_day(since_s, locker), tx.failures_by_day(since_s, locker)
        doors = sum(group.count for group in tx.compartments_alike(locker))
    inside = inside_at(stays, steps)
    return Days(since_s, OCCUPANCY_STEP_S, doors, inside, _each_day(since_s, inside, dwell, failures))


def _midnight(when_s: int) -> int:
    """The last one before then, by the clock of the place."""
    return int(datetime.fromtimestamp(when_s).replace(hour=0, minute=0, second=0).timestamp())


def _each_day(
    since_s: int, inside: list[int], dwell: dict[str, tuple[int, int]], failures: dict[str, int]
) -> list[Day]:
    at: dict[str, list[int]] = {}
    for step, count in enumerate(inside):
        day = datetime.fromtimestamp(since_s + step * OCCUPANCY_STEP_S).date().isoformat()
        at.setdefault(day, []).append(count)
    found: list[Day] = []
    for day, counts in at.items():
        collected, waited_s = dwell.get(day, (0, None))
        found.append(Day(day, min(counts), max(counts), collected, waited_s, failures.get(day, 0)))
    return found


def mapped(desk: Desk, who: Principal) -> list[tuple[Glance, Site]]:
    """Every locker with its site, those in trouble first."""
    found = glances(desk, who)
    with desk.store.reading() as tx:
        sites = tx.sites()
    return [(glance, sites.get(glance.locker.id, Site())) for glance in found]


def _by_size(alike: list[Alike]) -> dict[str, dict[str, int]]:
    sizes: dict[str, Counter[str]] = {}
    for group in alike:
        sizes.setdefault(group.size, Counter())[group.availability] += group.count
    return {size: dict(counts) for size, counts in sizes.items()}

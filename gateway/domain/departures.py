"""Whoever works here by the names of their keys and badges: what each still opens, and when a name that left ends.

A name is one person's within its tenant ("" for the town's own operators and technicians). Access ends at once; the
name stays as long as the log of acts has to say who did what, and ends with its last row.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.domain.people import Badge, Credential
from gateway.limits import TRAIL_KEPT_S

# An order or a request that was open when they left ends within the day, and is kept from then on.
_UNDER_WAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Person:
    """`keys`, `badges`: those that are good. `left_s`: when the last of them ended; None while there is one."""

    name: str
    tenant: str
    keys: tuple[Credential, ...]
    badges: tuple[Badge, ...]
    left_s: int | None

    def has_key(self, number: int | None) -> bool:
        """Whether this good key is theirs."""
        return any(key.number == number for key in self.keys)

    @property
    def name_ends_s(self) -> int | None:
        """From then on nothing here has the name; None: not yet known."""
        return None if self.left_s is None else self.left_s + TRAIL_KEPT_S + _UNDER_WAY_S


@dataclass(frozen=True, slots=True)
class Departure:
    """What a person had until now: keys and badges, taken back; alarms and reports, nobody's again."""

    person: Person
    keys: tuple[Credential, ...]
    badges: tuple[Badge, ...]
    alarms: int
    reports: int


def ended_s(badge: Badge) -> int:
    """When this badge stopped opening anything, or will."""
    return badge.expiry_s if badge.revoked_s is None else min(badge.revoked_s, badge.expiry_s)


def persons(keys: Iterable[Credential], badges: Iterable[Badge], now_s: int) -> list[Person]:
    """One for each name of a tenant; those with access first, by tenant and name."""
    held: dict[tuple[str, str], tuple[list[Credential], list[Badge]]] = {}
    for key in keys:
        held.setdefault((key.tenant, key.name), ([], []))[0].append(key)
    for badge in badges:
        held.setdefault((badge.carrier, badge.holder), ([], []))[1].append(badge)
    found = [_person(tenant, name, *both, now_s) for (tenant, name), both in held.items()]
    return sorted(found, key=lambda one: (one.left_s is not None, one.tenant, one.name))


def _person(tenant: str, name: str, keys: list[Credential], badges: list[Badge], now_s: int) -> Person:
    good_keys = tuple(key for key in keys if key.revoked_s is None)
    good_badges = tuple(badge for badge in badges if badge.good_at(now_s))
    ends = [*(key.revoked_s or 0 for key in keys), *(ended_s(badge) for badge in badges)]
    return Person(name, tenant, good_keys, good_badges, None if good_keys or good_badges else max(ends))

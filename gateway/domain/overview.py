"""The fleet at a glance, and how it is used: counts, of no person and no single parcel."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from gateway.domain.compartments import availability_of
from gateway.domain.lockers import Locker


@dataclass(frozen=True, slots=True)
class Alike:
    """`count` compartments of one locker that stand alike."""

    locker: str
    size: str
    door: str
    holding: int
    quarantined: bool
    out_of_service: bool
    allocated: bool
    count: int

    @property
    def availability(self) -> str:
        return availability_of(self.door, self.holding, self.quarantined, self.out_of_service, self.allocated)


@dataclass(frozen=True, slots=True)
class Glance:
    """One locker among the others. `doors`: how many by availability; `alive`: heard of lately."""

    locker: Locker
    alive: bool
    doors: dict[str, int]
    alarms: int

    @property
    def in_trouble(self) -> bool:
        return not self.alive or self.alarms > 0


@dataclass(frozen=True, slots=True)
class Use:
    """How lockers were used since `since_s`. `occupancy`: size -> availability -> doors, now. `deposits`: (weekday,
    hour) -> how many. `waited_s`: the median and nine tenths of those that were collected."""

    since_s: int
    occupancy: dict[str, dict[str, int]]
    deposits: dict[tuple[int, int], int]
    collected: int
    waited_s: tuple[int, int] | None
    failures: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Day:
    """`day`: YYYY-MM-DD by the clock of the place. `least` and `most`: parcels inside. Of those put in that day how
    many were `collected`, and how long half of these waited. `failures`: alarms raised."""

    day: str
    least: int
    most: int
    collected: int
    waited_s: int | None
    failures: int


@dataclass(frozen=True, slots=True)
class Days:
    """`inside`: parcels at the end of each step of `step_s` since `since_s`; `doors`: how many there are in all."""

    since_s: int
    step_s: int
    doors: int
    inside: list[int]
    days: list[Day]


def inside_at(stays: Iterable[tuple[int, int | None, int]], steps: int) -> list[int]:
    """Parcels inside at the end of each step, from how many came in which step and left in which (None: not yet)."""
    change = [0] * (steps + 1)
    for came, left, count in stays:
        change[min(max(came, 0), steps)] += count
        if left is not None and left < steps:
            change[max(left, 0)] -= count
    return list(accumulate(change[:steps]))

"""The fleet at a glance, and how it is used: counts, of no person and no single parcel."""

from dataclasses import dataclass

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

"""Locks of several supplies as one, and doors of several sources as one. Loaded only where a locker has several."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


class Supplies:
    """`guards`: one for each supply."""

    def __init__(self, guards: "list[Any]") -> None:
        self._guards = guards

    @property
    def busy(self) -> bool:
        return any([guard.busy for guard in self._guards])

    @property
    def refused(self) -> int:
        return sum([guard.refused for guard in self._guards])

    def pulse(self, now_ms: int, compartment: int, ms: int) -> None:
        for guard in self._guards:
            if guard.holds(compartment):
                guard.pulse(now_ms, compartment, ms)
                return
        self._guards[0].pulse(now_ms, compartment, ms)  # which refuses and counts it

    def tick(self, now_ms: int) -> None:
        for guard in self._guards:
            guard.tick(now_ms)

    def deadline_ms(self) -> "int | None":
        deadlines = [guard.deadline_ms() for guard in self._guards]
        return min([when for when in deadlines if when is not None], default=None)

    def drop(self, now_ms: int) -> None:
        for guard in self._guards:
            guard.drop(now_ms)

    def off(self, now_ms: int) -> None:
        for guard in self._guards:
            guard.off(now_ms)


class Sources:
    def __init__(self, sources: "list[Any]") -> None:
        self.sources = sources

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        for source in self.sources:
            source.gather(now_ms, events)

    def forget(self) -> None:
        for source in self.sources:
            source.forget()

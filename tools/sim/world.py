"""Simulated time: one queue of what happens next, one source of chance, one trace of all that happened.

Nothing here or in anything that runs inside it reads a clock or draws a random number of its own: the same seed and
the same code give the same trace.
"""

import hashlib
import heapq
import random
from collections.abc import Callable, Generator

EPOCH_S = 1_795_000_000  # 2026-11-18
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

Act = Callable[[], None]
Life = Generator[int, None, None]  # a person: each yield is so many milliseconds of waiting


class Violation(BaseException):
    """A rule was broken. Not an Exception: no loop of the product's may swallow it."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(f"{rule}: {text}")
        self.rule = rule


class World:
    """`now` is in milliseconds since the simulation began."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 0
        self.events = 0
        self.healing = False
        self.loud = False
        self._trace = hashlib.sha256()
        self._queue: list[tuple[int, int, Act]] = []
        self._count = 0

    @property
    def unix_s(self) -> int:
        return EPOCH_S + self.now // SECOND

    def after(self, ms: int, act: Act) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now + max(0, ms), self._count, act))

    def live(self, life: Life) -> None:
        """Let somebody live on from here."""
        ms = next(life, None)
        if ms is not None:
            self.after(ms, lambda: self.live(life))

    def run(self, until: int) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.now, _, act = heapq.heappop(self._queue)
            act()
        self.now = until

    def note(self, *what: object) -> None:
        """One more thing that happened, for the trace."""
        self.events += 1
        if self.loud:
            print(f"{self.now / 1000:12.3f}", *what)
        self._trace.update(f"{self.now} {what!r}\n".encode())

    def trace_hash(self) -> str:
        return self._trace.hexdigest()

    def happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def about(self, ms: float) -> int:
        """A waiting time of this mean, as people and faults come."""
        return int(self.chance.expovariate(1 / ms)) + 1

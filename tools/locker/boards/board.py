"""What all lock boards share: framing of what they hear, coils that they switch off by themselves, and faults.

A family says how long a frame is (`size_of`), whether it is sound (`sound`) and what it does (`obey`).
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

Answers = list[tuple[float, bytes]]  # (milliseconds from now, bytes)
ANSWER_MS = 3.0  # from the last byte of a request to the first of its answer
PULSE_MS = 300.0  # of boards whose pulse cannot be set
SEQUENCE_MS = 400.0  # from one coil to the next, when all of them are fired in turn: 24 locks in 9.6 s
GARBAGE_SIZE = 12


class Metal(Protocol):
    """What hangs on a board's terminals. Channels count from 1."""

    def coil(self, channel: int, on: bool) -> None: ...
    def closed(self, channel: int) -> bool: ...
    def full(self, channel: int) -> bool: ...


class Board(ABC):
    """`address` is what its switches say, and may be set anew. Faults are attributes:

    `silent`      hears nothing and says nothing, as without its plug or its supply
    `mute`        does what it is told, and says nothing
    `garbage`     says something else
    `inverted`    its feedback is wired the other way round
    `stuck_busy`  after opening one lock it opens no other before it has been asked something
    `slow_ms`     so much later than usual
    `damage`      what it does to each answer (a seeded callable)
    """

    GAP_MS = 50.0  # what is older is no longer the beginning of a frame

    def __init__(self, address: int, channels: int, metal: Metal) -> None:
        self.address = address
        self.channels = channels
        self.pushes = False
        self.silent = False
        self.mute = False
        self.garbage = False
        self.inverted = False
        self.stuck_busy = False
        self.slow_ms = 0.0
        self.damage: Callable[[bytes], bytes] | None = None
        self._metal = metal
        self._noise = random.Random(address)
        self._busy = False
        self._rest = b""
        self._heard_ms = 0.0
        self._until: dict[int, float] = {}  # coils that are on -> when they go off; inf: when told
        self._later: list[tuple[float, Callable[[float], Answers]]] = []  # what is still to be done, by time
        self._seen = {channel: self.closed(channel) for channel in self._channels()}  # what it knows of each door

    # -------------------------------------------------------------- what a family says
    @abstractmethod
    def size_of(self, head: bytes) -> int | None:
        """Of the frame that begins so; 0: none does; None: more of it must be known."""

    @abstractmethod
    def sound(self, frame: bytes) -> bool:
        """Whether its checksum is right."""

    @abstractmethod
    def obey(self, now_ms: float, frame: bytes) -> Answers:
        """Do what a sound frame says, if it is for this board."""

    # -------------------------------------------------------------- the bus
    def receive(self, now_ms: float, data: bytes) -> Answers:
        """Hear `data`, whose last byte came just now. What is answered once a lock has moved comes from tick()."""
        if self.silent:
            return []
        answers = self._due(now_ms)
        if now_ms - self._heard_ms > self.GAP_MS:
            self._rest = b""
        self._heard_ms = now_ms
        self._rest += data
        while self._rest:
            size = self.size_of(self._rest)
            if size is None or size > len(self._rest):
                break
            frame = self._rest[:size]
            if size and self.sound(frame):
                self._rest = self._rest[size:]
                answers += self.obey(now_ms, frame)
            else:
                self._rest = self._rest[1:]
        return self._spoken(answers)

    def tick(self, now_ms: float) -> Answers:
        """Coils that are due go off. Call at next_ms(), and when a door has moved."""
        answers = self._due(now_ms)
        for channel in self._channels() if self.pushes else ():
            closed = self.closed(channel)
            if closed != self._seen[channel]:
                self._seen[channel] = closed
                answers.append((ANSWER_MS, self.push(channel)))
        return self._spoken(answers)

    def push(self, _channel: int) -> bytes:
        """What it says unasked when that door has moved, if it `pushes`; most families say nothing."""
        return b""

    def _channels(self) -> list[int]:
        return list(range(1, self.channels + 1))

    def next_ms(self) -> float | None:
        """When this board will do something by itself."""
        moments = [at for at, _act in self._later] + [at for at in self._until.values() if at != float("inf")]
        return min(moments, default=None)

    def power_off(self) -> None:
        """Its supply is gone, or its plug is out: every coil falls off, and what it was about to do is forgotten."""
        self._rest = b""
        self._busy = False
        self._later = []
        for channel in list(self._until):
            self.release(channel)

    # -------------------------------------------------------------- locks
    def fire(self, now_ms: float, channel: int, ms: float = PULSE_MS) -> None:
        """Energise a coil; it goes off by itself. `ms` inf: when it is told."""
        self._busy = self.stuck_busy
        self._until[channel] = now_ms + ms
        self._metal.coil(channel, True)

    def fire_in_turn(self, now_ms: float, channels: list[int], ms: float = PULSE_MS) -> float:
        """One after the other. How long it takes until the last one has let go of its lock."""
        for channel in channels[:1]:
            self.fire(now_ms, channel, ms)
        for place, channel in enumerate(channels[1:], start=1):
            self.at(now_ms + place * SEQUENCE_MS, lambda at, channel=channel: self.fire(at, channel, ms))
        return max(0, len(channels) - 1) * SEQUENCE_MS + ms

    def release(self, channel: int) -> None:
        self._until.pop(channel, None)
        self._metal.coil(channel, False)

    def is_on(self, channel: int) -> bool:
        return channel in self._until

    def closed(self, channel: int) -> bool:
        """As its feedback says."""
        return self._metal.closed(channel) != self.inverted

    def full(self, channel: int) -> bool:
        return self._metal.full(channel)

    def busy(self) -> bool:
        """Whether it opens nothing just now; a question ends that."""
        return self._busy

    def asked(self) -> None:
        self._busy = False

    def at(self, moment_ms: float, act: Callable[[float], Answers | None]) -> None:
        self._later.append((moment_ms, lambda now: act(now) or []))
        self._later.sort(key=lambda entry: entry[0])

    # -------------------------------------------------------------- inside
    def _due(self, now_ms: float) -> Answers:
        answers: Answers = []
        while self._later and self._later[0][0] <= now_ms:
            moment, act = self._later.pop(0)
            self._cut_off(moment)
            answers += act(moment)
        self._cut_off(now_ms)
        return answers

    def _cut_off(self, now_ms: float) -> None:
        for channel, until in list(self._until.items()):
            if until <= now_ms:
                self.release(channel)

    def _spoken(self, answers: Answers) -> Answers:
        if self.mute or self.silent:
            return []
        return [(ms + self.slow_ms, self._as_sent(frame)) for ms, frame in answers]

    def _as_sent(self, frame: bytes) -> bytes:
        if self.garbage:
            frame = self._noise.randbytes(self._noise.randint(1, GARBAGE_SIZE))
        return self.damage(frame) if self.damage is not None else frame


def bits_of(flags: list[bool]) -> bytes:
    """Eight flags a byte, the first in bit 0."""
    groups = [flags[start : start + 8] for start in range(0, len(flags), 8)]
    return bytes(sum(flag << place for place, flag in enumerate(group)) for group in groups)

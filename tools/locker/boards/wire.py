"""One RS485 bus: a master, the boards on it, and time. Ten bits a byte; whoever sends does not hear.

What is sent while somebody else sends is damaged for whoever hears it, and what the boards make of it is their own
checksum's affair. With a driver-enable pin (`enable`), bytes leave the master only while it is up, and nothing is
heard meanwhile, and what boards say meanwhile is damaged; without one the transceiver turns by itself.
"""

import heapq
import random
from collections.abc import Callable, Sequence
from typing import Protocol

MASTER, NOISE = "master", "noise"
BITS = 10


class OnWire(Protocol):
    def receive(self, now_ms: float, data: bytes) -> list[tuple[float, bytes]]: ...
    def tick(self, now_ms: float) -> list[tuple[float, bytes]]: ...
    def next_ms(self) -> float | None: ...


class _Burst:
    """Bytes that follow each other without a gap. `sender`: MASTER, NOISE, or a board."""

    def __init__(self, sender: object, start_ms: float, data: bytes, byte_ms: float) -> None:
        self.sender = sender
        self.start_ms = start_ms
        self.data = data
        self.byte_ms = byte_ms
        self.end_ms = start_ms + len(data) * byte_ms
        self.carried = bytearray()  # as it came over, so far


class Wire:
    """`echo`: the master hears itself. `noise`: called after each burst; what it gives comes over the wire next.
    `damage`: what the wire does to each burst of the master. Boards may be added to and taken from `boards`."""

    def __init__(
        self,
        boards: Sequence[OnWire],
        baud: int = 9600,
        echo: bool = False,
        *,
        noise: Callable[[], bytes] | None = None,
        seed: int = 1,
        has_enable: bool = False,
    ) -> None:
        self.boards: list[OnWire] = list(boards)
        self.baud = baud
        self.echo = echo
        self.noise = noise
        self.damage: Callable[[bytes], bytes] | None = None
        self.collisions = 0
        self._chance = random.Random(seed)
        self._bursts: list[_Burst] = []  # that may still meet others
        self._slots: list[tuple[float, int, _Burst, int]] = []  # a heap: (a byte's end, order, its burst, its place)
        self._order = 0
        self._now_ms = 0.0
        self._free_ms = 0.0  # the master's last byte is out
        self._noise_ms = 0.0
        self._heard = bytearray()
        self._enables: list[tuple[float, bool]] = [(float("-inf"), not has_enable)]  # (since when, whether it sends)
        self._has_enable = has_enable

    # -------------------------------------------------------------- the master's side
    def send(self, now_ms: float, data: bytes) -> float:
        """Begin as soon as what was sent before is out. When the last byte of it is out."""
        self.tick(now_ms)
        data = self.damage(data) if self.damage is not None else data
        burst = self._say(MASTER, max(now_ms, self._free_ms, self._now_ms), data)
        self._free_ms = burst.end_ms
        return burst.end_ms

    def enable(self, now_ms: float, on: bool) -> None:
        """The driver-enable pin of the master's transceiver."""
        self.tick(now_ms)
        self._has_enable = True
        self._enables = [entry for entry in self._enables if entry[0] > now_ms - 1000][-8:] or self._enables[-1:]
        self._enables.append((max(now_ms, self._now_ms), on))

    def take(self, now_ms: float) -> bytes:
        """What has come to the master by now, and was not taken yet."""
        self.tick(now_ms)
        heard, self._heard = bytes(self._heard), bytearray()
        return heard

    # -------------------------------------------------------------- time
    @property
    def moment(self) -> float:
        """The time on the wire."""
        return self._now_ms

    @property
    def out_ms(self) -> float:
        """When the master's last byte is out."""
        return self._free_ms

    def tick(self, now_ms: float) -> None:
        """Let time pass. It does not go back: an earlier moment counts as the last one."""
        while (moment := self.next_ms()) is not None and moment <= now_ms:
            self._pass(max(moment, self._now_ms))
        self._pass(max(now_ms, self._now_ms))

    def next_ms(self) -> float | None:
        """When something happens next without the master."""
        moments = [at for board in self.boards if (at := board.next_ms()) is not None]
        if self._slots:
            moments.append(self._slots[0][0])
        return min(moments, default=None)

    def _pass(self, now_ms: float) -> None:
        while self._slots and self._slots[0][0] <= now_ms:
            end_ms, _order, burst, place = heapq.heappop(self._slots)
            self._now_ms = max(self._now_ms, end_ms)
            self._carry(end_ms, burst, place)
            if end_ms >= burst.end_ms - 1e-6 and place == len(burst.data) - 1:
                self._ended(burst)
        self._now_ms = now_ms
        for board in list(self.boards):
            self._answer(board, now_ms, board.tick(now_ms))

    # -------------------------------------------------------------- bytes
    def _say(self, sender: object, start_ms: float, data: bytes) -> _Burst:
        burst = _Burst(sender, start_ms, data, BITS * 1000 / self.baud)
        self._bursts.append(burst)
        for place in range(len(data)):
            self._order += 1
            heapq.heappush(self._slots, (start_ms + (place + 1) * burst.byte_ms, self._order, burst, place))
        return burst

    def _carry(self, end_ms: float, burst: _Burst, place: int) -> None:
        """One byte is over."""
        start_ms = end_ms - burst.byte_ms
        byte = burst.data[place]
        driving = self._driving(start_ms, end_ms)
        if burst.sender == MASTER and not driving:
            return
        met = any(other is not burst and _overlap(other, start_ms, end_ms) for other in self._bursts)
        if burst.sender != MASTER and self._has_enable and self._driving(start_ms, end_ms, at_all=True):
            met = True
        if met:
            self.collisions += 1
            byte ^= self._chance.randrange(1, 256)
        burst.carried.append(byte)
        if self._master_hears(burst, start_ms, end_ms):
            self._heard.append(byte)

    def _master_hears(self, burst: _Burst, start_ms: float, end_ms: float) -> bool:
        if self.echo:
            return True
        if burst.sender == MASTER or (self._has_enable and self._driving(start_ms, end_ms, at_all=True)):
            return False
        return not any(_overlap(other, start_ms, end_ms) for other in self._bursts if other.sender == MASTER)

    def _driving(self, start_ms: float, end_ms: float, at_all: bool = False) -> bool:
        """Whether the master's driver was enabled through all of that time (`at_all`: for a moment of it)."""
        states = [on for since, on in self._enables if start_ms < since < end_ms]
        states.append(next(on for since, on in reversed(self._enables) if since <= start_ms))
        return any(states) if at_all else all(states)

    def _ended(self, burst: _Burst) -> None:
        self._bursts = [other for other in self._bursts if other.end_ms > burst.start_ms or other is burst]
        if burst.sender != NOISE and self.noise is not None and (stray := self.noise()):
            self._noise_ms = self._say(NOISE, burst.end_ms, stray).end_ms
        for board in list(self.boards):
            own = [other for other in self._bursts if other.sender is board]
            deaf = any(_overlap(other, burst.start_ms, burst.end_ms) for other in own)
            if burst.carried and burst.sender is not board and not deaf:
                self._answer(board, burst.end_ms, board.receive(burst.end_ms, bytes(burst.carried)))

    def _answer(self, board: OnWire, now_ms: float, answers: list[tuple[float, bytes]]) -> None:
        for delay_ms, data in answers:
            if data:
                self._say(board, max(now_ms + delay_ms, self._noise_ms), data)


def _overlap(burst: _Burst, start_ms: float, end_ms: float) -> bool:
    slack = burst.byte_ms / 100  # sums of floats
    return burst.start_ms < end_ms - slack and burst.end_ms > start_ms + slack

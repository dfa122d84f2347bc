"""A town of real links (device.agent.link) in simulated time, around a broker that is there or not.

Every attempt to reach the broker is counted at its millisecond, whether it succeeds or not: a stampede against a
door that is still shut is one too. Nothing here decides when a locker dials.
"""

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING

from device.agent import effects as do
from device.agent.config import Config
from device.agent.drbg import Drbg
from device.agent.link import Link
from protocol.messages import Birth

if TYPE_CHECKING:
    from device.agent.effects import Effect

_CONNECT, _PUBLISH, _SUBSCRIBE, _PING = 1, 3, 8, 12
_BIRTH = Birth("0.1.0", bytes(8), 1, 0, b"\x00")
WINDOW_MS = 1_000


class Town:
    """`reachable`: the broker answers. `network`: without it no locker reaches so far, and nobody is rung.

    `now` is milliseconds. `rung` holds when somebody dialled the broker's address, in order.
    """

    def __init__(self, count: int, seed: int = 1) -> None:
        self.now = 0
        self.reachable = True
        self.network = True
        self.rung: list[int] = []
        self.online_at: list[int] = [0] * count
        self._seed = seed
        self._boots = 0
        self._due: list[tuple[int, int]] = []
        self._deadlines = [0] * count
        self.links: list[Link] = []
        self.power(count)

    def power(self, count: int = 0, at_once: bool = True) -> None:
        """All of them start in this millisecond."""
        count = count or len(self.links)
        self._boots += 1
        self.links = [self._made(place) for place in range(count)]
        for place, link in enumerate(self.links):
            effects: list[Effect] = []
            link.start(self.now, effects, at_once)
            self._perform(place, effects)

    def _made(self, place: int) -> Link:
        config = Config("mairie-1", 1, bytes(32), [1], {}, 12, True, bytes(1))
        seed = b"%d %d %d" % (self._seed, self._boots, place)
        return Link(config, self._boots, Drbg(seed), 0)

    # -------------------------------------------------------------- what happens to all of them
    def lose(self, reason: str = "reset") -> None:
        """The broker dies, or the network: everybody notices in the same millisecond, which is the worst case."""
        for place, link in enumerate(self.links):
            effects: list[Effect] = []
            link.closed(self.now, reason, effects)
            self._perform(place, effects)

    def run(self, ms: int) -> None:
        """Let time pass; every link is asked at each of its deadlines."""
        end = self.now + ms
        while self._due and self._due[0][0] <= end:
            when, place = heapq.heappop(self._due)
            if when != self._deadlines[place]:
                continue  # an older wish
            self.now = max(self.now, when)
            self._perform(place, [])
        self.now = end

    @property
    def online(self) -> int:
        return sum([link.online for link in self.links])

    # -------------------------------------------------------------- one of them
    def _perform(self, place: int, effects: "list[Effect]") -> None:
        """Its lap, and all that the other side answers within the same millisecond."""
        link = self.links[place]
        was_online = link.online
        while True:
            link.tick(self.now, effects)
            if link.birth_due:
                link.give_birth(self.now, _BIRTH, effects)
                continue
            if not effects:
                break
            effects = self._answer(link, effects)
        if link.online and not was_online:
            self.online_at[place] = self.now
        deadline = max(self.now + 1, link.deadline())
        self._deadlines[place] = deadline
        heapq.heappush(self._due, (deadline, place))

    def _answer(self, link: Link, effects: "list[Effect]") -> "list[Effect]":
        after: list[Effect] = []
        for effect in effects:
            if isinstance(effect, do.Dial):
                self._dialled(link, after)
            elif isinstance(effect, do.Send):
                link.received(self.now, _said_to(effect.data), after)
        return after

    def _dialled(self, link: Link, effects: "list[Effect]") -> None:
        if not self.network:
            link.closed(self.now, "no_network", effects)
            return
        self.rung.append(self.now)
        if self.reachable:
            link.opened(self.now, effects)
        else:
            link.closed(self.now, "refused", effects)


def _said_to(data: bytes) -> bytes:
    """What a broker answers to these whole packets."""
    answer = b""
    place = 0
    while place < len(data):
        first, size, shift, place = data[place], 0, 0, place + 1
        while True:
            byte = data[place]
            size |= (byte & 0x7F) << shift
            shift += 7
            place += 1
            if byte < 0x80:
                break
        body = data[place : place + size]
        place += size
        kind = first >> 4
        if kind == _CONNECT:
            answer += b"\x20\x02\x00\x00"
        elif kind == _SUBSCRIBE:
            answer += b"\x90\x03" + body[:2] + b"\x01"
        elif kind == _PING:
            answer += b"\xd0\x00"
        elif kind == _PUBLISH:
            topic_size = int.from_bytes(body[:2], "big")
            answer += b"\x40\x02" + body[2 + topic_size : 4 + topic_size]
    return answer


def peak(times: Sequence[float], window: float = WINDOW_MS) -> int:
    """The most of them that fall into any one window. `times` ascends."""
    most = first = 0
    for last, when in enumerate(times):
        while times[first] <= when - window:
            first += 1
        most = max(most, last - first + 1)
    return most

"""Many lockers' real links (device.agent.link) on real, non-blocking sockets in one process, told what to do by
tools.bench.worker. It counts when each dialled, was through to TCP, was online, and had its birth answered."""

import errno
import heapq
import os
import selectors
import socket
import sys
import time
from typing import TYPE_CHECKING

from device.agent import effects as do
from device.agent.config import Config
from device.agent.drbg import Drbg
from device.agent.link import Link
from protocol.messages import Birth
from tools.bench import town
from tools.bench.worker import Document, serve

if TYPE_CHECKING:
    from device.agent.effects import Effect

_READ_SIZE = 4_096
_DOORS = bytes([1] * town.COMPARTMENTS)  # free and closed


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Locker:
    """One link and its socket."""

    def __init__(self, place: int, name: str, key: bytes) -> None:
        self.place = place
        self.link = Link(Config(name, town.GENERATION, key, [1], {}, 12, True, bytes(1)), 1, Drbg(os.urandom(32)), 0)
        self.socket: socket.socket | None = None
        self.connecting = False
        self.deadline = 0
        self.born_at = 0
        self.answered = True


class Fleet:
    def __init__(self, address: tuple[str, int], count: int) -> None:
        keys = town.keys()
        self._address = address
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[int, int]] = []
        names = town.names(count)
        self._lockers = [
            Locker(place, name, keys.locker_key(name, town.GENERATION)) for place, name in enumerate(names)
        ]
        self._is_settled = {"online": self._all_online, "lost": self._all_lost}
        self._forget()

    def _forget(self) -> None:
        self._dialled: list[int] = []
        self._through: list[int] = []
        self._online: list[int] = []
        self._answers_ms: list[int] = []

    # -------------------------------------------------------------- orders
    def start(self, _order: Document) -> Document:
        """All dial in this millisecond."""
        for locker in self._lockers:
            effects: list[Effect] = []
            locker.link.start(now_ms(), effects)
            self._perform(locker, effects)
        return {}

    def knock(self, _order: Document) -> Document:
        """Somebody stands before each of them."""
        for locker in self._lockers:
            locker.link.somebody_came(now_ms())
            self._perform(locker, [])
        return {}

    def run(self, order: Document) -> Document:
        """For `seconds`, or (`until`) until everybody is `online` and answered, or has `lost` the link; then what was
        counted since."""
        end = now_ms() + int(float(order["seconds"]) * 1000)
        settled = self._is_settled.get(order.get("until", ""), lambda: False)
        while now_ms() < end and not settled():
            wait_ms = max(0, min(end, self._due[0][0] if self._due else end) - now_ms())
            for key, flags in self._selector.select(wait_ms / 1000):
                self._ready(key.data, flags)
            while self._due and self._due[0][0] <= now_ms():
                when, place = heapq.heappop(self._due)
                if when == self._lockers[place].deadline:
                    self._perform(self._lockers[place], [])
        counted: Document = {
            "now": now_ms(),
            "online": sum([locker.link.online for locker in self._lockers]),
            "dialled": self._dialled,
            "through": self._through,
            "became_online": self._online,
            "answers_ms": self._answers_ms,
        }
        self._forget()
        return counted

    def _all_online(self) -> bool:
        return all(locker.link.online and locker.answered for locker in self._lockers)

    def _all_lost(self) -> bool:
        return not any(locker.link.online for locker in self._lockers)

    # -------------------------------------------------------------- sockets
    def _ready(self, locker: Locker, flags: int) -> None:
        sock = locker.socket
        if sock is None:
            return
        effects: list[Effect] = []
        if locker.connecting:
            failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            locker.connecting = False
            if failed:
                self._lose(locker, effects)
            else:
                self._through.append(now_ms())
                self._selector.modify(sock, selectors.EVENT_READ, locker)
                locker.link.opened(now_ms(), effects)
        elif flags & selectors.EVENT_READ:
            try:
                data = sock.recv(_READ_SIZE)
            except OSError:
                data = b""
            if data:
                locker.link.received(now_ms(), data, effects)
            else:
                self._lose(locker, effects)
        self._perform(locker, effects)

    def _lose(self, locker: Locker, effects: "list[Effect]") -> None:
        self._hang_up(locker)
        locker.link.closed(now_ms(), "reset", effects)

    def _hang_up(self, locker: Locker) -> None:
        if locker.socket is not None:
            self._selector.unregister(locker.socket)
            locker.socket.close()
            locker.socket = None

    def _dial(self, locker: Locker, effects: "list[Effect]") -> None:
        self._hang_up(locker)
        self._dialled.append(now_ms())
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failed = sock.connect_ex(self._address)
        if failed not in (0, errno.EINPROGRESS):
            sock.close()
            locker.link.closed(now_ms(), "refused", effects)
            return
        locker.socket, locker.connecting = sock, True
        self._selector.register(sock, selectors.EVENT_WRITE, locker)

    # -------------------------------------------------------------- a lap of one locker
    def _perform(self, locker: Locker, effects: "list[Effect]") -> None:
        link = locker.link
        while True:
            now = now_ms()
            link.tick(now, effects)
            if link.birth_due:
                link.give_birth(now, Birth("0.1.0", link.new_nonce(), 1, 0, _DOORS), effects)
                self._online.append(now)
                locker.born_at, locker.answered = now, False
                continue
            if not effects:
                break
            effects = self._do(locker, effects)
        if not locker.answered and link.online and link._nonce is None and link.outbox.begun:
            locker.answered = True  # both its time and where the books stand
            self._answers_ms.append(now_ms() - locker.born_at)
        locker.deadline = max(now_ms() + 1, link.deadline())
        heapq.heappush(self._due, (locker.deadline, locker.place))

    def _do(self, locker: Locker, effects: "list[Effect]") -> "list[Effect]":
        after: list[Effect] = []
        for effect in effects:
            if isinstance(effect, do.Dial):
                self._dial(locker, after)
            elif isinstance(effect, do.HangUp):
                self._hang_up(locker)
            elif isinstance(effect, do.Send) and locker.socket is not None:
                try:
                    locker.socket.send(effect.data)
                except OSError:
                    self._lose(locker, after)
        return after


def main() -> None:
    host, _, port = sys.argv[1].rpartition(":")
    fleet = Fleet((host, int(port)), int(sys.argv[2]))
    serve({"lockers": int(sys.argv[2])}, {"start": fleet.start, "knock": fleet.knock, "run": fleet.run})


if __name__ == "__main__":
    main()

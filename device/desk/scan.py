"""Which boards answer on a bus, beside those that /config.json names: each kind that speaks its baud is asked how its
doors stand, at each of its first addresses, between the polls of the others. Nothing is opened. Loaded on request.
"""

import sys
from typing import TYPE_CHECKING

from device.agent.console import unload
from device.drivers.locks.bus import Station
from device.drivers.locks.heard import Heard
from device.drivers.locks.kinds import driver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.desk.seat import Desk
    from device.drivers.locks.bus import Bus

_PACKAGE = "device.drivers.locks."
_ADDRESSES = 16  # of each kind: more take minutes, and nobody sets more switches than there are modules
_LOOK_MS = 20
_KINDS = ((19200, ("cu16", "cu48")), (9600, ("board8a", "wkly", "modbus")))


class _Ear(Heard):
    """What a guest said; nobody else hears of it. `word`: None as long as it is not known."""

    word: str | None = None

    def answered(self, now_ms: int, codec: "Any", events: "list[Any]") -> None:  # noqa: ARG002 - as of any board
        self.word = "ok"

    def see(self, codec: "Any", asked: bool, events: "list[Any]") -> None:
        pass

    def failed(self, word: str) -> None:
        self.word = word

    def look(self, now_ms: int, events: "list[Any]") -> bool:  # noqa: ARG002 - as of any board
        return False


class Guest(Station):
    """A board that may be there."""

    def __init__(self, codec: "Any") -> None:
        super().__init__(-1, codec, [], [], 1, 0)
        self.heard = self.ear = _Ear(-1, [], [], 1)


class Scan:
    """An order that takes seconds: [kind, address, word, channels that say closed] of each that answers on `bus`,
    which is the `number`th. `word`: an address, to whoever reads it."""

    def __init__(self, bus: "Bus", number: int, word: str) -> None:
        self._bus = bus
        self._number = number
        self._word = word
        self._found: list[Any] = []
        self._candidates = self._all()
        self._guest: Any = None
        self._loaded: list[str] = []  # kinds that nobody else needs
        self._named: tuple[str, int] = ("", 0)
        self.call_at = 0

    def _all(self) -> "Iterator[tuple[str, int]]":
        for baud, names in _KINDS:
            if baud == self._bus.baud:
                for name in names:
                    if _PACKAGE + name not in sys.modules:
                        self._loaded.append(name)
                    first, last = driver(name).ADDRESSES
                    for address in range(first, min(last, first + _ADDRESSES - 1) + 1):
                        yield name, address

    def step(self, desk: "Desk") -> None:
        self.call_at = desk.now + _LOOK_MS
        try:
            self._go_on(desk)
        except MemoryError:
            self._see_out()
            self._forget()
            desk.err("no_memory", "reboot, then once more")

    def _go_on(self, desk: "Desk") -> None:
        guest = self._guest
        if guest is not None:
            word = guest.ear.word
            if word is None:
                return
            self._see_out()
            if word != "silent":
                closed = guest.codec.closed & guest.codec.known
                count = sum([closed >> channel & 1 for channel in range(64)])
                kind, address = self._named
                self._found.append([kind, address, word, count])
                desk.say(f"{kind}, bus {self._number}, {self._word} {address}: {word}, closed {count}")
        for name, address in self._candidates:
            self._named = (name, address)
            board = driver(name)
            self._guest = Guest(board.Codec(address, board.CHANNELS, {}))
            self._bus.stations.append(self._guest)
            return
        self._forget()
        desk.ok({"found": self._found})

    def _forget(self) -> None:
        for name in self._loaded:
            unload(names=(_PACKAGE + name,))

    def _see_out(self) -> None:
        if self._guest is not None:
            self._bus.stations.remove(self._guest)
            self._guest = None

    def stop(self, desk: "Desk") -> None:
        self._see_out()
        self._forget()
        desk.err("stopped", "Ctrl-C")

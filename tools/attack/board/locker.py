"""A locker in memory and in simulated time: the real agent, its power, its flash and its doors. No clock but ours.

A power cut may come before any effect; what was saved by then is all that the next start knows (Books.replay over
the newest snapshot and the records behind it, as the journal hands them out).
"""

import hashlib
from typing import TYPE_CHECKING

from device.agent import effects as do
from device.agent import events as on
from device.agent.books import Books
from device.agent.core import Agent
from protocol.numbers import HELD
from tools.attack.board.watch import Watch
from tools.attack.board.wire import Gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from device.agent.config import Config
    from device.agent.effects import Effect
    from tools.attack.board.watch import Tally

    class Journal(Protocol):
        """device.journal.Journal fits, and so does Flash."""

        def load(self) -> "tuple[bytes | None, Iterable[bytes]]": ...
        @property
        def due(self) -> bool: ...
        def rotate(self, snapshot: bytes) -> None: ...
        def append(self, seq: int, record: bytes) -> None: ...


# When the power goes: not by an effect; before the first effect behind a comparison; one effect later; after the first
# thing that somebody in front could see of its outcome; after `cut_after` effects, whatever they are.
NO_CUT, BLIND, SAVED, SIGN, COUNTED = 0, 1, 2, 3, 4
OFF_MS = 1_000  # the switch, off and on
BOOT_MS = 5_000  # from power to the first lap: assumed, on the slow side, for a board that replays 128 records
_SEGMENT_RECORDS = 128  # device.journal.SEGMENT_RECORDS
_CONNECT_LAPS = 1_000


class Flash:
    """A journal that keeps what a restart reads, and no more."""

    def __init__(self) -> None:
        self._snapshot: bytes | None = None
        self._records: list[bytes] = []
        self._last_seq = 0

    def load(self) -> "tuple[bytes | None, Iterable[bytes]]":
        return self._snapshot, list(self._records)

    @property
    def due(self) -> bool:
        return self._snapshot is None or len(self._records) >= _SEGMENT_RECORDS

    def rotate(self, snapshot: bytes) -> None:
        self._snapshot = snapshot
        self._records = []

    def append(self, seq: int, record: bytes) -> None:
        assert seq == self._last_seq + 1, "a seq is missing"
        self._last_seq = seq
        self._records.append(record)


class Locker:
    """`clock` is simulated time, `now` the milliseconds of this boot as the agent knows them."""

    def __init__(
        self,
        config: "Config",
        seed: int,
        tally: "Tally",
        flash: "Journal",
        make: "Callable[[Config, Books, int, bytes], Agent]",
    ) -> None:
        self.config = config
        self.tally = tally
        self.gateway = Gateway(config.locker, config.key)
        self.watch = Watch(tally)
        self.trace = hashlib.sha256()
        self.closed = {number: True for number in config.numbers}
        self.online = False
        self.screen = ""
        self.clock = 0
        self.now = 0
        self.uptime = 0  # of all boots together
        self.dead = False
        self.cut = NO_CUT
        self.cut_after = 0
        self._flash = flash
        self._make = make
        self._seed = seed.to_bytes(8, "big") + b"boot"
        self._boots = 0
        self._queue: list[object] = []
        self._power_on()
        self.settle()

    # -------------------------------------------------------------- power
    def restart(self) -> None:
        """Off and on. What the first lap would see waits for settle() or for the first event."""
        self.tally.add("reboots")
        self._pass(OFF_MS + BOOT_MS)
        self._power_on()

    def revive(self) -> bool:
        """Whether the power had gone; it is back now."""
        self.cut = NO_CUT
        if not self.dead:
            return False
        self.tally.add("cuts")
        self.restart()
        self.settle()
        return True

    def _power_on(self) -> None:
        self._boots += 1
        self.dead = False
        self.now = 0
        self.cut = NO_CUT
        snapshot, records = self._flash.load()
        books = Books.replay(self.config.numbers, snapshot, records)
        if self._flash.due:
            self._flash.rotate(books.snapshot())
        seed = hashlib.sha256(self._seed + self._boots.to_bytes(4, "big")).digest()
        self.agent = self._make(self.config, books, self._boots, seed)
        self.watch.put_on(self.agent)
        self._queue = [on.JournalMeasured(100_000)]
        for number in self.config.numbers:
            self._queue.append(on.DoorSensed(number, self.closed[number]))
        self._perform(self.agent.start(0, "power"))

    # -------------------------------------------------------------- laps
    def do(self, event: object) -> None:
        """One event, and all that follows from it at this moment."""
        self._step(event)
        self.settle()

    def settle(self) -> None:
        while self._queue and not self.dead:
            self._step(self._queue.pop(0))
        if not self.dead and self._flash.due:
            self._flash.rotate(self.agent.snapshot())

    def _step(self, event: object) -> None:
        if self.dead:
            return
        effects = self.agent.step(self.now, event)
        performed = self._perform(effects)
        self.watch.judge(effects, performed, self.dead, self.uptime)

    def wait(self, ms: int) -> None:
        """Let time pass, stopping at each of the agent's deadlines."""
        end = self.clock + ms
        while self.clock < end and not self.dead:
            ahead = max(1, self.agent.deadline_ms(self.now) - self.now)
            ahead = min(ahead, end - self.clock)
            self.now += ahead
            self.uptime += ahead
            self._pass(ahead)
            self.do(on.Ticked())

    def _pass(self, ms: int) -> None:
        self.clock += ms
        self.gateway.clock_ms = self.clock

    # -------------------------------------------------------------- effects
    def _perform(self, effects: "list[Effect]") -> int:
        """How many of them were performed before the power went."""
        compared = self.watch.compared
        first = compared[0][1] if compared else -1
        for at in range(len(effects)):
            if self._goes_before(at, first):
                self.dead = True
                return at
            self._perform_one(effects[at])
            if self.cut == SIGN and 0 <= first <= at and not isinstance(effects[at], do.Save):
                self.dead = True
                return at + 1
        return len(effects)

    def _goes_before(self, at: int, first: int) -> bool:
        if self.cut == COUNTED:
            self.cut_after -= 1
            return self.cut_after < 0
        return first >= 0 and ((self.cut == BLIND and at >= first) or (self.cut == SAVED and at > first))

    def _perform_one(self, effect: "Effect") -> None:
        if isinstance(effect, do.Save):
            self._flash.append(effect.seq, effect.record)
            self.trace.update(effect.record)
        elif isinstance(effect, do.Show):
            self.screen = effect.screen
            self.trace.update(effect.screen.encode())
        elif isinstance(effect, do.Pulse) and effect.ms:
            self._pulse(effect.compartment)
        elif isinstance(effect, do.Dial):
            self.gateway.connected()
            self._queue.append(on.LinkOpened() if self.online else on.LinkClosed("refused"))
        elif isinstance(effect, do.Send):
            answer = self.gateway.take(effect.data)
            if answer:
                self._queue.append(on.Received(answer))
        elif isinstance(effect, do.ReadJournal):
            self._queue.append(on.JournalRead(effect.first, []))  # the gateway has acknowledged all

    def _pulse(self, number: int) -> None:
        place = self.agent.books.place(number)
        assert place is not None
        if self.watch.guessing and self.agent.books.holdings[place] == HELD:
            self.tally.add("wrong_hand_overs")
        self.closed[number] = False
        self._queue.append(on.DoorSensed(number, False))

    # -------------------------------------------------------------- hands
    def keys(self, keys: str) -> None:
        for key in keys:
            self.do(on.KeyPressed(key))

    def scan(self, frame: str) -> None:
        self.do(on.Scanned(frame.encode()))

    def type(self, lines: str) -> None:
        """On the serial console."""
        self.do(on.Typed(lines.encode()))

    def arrives(self, packet: bytes) -> None:
        """From the broker."""
        self.do(on.Received(packet))

    def push(self, number: int) -> None:
        self.closed[number] = True
        self.do(on.DoorSensed(number, True))

    def connect(self) -> None:
        self.online = True
        for _ in range(_CONNECT_LAPS):
            if self.agent.link.online:
                return
            self.wait(1_000)
        raise AssertionError("the link does not come up")

    def disconnect(self) -> None:
        self.online = False
        self.do(on.LinkClosed("reset"))

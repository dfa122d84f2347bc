"""Every lock board's driver on a bad wire: openings by the thousand, one byte in a hundred damaged both ways, boards
pulled out and put back. In simulated time: python tests/device/lock_board_campaign.py [OPENINGS [SEED [DRIVER]]].

What must hold: no coil but the ordered one's, no door called closed that is not, each change of a door told within two
seconds, or else that its board is lost, and each loss of a board likewise. Openings that three tries did not bring
about are counted: the agent calls such a door jammed.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import Pool
from typing import Any

from device.agent.events import DoorSensed, ModuleSensed
from device.drivers.locks import board8a, cu16, cu48, modbus, wkly
from device.drivers.locks.bus import Bus, Station
from device.drivers.locks.guard import Guard
from tools.locker.boards.board import Board
from tools.locker.boards.board8a import Board8A
from tools.locker.boards.cu16 import CU16
from tools.locker.boards.cu48 import CU48
from tools.locker.boards.modbus import Modbus
from tools.locker.boards.wire import Wire
from tools.locker.boards.wkly import WKLY

LAP_MS = 10
DAMAGED = 0.01
TOLD_MS = 2_000
SPRING_MS = 120
TRIES = 3
STALE_MS = 400  # an answer may be this old when it is believed
UNPLUGGED_EVERY = 50  # openings
PULSE_MS = 300

Family = tuple[Any, Callable[..., Board], int, dict[str, Any]]
FAMILIES: dict[str, Family] = {
    "cu16": (cu16, CU16, 16, {}),
    "cu48": (cu48, CU48, 48, {}),
    "board8a": (board8a, Board8A, 24, {}),
    "wkly": (wkly, WKLY, 24, {}),
    "modbus": (modbus, Modbus, 8, {}),
}
# How a frame is closed, where its inputs begin, what stands behind them, and how long the check is.
CHECKS: dict[str, tuple[Callable[[bytes], bytes], int, int, int]] = {
    "cu16": (lambda body: cu16.summed(*body), 3, 1, 1),
    "cu48": (lambda body: cu48.summed(*body), 4, 1, 1),
    "board8a": (lambda body: board8a.checked(*body), 2, 1, 1),
    "wkly": (wkly.checked, 9, 0, 1),
    "modbus": (lambda body: modbus.checked(*body), 3, 0, 2),
}


class Doors:
    """Behind one board: doors that spring open 120 ms after their coil came on, and stay so until pushed."""

    def __init__(self, told: Callable[[int, bool], None], clock: Callable[[], float]) -> None:
        self._told = told
        self._clock = clock
        self.opens_at: dict[int, float] = {}
        self.closed_until: dict[int, float] = {}  # open since then; not there: closed
        self.changed: dict[int, float] = {}

    def coil(self, channel: int, on: bool) -> None:
        self._told(channel, on)
        if on:
            self.opens_at.setdefault(channel, self._clock() + SPRING_MS)

    def closed(self, channel: int) -> bool:
        self.pass_time()
        return channel not in self.closed_until

    def full(self, _channel: int) -> bool:
        return False

    def pass_time(self) -> None:
        for channel, at in list(self.opens_at.items()):
            if at <= self._clock():
                del self.opens_at[channel]
                if channel not in self.closed_until:
                    self.closed_until[channel] = self.changed[channel] = at

    def push(self, channel: int) -> None:
        self.closed_until.pop(channel, None)
        self.changed[channel] = self._clock()


@dataclass
class Figures:
    driver: str
    openings: int = 0
    hours: float = 0.0
    wrong_doors: int = 0
    false_closed: int = 0
    false_open: int = 0
    jams: int = 0
    slow: int = 0
    slowest_ms: int = 0
    lost_meanwhile: int = 0
    losses: int = 0
    losses_late: int = 0
    slowest_loss_ms: int = 0
    tries_again: int = 0
    bytes_damaged: int = 0
    answers_forged: int = 0
    wall_s: float = 0.0
    told: list[str] = field(default_factory=list[str])

    def note(self, text: str) -> None:
        if len(self.told) < 5:
            self.told.append(text)

    @property
    def broken(self) -> int:
        return self.wrong_doors + self.false_closed + self.slow + self.losses_late


class Cabinet:
    """Two boards of one family on one wire, and the driver's side as the shell runs it."""

    tells_doors = True  # each anew once a lost board is back

    def __init__(self, name: str, seed: int, damaged: float = DAMAGED, forged: float = 0.0) -> None:
        """`forged`: the share of answers with one bit turned and a checksum that is right all the same."""
        self.chance = random.Random(f"{name} {seed}")
        self.figures = Figures(name)
        self.now = 0
        self._damaged = damaged
        self._forged = forged
        self.ordered: tuple[int, int] | None = None
        self.said: dict[int, bool] = {}  # compartment -> closed, as told last
        self.faults: dict[int, str] = {}
        self.lost_at: dict[int, int] = {}  # board -> when it was called lost last
        self.boards: list[Any] = []
        self._build(name)

    def _build(self, name: str) -> None:
        driver, made, self.channels, part = FAMILIES[name]
        self._check = CHECKS[name]
        first = driver.ADDRESSES[0]
        self.wire = Wire([], driver.BAUD)
        self.metal = [Doors(self.coil_of(place), lambda: self.wire.moment) for place in (0, 1)]
        self.boards += [made(first + place, self.channels, metal) for place, metal in enumerate(self.metal)]
        for board in self.boards:
            board.damage = self._answer
        self.wire.boards += self.boards
        self.wire.damage = self.hurt
        self.stations = [self._station(driver, place, first + place, part) for place in (0, 1)]
        self.sources: list[Any] = [Bus(self, driver.BAUD, False, self.stations)]
        self.guard = Guard(self.stations)

    def _station(self, driver: Any, place: int, address: int, part: dict[str, Any]) -> Station:
        boxes = [(self.number(place, channel), channel, channel) for channel in range(1, self.channels + 1)]
        return Station(place, driver.Codec(address, self.channels, part), boxes, [], 1, driver.OWN_MS)

    @staticmethod
    def number(place: int, channel: int) -> int:
        return 100 * (place + 1) + channel

    def hurt(self, data: bytes) -> bytes:
        hurt = bytearray(data)
        for place in range(len(hurt)):
            if self.chance.random() < self._damaged:
                hurt[place] ^= self.chance.randrange(1, 256)
                self.figures.bytes_damaged += 1
        return bytes(hurt)

    def _answer(self, data: bytes) -> bytes:
        if self.chance.random() < self._forged:
            check, first, last, size = self._check
            if len(data) - size - last > first:
                body = bytearray(data[:-size])
                body[self.chance.randrange(first, len(body) - last)] ^= 1 << self.chance.randrange(8)
                self.figures.answers_forged += 1
                return check(bytes(body))
        return self.hurt(data)

    def coil_of(self, place: int) -> Callable[[int, bool], None]:
        def coil(channel: int, on: bool) -> None:
            if on and self.ordered != (place, channel):
                self.figures.wrong_doors += 1
                self.figures.note(f"at {self.now} ms: coil {channel} of board {place}, ordered was {self.ordered}")

        return coil

    # ---------------------------------------------------------- the port
    def send(self, data: bytes) -> None:
        self.wire.send(self.now, data)

    def take(self) -> bytes:
        return self.wire.take(self.now)

    # ---------------------------------------------------------- time
    def lap(self) -> None:
        self.now += LAP_MS
        self.pass_time()
        for metal in self.metal:
            metal.pass_time()
        self.guard.tick(self.now)
        events: list[Any] = []
        for source in self.sources:
            source.gather(self.now, events)
        for event in events:
            if isinstance(event, ModuleSensed):
                self.faults[event.module] = event.fault
                if event.fault:
                    self.lost_at[event.module] = self.now
            elif isinstance(event, DoorSensed):
                self._sensed(event)

    def pass_time(self) -> None:
        self.wire.tick(self.now)

    def _sensed(self, event: DoorSensed) -> None:
        place, channel = event.compartment // 100 - 1, event.compartment % 100
        metal = self.metal[place]
        self.said[event.compartment] = event.closed
        since = metal.changed.get(channel, float("-inf"))
        if event.closed != metal.closed(channel) and self.now - since > STALE_MS:
            word = "closed" if event.closed else "open"
            if event.closed:
                self.figures.false_closed += 1
            else:
                self.figures.false_open += 1
            self.figures.note(f"at {self.now} ms: door {channel} of board {place} called {word}, since {since:.0f}")

    def wait_for(self, holds: Callable[[], bool], ms: int) -> int | None:
        """How long it took, or None."""
        began = self.now
        while not holds():
            if self.now - began > ms:
                return None
            self.lap()
        return self.now - began

    # ---------------------------------------------------------- operations
    def settle(self) -> None:
        took = self.wait_for(lambda: len(self.said) == 2 * self.channels and self._all_well(), 10 * TOLD_MS)
        assert took is not None, "the boards are not found"

    def _all_well(self) -> bool:
        return len(self.faults) == 2 and not any(self.faults.values())

    def open_and_shut(self) -> None:
        place, channel = self.chance.randrange(2), self.chance.randrange(1, self.channels + 1)
        number = self.number(place, channel)
        self.ordered = (place, channel)
        for attempt in range(TRIES):
            self.figures.tries_again += attempt > 0
            self.guard.pulse(self.now, number, PULSE_MS)
            if self.wait_for(lambda: not self.said[number], TOLD_MS) is not None:
                break
        if self.metal[place].closed(channel):
            self.figures.jams += 1
            return
        self._told(place, lambda: not self.said[number], f"opening {channel} of board {place}")
        self.wait_for(lambda: not self.guard.busy, TOLD_MS)
        for _lap in range(self.chance.randrange(20)):
            self.lap()
        self.metal[place].push(channel)
        self._told(place, lambda: self.said[number], f"closing {channel} of board {place}")

    def _told(self, place: int, holds: Callable[[], bool], what: str) -> None:
        """In time; or the board was called lost meanwhile, and it is told once that is over."""
        began = self.now
        took = self.wait_for(holds, TOLD_MS)
        if took is None and self.lost_at.get(place, -1) >= began:
            self.figures.lost_meanwhile += 1
            took = self.wait_for(holds, 5 * TOLD_MS)
        elif took is not None:
            self.figures.slowest_ms = max(self.figures.slowest_ms, took)
        if took is None:
            self.figures.slow += 1
            self.figures.note(f"at {self.now} ms: {what} was not told")

    def pull_and_plug(self) -> None:
        self.settle()  # the wire may have lost one just now
        place = self.chance.randrange(2)
        self.boards[place].silent = True
        took = self.wait_for(lambda: self.faults[place] != "", 2 * TOLD_MS)
        self.figures.losses += 1
        self.figures.slowest_loss_ms = max(self.figures.slowest_loss_ms, took or 2 * TOLD_MS)
        if took is None or took > TOLD_MS:
            self.figures.losses_late += 1
            self.figures.note(f"at {self.now} ms: the loss of board {place} was told after {took} ms")
        for number in [number for number in self.said if number // 100 - 1 == place and self.tells_doors]:
            del self.said[number]
        self.boards[place].silent = False
        self.settle()


def played(  # noqa: PLR0917 - what is played, and how bad the wire is
    name: str,
    openings: int,
    seed: int = 1,
    damaged: float = DAMAGED,
    forged: float = 0.0,
    made: Callable[[str, int, float, float], Cabinet] = Cabinet,
) -> Figures:
    began = time.monotonic()
    cabinet = made(name, seed, damaged, forged)
    cabinet.settle()
    for count in range(1, openings + 1):
        cabinet.open_and_shut()
        cabinet.figures.openings = count
        if count % UNPLUGGED_EVERY == 0:
            cabinet.pull_and_plug()
    cabinet.figures.hours = round(cabinet.now / 3_600_000, 2)
    cabinet.figures.wall_s = round(time.monotonic() - began, 1)
    return cabinet.figures


def _played(task: tuple[str, int, int]) -> Figures:
    # Only here: those of the chips are built on these.
    from lock_chip_campaign import CHIPS  # noqa: PLC0415

    return played(*task, made=CHIPS.get(task[0], Cabinet))


def main(argv: list[str]) -> int:
    openings = int(argv[0]) if argv else 10_000
    seed = int(argv[1]) if len(argv) > 1 else 1
    names = argv[2:] or [*FAMILIES, "mcp23017", "hc595"]
    broken = 0
    with Pool(2) as pool:
        for figures in pool.imap_unordered(_played, [(name, openings, seed) for name in names]):
            print(json.dumps(vars(figures)), flush=True)
            broken += figures.broken
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

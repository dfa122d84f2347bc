"""One locker: the real shell, agent, journal and lock driver over false metal. A lap is taken when one is due.

The product's two doors to the machine, `os`/`open` of device.journal and `os`/`gc` of device.shell, are replaced by
the simulated ones (plug_in); nothing else of device/ is touched.

Quiet hours pass in one lap: while nobody stands there, nothing is under way and the link has nothing to say, the
heartbeats, pings and vain attempts to dial in between are not played.
"""

import gc
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import device.journal
import device.shell
from device.agent import events as on
from device.agent.mqtt import NEVER
from device.agent.panel import IDLE
from device.drivers.locks.gpio import GpioCoils
from device.drivers.locks.guard import Guard
from device.journal import Journal
from device.shell import Shell
from tools.sim.broker import Broker
from tools.sim.cabinet import SETTLE_MS, Cabinet
from tools.sim.flash import Flash, PowerCut
from tools.sim.world import HOUR, MINUTE, SECOND, World

if TYPE_CHECKING:
    from device.agent.config import Config
    from tools.sim.rules import Rules

BOOT_MS = 1_500
LOSS_MS = 1_800  # until a board is noticed to be silent
BACK_MS = 150  # until one that is plugged in again has told its doors
QUIET_MS_MAX = 6 * HOUR
QUIET_VAIN_MS_MAX = HOUR  # while nobody can answer


class Restarted(BaseException):
    """The agent asked for a reset."""


class Random:
    """What a shell asks of `os`: seeded."""

    def __init__(self, world: World) -> None:
        self.urandom = world.chance.randbytes


class NoGarbage:
    """The interpreter's garbage is not the simulator's."""

    @staticmethod
    def collect() -> None:
        pass


def plug_in(world: World, flash: Flash) -> None:
    journal: Any = device.journal
    shell: Any = device.shell
    journal.os, journal.open = flash, flash.open
    shell.os, shell.gc = Random(world), NoGarbage


def unplug() -> None:
    """The machine is the machine again."""
    journal: Any = device.journal
    shell: Any = device.shell
    journal.os, shell.os, shell.gc = os, os, gc
    journal.__dict__.pop("open", None)


class Pin:
    def __init__(self, cabinet: Cabinet, number: int, told: Callable[[int, bool], None]) -> None:
        self._cabinet, self._number, self._told = cabinet, number, told

    def value(self, level: int) -> None:
        self._told(self._number, bool(level))
        self._cabinet.drive(self._number, bool(level))


class WatchedJournal(Journal):
    """Tells the rules what append() has promised, and what is about to be forgotten."""

    watch: "tuple[Rules, str]"

    def load(self) -> Any:
        found = super().load()
        self.watch[0].loaded(self.watch[1], self)
        return found

    def append(self, seq: int, record: bytes) -> None:
        super().append(seq, record)
        self.watch[0].appended(self.watch[1], seq, record)

    def forget(self, seq: int) -> None:
        self.watch[0].forgets(self.watch[1], seq)
        super().forget(seq)


class Locker:
    """The board for device.shell.Shell, and the power switch. `fuse`: the power goes at the n-th thing it does."""

    cause = "power"
    modules = b""  # it says nothing of how it is built; tools/sim/modules.py has it do so
    trial = None
    paused = False
    root = screens = "/nowhere"  # of files that only a technician asks for
    language = "en"

    def __init__(self, world: World, config: "Config", flash: Flash, broker: Broker, rules: "Rules") -> None:
        self.world = world
        self.config = config
        self.name = config.locker
        self.rules = rules
        self.cabinet = Cabinet(world, self.name, config.numbers)
        self.line = broker.line(self.name)
        self.line.deliver = lambda data: self._happened(on.Received(data))
        self.line.hung_up = lambda reason: self._happened(on.LinkClosed(reason))
        self.line.opened = lambda: self._happened(on.LinkOpened())
        self.line.back = self.nudge
        self.cabinet.sensed = self._sensed
        self.folder = f"/{self.name}/journal"
        self.powered = False
        self.screen: tuple[str, tuple[str, ...]] = ("", ())
        self.shown = 0  # screens so far, so that one sees whether it answers oneself
        self.touched = -HOUR  # when somebody last pressed a key or showed something
        self.drift_ppm = 0
        self.said: Callable[[bytes], Any] = len  # hears what the console says
        self.fuse = -1
        self.flash_only = False
        self.boots_failed = 0
        self.memory_left = -1  # the n-th event from now on finds no memory
        self._flash = flash
        self._broker = broker
        self._inbox: list[Any] = []
        self._tell_doors = False
        self._ticket = 0
        self._booted = 0
        self._armed = 0
        self.shell: Shell | None = None
        rules.add(self)
        self.metal = rules.books[self.name].metal

    @property
    def boot(self) -> int | None:
        """Of the agent that runs; None while there is none (a start is being made)."""
        agent = None if self.shell is None else self.shell.agent
        return None if agent is None else agent.boot

    # -------------------------------------------------------------- power
    def power_on(self) -> None:
        if self.powered:
            return
        self.powered = True
        self.cabinet.power(True)
        self._booted = self.world.now
        self._inbox = []
        self._tell_doors = True
        pins = {number: Pin(self.cabinet, number, self._coil) for number in self.config.numbers}
        self.locks = Guard([GpioCoils(pins, 1, self._arm)])
        self.journal = WatchedJournal(self.folder)
        self.journal.watch = (self.rules, self.name)
        self.sources = [self]
        self.doors = self.clock = self.transport = self.display = self.buzzer = self.console = self
        self.watchdog = self.trust = self
        self.shell = Shell(self)  # type: ignore[arg-type]
        self._run(self._begin)

    def _begin(self) -> None:
        assert self.shell is not None
        self.shell.begin(self.now_ms(), self.cause)
        self._miss_board()
        self.boots_failed = 0 if self.shell.agent is not None else self.boots_failed + 1
        if self.shell.agent is not None:
            self.rules.knows(self.name, self.shell.agent)
        self.rules.began(self.name, self.boots_failed, self.folder in self._flash.full)

    def power_off(self, back_ms: int | None = None) -> None:
        """`back_ms`: power comes back by itself."""
        if self.powered:
            self.powered = False
            self.fuse = -1
            self._ticket += 1
            self._armed += 1
            self.shell = None
            self.screen = ("", ())
            self.metal.powered_off()
            self.cabinet.power(False)
            self.line.hang_up()
            self.world.note(self.name, "off")
        if back_ms is not None:
            self.world.after(back_ms + BOOT_MS, self.power_on)

    def spend(self, kind: str) -> str:
        """One more thing done by this locker; when the power goes with regard to it, or "" """
        if self.fuse < 0 or (self.flash_only and kind == "other"):
            return ""
        self.fuse -= 1
        if self.fuse >= 0:
            return ""
        return self.world.chance.choice(("before", "inside", "inside", "after")) if kind != "other" else "before"

    def _spend_other(self) -> None:
        if self.spend("other"):
            raise PowerCut

    # -------------------------------------------------------------- a lock board
    def unplug_board(self, numbers: list[int]) -> None:
        """Of these compartments; what their doors do from now on nobody sees."""
        self.cabinet.silent.update(numbers)
        for number in numbers:
            self.cabinet.drive(number, False)  # it times its pulses itself; one under way ends with it
        self.world.note(self.name, "unplugged", numbers)
        self._miss_board()

    def plug_board(self) -> None:
        numbers = sorted(self.cabinet.silent)
        self.cabinet.silent.clear()
        self.world.note(self.name, "plugged", numbers)
        self.world.after(BACK_MS, lambda: self._board_is_back(numbers))

    def _board_is_back(self, numbers: list[int]) -> None:
        if self.powered and numbers and not self.cabinet.silent:
            self._happened(on.ModuleSensed(0, "", numbers))
            for number in numbers:
                self._sensed(number, self.cabinet.closed_by_sensor(number))

    def _miss_board(self) -> None:
        boot, numbers = self._booted, sorted(self.cabinet.silent)

        def missed() -> None:
            if self.powered and boot == self._booted and numbers and sorted(self.cabinet.silent) == numbers:
                self._happened(on.ModuleSensed(0, "silent", numbers))

        self.world.after(LOSS_MS, missed)

    # -------------------------------------------------------------- laps
    def now_ms(self) -> int:
        return int((self.world.now - self._booted) * (1 + self.drift_ppm / 1e6))

    def _happened(self, event: Any) -> None:
        if self.powered:
            self._inbox.append(event)
            self._lap_in(0)

    def _lap_in(self, ms: int) -> None:
        self._ticket += 1
        ticket = self._ticket

        def lap() -> None:
            if ticket == self._ticket and self.powered:
                self._run(self._lap)

        self.world.after(ms, lap)

    def _run(self, act: Callable[[], None]) -> None:
        """Whatever runs in here may lose its power at any operation."""
        self.rules.running = self
        try:
            act()
        except PowerCut:
            self.power_off(self.world.about(20 * SECOND))
        except Restarted:
            self.power_off(0)
        else:
            self._lap_in(self._rest_ms())
        finally:
            self.rules.running = None

    def _lap(self) -> None:
        assert self.shell is not None
        self.shell.lap()
        if self.shell.agent is not None:
            self.rules.lap_ended(self.name, self.shell.agent)

    def _rest_ms(self) -> int:
        shell, now = self.shell, self.now_ms()
        assert shell is not None
        if self._tell_doors:
            return SETTLE_MS
        if shell._events or self._inbox:
            return 0
        if shell.agent is None:
            return 60 * SECOND
        until = [self._agent_deadline(shell.agent, now)]
        cut_off = self.locks.deadline_ms()
        if cut_off is not None:
            until.append(cut_off)
        return max(1, int((min(until) - now) / (1 + self.drift_ppm / 1e6)) + 1)

    def _agent_deadline(self, agent: Any, now: int) -> int:
        wanted: int = agent.deadline_ms(now)
        link = agent.link
        if wanted - now >= 2 * MINUTE or agent.panel.mode != IDLE or self.world.healing:
            return wanted
        deadlines = [part.deadline() for part in (agent.openings, agent.panel, agent._access)]
        rest = min([when for when in deadlines if when is not None], default=NEVER)
        if link.birth_due:
            return wanted
        if link.online and not self.line.deaf and self.line.connected:
            idle = link.outbox.due == NEVER and not link._client._due
            if idle and self.journal.last_seq == link.outbox.acked:
                return min(rest, now + QUIET_MS_MAX)
            if not self._broker.served:
                return max(wanted, min(rest, now + QUIET_VAIN_MS_MAX))
        if link.state == "waiting" and not (self.line.up and self._broker.running):
            return max(wanted, min(rest, now + QUIET_VAIN_MS_MAX))
        return wanted

    # -------------------------------------------------------------- the board's parts, as the shell calls them
    def gather(self, _now: int, events: list[Any]) -> None:
        if self._tell_doors:
            self._tell_doors = False
            for number in self.config.numbers:
                if number in self.cabinet.silent:
                    continue
                self._sense(number, self.cabinet.closed_by_sensor(number), events)
        inbox, self._inbox = self._inbox, []
        if inbox and self.memory_left >= 0:
            self.memory_left -= 1
            if self.memory_left < 0:
                raise MemoryError
        for event in inbox:
            if isinstance(event, on.DoorSensed):
                self.rules.sensed(self.name, event.compartment, event.closed)
            elif isinstance(event, on.ModuleSensed):
                self.rules.board(self.name, event.numbers, event.fault)
        events.extend(inbox)

    def _sense(self, number: int, closed: bool, events: list[Any]) -> None:
        self.rules.sensed(self.name, number, closed)
        events.append(on.DoorSensed(number, closed))

    def forget(self, *_: Any) -> None:
        """doors.forget(): every door is to be told again."""
        self._tell_doors = True
        self._miss_board()

    def _sensed(self, number: int, closed: bool) -> None:
        self._happened(on.DoorSensed(number, closed))

    def _coil(self, number: int, on_: bool) -> None:
        if on_:
            self._spend_other()
            self.metal.pulsed(number)
        self.metal.coil(number, on_)

    def _arm(self, ms: int, action: Callable[[Any], None]) -> None:
        self._armed += 1
        ticket = self._armed
        if ms:
            self.world.after(ms, lambda: action(None) if ticket == self._armed and self.powered else None)

    def dial(self, _wall_s: int, _known: bool) -> None:
        self.line.dial()

    def hang_up(self) -> None:
        self.line.hang_up()

    def send(self, _now: int, data: bytes) -> None:
        self._spend_other()
        self.line.send(data)

    def show(self, screen: str, arguments: tuple[str, ...]) -> None:
        self._spend_other()
        if screen != "language":
            self.screen = (screen, arguments)
            self.shown += 1
            self.world.note(self.name, screen, arguments)

    def play(self, _now: int, _tune: str) -> None:
        pass

    def tick(self, _now: int) -> None:
        pass

    def feed(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.said(data)

    def keep(self, kid: bytes, table: bytes) -> None:
        self.config.trusted[kid] = table

    def drop(self, kid: bytes) -> None:
        self.config.trusted.pop(kid, None)

    def restart(self) -> None:
        raise Restarted

    def report(self, error: Exception) -> None:
        self.rules.reported(self.name, error)

    # -------------------------------------------------------------- hands
    def key(self, key: str) -> None:
        self.touched = self.world.now
        self._happened(on.KeyPressed(key))

    def scan(self, text: str) -> None:
        self.touched = self.world.now
        self._happened(on.Scanned(text.encode()))

    def type(self, line: str) -> None:
        """At its console."""
        if self.powered:
            self._happened(on.Typed(line.encode() + b"\r"))

    def nudge(self) -> None:
        """The network is back: quiet hours are over."""
        if self.powered:
            self._lap_in(0)

"""One seed: a town, some days, its own mix of faults; then everything is mended, and the town has 120 s to agree."""

import random
import traceback
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from device.agent.config import Config
from tools.sim import faults, healing
from tools.sim.attackers import captured_gateway, guesser, replayer
from tools.sim.board import Locker, plug_in, unplug
from tools.sim.broker import Broker
from tools.sim.flash import Flash
from tools.sim.modules import Cabinetmaker
from tools.sim.people import Crowd
from tools.sim.rounds import rounds
from tools.sim.rules import Rules
from tools.sim.town import TIMER_MS, Town
from tools.sim.world import DAY, Life, Violation, World

KINDS = ("network", "broker", "power", "flash", "memory", "doors", "boards", "gateway", "backup", "guesser",
         "replayer", "captured", "slips", "drift", "modules")  # fmt: skip
_YOUNGEST = "modules"  # drawn apart, so that the seeds before it kept their other kinds, doors and days
CALM = 0.25  # the share of seeds in which a kind of fault is left out
MODULES = 0.4  # and of those in which modules come and go


@dataclass(frozen=True)
class Options:
    """Everything that a seed was expanded to; a failing one is run again by these."""

    seed: int
    lockers: int
    doors: int
    days: float
    visits: float  # couriers a day and locker
    kinds: tuple[str, ...]

    def text(self) -> str:
        return (
            f"--seed {self.seed} --lockers {self.lockers} --doors {self.doors} --days {self.days:g} "
            f"--visits {self.visits:g} --kinds {','.join(self.kinds) or 'none'}"
        )


def options_of(seed: int) -> Options:
    chance = random.Random(f"options {seed}")
    elder = [kind for kind in KINDS if kind != _YOUNGEST]
    kinds = tuple(kind for kind in elder if chance.random() > CALM and (kind != "captured" or chance.random() < 0.3))
    if chance.random() < 0.03:
        kinds = ()
    options = Options(
        seed=seed,
        lockers=chance.choice((1, 2, 2, 3)),
        doors=chance.choice((2, 4, 6)),
        days=chance.choice((1, 2, 4, 8)),
        visits=chance.choice((0.5, 1, 2, 3)),
        kinds=kinds,
    )
    if kinds and random.Random(f"modules {seed}").random() < MODULES:
        options = replace(options, kinds=(*kinds, _YOUNGEST))
    # A captured gateway needs something to harm.
    return replace(options, days=4, visits=3) if "captured" in kinds else options


@dataclass
class Outcome:
    options: Options
    rule: str = ""
    text: str = ""
    events: int = 0
    locker_days: float = 0.0
    trace: str = ""
    figures: dict[str, int] = field(default_factory=dict[str, int])

    def facts(self) -> dict[str, Any]:
        return asdict(self)


class Simulation:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.world = World(options.seed)
        self.rules = Rules(self.world)
        self.flash = Flash(self.world.chance, self._spend)
        plug_in(self.world, self.flash)
        self.broker = Broker(self.world)
        self.town = Town(self.world, self.broker)
        self.town.looked = lambda: self.rules.look_at(self.town)
        self.town.failed = self._gateway_failed
        self.lockers: dict[str, Locker] = {}
        self.makers: dict[str, Cabinetmaker] = {}
        for place in range(options.lockers):
            self._build(f"l{place + 1}")
        slip = 1.0 if "slips" in options.kinds else 0.0
        self.crowd = Crowd(self.world, self.town, self.rules, self.lockers, slip)

    def close(self) -> None:
        """Nothing of it is left in the process."""
        self.town.close()
        unplug()

    def _spend(self, kind: str) -> str:
        running = self.rules.running
        return "" if running is None else running.spend(kind)

    def _gateway_failed(self, name: str, fields: dict[str, Any]) -> None:
        if name in ("event_not_taken", "batch_failed", "lap_failed"):
            raise Violation("own fault", f"the gateway: {name} {fields}")

    def _build(self, name: str) -> None:
        sizes = "SMSMLS"[: self.options.doors]
        key = self.town.add_locker(name, sizes)
        numbers = list(range(1, len(sizes) + 1))
        letters = bytes("SML".index(size) for size in sizes)
        config = Config(name, 1, key, numbers, dict(self.town.keys.trusted), 12, True, letters)
        self.lockers[name] = Locker(self.world, config, self.flash, self.broker, self.rules)

    # -------------------------------------------------------------- a run
    def run(self) -> None:
        """Raises Violation."""
        world, options = self.world, self.options
        self.town.start()
        world.after(TIMER_MS, self.town.timer)
        for locker in self.lockers.values():
            locker.power_on()
            world.live(self._visits(locker))
            if "guesser" in options.kinds:
                world.live(guesser(self.crowd, locker))
        world.live(rounds(self.crowd))
        if "replayer" in options.kinds:
            world.live(replayer(self.crowd, self.broker))
        if "captured" in options.kinds:
            world.live(captured_gateway(self.crowd, self.broker))
        faults.plan(self)
        world.run(int(options.days * DAY))
        healing.heal(self)

    def _visits(self, locker: Locker) -> Life:
        while not self.world.healing:
            yield self.world.about(DAY / self.options.visits)
            if not self.world.healing:
                self.world.live(self.crowd.courier(locker, self.world.chance.randrange(1, 4)))


def play(options: Options, loud: bool = False) -> Outcome:
    outcome = Outcome(options)
    simulation = Simulation(options)
    simulation.world.loud = loud
    try:
        simulation.run()
    except Violation as violation:
        outcome.rule, outcome.text = violation.rule, str(violation)
    except Exception as error:  # ours, or the simulator's: one seed's, and the others shall be played
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome.rule, outcome.text = "error", f"error: {error!r} at {where.filename}, line {where.lineno}"
    finally:
        simulation.close()
    world, rules = simulation.world, simulation.rules
    outcome.events = world.events
    outcome.locker_days = options.lockers * world.now / DAY
    outcome.trace = world.trace_hash()
    outcome.figures = {
        "deposits": rules.deposits,
        "pickups": rules.pickups,
        "records": sum(len(book.records) for book in rules.books.values()),
    }
    return outcome


def shrunk(options: Options) -> Options:
    """A smaller run that breaks the same rule: fewer kinds of faults, less time, fewer lockers."""
    rule = play(options).rule
    tries = [replace(options, kinds=tuple(one for one in options.kinds if one != kind)) for kind in options.kinds]
    for smaller in tries:
        candidate = replace(options, kinds=tuple(one for one in options.kinds if one in smaller.kinds))
        if play(candidate).rule == rule:
            options = candidate
    for change in (
        {"lockers": 1},
        {"doors": 2},
        {"days": options.days / 2},
        {"days": options.days / 4},
        {"visits": 1},
    ):
        candidate = replace(options, **change)
        if candidate != options and play(candidate).rule == rule:
            options = candidate
    return options

"""Modules come and go while parcels lie inside: a board is replaced, one is away for a day, doors are added, a number
is put to rest. Each time the locker restarts on another description, as after `config try`; some fall back of
themselves.

What must hold is told by the rules: a start knows every parcel that the flash knows, whatever is bolted on; a code
opens its own door; and at the end, with all modules back, every customer is served.
"""

from typing import TYPE_CHECKING, Any

from device.agent.config import Config
from device.agent.described import layout
from gateway.services import doors
from protocol.numbers import SIZES
from tools.sim.cabinet import Door
from tools.sim.technician import Technician
from tools.sim.town import OPERATOR
from tools.sim.world import DAY, HOUR, MINUTE, SECOND, Life

if TYPE_CHECKING:
    from tools.sim.board import Locker
    from tools.sim.run import Simulation

NUMBERS_MAX = 9
LEAVING = "OUT"  # the name of a module that is led out
TRIAL_MS = MINUTE


class Cabinetmaker:
    """What is bolted to one locker. `away`: numbers whose module is; `retired`: numbers that are over."""

    def __init__(self, simulation: "Simulation", locker: "Locker") -> None:
        self._simulation = simulation
        self._locker = locker
        self._sizes = dict(zip(locker.config.numbers, locker.config.sizes, strict=True))
        self._ever = dict(self._sizes)
        self.away: set[int] = set()
        self.retired: set[int] = set()
        self.leaving = 0
        self._turned = False

    # -------------------------------------------------------------- what may be done
    def replace(self) -> None:
        """The same doors on other boards: told in another order, under other names."""
        self._turned = not self._turned

    def take_off(self) -> None:
        numbers = sorted(self._sizes)
        self.away = set(self._simulation.world.chance.choice((numbers[: len(numbers) // 2], numbers[-1:])))

    def bring_back(self) -> None:
        self.away = set()

    def put_back(self) -> bool:
        """Whether one was missing that holds a parcel: it came in while the new doors were tried, and these fell back.
        The operator was told (`compartment_missing`), and whoever comes for it that its door is out of service."""
        doors = self._locker.cabinet.doors
        known = self._sizes.keys() | self.retired
        missing = [number for number in self._ever if doors[number].inside and number not in known]
        for number in missing:
            self._sizes[number] = self._ever[number]
        return bool(missing)

    def add(self) -> None:
        """New ones follow the highest that ever was."""
        if len(self._sizes) < NUMBERS_MAX:
            number = max((*self._sizes, *self.retired)) + 1
            self._sizes[number] = self._ever[number] = self._simulation.world.chance.randrange(len(SIZES))
            self._locker.cabinet.doors.setdefault(number, Door(number))

    def single_out(self) -> None:
        """One compartment is a module of its own from here on: to be retired."""
        doors = self._locker.cabinet.doors
        full = [number for number in sorted(self._sizes) if doors[number].inside]
        self.leaving = self._simulation.world.chance.choice(full or sorted(self._sizes)) if len(self._sizes) > 2 else 0

    def retire(self) -> None:
        """Once nothing is left in it."""
        del self._sizes[self.leaving]
        self.retired.add(self.leaving)
        self.leaving = 0

    # -------------------------------------------------------------- how it is described
    def state(self) -> tuple[Any, ...]:
        return dict(self._sizes), set(self.away), set(self.retired), self.leaving, self._turned

    def return_to(self, state: tuple[Any, ...]) -> None:
        self._sizes, self.away, self.retired, self.leaving, self._turned = state

    def restart(self) -> None:
        """On that description: it is the power that goes."""
        locker = self._locker
        there = [number for number in sorted(self._sizes) if number not in self.away]
        stays = [number for number in there if number != self.leaving]
        half = len(stays) // 2
        modules = [self._module(name, numbers) for name, numbers in (("A", stays[:half]), ("B", stays[half:]))]
        if self.leaving in there:
            modules.append(self._module(LEAVING, [self.leaving]))
        if self._turned:
            modules = [{**module, "name": _turned(module["name"])} for module in reversed(modules)]
        document = {"modules": modules, "retired": sorted(self.retired)}
        former = locker.config
        sizes = bytes(self._sizes[number] for number in there)
        locker.power_off()
        locker.config = Config(
            former.locker, former.generation, former.key, there, former.trusted, former.code_digits, True, sizes
        )
        locker.modules = layout(document)
        locker.cabinet.absent = set(locker.cabinet.doors) - set(there)
        self._simulation.world.note(locker.name, "modules", there, sorted(self.retired), self._turned)
        locker.power_on()

    def _module(self, name: str, numbers: list[int]) -> dict[str, Any]:
        boxes = [{"number": number, "size": SIZES[self._sizes[number]]} for number in numbers]
        return {"name": name, "compartments": boxes}


def _turned(name: str) -> str:
    return name if name == LEAVING else "N" + name


def plan(simulation: "Simulation") -> None:
    for locker in simulation.lockers.values():
        maker = simulation.makers[locker.name] = Cabinetmaker(simulation, locker)
        simulation.world.live(_visits(simulation, locker, maker))


def _visits(simulation: "Simulation", locker: "Locker", maker: Cabinetmaker) -> Life:
    """A technician comes, waits until nobody is at the panel, and does one thing. What is to be retired is led out
    first, which may take days."""
    world = simulation.world
    often = world.chance.choice((12 * HOUR, DAY))
    while True:
        yield world.about(often)
        while not world.healing and (_is_busy(simulation, locker) or not locker.powered):
            yield MINUTE
        if world.healing:
            return
        before = maker.state()
        if maker.away:
            maker.bring_back()
        else:
            world.chance.choice((maker.replace, maker.take_off, maker.take_off, maker.add, maker.single_out))()
        yield from _take_down(simulation, locker, sorted(maker.away))
        maker.restart()
        if maker.leaving:
            if (yield from Technician(simulation, locker, LEAVING).lead_out()):
                before = maker.state()
                maker.retire()
                maker.restart()
            elif world.healing:
                return
        if world.happens(0.2):  # nobody confirms it: the one before comes back by itself
            yield TRIAL_MS
            if not world.healing:
                maker.return_to(before)
                maker.restart()


def _take_down(simulation: "Simulation", locker: "Locker", numbers: list[int]) -> Life:
    """Some screws are behind an empty compartment's door, which is opened by its key: nobody asked the locker."""
    for number in numbers:
        if simulation.world.happens(0.3) and not locker.cabinet.doors[number].inside:
            locker.cabinet.swing(number, True)
            yield 2 * SECOND
            locker.cabinet.swing(number, False)
            yield 2 * SECOND
        simulation.world.live(_try_in_vain(simulation, locker, number))


def _try_in_vain(simulation: "Simulation", locker: "Locker", number: int) -> Life:
    """The operator, who has not been told that it is off, orders that compartment open; and once more."""
    for _ in range(2):
        yield 10 * SECOND
        if not locker.cabinet.doors[number].inside:
            simulation.town.do(doors.open_compartment, OPERATOR, locker.name, number, "check")
            yield 10 * SECOND
            locker.cabinet.swing(number, False)


def _is_busy(simulation: "Simulation", locker: "Locker") -> bool:
    return locker.name in simulation.crowd.at_panel or bool(locker.cabinet.silent)


def all_back(simulation: "Simulation") -> None:
    """The end: what is not retired is there."""
    for maker in simulation.makers.values():
        if maker.put_back() or maker.away:
            maker.bring_back()
            maker.restart()

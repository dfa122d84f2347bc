"""What goes wrong in one seed: each kind draws how bad it is, and lives its own life until the healing begins."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tools.sim import modules
from tools.sim.broker import Habits
from tools.sim.cabinet import FAULTS
from tools.sim.world import DAY, HOUR, MINUTE, SECOND, Life

if TYPE_CHECKING:
    from tools.sim.board import Locker
    from tools.sim.run import Simulation


def plan(simulation: "Simulation") -> None:
    for kind in simulation.options.kinds:
        begin = _KINDS.get(kind)
        if begin is not None:
            begin(simulation)


def _each(simulation: "Simulation", life: "Callable[[Simulation, Locker], Life]") -> None:
    for locker in simulation.lockers.values():
        simulation.world.live(life(simulation, locker))


# ------------------------------------------------------------------ network and broker
def _network(simulation: "Simulation") -> None:
    chance = simulation.world.chance
    simulation.broker.habits = Habits(
        lose=chance.choice((0.0, 0.0, 0.02, 0.3)),
        double=chance.choice((0.0, 0.1, 0.5)),
        hold=chance.choice((0.0, 0.0, 0.02, 0.1)),
        delay_ms=chance.choice((20, 20, 80, 700)),
    )
    _each(simulation, _line)


def _line(simulation: "Simulation", locker: "Locker") -> Life:
    """Breaks for seconds, hours, or most of the run; or hangs half open."""
    world, line = simulation.world, locker.line
    often = world.chance.choice((4 * HOUR, 12 * HOUR, 2 * DAY))
    while True:
        yield world.about(often)
        if world.healing:
            return
        if world.happens(0.3):
            line.deaf = line.connected
            continue
        if world.happens(0.4):
            line.cut()
            continue
        line.up = False
        line.cut()
        yield world.about(world.chance.choice((MINUTE, HOUR, DAY, 5 * DAY)))
        line.up = True
        locker.nudge()


def _broker(simulation: "Simulation") -> None:
    simulation.world.live(_broker_life(simulation))


def _broker_life(simulation: "Simulation") -> Life:
    world = simulation.world
    often = world.chance.choice((3 * HOUR, DAY))
    while True:
        yield world.about(often)
        if world.healing:
            return
        simulation.broker.stop(wipe=world.happens(0.5))
        yield world.about(world.chance.choice((5 * SECOND, 10 * MINUTE, 3 * HOUR)))
        if not world.healing:
            simulation.broker.start()
            simulation.town.start()


# ------------------------------------------------------------------ power, flash, memory
def _power(simulation: "Simulation") -> None:
    _each(simulation, _cuts)


def _cuts(simulation: "Simulation", locker: "Locker") -> Life:
    """At the n-th thing it does from now on, ten times as often while flash is written; or at once; or for hours."""
    world = simulation.world
    often = world.chance.choice((2 * HOUR, 6 * HOUR, DAY))
    while True:
        yield world.about(often)
        if world.healing:
            return
        if world.happens(0.8):
            locker.flash_only = world.happens(0.9)
            locker.fuse = world.chance.randrange(0, 6)
        else:
            locker.power_off(world.about(world.chance.choice((SECOND, MINUTE, 5 * HOUR))))


def _flash(simulation: "Simulation") -> None:
    for locker in simulation.lockers.values():
        if simulation.world.happens(0.3):
            simulation.flash.blocks[locker.folder] = 48
    _each(simulation, _full)


def _full(simulation: "Simulation", locker: "Locker") -> Life:
    world, flash = simulation.world, simulation.flash
    while True:
        yield world.about(2 * DAY)
        if world.healing:
            return
        flash.full.add(locker.folder)
        yield world.about(20 * SECOND)
        flash.full.discard(locker.folder)


def _memory(simulation: "Simulation") -> None:
    _each(simulation, _out_of_memory)


def _out_of_memory(simulation: "Simulation", locker: "Locker") -> Life:
    world = simulation.world
    while True:
        yield world.about(8 * HOUR)
        if world.healing:
            return
        locker.memory_left = world.chance.randrange(1, 12)


# ------------------------------------------------------------------ doors
def _doors(simulation: "Simulation") -> None:
    _each(simulation, _breaking)


def _breaking(simulation: "Simulation", locker: "Locker") -> Life:
    world, cabinet = simulation.world, locker.cabinet
    often = world.chance.choice((8 * HOUR, 2 * DAY))
    while True:
        yield world.about(often)
        if world.healing:
            return
        number = world.chance.choice(locker.config.numbers)
        if world.happens(0.2):
            cabinet.swing(number, True)  # forced
            yield world.about(MINUTE)
            cabinet.swing(number, False)
            continue
        cabinet.break_door(number, world.chance.choice(FAULTS))
        yield world.about(4 * HOUR)
        cabinet.mend_door(number)


def _boards(simulation: "Simulation") -> None:
    _each(simulation, _loose_plug)


def _loose_plug(simulation: "Simulation", locker: "Locker") -> Life:
    """The board of some doors is off for a moment, a while, or a day; a day may come in many pieces."""
    world = simulation.world
    often = world.chance.choice((6 * HOUR, DAY, 3 * DAY))
    while True:
        yield world.about(often)
        if world.healing:
            return
        numbers = locker.config.numbers
        locker.unplug_board(numbers[: max(1, len(numbers) // 2)])
        yield world.about(world.chance.choice((SECOND, 5 * SECOND, 20 * SECOND, HOUR, DAY)))
        locker.plug_board()


# ------------------------------------------------------------------ the gateway
def _gateway(simulation: "Simulation") -> None:
    simulation.world.live(_kills(simulation))


def _kills(simulation: "Simulation") -> Life:
    world, town = simulation.world, simulation.town
    often = world.chance.choice((HOUR, 4 * HOUR, DAY))
    while True:
        yield world.about(often)
        if world.healing:
            return
        if world.happens(0.4):
            town.kill_before_commit = True
        elif world.happens(0.6):
            town.connection.die_at = world.chance.randrange(0, 4)
        elif town.running:
            town.kill()
            yield world.about(world.chance.choice((10 * SECOND, 2 * HOUR)))
            town.start()


def _backup(simulation: "Simulation") -> None:
    simulation.world.live(_restores(simulation))


def _restores(simulation: "Simulation") -> Life:
    """The machine is lost now and then; its newest copy is up to a day old."""
    world, town = simulation.world, simulation.town
    while True:
        yield world.about(DAY)
        if world.healing:
            return
        copy = town.back_up()
        yield world.about(world.chance.choice((10 * MINUTE, 6 * HOUR)))
        if world.healing:
            copy.close()
            return
        town.restore(copy)
        simulation.rules.restored(town)
        yield world.about(5 * MINUTE)
        town.start()


def _drift(simulation: "Simulation") -> None:
    for locker in simulation.lockers.values():
        locker.drift_ppm = simulation.world.chance.randrange(-200, 201)


_KINDS = {
    "network": _network,
    "broker": _broker,
    "power": _power,
    "flash": _flash,
    "memory": _memory,
    "doors": _doors,
    "boards": _boards,
    "modules": modules.plan,
    "gateway": _gateway,
    "backup": _backup,
    "drift": _drift,
}

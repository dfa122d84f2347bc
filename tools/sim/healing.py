"""The end of a run: everything works again, people finish what they began, and the town has its deadline to agree.

L1: journals drained, both sides' doors equal or flagged, within 120 s. L2: every customer with a valid code has the
parcel, at once. And the sum of all: no parcel that lies in a locker is missing from the books, and none in the books
is missing from its door, unless somebody was told to look.
"""

from typing import TYPE_CHECKING

from protocol.numbers import FREE, HELD
from tools.sim.cabinet import Door
from tools.sim.modules import all_back
from tools.sim.rounds import go_round, look_for_dead_codes
from tools.sim.world import HOUR, MINUTE, SECOND, Life

if TYPE_CHECKING:
    from tools.sim.board import Locker
    from tools.sim.people import Parcel
    from tools.sim.run import Simulation

_AGREE_MS = 120 * SECOND
_LEFT_OPEN = (
    "SELECT 1 FROM parcels p JOIN alarms a ON a.locker = p.locker AND a.compartment = p.compartment"
    " WHERE p.number = ? AND p.state = 'collected' AND a.kind = 'door_left_open' AND a.raised_s >= p.deposited_s"
)
_ALARMS = "SELECT kind FROM alarms WHERE locker = ? AND compartment = ? AND cleared_s IS NULL"


def heal(simulation: "Simulation") -> None:
    world = simulation.world
    world.healing = True
    _mend(simulation)
    world.run(world.now + HOUR)  # who is still on the way finishes; what was held back for long arrives
    _mend(simulation)
    world.run(world.now + _AGREE_MS)
    for locker in simulation.lockers.values():
        _agrees(simulation, locker)
    look_for_dead_codes(simulation.crowd)
    for locker in simulation.lockers.values():
        go_round(simulation.crowd, locker)
    world.run(world.now + _AGREE_MS)
    _customers_come(simulation)
    world.run(world.now + 10 * MINUTE)
    for locker in simulation.lockers.values():
        go_round(simulation.crowd, locker)
    world.run(world.now + _AGREE_MS)
    look_for_dead_codes(simulation.crowd)
    _nothing_is_lost(simulation)


def _mend(simulation: "Simulation") -> None:
    town, broker = simulation.town, simulation.broker
    broker.habits.lose = broker.habits.double = broker.habits.hold = 0.0
    broker.habits.delay_ms = 20
    broker.start()
    town.kill_before_commit = False
    town.connection.die_at = -1
    town.start()
    all_back(simulation)
    for locker in simulation.lockers.values():
        simulation.flash.full.discard(locker.folder)
        simulation.flash.blocks.pop(locker.folder, None)
        locker.fuse = -1
        locker.memory_left = -1
        locker.line.up = True
        locker.line.deaf = False
        locker.plug_board()
        for number, door in locker.cabinet.doors.items():
            locker.cabinet.mend_door(number)
            if door.open and locker.name not in simulation.crowd.at_panel:  # not in anybody's face
                locker.cabinet.swing(number, False)
        if not locker.powered:
            locker.power_on()
        locker.nudge()


def _agrees(simulation: "Simulation", locker: "Locker") -> None:
    """L1."""
    rules, town = simulation.rules, simulation.town
    book = rules.books[locker.name]
    agent = None if locker.shell is None else locker.shell.agent
    if agent is None:
        rules.broken("L3", f"{locker.name} is not up")
        return
    (last_seq,) = town.rows("SELECT last_seq FROM lockers WHERE id = ?", locker.name)[0]
    if not agent.link.online or last_seq != len(book.records) or agent.link.acked != last_seq:
        said = f"journal {len(book.records)}, books {last_seq}, acked {agent.link.acked}"
        rules.broken("L1", f"{locker.name} is {agent.link.state}: {said}")
    for number, holding, quarantined, out in town.rows(
        "SELECT number, holding, quarantined, out_of_service FROM compartments WHERE locker = ?", locker.name
    ):
        place = agent.books.place(number)
        known = FREE if place is None else agent.books.holdings[place]  # retired, or of no module that ever told
        if holding != known and not quarantined and not out:
            rules.broken("L1", f"door {number} of {locker.name} holds {known} there and {holding} in the books")


def _customers_come(simulation: "Simulation") -> None:
    """L2: each with a parcel in the books comes now, one after the other, and must go with it."""
    world, crowd = simulation.world, simulation.crowd
    crowd.slip = 0.0
    for parcel in list(crowd.parcels.values()):
        row = simulation.town.rows("SELECT state FROM parcels WHERE number = ?", parcel.number)
        if not row or row[0][0] != "deposited" or parcel.place == "owner":
            continue
        crowd.ask_code(parcel)
        if not parcel.code and _excused(simulation, parcel):
            continue  # taken back, as far as its code goes, before anybody had asked for it
        done: list[bool] = []

        def visit(one: "Parcel" = parcel, said: list[bool] = done) -> Life:
            if (yield from crowd.turn(one.locker)):
                said.append((yield from crowd.collect(one)))
                crowd.at_panel.discard(one.locker.name)

        world.live(visit())
        world.run(world.now + 3 * MINUTE)
        if parcel.place != "owner" and done != [True] and not _excused(simulation, parcel):
            said = f"{parcel.label}: {parcel.locker.screen}, it is {where(parcel)}"
            simulation.rules.broken("L2", f"{parcel.locker.name} does not hand out parcel {said}")


def where(parcel: "Parcel") -> str:
    return parcel.place if isinstance(parcel.place, str) else f"behind door {parcel.place.number}"


def _excused(simulation: "Simulation", parcel: "Parcel") -> bool:
    """A sensor lied about its door since a person looked there, a person has taken it out or is told to look there, or
    somebody wanted it back: its code was revoked, and only the opening failed, which that person was told."""
    if isinstance(parcel.place, str) or parcel.place.lied or parcel.place.number in _quarantined(simulation, parcel):
        return True
    row = simulation.town.rows("SELECT compartment, deposit FROM parcels WHERE number = ?", parcel.number)
    return bool(row) and row[0] in simulation.rules.books[parcel.locker.name].revoked


def _quarantined(simulation: "Simulation", parcel: "Parcel") -> list[int]:
    rows = simulation.town.rows("SELECT number FROM compartments WHERE locker = ? AND quarantined", parcel.locker.name)
    return [number for (number,) in rows]


def _nothing_is_lost(simulation: "Simulation") -> None:
    rules, town = simulation.rules, simulation.town
    for locker in simulation.lockers.values():
        for number, holding, quarantined in town.rows(
            "SELECT number, holding, quarantined FROM compartments WHERE locker = ?", locker.name
        ):
            door = locker.cabinet.doors[number]
            flagged = quarantined or door.lied or town.rows(_ALARMS, locker.name, number)
            if door.inside and holding == FREE and not flagged and not _left_behind(simulation, door):
                rules.broken("books", f"a parcel lies behind door {number} of {locker.name}, and nobody knows")
            if not door.inside and holding == HELD and not flagged and not _never_put_in(simulation, locker, number):
                rules.broken("books", f"no parcel lies behind door {number} of {locker.name}, and the books have one")


def _never_put_in(simulation: "Simulation", locker: "Locker", number: int) -> bool:
    """Its courier left with the parcel in hand and the door open, which somebody shut: nobody can know."""
    labels = simulation.town.rows(
        "SELECT p.label FROM allocations a JOIN parcels p ON p.number = a.parcel"
        " WHERE a.locker = ? AND a.compartment = ? AND a.ended_s IS NULL",
        locker.name,
        number,
    )
    parcels = simulation.crowd.parcels.values()
    return any((one.label,) in labels and one.place in ("hand", "gone") for one in parcels)


def _left_behind(simulation: "Simulation", door: Door) -> bool:
    """Whoever opened it with the right code let it stand open, which somebody was told of, and did not take it."""
    return all(simulation.town.rows(_LEFT_OPEN, parcel.number) for parcel in door.inside)

"""The operator, key in hand: goes round, looks behind doubted doors, takes parcels back, sets the books right."""

from typing import TYPE_CHECKING

from gateway.services import doors, parcels, reissues
from gateway.services.dead_codes import WITHOUT_CODE
from tools.sim.cabinet import Door
from tools.sim.people import Crowd
from tools.sim.technician import HANDED_IN
from tools.sim.town import OPERATOR
from tools.sim.world import HOUR, SECOND, Life

if TYPE_CHECKING:
    from tools.sim.board import Locker

_UNTOLD = (
    "SELECT c.locker, c.number, p.label FROM compartments c"
    " JOIN allocations a ON a.locker = c.locker AND a.compartment = c.number AND a.ended_s IS NULL"
    " JOIN parcels p ON p.number = a.parcel AND p.state = 'deposited' WHERE c.holding = 3"
    " AND NOT EXISTS (SELECT 1 FROM alarms WHERE locker = c.locker AND compartment = c.number AND cleared_s IS NULL)"
    " AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.parcel = p.number AND o.ended_s IS NULL)"
)
_COLLECTED = "SELECT 1 FROM parcels WHERE number = ? AND state = 'collected'"
_ALARM = "SELECT 1 FROM alarms WHERE locker = ? AND compartment = ? AND kind = ? AND cleared_s IS NULL"


def look_for_dead_codes(crowd: Crowd) -> None:
    """L4: a parcel inside has a code that opens its door, or somebody is told; what a technician took out and said
    nothing of is nobody's pickup."""
    for locker, number, label in crowd.town.rows(_UNTOLD):
        crowd.rules.broken("L4", f"{label} lies behind door {number} of {locker} without a code, and nobody is told")
    for parcel in crowd.parcels.values():
        if parcel.place == HANDED_IN and crowd.town.rows(_COLLECTED, parcel.number):
            crowd.rules.broken("L4", f"{parcel.label} is with the technician, and was collected by the books")


def rounds(crowd: Crowd) -> Life:
    while not crowd.world.healing:
        yield crowd.world.about(8 * HOUR)
        if crowd.town.running:
            look_for_dead_codes(crowd)
        for locker in crowd.lockers.values():
            go_round(crowd, locker)
            if crowd.world.happens(0.3):
                yield from _take_back(crowd, locker)
            if crowd.world.happens(0.3):
                number = crowd.world.chance.choice(locker.config.numbers)
                if not locker.cabinet.doors[number].inside:
                    crowd.town.do(doors.open_compartment, OPERATOR, locker.name, number, "check")
                    yield 20 * SECOND
                    locker.cabinet.swing(number, False)


def _take_back(crowd: Crowd, locker: "Locker") -> Life:
    """A parcel goes back to its sender: its code is revoked, its door opened by command, and the code tried again."""
    inside = [
        parcel for parcel in crowd.parcels.values() if parcel.locker is locker and parcel.place in _doors(locker)
    ]
    if not inside or locker.name in crowd.at_panel:
        return
    parcel = crowd.world.chance.choice(inside)
    crowd.ask_code(parcel)
    if crowd.town.do(parcels.take_back, OPERATOR, parcel.number) is None:
        return
    door = parcel.place
    for _ in range(130):  # as long as the order may come
        yield SECOND
        if isinstance(door, Door) and door.open and parcel in door.inside:
            door.inside.remove(parcel)
            parcel.place = "gone"
            yield 2 * SECOND
            locker.cabinet.swing(door.number, False)
            yield 5 * SECOND
            if parcel.code:
                crowd.revoked.append((locker, parcel.code, parcel.token))
                yield from crowd.try_revoked(locker)
            return


def _doors(locker: "Locker") -> list[Door]:
    return list(locker.cabinet.doors.values())


def go_round(crowd: Crowd, locker: "Locker") -> None:
    """With a key in hand: looks behind every door that is doubted, shuts what stands open, sets the books right."""
    for number, quarantined in crowd.town.rows(
        "SELECT number, quarantined FROM compartments WHERE locker = ?", locker.name
    ):
        door = locker.cabinet.doors[number]
        doubted = quarantined or number in crowd.rules.books[locker.name].quarantined
        doubted = doubted or crowd.town.rows(_ALARM, locker.name, number, WITHOUT_CODE)
        if doubted and locker.name not in crowd.at_panel and not door.fault:
            _look_inside(crowd, locker, number)


def _look_inside(crowd: Crowd, locker: "Locker", number: int) -> None:
    door = locker.cabinet.doors[number]
    kept = crowd.town.rows(
        "SELECT a.parcel, p.state FROM allocations a JOIN parcels p ON p.number = a.parcel"
        " WHERE a.locker = ? AND a.compartment = ? AND a.ended_s IS NULL AND a.until_s IS NULL",
        locker.name, number,
    )  # fmt: skip
    booked = {number for number, state in kept if state == "deposited"}
    for parcel in list(door.inside):
        if parcel.number not in booked:
            door.inside.remove(parcel)
            parcel.place = "gone"
    locker.cabinet.swing(number, False)
    if door.inside:
        if crowd.town.rows(_ALARM, locker.name, number, WITHOUT_CODE):
            crowd.town.do(reissues.reissue, OPERATOR, door.inside[0].number)
        return
    door.lied = False
    for parcel, state in kept:
        if state in ("deposited", "expired", "disputed") and not door.inside:
            crowd.town.do(parcels.take_back, OPERATOR, parcel)
    crowd.town.do(doors.release_compartment, OPERATOR, locker.name, number, "checked")

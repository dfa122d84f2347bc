"""Those who mean harm: guessers, replayers, a captured gateway. And the operator, who goes round, looks and mends."""

from typing import TYPE_CHECKING

from gateway.domain.people import Principal
from gateway.services import doors, parcels
from protocol import damm
from protocol.messages import Assign, Down, Message, Open, Revoke
from tools.sim.broker import Broker
from tools.sim.cabinet import Door
from tools.sim.people import Crowd
from tools.sim.town import OPERATOR
from tools.sim.world import DAY, HOUR, MINUTE, SECOND, Life

if TYPE_CHECKING:
    from tools.sim.board import Locker

_BOSS: Principal = OPERATOR


# ------------------------------------------------------------------ harm
def guesser(crowd: Crowd, locker: "Locker") -> Life:
    """Types what is well-formed, pulls the plug against pause and throttle, and tries what was once good."""
    chance = crowd.world.chance
    while not crowd.world.healing:
        yield crowd.world.about(16 * HOUR)
        for _ in range(chance.randrange(3, 18)):
            if crowd.world.healing:
                return
            yield from _try_something(crowd, locker)
            if chance.random() < 0.2:
                locker.power_off(SECOND)
            yield chance.choice((500, 5_500, 5_500))


def _try_something(crowd: Crowd, locker: "Locker") -> Life:
    chance = crowd.world.chance
    kind = chance.random()
    old = [code for parcel in crowd.parcels.values() for code in parcel.old_codes]
    if kind < 0.5 or not crowd.used_codes:
        front = f"{chance.randrange(10**11):011d}"
        yield from crowd.keys(locker, front + damm.check_digit(front))
    elif kind < 0.7:
        yield from crowd.keys(locker, chance.choice(crowd.used_codes)[1])
    elif kind < 0.85 and old:
        yield from crowd.keys(locker, chance.choice(old))
    else:
        locker.scan(chance.choice(crowd.stale_tokens)[1])


def replayer(crowd: Crowd, broker: Broker) -> Life:
    """A hostile broker: says again what it has heard, at any time later."""
    while not crowd.world.healing:
        yield crowd.world.about(30 * MINUTE)
        if broker.overheard and broker.running:
            recent = broker.overheard[-40:] if crowd.world.happens(0.7) else broker.overheard
            locker, payload = crowd.world.chance.choice(recent)
            broker.line(locker).publish(payload)


def captured_gateway(crowd: Crowd, broker: Broker) -> Life:
    """Somebody has the gateway's keys for an hour: orders without number, and with times of their choosing."""
    world, town = crowd.world, crowd.town
    yield DAY + world.about(DAY)
    for _ in range(120):
        if world.healing:
            return
        locker = world.chance.choice(list(crowd.lockers.values()))
        order = _harmful(crowd, locker)
        issued = world.unix_s - world.chance.choice((0, 0, 0, 30, 70, 86_400, -30))
        down = Down(world.chance.randbytes(8), issued, world.chance.choice((60, 60, 3_600)), order)
        crowd.rules.ordered.setdefault(down.id, world.now - (world.unix_s - issued) * SECOND)
        if isinstance(order, Revoke):
            crowd.rules.revokes[down.id] = order.deposit
        broker.line(locker.name).publish(town.envelopes.seal(locker.name, down))
        yield world.about(40 * SECOND)
        for door in locker.cabinet.doors.values():
            if not locker.cabinet.closed_by_sensor(door.number) and locker.name not in crowd.at_panel:
                locker.cabinet.swing(door.number, False)  # passers-by
        if world.happens(0.05):
            locker.power_off(SECOND)


def _harmful(crowd: Crowd, locker: "Locker") -> Message:
    """Doors nobody asked for; and what was over long ago, said again under a new id."""
    chance = crowd.world.chance
    number = chance.choice(locker.config.numbers)
    kind = chance.random()
    if kind < 0.2:
        return Assign(locker.boot or 1, chance.randrange(1, 5), number, chance.getrandbits(60))
    spent = [deposit for deposit in crowd.rules.books[locker.name].collected if deposit[0] == number]
    if kind < 0.3 and spent:
        return Revoke(*chance.choice(spent))
    return Open(number, "none")


# ------------------------------------------------------------------ the operator
def operator(crowd: Crowd) -> Life:
    while not crowd.world.healing:
        yield crowd.world.about(8 * HOUR)
        for locker in crowd.lockers.values():
            go_round(crowd, locker)
            if crowd.world.happens(0.3):
                yield from _take_back(crowd, locker)
            if crowd.world.happens(0.3):
                number = crowd.world.chance.choice(locker.config.numbers)
                if not locker.cabinet.doors[number].inside:
                    crowd.town.do(doors.open_compartment, _BOSS, locker.name, number, "check")
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
    if crowd.town.do(parcels.take_back, _BOSS, parcel.number) is None:
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
        return
    door.lied = False
    for parcel, state in kept:
        if state in ("deposited", "expired", "disputed") and not door.inside:
            crowd.town.do(parcels.take_back, _BOSS, parcel)
    crowd.town.do(doors.release_compartment, _BOSS, locker.name, number, "checked")

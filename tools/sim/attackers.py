"""Those who mean harm: guessers who pull the plug, a broker that says old things again, a captured gateway."""

from typing import TYPE_CHECKING

from protocol import damm
from protocol.messages import Assign, Down, Message, Open, Revoke
from tools.sim.broker import Broker
from tools.sim.people import Crowd
from tools.sim.world import DAY, HOUR, MINUTE, SECOND, Life

if TYPE_CHECKING:
    from tools.sim.board import Locker


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

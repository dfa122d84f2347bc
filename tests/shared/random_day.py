"""A locker in the hands of chance: keys, scans, doors, cables, commands and time, all from one seed.

The hash over every effect is the same on both interpreters, or the two do not run the same agent.
"""

import hashlib

from rig import Rig
from tokens_of_rig import (
    COURIER_TOKEN,
    DELEGATE_TOKEN,
    FOREIGN_LOCKER_TOKEN,
    FOREIGN_SIGNER_TOKEN,
    PICKUP_TOKEN,
    TECHNICIAN_TOKEN,
)

from device.agent import events as on
from protocol import messages, numbers

_NUMBERS = [1, 2, 3, 4, 5]
_SCANS = (
    COURIER_TOKEN,
    COURIER_TOKEN,
    PICKUP_TOKEN,
    DELEGATE_TOKEN,
    TECHNICIAN_TOKEN,
    FOREIGN_LOCKER_TOKEN,
    FOREIGN_SIGNER_TOKEN,
    "LABEL-7",
    "\x00\x01",
)
_LINES = (
    b"status\r",
    b"doors\r",
    b"login anna\r",
    b"open 2\r",
    b"journal\r",
    b"\x03",
    b"noise\xff\r",
    b"time\r",
    b"net\n",
)


class Chance:
    """xorshift32 (Marsaglia 2003): both interpreters have it, because we bring it."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2654435761 & 0xFFFFFFFF or 1

    def below(self, bound: int) -> int:
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        return state % bound


def _assign(rig: Rig, chance: Chance) -> None:
    requests = rig.gateway.heard(messages.DepositRequested)
    if requests:
        number = _NUMBERS[chance.below(5)]
        rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, requests[-1].request, number, chance.below(1000) + 1)))


def _whole_deposit(rig: Rig, chance: Chance) -> None:
    """What a courier does without hesitation; chance has the steps one by one, too."""
    rig.keys("*")
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(b"LABEL-8"))
    _assign(rig, chance)
    if chance.below(4):
        for number in _NUMBERS:
            if not rig.closed[number]:
                rig.push(number)


def _offline_deposit(rig: Rig, chance: Chance) -> None:
    """What a courier does where no gateway answers; where one does, the keys are noise."""
    rig.keys("*")
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(b"LABEL-9" if chance.below(2) else b"LABEL-8"))
    rig.keys("123"[chance.below(3)])
    if chance.below(4) == 0:
        rig.keys("B")
    if chance.below(4):
        for number in _NUMBERS:
            if not rig.closed[number]:
                rig.push(number)


def _code(rig: Rig, chance: Chance) -> None:
    place = chance.below(5)
    if rig.agent.books.holdings[place] != numbers.HELD and chance.below(100):
        return
    rig.keys(rig.code(_NUMBERS[place], max(1, rig.agent.books.deposit(place))))


def _command(rig: Rig, chance: Chance) -> None:
    number = _NUMBERS[chance.below(5)]
    place = number - 1
    commands = (
        messages.Open(number, "look"),
        messages.Release(number),
        messages.Release(number),
        messages.Revoke(number, rig.agent.books.deposit(place)),
        messages.OutOfService(number, chance.below(4) == 0),
        messages.Identify(),
        messages.Reissue(number, rig.agent.books.deposit(place)),
        messages.Join(number, rig.agent.books.deposit(place), 1 + chance.below(2)),
        messages.RevokeToken(b"neighbor", 4_000_000_000),
        messages.TrustPart(b"kid4", 776 * chance.below(4), bytes(776)),
        messages.Trust(bytes(chance.below(200) + 1)),
        messages.Reserved(bytes([chance.below(64)])),
        messages.Decline(rig.agent.boot, chance.below(9), 22),
        messages.Ack(chance.below(rig.agent.books.seq + 2)),
        messages.Resend(1 + chance.below(max(1, rig.agent.books.seq))),
    )
    packet = rig.gateway.say(commands[chance.below(len(commands))], age_s=chance.below(80))
    rig.say(packet)
    if chance.below(4) == 0:
        rig.say(packet)


def _cable(rig: Rig, chance: Chance) -> None:
    rig.online = chance.below(4) != 0
    if not rig.online:
        rig.do(on.LinkClosed("reset"))


def _noise(rig: Rig, chance: Chance) -> None:
    data = bytes([chance.below(256) for _ in range(1 + chance.below(40))])
    if chance.below(3) == 0:
        rig.do(on.Received(data))
    else:
        rig.do(on.Typed(data))


_ACTIONS = (
    lambda rig, chance: rig.keys("0123456789*#ABCD"[chance.below(16)]),
    _code,
    _code,
    lambda rig, chance: rig.do(on.Scanned(_SCANS[chance.below(len(_SCANS))].encode())),
    lambda rig, chance: rig.do(on.Scanned(_SCANS[chance.below(len(_SCANS))].encode())),
    _assign,
    _whole_deposit,
    _whole_deposit,
    _offline_deposit,
    lambda rig, chance: rig.push(_NUMBERS[chance.below(5)]),
    lambda rig, chance: rig.push(_NUMBERS[chance.below(5)]),
    lambda rig, chance: rig.pull(_NUMBERS[chance.below(5)]) if chance.below(60) == 0 else None,
    lambda rig, chance: rig.jammed.add(_NUMBERS[chance.below(5)]) if chance.below(20) == 0 else rig.jammed.clear(),
    _command,
    _cable,
    lambda rig, chance: rig.do(on.Typed(_LINES[chance.below(len(_LINES))])),
    _noise,
    lambda rig, chance: rig.wait(1 + chance.below(20_000)),
    lambda rig, chance: rig.wait(1 + chance.below(2_000)),
    lambda rig, chance: rig.power_on() if chance.below(20) == 0 else None,
)


def trace_hash(seed: int, count: int) -> str:
    """Hex SHA-256 over every effect of `count` random acts."""
    rig = Rig(_NUMBERS, sizes=bytes([0, 0, 1, 1, 2]))
    rig.trace = hashlib.sha256()
    chance = Chance(seed)
    for _ in range(count):
        _ACTIONS[chance.below(len(_ACTIONS))](rig, chance)
    return rig.trace.digest().hex()

"""The days of a locker under attack: who comes when, and the attacker in every gap. One seed gives one story.

Runs on both interpreters; what it returns is the same on both, the hash over all that was saved and shown included.
"""

from typing import TYPE_CHECKING

from device.agent.config import Config
from device.agent.core import Agent
from protocol.record import Record
from tools.attack.board.attacker import Attacker
from tools.attack.board.chance import Chance
from tools.attack.board.locker import Flash, Locker
from tools.attack.board.people import People
from tools.attack.board.watch import Tally
from tools.attack.board.wire import GENERATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.agent.books import Books
    from tools.attack.board.locker import Journal
    from tools.attack.board.tickets import Tickets

LOCKER = "besieged-1"
KEY = bytes(range(32))
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PICKUPS_A_DAY = 60
TYPED_PERCENT = 40
_OPENS_AT, _CLOSES_AT = 7 * HOUR_MS, 21 * HOUR_MS
_ROUNDS_AT = (8 * HOUR_MS, 13 * HOUR_MS, 18 * HOUR_MS)
_NIGHT = (2 * HOUR_MS, 5 * HOUR_MS)
_WILD_DAY = 10  # every so many days; the first day is one
_CUT_ON_ONE_IN = 3  # customers of a wild day
_PICKUP, _ROUND, _CLOCK, _MIDNIGHT = 0, 1, 2, 3


class Plan(Record):
    """A locker of so many compartments, each with a live code until its parcel is fetched, for so many hours."""

    FIELDS = ("seed", "hours", "digits", "codes")
    seed: int
    hours: int
    digits: int
    codes: int


def sound(config: Config, books: "Books", boot: int, seed: bytes) -> Agent:
    """The agent as it is."""
    return Agent(config, books, boot, seed, 1)


def besieged(
    plan: Plan,
    tickets: "Tickets",
    tally: Tally,
    make: "Callable[[Config, Books, int, bytes], Agent]" = sound,
    flash: "Journal | None" = None,
) -> Locker:
    """The locker, empty yet."""
    numbers = list(range(1, plan.codes + 1))
    config = Config(
        LOCKER, GENERATION, KEY, numbers, {tickets.kid: tickets.table}, plan.digits, True, bytes(len(numbers))
    )
    return Locker(config, plan.seed, tally, flash or Flash(), make)


def endure(
    plan: Plan,
    tickets: "Tickets",
    make: "Callable[[Config, Books, int, bytes], Agent]" = sound,
    flash: "Journal | None" = None,
) -> "dict[str, int | str]":
    """Counts by name, and `hash`."""
    tally = Tally()
    chance = Chance(plan.seed, f"{plan.digits} digits, {plan.codes} codes")
    locker = besieged(plan, tickets, tally, make, flash)
    people = People(locker, tickets, chance, tally)
    attacker = Attacker(locker, people, tickets, chance, tally)
    people.courier()
    begun = locker.clock
    end = begun + plan.hours * HOUR_MS
    day = 0
    while locker.clock < end:
        attacker.wild = day % _WILD_DAY == 0
        _one_day(begun + day * DAY_MS, end, (locker, people, attacker, chance))
        day += 1
    tally.add("simulated_ms", locker.clock - begun)
    tally.add("records", locker.agent.books.seq)
    found: dict[str, int | str] = {name: tally.counts[name] for name in tally.counts}
    found["hash"] = locker.trace.digest().hex()
    return found


def _timetable(chance: Chance) -> "list[tuple[int, int]]":
    """(time of day, what), in order."""
    rows = [(_OPENS_AT + chance.below(_CLOSES_AT - _OPENS_AT), _PICKUP) for _ in range(PICKUPS_A_DAY)]
    rows += [(at, _ROUND) for at in _ROUNDS_AT]
    rows.append((_NIGHT[0] + chance.below(_NIGHT[1] - _NIGHT[0]), _CLOCK))
    rows.append((DAY_MS, _MIDNIGHT))
    return sorted(rows)


def _one_day(midnight: int, end: int, everybody: "tuple[Locker, People, Attacker, Chance]") -> None:
    locker, people, attacker, chance = everybody
    free_at = 0  # whoever comes while somebody honest is served waits for that, and not for the attacker
    for at, what in _timetable(chance):
        due = midnight + at
        attacker.attack_until(min(due, end))
        if due >= end:
            return
        if what == _PICKUP:
            asked_at = max(due, free_at)
            at_once = locker.clock == asked_at
            cut = at_once and attacker.wild and chance.one_in(_CUT_ON_ONE_IN)
            people.customer(asked_at, chance.below(100) < TYPED_PERCENT, cut)
        elif what == _ROUND:
            people.courier()
        elif what == _CLOCK:
            attacker.move_the_clock()
        free_at = locker.clock

"""Deliberate faults, switched on one at a time, to see that the rules bite. Each takes the place of a function or a
limit of the product while a simulation runs, and lives nowhere else: nothing flashed or served can reach this file.
"""

from typing import Any

import device.agent.books
import device.agent.commands
import device.agent.openings
import gateway.domain.allocation
import gateway.services.allocations
import gateway.services.requests
import gateway.services.take_up
import tools.sim.flash
import tools.sim.town
from device.agent import door, effects
from device.agent.books import QUARANTINED, Books
from device.agent.commands import Commands
from device.agent.core import Agent
from device.agent.link import Link
from device.agent.openings import Openings
from device.drivers.locks.gpio import GpioCoils
from device.journal import Journal
from protocol.limits import WRONG_CODE_BUCKET
from protocol.messages import Assign, Collected, Revoke
from protocol.numbers import FREE, HELD, REVOKED
from tools.sim.module_bugs import free_in_spite_of
from tools.sim.planting import BUGS, bug, bug_of_value, planted

__all__ = ["BUGS", "planted"]

_COMMANDS: Any = device.agent.commands
_OPENINGS: Any = device.agent.openings


# ------------------------------------------------------------------ commands
@bug(Commands, "_why_not_in_time")
def no_command_expiry(why_not: Any, *asked: Any) -> str:
    """A command is obeyed however old it is."""
    why: str = why_not(*asked)
    return "" if why == "expired" else why


@bug(Books, "knows_command")
def no_command_dedupe(_knows: Any, _books: Books, _id: bytes) -> bool:
    """An id that took effect is not remembered."""
    return False


@bug(Commands, "_why_not")
def unasked_assign(_why_not: Any, commands: Commands, now: int, down: Any) -> str:
    """Assign opens a door although no courier asked."""
    return "" if isinstance(down.command, Assign) else commands._why_not_in_time(now, down)


# A captured gateway opens as many doors as it likes.
bug_of_value("no_hourly_limit", _COMMANDS.__dict__, "COMMAND_OPENS_PER_HOUR_MAX", 10_000)


@bug(_COMMANDS._HANDLERS, Revoke.TYPE)
def old_revocation_accepted(_revoke: Any, commands: Commands, now: int, down: Any, orders: Any) -> str:
    """A Revoke of an earlier deposit ends the one that is there now; the locker says that it did what was ordered."""
    place = commands._place(down.command)
    commands._done(now, down, "ok", orders, commands._books.deposit(place))
    commands._codes.refresh(place)
    return ""


@bug(Books, "replay")
def revocation_forgotten_at_boot(replay: Any, *kept: Any) -> Books:
    """What was revoked is known in RAM only: after a restart the code opens again."""
    books: Books = replay(*kept)
    for place in range(len(books.numbers)):
        if books.holdings[place] == REVOKED:
            books.holdings[place] = HELD
    books._revoked = bytearray()
    return books


# ------------------------------------------------------------------ the journal and its acknowledgement
@bug(Journal, "load")
def sequence_reset_at_boot(load: Any, journal: Journal) -> Any:
    """Numbers begin at 1 with each start."""
    snapshot, records = load(journal)
    records = list(records)
    journal.last_seq = 0
    return snapshot, records


@bug(Books, "replay", of="sequence_reset_at_boot")
def _sequence_reset_in_the_books(replay: Any, *kept: Any) -> Books:
    books: Books = replay(*kept)
    books.seq = 0
    return books


@bug(tools.sim.town.Town, "_take_up")
def acknowledged_before_commit(take_up: Any, town: Any, arrivals: Any) -> Any:
    """The gateway answers first, and commits afterwards."""
    with town.store.transaction():
        town.pipeline._tell(take_up(town, arrivals))
    return ()


@bug(Link, "tick")
def delete_on_puback(tick: Any, link: Link, now: int, orders: Any) -> None:
    """What the broker has acknowledged counts as the gateway's."""
    tick(link, now, orders)
    box = link.outbox
    if link.online and not link._client._in_flight and box.sent > box.acked:
        box.acked = box.sent
        orders.append(effects.Forget(box.sent))


@bug(gateway.services.take_up.__dict__, "_take")
def gap_acknowledged(take: Any, batch: Any, arrival: Any) -> Any:
    """The gateway takes what comes, whatever is missing before it."""
    turn = batch.turns.get(arrival.locker)
    if turn is not None and arrival.up.seq > turn.locker.last_seq + 1:
        turn.locker.last_seq = arrival.up.seq - 1
    return take(batch, arrival)


@bug(tools.sim.flash.File, "flush")
def no_flush(flush: Any, file: Any) -> None:
    """append() returns before the record is on the flash."""
    if not file._path.endswith(".log") or len(file._new) >= 600:
        flush(file)


@bug(Agent, "step")
def pulse_before_save(step: Any, *lap: Any) -> Any:
    """The door opens first, and the books are written afterwards."""
    return sorted(step(*lap), key=lambda order: not isinstance(order, effects.Pulse))


# ------------------------------------------------------------------ codes
@bug(Books, "replay")
def used_mark_in_ram_only(replay: Any, *kept: Any) -> Books:
    """After a restart a collected deposit has its code again."""
    handlers = device.agent.books._HANDLERS
    collected = handlers.pop(Collected.TYPE)
    try:
        return replay(*kept)
    finally:
        handlers[Collected.TYPE] = collected


@bug(Books, "replay")
def throttle_reset_at_reboot(replay: Any, *kept: Any) -> Books:
    """Who pulls the plug has ten tries again."""
    books: Books = replay(*kept)
    books.bucket = WRONG_CODE_BUCKET
    return books


# A used code opens its empty compartment again and again.
bug_of_value("reopened_for_ever", _OPENINGS.__dict__, "REOPENS_MAX", 1_000)
bug_of_value("reopened_for_ever", _OPENINGS.__dict__, "REOPEN_MS", 1 << 40)


# ------------------------------------------------------------------ doors
@bug(Books, "replay")
def quarantine_forgotten(replay: Any, *kept: Any) -> Books:
    """A locker that starts again knows no door that was doubted."""
    books: Books = replay(*kept)
    for place in range(len(books.numbers)):
        books.flags[place] &= ~QUARANTINED
    return books


@bug(Openings, "is_free")
def quarantined_door_offered(is_free: Any, openings: Openings, place: int) -> bool:
    """A door that was doubted is offered, by a locker and a gateway that do not mind."""
    return free_in_spite_of(QUARANTINED, is_free, openings, place)


@bug(gateway.domain.allocation.__dict__, "availability", of="quarantined_door_offered")
@bug(gateway.services.requests.__dict__, "availability", of="quarantined_door_offered")
def _quarantined_at_the_gateway(_availability: Any, box: Any, allocated: bool) -> str:
    return "allocated" if allocated else "free" if box.holding == FREE else "held"


@bug(Openings, "pickup")
def collected_by_the_pulse(pickup: Any, openings: Openings, now: int, place: int, *rest: Any) -> str:
    """The lock was pulsed, so the parcel is gone."""
    why: str = pickup(openings, now, place, *rest)
    books, orders = openings._books, rest[-1]
    if not why and books.holdings[place] == HELD:
        openings._ledger.save(now, Collected(books.numbers[place], books.deposit(place)), orders)
        openings._codes.refresh(place)
    return why


@bug(gateway.services.allocations.__dict__, "choose")
def double_allocation(choose: Any, wish: Any, boxes: Any, _allocated: Any) -> Any:
    """Doors are given out without a look at who has them, and the books let it pass."""
    return choose(wish, boxes, ())


@bug(tools.sim.town.__dict__, "new_books", of="double_allocation")
def _books_that_let_it_pass(new_books: Any) -> Any:
    books = new_books()
    books.execute("DROP INDEX live_allocation_of_compartment")
    return books


@bug(GpioCoils, "stop")
@bug(GpioCoils, "_cut_off")
def coil_never_cut_off(_stop: Any, _coils: Any, _argument: Any) -> int:
    """Neither the loop nor the timer ends a pulse."""
    return 1


@bug(_OPENINGS._ON_OUTCOME, door.SHUT)
def pulse_when_shut(shut: Any, openings: Openings, now: int, place: int, orders: Any) -> str:
    """A door that was shut is opened once more, for whoever comes along."""
    word: str = shut(openings, now, place, orders)
    orders.append(effects.Pulse(openings._books.numbers[place], 300))
    return word


@bug(_OPENINGS._ON_OUTCOME, door.FOUND_SHUT)
def pulse_after_boot(found_shut: Any, openings: Openings, now: int, place: int, orders: Any) -> str:
    """What was authorised before the power went is carried out after it came back."""
    if place in openings._pending:
        orders.append(effects.Pulse(openings._books.numbers[place], 300))
    return found_shut(openings, now, place, orders)


@bug(Openings, "drop")
def lost_board_ignored(_drop: Any, _openings: Openings, _now: int, _place: int, _orders: Any) -> None:
    """What a board said of its doors before it fell silent still counts."""

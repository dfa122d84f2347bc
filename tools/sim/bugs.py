"""Deliberate faults, switched on one at a time, to see that the rules bite. Each replaces one function of the product
while a simulation runs, and lives nowhere else: nothing that is flashed or served can reach this file.
"""

from collections.abc import Generator
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
from protocol.messages import Collected, Revoke
from protocol.numbers import FREE, HELD, REVOKED
from tools.sim.module_bugs import in_spite_of
from tools.sim.planting import BUGS, planted
from tools.sim.planting import bug as _bug
from tools.sim.planting import instead as _instead

__all__ = ["BUGS", "planted"]


# ------------------------------------------------------------------ commands
@_bug
def no_command_expiry() -> Generator[None, None, None]:
    """A command is obeyed however old it is."""

    def make(former: Any) -> Any:
        def why_not(self: Commands, now: int, down: Any) -> str:
            why: str = former(self, now, down)
            return "" if why == "expired" else why

        return why_not

    with _instead(Commands, "_why_not_in_time", make):
        yield


@_bug
def no_command_dedupe() -> Generator[None, None, None]:
    """An id that took effect is not remembered."""

    def make(_former: Any) -> Any:
        def knows(_books: Any, _id: bytes) -> bool:
            return False

        return knows

    with _instead(Books, "knows_command", make):
        yield


@_bug
def unasked_assign() -> Generator[None, None, None]:
    """Assign opens a door although no courier asked."""

    def make(_former: Any) -> Any:
        def why_not(self: Commands, now: int, down: Any) -> str:
            if type(down.command).__name__ == "Assign":
                return ""
            return self._why_not_in_time(now, down)

        return why_not

    with _instead(Commands, "_why_not", make):
        yield


@_bug
def no_hourly_limit() -> Generator[None, None, None]:
    """A captured gateway opens as many doors as it likes."""
    with _instead(device.agent.commands.__dict__, "COMMAND_OPENS_PER_HOUR_MAX", lambda _: 10_000):
        yield


@_bug
def old_revocation_accepted() -> Generator[None, None, None]:
    """A Revoke of an earlier deposit ends the one that is there now; the locker says that it did what was ordered."""

    def make(_former: Any) -> Any:
        def revoke(self: Commands, now: int, down: Any, orders: Any) -> str:
            place = self._place(down.command)
            self._done(now, down, "ok", orders, self._books.deposit(place))
            self._codes.refresh(place)
            return ""

        return revoke

    table: Any = device.agent.commands
    with _instead(table._HANDLERS, Revoke.TYPE, make):
        yield


@_bug
def revocation_forgotten_at_boot() -> Generator[None, None, None]:
    """What was revoked is known in RAM only: after a restart the code opens again."""

    def make(former: Any) -> Any:
        def replay(numbers: Any, snapshot: Any, records: Any) -> Any:
            books = former(numbers, snapshot, records)
            for place in range(len(books.numbers)):
                if books.holdings[place] == REVOKED:
                    books.holdings[place] = HELD
            books._revoked = bytearray()
            return books

        return staticmethod(replay)

    with _instead(Books, "replay", make):
        yield


# ------------------------------------------------------------------ the journal and its acknowledgement
@_bug
def sequence_reset_at_boot() -> Generator[None, None, None]:
    """Numbers begin at 1 with each start."""

    def make(former: Any) -> Any:
        def load(self: Journal) -> Any:
            snapshot, records = former(self)
            records = list(records)
            self.last_seq = 0
            return snapshot, records

        return load

    def forget(former: Any) -> Any:
        def replay(numbers: Any, snapshot: Any, records: Any) -> Any:
            books = former(numbers, snapshot, records)
            books.seq = 0
            return books

        return staticmethod(replay)

    with _instead(Journal, "load", make), _instead(Books, "replay", forget):
        yield


@_bug
def acknowledged_before_commit() -> Generator[None, None, None]:
    """The gateway answers first, and commits afterwards."""

    def make(former: Any) -> Any:
        def take_up(self: Any, arrivals: Any) -> Any:
            with self.store.transaction():
                answers = former(self, arrivals)
                self.pipeline._tell(answers)
            return ()

        return take_up

    with _instead(tools.sim.town.Town, "_take_up", make):
        yield


@_bug
def delete_on_puback() -> Generator[None, None, None]:
    """What the broker has acknowledged counts as the gateway's."""

    def make(former: Any) -> Any:
        def tick(self: Link, now: int, orders: Any) -> None:
            former(self, now, orders)
            box = self.outbox
            if self.online and not self._client._in_flight and box.sent > box.acked:
                box.acked = box.sent
                orders.append(effects.Forget(box.sent))

        return tick

    with _instead(Link, "tick", make):
        yield


@_bug
def gap_acknowledged() -> Generator[None, None, None]:
    """The gateway takes what comes, whatever is missing before it."""

    def make(former: Any) -> Any:
        def take(batch: Any, arrival: Any) -> Any:
            turn = batch.turns.get(arrival.locker)
            if turn is not None and arrival.up.seq > turn.locker.last_seq + 1:
                turn.locker.last_seq = arrival.up.seq - 1
            return former(batch, arrival)

        return take

    with _instead(gateway.services.take_up.__dict__, "_take", make):
        yield


@_bug
def no_flush() -> Generator[None, None, None]:
    """append() returns before the record is on the flash."""

    def make(former: Any) -> Any:
        def flush(self: Any) -> None:
            if self._path.endswith(".log") and len(self._new) < 600:
                return
            former(self)

        return flush

    with _instead(tools.sim.flash.File, "flush", make):
        yield


@_bug
def pulse_before_save() -> Generator[None, None, None]:
    """The door opens first, and the books are written afterwards."""

    def make(former: Any) -> Any:
        def step(self: Agent, now: int, event: Any) -> Any:
            orders = former(self, now, event)
            return sorted(orders, key=lambda order: not isinstance(order, effects.Pulse))

        return step

    with _instead(Agent, "step", make):
        yield


# ------------------------------------------------------------------ codes
@_bug
def used_mark_in_ram_only() -> Generator[None, None, None]:
    """After a restart a collected deposit has its code again."""

    def make(former: Any) -> Any:
        def replay(numbers: Any, snapshot: Any, records: Any) -> Any:
            handlers = device.agent.books._HANDLERS
            collected = handlers.pop(Collected.TYPE)
            try:
                return former(numbers, snapshot, records)
            finally:
                handlers[Collected.TYPE] = collected

        return staticmethod(replay)

    with _instead(Books, "replay", make):
        yield


@_bug
def throttle_reset_at_reboot() -> Generator[None, None, None]:
    """Who pulls the plug has ten tries again."""

    def make(former: Any) -> Any:
        def replay(numbers: Any, snapshot: Any, records: Any) -> Any:
            books = former(numbers, snapshot, records)
            books.bucket = WRONG_CODE_BUCKET
            return books

        return staticmethod(replay)

    with _instead(Books, "replay", make):
        yield


@_bug
def reopened_for_ever() -> Generator[None, None, None]:
    """A used code opens its empty compartment again and again."""
    names = device.agent.openings.__dict__
    with _instead(names, "REOPENS_MAX", lambda _: 1_000), _instead(names, "REOPEN_MS", lambda _: 1 << 40):
        yield


# ------------------------------------------------------------------ doors
@_bug
def quarantine_forgotten() -> Generator[None, None, None]:
    """A locker that starts again knows no door that was doubted."""

    def make(former: Any) -> Any:
        def replay(numbers: Any, snapshot: Any, records: Any) -> Any:
            books = former(numbers, snapshot, records)
            for place in range(len(books.numbers)):
                books.flags[place] &= ~QUARANTINED
            return books

        return staticmethod(replay)

    with _instead(Books, "replay", make):
        yield


@_bug
def quarantined_door_offered() -> Generator[None, None, None]:
    """A door that was doubted is offered, by a locker and a gateway that do not mind."""

    def at_the_gateway(_former: Any) -> Any:
        def availability(box: Any, allocated: bool) -> str:
            return "allocated" if allocated else "free" if box.holding == FREE else "held"

        return availability

    choosing, asking = gateway.domain.allocation.__dict__, gateway.services.requests.__dict__
    with (
        _instead(Openings, "is_free", in_spite_of(QUARANTINED)),
        _instead(choosing, "availability", at_the_gateway),
        _instead(asking, "availability", at_the_gateway),
    ):
        yield


@_bug
def collected_by_the_pulse() -> Generator[None, None, None]:
    """The lock was pulsed, so the parcel is gone."""

    def make(former: Any) -> Any:
        def pickup(self: Openings, now: int, place: int, *rest: Any) -> str:
            why: str = former(self, now, place, *rest)
            orders = rest[-1]
            if not why and self._books.holdings[place] == HELD:
                self._ledger.save(now, Collected(self._books.numbers[place], self._books.deposit(place)), orders)
                self._codes.refresh(place)
            return why

        return pickup

    with _instead(Openings, "pickup", make):
        yield


@_bug
def double_allocation() -> Generator[None, None, None]:
    """Doors are given out without a look at who has them, and the books let it pass."""

    def make(former: Any) -> Any:
        def choose(wish: Any, boxes: Any, _allocated: Any) -> Any:
            return former(wish, boxes, ())

        return choose

    def books(former: Any) -> Any:
        def new() -> Any:
            made = former()
            made.execute("DROP INDEX live_allocation_of_compartment")
            return made

        return new

    giving = gateway.services.allocations.__dict__
    with _instead(giving, "choose", make), _instead(tools.sim.town.__dict__, "new_books", books):
        yield


@_bug
def coil_never_cut_off() -> Generator[None, None, None]:
    """Neither the loop nor the timer ends a pulse."""

    def make(_former: Any) -> Any:
        def nothing(_coils: Any, _argument: Any) -> int:
            return 1

        return nothing

    with _instead(GpioCoils, "stop", make), _instead(GpioCoils, "_cut_off", make):
        yield


@_bug
def pulse_when_shut() -> Generator[None, None, None]:
    """A door that was shut is opened once more, for whoever comes along."""

    def make(former: Any) -> Any:
        def shut(self: Openings, now: int, place: int, orders: Any) -> str:
            word: str = former(self, now, place, orders)
            orders.append(effects.Pulse(self._books.numbers[place], 300))
            return word

        return shut

    table: Any = device.agent.openings
    with _instead(table._ON_OUTCOME, door.SHUT, make):
        yield


@_bug
def pulse_after_boot() -> Generator[None, None, None]:
    """What was authorised before the power went is carried out after it came back."""

    def make(former: Any) -> Any:
        def found_shut(self: Openings, now: int, place: int, orders: Any) -> str:
            if place in self._pending:
                orders.append(effects.Pulse(self._books.numbers[place], 300))
            return former(self, now, place, orders)

        return found_shut

    table: Any = device.agent.openings
    with _instead(table._ON_OUTCOME, door.FOUND_SHUT, make):
        yield


@_bug
def lost_board_ignored() -> Generator[None, None, None]:
    """What a board said of its doors before it fell silent still counts."""

    def make(_former: Any) -> Any:
        def lost(_self: Openings, _now: int, _place: int, _orders: Any) -> None:
            pass

        return lost

    with _instead(Openings, "drop", make):
        yield

"""The rules, apart from the code that keeps them: checked at every record, pulse, coil, forgetting and gateway lap.

What is known here comes from the locker's flash (what append() returned for, or a restart found), the metal, the
committed books and the people, never from what the agent or the gateway believes. The names of the rules are those of
the table of invariants in tests/README.md.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import cbor2

from device.agent.books import QUARANTINED
from protocol.errors import number_of
from protocol.limits import (
    COMMAND_IDS_KEPT,
    REOPEN_MS,
    REOPENS_MAX,
    REVOKED_TOKENS_KEPT,
    WRONG_CODE_BUCKET,
    WRONG_CODE_REFILL_MS,
)
from protocol.messages import (
    EVENTS,
    CodeRefused,
    Collected,
    CommandDone,
    DepositAbandoned,
    DepositAuthorised,
    Deposited,
    DoorClosed,
    DoorFaulted,
    Message,
    OfflineDepositAuthorised,
    OpeningAuthorised,
    OutOfService,
    PickupAuthorised,
    Reissue,
    Release,
    Revoke,
    TokenRevoked,
    Up,
    decode_up,
    encode,
)
from protocol.numbers import DOOR_STATES, HELD, LEAVES, STAYS
from tools.sim.metal_rules import Metal
from tools.sim.world import EPOCH_S, HOUR, SECOND, Violation, World

if TYPE_CHECKING:
    from device.agent.core import Agent
    from tools.sim.board import Locker, WatchedJournal
    from tools.sim.town import Town

_DEPOSITS = (DepositAuthorised, OfflineDepositAuthorised)
_AUTHORISES = (*_DEPOSITS, PickupAuthorised, OpeningAuthorised)
_ENDS = (Collected, Deposited, DepositAbandoned, DoorClosed)
_COMMAND_LATE_MS = (60 + 60 + 10) * SECOND  # its ttl, a SetTime held back, and rounding
_REQUEST_LATE_MS = 70 * SECOND
_WRONG = number_of("wrong_code")
_UNKNOWN, _LEFT_OPEN = DOOR_STATES.index("unknown"), DOOR_STATES.index("left_open")
_NEW_EVENTS = "SELECT id, locker, boot, seq, type, t_mono_ms, t_wall_s, fields FROM events WHERE id > ? ORDER BY id"
_ORDERS = "SELECT id, issued_s, type, fields FROM commands WHERE state IN ('waiting', 'sent')"
_TWICE = "SELECT locker, compartment FROM allocations WHERE ended_s IS NULL GROUP BY 1, 2 HAVING count(*) > 1"


class Book:
    """What is known of one locker."""

    def __init__(self, world: World, locker: "Locker") -> None:
        self.metal = Metal(world, locker)
        self.records: list[bytes] = []  # all that are on its flash, from seq 1 on
        self.quarantined: set[int] = set()
        self.leaving: set[int] = set()  # doors of a module that a technician leads out
        self.left_open: set[int] = set()  # doors that were since the last deposit there, which the locker told
        self.held: dict[int, int] = {}  # door -> the deposit there, while nothing has happened to it since
        self.collected: dict[tuple[int, int], int] = {}  # deposit -> when
        self.reopened: dict[tuple[int, int], int] = {}
        self.revoked: set[tuple[int, int]] = set()
        self.revoked_tokens: set[bytes] = set()
        self.commands: set[bytes] = set()
        self.wrong: list[int] = []
        self.sensor: dict[int, bool] = {}
        self.unseen: set[int] = set()  # doors whose board was said to be silent
        self.seen_open: dict[int, bool] = {}  # since what is under way there was authorised, by its sensor
        self.committed = 0  # the highest seq that the gateway's books ever held
        self.logged = 0  # up to where its log was compared
        self.courier_asked = -HOUR

    def keep(self, event: Message, number: int) -> None:
        if isinstance(event, Deposited):
            self.held[number] = event.deposit
        elif isinstance(event, CommandDone) and event.order == OutOfService.TYPE and event.value in (STAYS, LEAVES):
            (self.leaving.add if event.value == LEAVES else self.leaving.discard)(number)
        elif isinstance(event, (Collected, CommandDone, *_DEPOSITS)):
            self.held.pop(number, None)


class Rules:
    """`heard(locker, up)`: an event is in the gateway's books; for the people who wait for one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.books: dict[str, Book] = {}
        self.running: Locker | None = None  # whose lap it is
        self.ordered: dict[bytes, int] = {}  # command id -> when it was made
        self.revokes: dict[bytes, int] = {}  # id of a Revoke -> the deposit that it names
        self.heard: Callable[[str, Up], None] = lambda _locker, _up: None
        self.failures: list[str] = []
        self.pickups = 0
        self.deposits = 0
        self._event_id = 0

    def add(self, locker: "Locker") -> None:
        self.books[locker.name] = Book(self.world, locker)

    def broken(self, rule: str, text: str) -> None:
        raise Violation(rule, f"at {self.world.now / 1000:.3f} s: {text}")

    # -------------------------------------------------------------- a start
    def loaded(self, locker: str, journal: "WatchedJournal") -> None:
        """I7: nothing that append() returned for is missing. One that was being written may be there or not."""
        book = self.books[locker]
        known, found = len(book.records), journal.last_seq
        if found < known:
            self.broken("I7", f"{locker} lost records {found + 1} to {known} of its journal")
        for record in journal.read(known + 1, found - known) if found > known else ():
            self._take(locker, book, record, asked=False)  # from before the cut: its time is over

    def began(self, locker: str, failed: int, full: bool) -> None:
        """`full`: its flash takes nothing. Then no pickup could be journalled either, and it tries again later."""
        if failed >= 3 and not full:
            self.broken("L3", f"{locker} did not come up in {failed} starts: {self.failures[-3:]}")

    def knows(self, locker: str, agent: "Agent") -> None:
        """I7, I12: a start knows every parcel and every doubt that its flash does, also about a door whose module is
        gone."""
        for number in self.books[locker].quarantined:
            place = agent.books.place(number)
            if place is None or not agent.books.has(place, QUARANTINED):
                self.broken("I12", f"{locker} does not know any more that door {number} is quarantined")
        for number, deposit in self.books[locker].held.items():
            place = agent.books.place(number)
            if place is None or agent.books.holdings[place] != HELD or agent.books.deposit(place) != deposit:
                self.broken("I7", f"{locker} does not know of deposit {deposit} behind door {number} any more")

    def reported(self, locker: str, error: Exception) -> None:
        """The shell caught it. The world's fault is no violation; our own is."""
        self.world.note(locker, "failed", type(error).__name__)
        self.failures.append(f"{locker}: {type(error).__name__} {error}")
        if not isinstance(error, (OSError, MemoryError)):
            self.broken("own fault", self.failures[-1])

    def lap_ended(self, locker: str, agent: "Agent") -> None:
        books: Any = agent.books
        if len(books._ids) > 8 * COMMAND_IDS_KEPT or len(books._revoked) > 12 * REVOKED_TOKENS_KEPT:
            self.broken("I15", f"{locker} remembers more ids than it may")

    # -------------------------------------------------------------- records
    def appended(self, locker: str, seq: int, record: bytes) -> None:
        book = self.books[locker]
        if seq != len(book.records) + 1:
            self.broken("I8", f"{locker} gives number {seq} after {len(book.records)}")
        self._take(locker, book, record)

    def _take(self, locker: str, book: Book, record: bytes, asked: bool = True) -> None:
        book.records.append(record)
        up = decode_up(record)
        event = up.event
        self.world.note(locker, up.boot, up.seq, event)
        number: int = getattr(event, "compartment", None) or 0
        if isinstance(event, _ENDS):
            book.metal.end(number)
        book.keep(event, number)
        if isinstance(event, _AUTHORISES):
            if not asked:
                book.courier_asked = self.world.now
            self._authorised(locker, book, up.boot, event, asked)
        elif isinstance(event, Collected):
            self._ended(locker, book, number, "Collected")
            book.collected[number, event.deposit] = self.world.now
            self.pickups += 1
        elif isinstance(event, Deposited):
            book.left_open.discard(number)
            self._ended(locker, book, number, "Deposited")
            self.deposits += 1
        elif isinstance(event, DoorFaulted):
            self._faulted(book, event, number)
        elif isinstance(event, CommandDone) and event.code == 0:
            self._done(book, event, number)
        elif isinstance(event, TokenRevoked):
            book.revoked_tokens.add(event.token)
        elif isinstance(event, CodeRefused) and event.code == _WRONG:
            self._guessed(locker, book)

    @staticmethod
    def _faulted(book: Book, event: DoorFaulted, number: int) -> None:
        if event.state == _UNKNOWN:  # a power cut ended what was authorised there
            book.metal.end(number)
        if event.quarantined:
            book.quarantined.add(number)
        if event.state == _LEFT_OPEN:
            book.left_open.add(number)

    def _authorised(self, locker: str, book: Book, boot: int, event: Message, asked: bool) -> None:
        number: int = getattr(event, "compartment")  # noqa: B009 - one of _AUTHORISES, and each has one
        book.metal.authorise(number, boot, event)
        if isinstance(event, _DEPOSITS):
            self._deposit_begun(locker, book, event, number)
        elif isinstance(event, PickupAuthorised):
            self._pickup_begun(locker, book, event, number)
        command: bytes | None = getattr(event, "command", None)
        if command is not None:
            if command in book.commands:
                self.broken("I4", f"{locker} carries out a command twice")
            book.commands.add(command)
            age = self.world.now - self.ordered.get(command, self.world.now)
            if asked and age > _COMMAND_LATE_MS:
                self.broken("I4", f"{locker} obeys a command that is {age // SECOND} s old")

    def _deposit_begun(self, locker: str, book: Book, event: Message, number: int) -> None:
        book.seen_open[number] = False
        if number in book.quarantined:
            self.broken("I12", f"{locker} offers door {number}, which is quarantined")
        if number in book.leaving:
            self.broken("I6", f"{locker} offers door {number}, whose module leaves")
        if number in book.unseen:
            self.broken("I12", f"{locker} offers door {number}, whose board is lost")
        if self.world.now - book.courier_asked > _REQUEST_LATE_MS:
            self.broken("I4", f"{locker} opens door {number} for a deposit that no courier asked for: {event!r}")

    def _pickup_begun(self, locker: str, book: Book, event: PickupAuthorised, number: int) -> None:
        deposit = (number, event.deposit)
        if event.reopen == 0:
            book.seen_open[number] = book.sensor.get(number) is False
        if deposit in book.revoked or event.token in book.revoked_tokens:
            self.broken("I5", f"{locker} opens door {number} for what was revoked")
        if deposit in book.collected:
            book.reopened[deposit] = book.reopened.get(deposit, 0) + 1
            late = self.world.now - book.collected[deposit] > REOPEN_MS + 5 * SECOND
            if late or book.reopened[deposit] > REOPENS_MAX:
                self.broken("I3", f"{locker} opens door {number} with a code that was used")

    def _ended(self, locker: str, book: Book, number: int, word: str) -> None:
        if not book.seen_open.get(number) or not book.sensor.get(number):
            self.broken("I12", f"{locker} says {word} of door {number} without having seen it open and close")

    def _done(self, book: Book, event: CommandDone, number: int) -> None:
        book.metal.pickups.discard(number)
        if event.order == Release.TYPE:
            book.quarantined.discard(number)
        elif event.order == Revoke.TYPE:
            if self.revokes.get(event.command, event.value) != event.value:
                self.broken("I5", f"door {number}: a revocation of an earlier deposit ends the present one")
            book.revoked.add((number, event.value))
        elif event.order == Reissue.TYPE:
            book.revoked.update((number, event.value - back) for back in (1, 2))

    def _guessed(self, locker: str, book: Book) -> None:
        """I11, by the time since the first of any row of guesses, which is no less than the uptime."""
        book.wrong.append(self.world.now)
        for first, when in enumerate(book.wrong):
            allowed = WRONG_CODE_BUCKET + (self.world.now - when) // WRONG_CODE_REFILL_MS + 1
            if len(book.wrong) - first > allowed:
                self.broken("I11", f"{locker} evaluated {len(book.wrong) - first} guesses, {allowed} are allowed")

    def forgets(self, locker: str, seq: int) -> None:
        if seq > self.books[locker].committed:
            self.broken("I7", f"{locker} may drop record {seq}; the books have {self.books[locker].committed}")

    # -------------------------------------------------------------- sensors
    def sensed(self, locker: str, number: int, closed: bool) -> None:
        book = self.books[locker]
        book.unseen.discard(number)  # its board is back, or the locker would not know
        book.sensor[number] = closed
        if not closed:
            book.seen_open[number] = True

    def board(self, locker: str, numbers: list[int], fault: str) -> None:
        """Its agent was told that these doors cannot be seen, or can be again."""
        unseen = self.books[locker].unseen
        unseen.clear()
        unseen.update(numbers if fault else ())

    # -------------------------------------------------------------- the gateway
    def look_at(self, town: "Town") -> None:
        """After a lap: its log is the lockers' journals so far; no door is promised twice."""
        for event_id, name, boot, seq, kind, t_mono, t_wall, fields in town.rows(_NEW_EVENTS, self._event_id):
            self._event_id = event_id
            up = Up(boot, seq, t_mono, t_wall, EVENTS[kind](*cbor2.loads(fields)))
            self._logged(self.books[name], name, up)
        for name, seq in town.rows("SELECT id, last_seq FROM lockers"):
            self.books[name].committed = max(self.books[name].committed, seq)
        for command, issued_s, kind, fields in town.rows(_ORDERS):
            self.ordered.setdefault(command, (issued_s - EPOCH_S) * SECOND)
            if kind == Revoke.TYPE:
                self.revokes.setdefault(command, cbor2.loads(fields)[1])
        twice = town.rows(_TWICE)
        if twice:
            self.broken("I6", f"door {twice[0][1]} of {twice[0][0]} is promised twice")

    def _logged(self, book: Book, name: str, up: Up) -> None:
        if up.seq != book.logged + 1:
            self.broken("I8", f"the log of {name} goes on with {up.seq} after {book.logged}")
        if up.seq > len(book.records):
            self.broken("I8", f"the log of {name} has {up.seq}, which is not in its journal")
        if book.records[up.seq - 1] != encode(up):
            self.broken("I8", f"the log of {name} and its journal differ at {up.seq}")
        book.logged = up.seq
        self.world.note("books", name, up.seq)
        self.heard(name, up)

    def restored(self, town: "Town") -> None:
        """The gateway's books are older now; what they lack is to come again."""
        self._event_id = max((row[0] for row in town.rows("SELECT id FROM events")), default=0)
        for name, seq in town.rows("SELECT id, last_seq FROM lockers"):
            self.books[name].logged = seq

"""The agent: events in, effects out. It never waits, reads no clock, does no I/O and raises for no outside cause.

A restart is Agent(config, replay(journal)): there is no other state. The order of the effects is the contract
that device.agent.effects tells.
"""

from typing import TYPE_CHECKING

from device.agent import events
from device.agent.access import Access
from device.agent.alone import Alone
from device.agent.books import LEAVING, QUARANTINED, Books
from device.agent.codes import Codes
from device.agent.commands import Commands
from device.agent.config import FIRMWARE
from device.agent.console import Console
from device.agent.drbg import Drbg
from device.agent.effects import Beep, Show
from device.agent.ledger import Ledger, NoRoomError
from device.agent.link import Link
from device.agent.openings import Openings
from device.agent.panel import Panel
from device.agent.trust import Trust
from protocol.errors import ProtocolError, number_of
from protocol.limits import HEARTBEAT_MS
from protocol.messages import (
    Birth,
    Booted,
    Heartbeat,
    Measured,
    MessageRefused,
    OpeningAuthorised,
    RevokeToken,
    ServiceActed,
)
from protocol.numbers import CONSOLE, LEAVING_FLAG, QUARANTINED_FLAG
from protocol.tokens import TECHNICIAN

if TYPE_CHECKING:
    from typing import Any

    from device.agent.config import Config
    from device.agent.effects import Effect
    from protocol.tokens import Token

_FIRST_LOOK_MS = 2_000
# Told with heartbeats, or with what is told at once; and no more, once their part says nothing any more.
_SLOWLY = ("temperature_dc", "chip_temperature_dc", "supply_mv", "energy_mwh")


class Agent:
    """One locker's brain. `books` is what its journal adds up to, `boot` a number that no boot before had, `seed`
    32 random bytes of this boot, and `first_seq` the oldest record that the journal can still read."""

    def __init__(self, config: "Config", books: Books, boot: int, seed: bytes, first_seq: int) -> None:
        drbg = Drbg(seed)
        self.config = config
        self.books = books
        self.boot = boot
        self.first_seq = first_seq
        self.link = Link(config, self.boot, drbg, books.seq)
        self.link.floor_s = books.wall_s
        self.console = Console(config, drbg)
        self.ledger = Ledger(books, self.link, self.boot)
        self.codes = codes = Codes(books, config.key, config.code_digits)
        self.openings = Openings(self.ledger, codes)
        self.doors = self.openings.doors
        self.trusted = dict(config.trusted)
        self._access = Access(config, self.trusted, self.ledger, codes)
        self.panel = Panel(
            self.ledger, self._access, self.openings, Alone(self.ledger, self.openings, config), config.code_digits
        )
        trust = Trust(self.trusted)
        self._commands = Commands(self.ledger, self.openings, codes, self.panel, trust, self.console)
        self._heartbeat_at = 0
        self._looked_by = 0
        self.heap_free = 0
        self.lost: dict[int, str] = {}  # module -> what its board's fault is
        self.sensed: dict[str, int] = {}  # what parts said last: events.Sensed
        self._unheard: dict[str, int] = {}  # the highest since a value was told last

    # -------------------------------------------------------------- one lap
    def start(self, now: int, cause: str) -> "list[Effect]":
        """The first effects after power came: a screen and a call to the broker. Nothing is saved: a start must not
        need room in the journal."""
        effects: list[Effect] = []
        self.books.begin(self.boot, now)
        self.ledger.untold = Booted(FIRMWARE, cause)
        self._access.start(now)
        self.panel.start(effects)
        self.link.start(now, effects, cause != "power" or self.boot == 1)
        self.console.greet(effects)
        self._heartbeat_at = now + HEARTBEAT_MS
        self._looked_by = now + _FIRST_LOOK_MS
        return effects

    def step(self, now: int, event: "Any") -> "list[Effect]":
        """One event of device.agent.events; what to do about it, in order."""
        effects: list[Effect] = []
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            try:
                handler(self, now, event, effects)
            except NoRoomError as full:  # what was ordered before stands; the rest did not happen
                effects.append(Show(full.args[0], full.args[1]))
                effects.append(Beep("error"))
        self._tick(now, effects)
        return effects

    def deadline_ms(self, now: int) -> int:
        """When the agent wants to be asked again at the latest, in the time of `now`."""
        deadline = self._heartbeat_at
        if self.link.birth_due:
            deadline = min(deadline, self._looked_by)
        for part in (self.openings, self.panel, self._access, self.link, self.console):
            when = part.deadline()
            if when is not None and when < deadline:
                deadline = when
        return max(now, deadline)

    def snapshot(self) -> bytes:
        """The books, for the head of a new journal segment."""
        return self.books.snapshot()

    def _tick(self, now: int, effects: "list[Effect]") -> None:
        for happening in self.openings.tick(now, effects):
            self.panel.happened(now, happening, effects)
        self.panel.tick(now, effects)
        self._access.tick(now, effects)
        if self.console.desk is not None:
            self.console.desk.step(now, effects)
        if self._may_give_birth(now):
            self.link.give_birth(now, self._birth(), effects)
        if now >= self._heartbeat_at:
            self._heartbeat_at = now + HEARTBEAT_MS
            waiting = self.books.seq - self.link.acked
            if self.link.tell(now, Heartbeat(self.heap_free, self.ledger.journal_free, waiting), effects):
                for name in self.sensed:
                    if name in self._unheard or name not in _SLOWLY:
                        self._tell_sensed(now, name, effects)
        self.ledger.tell_boot(now, effects)
        self.link.tick(now, effects)  # last: what all the others had to say leaves in one piece

    # -------------------------------------------------------------- events
    def _key(self, now: int, event: "events.KeyPressed", effects: "list[Effect]") -> None:
        self.link.somebody_came(now)
        self.panel.key(now, event.key, effects)

    def _scan(self, now: int, event: "events.Scanned", effects: "list[Effect]") -> None:
        self.link.somebody_came(now)
        technician = self.panel.scan(now, event.data, effects)
        if technician is not None:
            self._let_in(now, technician, effects)
            desk = self.console.sit_down(self, effects)
            if desk is not None:
                desk.came(now, effects)

    def _door(self, now: int, event: "events.DoorSensed", effects: "list[Effect]") -> None:
        place = self.books.place(event.compartment)
        if place is None:
            return
        happening = self.openings.sensed(now, place, event.closed, effects)
        if happening is not None:
            self.panel.happened(now, happening, effects)

    def _contents(self, now: int, event: "events.ContentsSensed", _effects: "list[Effect]") -> None:
        place = self.books.place(event.compartment)
        if place is not None:
            self.openings.contents_sensed(now, place, event.occupied)

    def _module(self, now: int, event: "events.ModuleSensed", effects: "list[Effect]") -> None:
        """Doors that cannot be seen are told to the gateway by a new birth, and so are those that can be again."""
        if not event.fault and self.lost.pop(event.module, None) is None:
            return
        if event.fault:
            self.lost[event.module] = event.fault
            for number in event.numbers:
                place = self.books.place(number)
                if place is not None:
                    self.openings.drop(now, place, effects)
        self.link.again(now if event.fault else now + _FIRST_LOOK_MS)

    def _sensed(self, now: int, event: "events.Sensed", effects: "list[Effect]") -> None:
        """Not journalled: a value that is lost is told anew within a minute, and a housing that was open meanwhile is
        the highest since. A supply that has changed is told as it is now."""
        name = event.name
        changed = self.sensed.get(name) != event.value
        self.sensed[name] = event.value
        before = event.value if name == "supply_mv" else self._unheard.get(name, event.value)
        self._unheard[name] = max(event.value, before)
        if changed and name not in _SLOWLY:
            for unheard in list(self._unheard):
                self._tell_sensed(now, unheard, effects)

    def _tell_sensed(self, now: int, name: str, effects: "list[Effect]") -> None:
        if self.link.tell(now, Measured(name, self._unheard.get(name, self.sensed[name])), effects):
            self._unheard.pop(name, None)

    def _link_opened(self, now: int, _event: "events.LinkOpened", effects: "list[Effect]") -> None:
        self.link.opened(now, effects)

    def _link_closed(self, now: int, event: "events.LinkClosed", effects: "list[Effect]") -> None:
        self.link.closed(now, event.reason, effects)

    def _received(self, now: int, event: "events.Received", effects: "list[Effect]") -> None:
        for down in self.link.received(now, event.data, effects):
            if not self.ledger.has_room_for(OpeningAuthorised.TYPE):
                self.link.tell(now, MessageRefused(number_of("journal_full")), effects)
                continue
            self._commands.obey(now, down, effects)
            if isinstance(down.command, RevokeToken):
                self.console.token_revoked(down.command.token)

    def _may_give_birth(self, now: int) -> bool:
        """A birth says how every door stands, so it waits for the first look at each; but not for a dead sensor."""
        return self.link.birth_due and (now >= self._looked_by or self.doors.all_seen())

    def _birth(self) -> Birth:
        doors = bytearray(self.books.present)
        for place in range(len(doors)):
            doors[place] = self.books.holdings[place] << 4 | self.doors.states[place]
            if self.books.has(place, QUARANTINED):
                doors[place] |= QUARANTINED_FLAG
            if self.books.has(place, LEAVING):
                doors[place] |= LEAVING_FLAG
        first = max(self.first_seq, self.link.outbox.hole)
        return Birth(FIRMWARE, self.link.new_nonce(), first, self.books.seq, bytes(doors))

    def _typed(self, now: int, event: "events.Typed", effects: "list[Effect]") -> None:
        desk = self.console.sit_down(self, effects)
        if desk is not None:
            desk.typed(now, event.data, effects)

    def _journal_read(self, now: int, event: "events.JournalRead", effects: "list[Effect]") -> None:
        self.link.journal_read(now, event.first, self.ledger.whole(now, event.first, event.records), effects)

    def _journal_measured(self, _now: int, event: "events.JournalMeasured", _effects: "list[Effect]") -> None:
        self.ledger.journal_free = event.free

    # -------------------------------------------------------------- for the console
    def log_in(self, now: int, answer: str, effects: "list[Effect]") -> str:
        """By the answer to a challenge: one more way to guess, so it is paid for like the others. "" or why not."""
        if self._access.closed or self._access.pause_left_ms(now):
            return "throttled"
        why = self.console.answer(now, answer)
        if why == "wrong_code":
            self._access.refuse(now, CONSOLE, effects)
        elif not why:
            self.note_service(now, self.console.actor, "login", effects)
        return why

    def log_in_by_badge(self, now: int, text: bytes, effects: "list[Effect]") -> str:
        """ "" or the code of why not."""
        try:
            token = self._access.shown(now, CONSOLE, text, effects)
        except ProtocolError as error:
            return error.code
        if token.role != TECHNICIAN:
            return "not_allowed"
        self._let_in(now, token, effects)
        return ""

    def _let_in(self, now: int, technician: "Token", effects: "list[Effect]") -> None:
        self.console.log_in(now, technician.subject, technician.id)
        self.note_service(now, technician.subject, "login by badge", effects)

    def note_service(self, now: int, actor: str, action: str, effects: "list[Effect]") -> None:
        """Journal what a technician did."""
        self.ledger.save(now, ServiceActed(actor[:32], action[:32]), effects)


_HANDLERS: "dict[Any, Any]" = {
    events.KeyPressed: Agent._key,
    events.Scanned: Agent._scan,
    events.DoorSensed: Agent._door,
    events.ContentsSensed: Agent._contents,
    events.ModuleSensed: Agent._module,
    events.LinkOpened: Agent._link_opened,
    events.LinkClosed: Agent._link_closed,
    events.Received: Agent._received,
    events.Typed: Agent._typed,
    events.JournalRead: Agent._journal_read,
    events.JournalMeasured: Agent._journal_measured,
    events.Sensed: Agent._sensed,
}

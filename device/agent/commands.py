"""Commands from the gateway: each takes effect at most once, never late, never without a clock, never too often."""

from typing import TYPE_CHECKING

from device.agent.effects import Show
from protocol.errors import number_of
from protocol.limits import (
    CLOCK_SKEW_S_MAX,
    COMMAND_OPENS_PER_HOUR_MAX,
    COMMAND_TTL_OPEN_S_MAX,
)
from protocol.messages import (
    Assign,
    CommandDone,
    Decline,
    DepositAuthorised,
    Greet,
    Identify,
    Join,
    MessageRefused,
    Open,
    OpeningAuthorised,
    OutOfService,
    Reissue,
    Release,
    Reserved,
    Revoke,
    RevokeToken,
    TokenRevoked,
    Trust,
    TrustPart,
)
from protocol.numbers import COMMAND, FREE, HELD, LANGUAGES, REVOKED

if TYPE_CHECKING:
    from typing import Any

    from device.agent.codes import Codes
    from device.agent.console import Console
    from device.agent.effects import Effect
    from device.agent.ledger import Ledger
    from device.agent.openings import Openings
    from device.agent.panel import Panel
    from device.agent.trust import Trust as Believed
    from protocol.messages import Down

_HOUR_MS = 3_600_000


class Commands:
    def __init__(  # noqa: PLR0917 - all that an order may change
        self,
        ledger: "Ledger",
        openings: "Openings",
        codes: "Codes",
        panel: "Panel",
        trust: "Believed",
        console: "Console",
    ) -> None:
        self._ledger = ledger
        self._books = ledger.books
        self._openings = openings
        self._codes = codes
        self._panel = panel
        self._trust = trust
        self._console = console

    def obey(self, now: int, down: "Down", effects: "list[Effect]") -> None:
        if isinstance(down.command, TrustPart):  # proves nothing and changes nothing: no clock, no answer
            self._trust.gather(down.command)
            return
        if isinstance(down.command, Reserved):  # a hint for the locker's own choices, which the gateway corrects
            self._panel.alone.reserved = down.command.doors
            return
        if self._books.knows_command(down.id):
            self._ledger.link.tell(now, MessageRefused(number_of("repeated")), effects)
            return
        why = self._why_not(now, down)
        if not why:
            why = _HANDLERS[type(down.command).TYPE](self, now, down, effects)
        if why:
            self._done(now, down, why, effects)

    def _why_not(self, now: int, down: "Down") -> str:
        command = down.command
        if isinstance(command, (Assign, Decline)):  # they answer a person who stands here: no clock is needed
            mine = command.boot == self._ledger.boot and self._panel.awaits(now, command.request)
            return "" if mine else "no_such_request"
        why = self._why_not_in_time(now, down)
        number: int | None = getattr(command, "compartment", None)
        if not why and number is not None and self._books.place(number) is None:
            return "unknown_compartment"
        return why

    def _why_not_in_time(self, now: int, down: "Down") -> str:
        wall = self._ledger.link.wall_s(now)
        if wall is None:
            return "no_clock"
        if down.issued_s <= self._books.floor_s or wall > down.issued_s + down.ttl_s:
            return "expired"
        endless = isinstance(down.command, Open) and down.ttl_s > COMMAND_TTL_OPEN_S_MAX
        if endless or down.issued_s > wall + CLOCK_SKEW_S_MAX:
            return "bad_value"
        return ""

    def _done(self, now: int, down: "Down", why: str, effects: "list[Effect]", value: int = 0) -> None:
        command = down.command
        place: int | None = getattr(command, "compartment", None)
        self._ledger.save(
            now, CommandDone(down.id, down.issued_s, number_of(why), type(command).TYPE, place, value), effects
        )

    def _place(self, command: "Any") -> int:
        place = self._books.place(command.compartment)
        assert place is not None  # _why_not has looked
        return place

    def _assign(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        place = self._books.place(command.compartment)
        if place is None:
            return "unknown_compartment"
        order = (command.request, command.parcel, down.id, down.issued_s)
        why = self._openings.deposit(now, place, DepositAuthorised, order, effects)
        if not why:
            self._panel.assigned(place, effects)
        return why

    def _decline(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        self._done(now, down, "ok", effects)
        self._panel.declined(now, command.code, effects)
        return ""

    def _open(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        lately = [when for when in self._books.opens_ms if now - when < _HOUR_MS]
        if len(lately) >= COMMAND_OPENS_PER_HOUR_MAX:
            return "rate_limited"
        number: int = command.compartment
        authorisation = OpeningAuthorised(number, COMMAND, command.reason, down.id, down.issued_s)
        return self._openings.other(now, self._place(command), authorisation, effects)

    def _release(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        place = self._place(down.command)
        if not self._openings.may_release(place):
            return "wrong_state"
        self._done(now, down, "ok", effects)
        self._codes.refresh(place)
        self._openings.clear(now, place, effects)
        return ""

    def _revoke(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        place = self._place(command)
        deposit: int = command.deposit
        if self._books.deposit(place) != deposit or self._books.holdings[place] == FREE:
            return "spent"
        if self._openings.is_under_way(place):
            return "wrong_state"
        self._done(now, down, "ok", effects, deposit)
        self._codes.refresh(place)
        return ""

    def _reissue(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        """The parcel stays where it is; who has the old code has nothing, and what was begun with it is no pickup. The
        number behind one whose code has ended: somebody knows that it was not taken out. While a technician is at
        work, it may be in their hands."""
        command: Any = down.command
        place = self._place(command)
        why = self._why_not_held(command, place)
        if self._books.holdings[place] == REVOKED and self._books.deposit(place) + 1 == command.deposit:
            why = "wrong_state" if self._console.actor and now < self._console.idle_at else ""
        if not why and self._openings.is_under_way(place):
            why = "wrong_state"
        if not why:
            self._done(now, down, "ok", effects, self._codes.next_deposit(place))
            self._openings.forget(place)
            self._codes.refresh(place)
        return why

    def _join(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        why = self._why_not_held(command, self._place(command))
        if not why:
            self._done(now, down, "ok", effects, command.group)
        return why

    def _why_not_held(self, command: "Any", place: int) -> str:
        held = self._books.holdings[place] == HELD and self._books.deposit(place) == command.deposit
        return "" if held else "spent"

    def _revoke_token(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        token: bytes = command.token
        if not self._books.token_is_revoked(token) and self._books.revocations_left(down.issued_s) <= 0:
            return "no_room"
        self._ledger.save(now, TokenRevoked(down.id, down.issued_s, token, command.expiry_s), effects)
        self._panel.token_revoked(token, effects)
        return ""

    def _change_trust(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        why, kid = self._trust.change(command.statement, effects)
        if not why:
            self._done(now, down, "ok", effects, kid)
        return why

    def _out_of_service(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        place = self._place(command)
        out: bool = command.out
        self._done(now, down, "ok", effects, 1 if out else 0)
        happening = self._openings.put_out_of_service(now, place, out, effects)
        if happening is not None:
            self._panel.happened(now, happening, effects)
        if not out and self._openings.doors.refused(place):  # silence means closed; and this one's board is lost
            self._ledger.link.again(now)
        return ""

    def _identify(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        self._done(now, down, "ok", effects)
        self._panel.identify(now, effects)
        return ""

    def _greet(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        language: int = command.language
        if language >= len(LANGUAGES):
            return "bad_value"
        effects.append(Show("language", (LANGUAGES[language], "kept")))  # on flash before the answer is
        self._done(now, down, "ok", effects, language)
        return ""


_HANDLERS = {
    Assign.TYPE: Commands._assign,
    Decline.TYPE: Commands._decline,
    Open.TYPE: Commands._open,
    Release.TYPE: Commands._release,
    Revoke.TYPE: Commands._revoke,
    OutOfService.TYPE: Commands._out_of_service,
    Identify.TYPE: Commands._identify,
    Reissue.TYPE: Commands._reissue,
    Join.TYPE: Commands._join,
    RevokeToken.TYPE: Commands._revoke_token,
    Trust.TYPE: Commands._change_trust,
    Greet.TYPE: Commands._greet,
}

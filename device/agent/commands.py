"""Commands from the gateway: each takes effect at most once, never late, never without a clock, never too often."""

from typing import TYPE_CHECKING

from device.agent.effects import Beep, Show
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
    Identify,
    MessageRefused,
    Open,
    OpeningAuthorised,
    OutOfService,
    Release,
    Revoke,
)
from protocol.numbers import COMMAND, FREE

if TYPE_CHECKING:
    from typing import Any

    from device.agent.codes import Codes
    from device.agent.effects import Effect
    from device.agent.ledger import Ledger
    from device.agent.openings import Openings
    from device.agent.panel import Panel
    from protocol.messages import Down

_HOUR_MS = 3_600_000


class Commands:
    def __init__(self, ledger: "Ledger", openings: "Openings", codes: "Codes", panel: "Panel") -> None:
        self._ledger = ledger
        self._books = ledger.books
        self._openings = openings
        self._codes = codes
        self._panel = panel

    def obey(self, now: int, down: "Down", effects: "list[Effect]") -> None:
        if self._books.knows_command(down.id):
            self._ledger.link.tell(now, MessageRefused(number_of("repeated")), effects)
            return
        why = self._why_not(now, down)
        if not why:
            handler = _HANDLERS.get(type(down.command).TYPE)
            why = "unknown_type" if handler is None else handler(self, now, down, effects)
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
        why = self._openings.deposit(now, place, order, effects)
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

    def _out_of_service(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        command: Any = down.command
        place = self._place(command)
        out: bool = command.out
        self._done(now, down, "ok", effects, 1 if out else 0)
        happening = self._openings.put_out_of_service(now, place, out, effects)
        if happening is not None:
            self._panel.happened(now, happening, effects)
        return ""

    def _identify(self, now: int, down: "Down", effects: "list[Effect]") -> str:
        self._done(now, down, "ok", effects)
        effects.append(Show("identify", ()))
        effects.append(Beep("attention"))
        return ""


_HANDLERS = {
    Assign.TYPE: Commands._assign,
    Decline.TYPE: Commands._decline,
    Open.TYPE: Commands._open,
    Release.TYPE: Commands._release,
    Revoke.TYPE: Commands._revoke,
    OutOfService.TYPE: Commands._out_of_service,
    Identify.TYPE: Commands._identify,
}

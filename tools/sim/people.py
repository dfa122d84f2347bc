"""Couriers and customers: what they do at a locker, by what they see on its screen and how its doors stand.

They check with their own eyes what no log can: whose parcel lies behind the door that opened, and whether it opened.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING

from gateway.domain.parcels import NewParcel
from gateway.domain.people import COURIER, SCOPES_OF, Badge, Principal
from gateway.services import delegations, parcels, people, receipts, reissues
from gateway.services.customer import RECIPIENT
from protocol.messages import Deposited, Up
from tools.sim.cabinet import Door
from tools.sim.rules import Rules
from tools.sim.town import OPERATOR, Town
from tools.sim.world import HOUR, MINUTE, SECOND, Life, World

if TYPE_CHECKING:
    from tools.sim.board import Locker

CARRIER = Principal(COURIER, "colibri", SCOPES_OF[COURIER], "colibri's key")
KEY_MS = 150
LOOK_MS = 250
Seen = Generator[int, None, tuple[str, tuple[str, ...]]]
Found = Generator[int, None, bool]


class Parcel:
    """`place`: hand, a Door, owner, or gone (taken away by a person of the operator's)."""

    def __init__(self, label: str, number: int, locker: "Locker") -> None:
        self.label = label
        self.number = number
        self.locker = locker
        self.place: Door | str = "hand"
        self.code = ""
        self.token = ""
        self.old_codes: list[str] = []
        self.revoked_tokens: list[str] = []
        self.waited_for = False
        self.walked_off = False  # with it in hand, from an open door: whoever shut that made a deposit of it


class Crowd:
    """Everybody. `care`: how often somebody does what people do wrong (0: never)."""

    def __init__(self, world: World, town: Town, rules: Rules, lockers: "dict[str, Locker]", care: float) -> None:
        self.world = world
        self.town = town
        self.rules = rules
        self.lockers = lockers
        self.slip = care
        self.parcels: dict[int, Parcel] = {}
        badge: Badge = people.issue_badge(town.desk, CARRIER, "colibri", "courier-7", 60)
        self.badge = badge.token or ""
        self.used_codes: list[tuple[Locker, str]] = []
        self.stale_tokens: list[tuple[Locker, str]] = []
        self.revoked: list[tuple[Locker, str, str]] = []
        self.at_panel: set[str] = set()
        self.crowded: dict[str, int] = {}  # locker -> until when two may stand there at once, and mix up their doors
        rules.heard = self._heard

    # -------------------------------------------------------------- parcels come and are told
    def expect(self, locker: "Locker") -> Parcel | None:
        label = f"L{self.world.chance.getrandbits(40):010x}"
        size = self.world.chance.choice("SSM")
        made = self.town.do(parcels.expect_parcel, CARRIER, NewParcel(label, locker.name, size, "colibri"))
        if made is None:
            return None
        parcel = self.parcels[made.number] = Parcel(label, made.number, locker)
        return parcel

    def _heard(self, locker: str, up: Up) -> None:
        """The books have it: the recipient is told, and comes some time."""
        if not isinstance(up.event, Deposited):
            return
        found = self.town.rows(
            "SELECT number FROM parcels WHERE locker = ? AND compartment = ? AND deposit = ?",
            locker, up.event.compartment, up.event.deposit,
        )  # fmt: skip
        for (number,) in found:
            parcel = self.parcels.get(number)
            if parcel is not None and not parcel.waited_for:
                parcel.waited_for = True
                self.world.after(self.world.about(5 * HOUR), lambda one=parcel: self.world.live(self.customer(one)))

    def ask_code(self, parcel: Parcel) -> None:
        pickup = self.town.do(parcels.pickup_code, OPERATOR, parcel.number)
        if pickup is not None:
            if parcel.code not in ("", pickup.code):
                parcel.old_codes.append(parcel.code)
            parcel.code, parcel.token = pickup.code, pickup.token

    # -------------------------------------------------------------- at the panel
    def turn(self, locker: "Locker", patience_ms: int = 10 * MINUTE) -> Found:
        """Wait for one's turn; some do not."""
        until = self.world.now + patience_ms
        while locker.name in self.at_panel and not self.world.happens(0.02 * self.slip):
            if self.world.now > until:
                return False
            yield 2 * SECOND
        if locker.name in self.at_panel:
            self.crowded[locker.name] = self.world.now + 5 * MINUTE
        self.at_panel.add(locker.name)
        return True

    def is_crowded(self, locker: "Locker") -> bool:
        return self.world.now < self.crowded.get(locker.name, 0)

    def _screen(self, locker: "Locker", wanted: tuple[str, ...], ms: int, since: int) -> Seen:
        """One of these, if it comes in answer to what was done when `since` screens had been shown."""
        until = self.world.now + ms
        while self.world.now < until:
            if locker.shown > since and locker.screen[0] in wanted:
                return locker.screen
            yield LOOK_MS
        return ("", ())

    def _door(self, door: Door, ms: int) -> Found:
        until = self.world.now + ms
        while not door.open and self.world.now < until:
            yield LOOK_MS
        return door.open

    def keys(self, locker: "Locker", keys: str) -> Life:
        for key in keys:
            locker.key(key)
            yield KEY_MS

    # -------------------------------------------------------------- couriers
    def courier(self, locker: "Locker", count: int) -> Life:
        load = [parcel for parcel in (self.expect(locker) for _ in range(count)) if parcel is not None]
        if not (yield from self.turn(locker)):
            return
        try:
            yield from self._deliver(locker, load)
        finally:
            self.at_panel.discard(locker.name)
        for parcel in load:
            if parcel.place == "hand":  # another day
                self.world.after(self.world.about(3 * HOUR), lambda one=parcel: self.world.live(self.again(one)))

    def again(self, parcel: Parcel) -> Life:
        if not (yield from self.turn(parcel.locker)):
            return
        try:
            yield from self._deliver(parcel.locker, [parcel])
        finally:
            self.at_panel.discard(parcel.locker.name)

    def _deliver(self, locker: "Locker", load: list[Parcel]) -> Life:
        since = locker.shown
        locker.scan(self.badge)
        shown = yield from self._screen(locker, ("courier_ready",), 3 * SECOND, since)
        if shown[0] != "courier_ready":
            return
        for parcel in load:
            yield from self._put_in(locker, parcel)
            yield self.world.about(4 * SECOND)
            if isinstance(parcel.place, Door) and parcel.place.open:
                return  # in a hurry: the door stands open, and the round goes on
        locker.key("*")
        yield SECOND

    def _put_in(self, locker: "Locker", parcel: Parcel) -> Life:
        for _attempt in range(4):
            self.rules.books[locker.name].courier_asked = self.world.now
            since = locker.shown
            locker.scan(parcel.label)
            shown = yield from self._screen(locker, _ANSWERS, 14 * SECOND, since)
            if shown[0] == "size":
                self.rules.books[locker.name].courier_asked = self.world.now
                since = locker.shown
                locker.key("3" if self.world.happens(0.2) else "2")
                shown = yield from self._screen(locker, _ANSWERS, 5 * SECOND, since)
            if shown[0] == "deposit_open" and (yield from self._use_door(locker, parcel, int(shown[1][0]))):
                return
            if shown[0] not in ("no_answer", "size", "deposit_open", "deposit_jammed", "asking", "again"):
                return
            yield 2 * SECOND

    def _use_door(self, locker: "Locker", parcel: Parcel, number: int) -> Found:
        door = locker.cabinet.doors[number]
        if not (yield from self._door(door, 9 * SECOND)):
            return False
        self._look_first(locker, door)
        used = yield from self._fill(locker, parcel, door)
        parcel.walked_off = parcel.walked_off or not used
        return used

    def _look_first(self, locker: "Locker", door: Door) -> None:
        if self.is_crowded(locker):  # two couriers at one panel: either may use the door that was opened for the other
            door.lied = True
        elif door.inside and not door.lied:
            # Whoever opened it with the right code may have left it open, as the locker told, and have taken nothing.
            if door.number not in self.rules.books[locker.name].left_open:
                said = f"gave door {door.number} to a courier, and there is a parcel inside"
                self.rules.broken("I6", f"{locker.name} {said}")
            for one in door.inside:  # handed in at the town hall
                one.place = "gone"
            door.inside.clear()

    def _fill(self, locker: "Locker", parcel: Parcel, door: Door) -> Found:
        number = door.number
        if self.world.happens(0.06 * self.slip) and locker.screen[0] == "deposit_open":
            yield SECOND
            self.rules.books[locker.name].courier_asked = self.world.now
            since = locker.shown
            locker.key("B")
            shown = yield from self._screen(locker, _ANSWERS, 14 * SECOND, since)
            locker.cabinet.swing(number, False)
            if shown[0] == "deposit_open":
                return (yield from self._use_door(locker, parcel, int(shown[1][0])))
            return False
        yield self.world.about(5 * SECOND)
        if not door.open:
            return False
        parcel.place = door
        door.inside.append(parcel)
        self.world.note(locker.name, "in", number, parcel.label)
        yield self.world.about(2 * SECOND)
        since = locker.shown
        yield from self._shut(locker, number)
        shown = yield from self._screen(locker, ("deposited", "receipt"), 4 * SECOND, since)
        if shown[0] == "receipt" and self.world.happens(0.5):  # by phone, before or after the locker is back
            text = shown[1][-1]
            for ms in (self.world.about(10 * MINUTE), self.world.about(12 * HOUR)):
                self.world.after(ms, lambda: self.town.do(receipts.hand_in, CARRIER, text))
        return True

    def _shut(self, locker: "Locker", number: int) -> Life:
        if self.world.happens(0.05 * self.slip):  # it is left open, and somebody passes by
            self.world.after(self.world.about(5 * MINUTE), lambda: locker.cabinet.swing(number, False))
            return
        locker.cabinet.swing(number, False)
        yield SECOND

    # -------------------------------------------------------------- customers
    def customer(self, parcel: Parcel) -> Life:
        """Comes, and comes again while it does not work."""
        for _visit in range(6):
            self.ask_code(parcel)
            if parcel.code and self.world.happens(0.12):
                yield from self._change_of_mind(parcel)
            if parcel.code and (yield from self.turn(parcel.locker)):
                try:
                    done = yield from self.collect(parcel)
                finally:
                    self.at_panel.discard(parcel.locker.name)
                if done:
                    return
            yield self.world.about(2 * HOUR)

    def _change_of_mind(self, parcel: Parcel) -> Life:
        """A stranger may know the code, or a neighbour shall not go after all; whoever has the old one tries it."""
        if self.world.happens(0.5):
            self.town.do(reissues.reissue, RECIPIENT, parcel.number)
            yield self.world.about(20 * SECOND)
            self.ask_code(parcel)
            return
        made = self.town.do(delegations.delegate, OPERATOR, parcel.number, "a neighbour")
        if made is None:
            return
        self.town.do(delegations.revoke_delegation, OPERATOR, parcel.number, made.id)
        yield self.world.about(20 * SECOND)
        self.revoked.append((parcel.locker, "", made.token))
        yield from self.try_revoked(parcel.locker)

    def try_revoked(self, locker: "Locker") -> Life:
        """Right after it was revoked, and perhaps right after a restart."""
        if locker.name in self.at_panel or not self.revoked:
            return
        if not self.world.healing and self.world.happens(0.3):
            locker.power_off(SECOND)
            yield 5 * SECOND
        _, code, token = self.revoked[-1]
        if code and self.world.happens(0.5):
            yield from self.keys(locker, code)
        else:
            locker.scan(token)
        yield SECOND

    def collect(self, parcel: Parcel) -> Found:
        """One visit: whether the parcel is the customer's now."""
        locker = parcel.locker
        scans = self.world.happens(0.4)
        for _attempt in range(4):
            shown = yield from self._show_code(locker, parcel, scans)
            scans = scans or shown[0] == "throttled"  # as the screen says
            opens = shown[0] in ("opening", "already_open", "take_parcel")
            if opens and (yield from self._take(locker, parcel, int(shown[1][0]))):
                return True
            if not locker.powered:
                yield 20 * SECOND
            yield 6 * SECOND
        return False

    def _show_code(self, locker: "Locker", parcel: Parcel, scans: bool) -> Seen:
        since = locker.shown
        if scans:
            locker.scan(parcel.token)
        else:
            code = parcel.code
            if self.world.happens(0.1 * self.slip):
                place = self.world.chance.randrange(len(code))
                code = code[:place] + str(self.world.chance.randrange(10)) + code[place + 1 :]
            yield from self.keys(locker, code[:-1])
            since = locker.shown
            locker.key(code[-1])
        return (yield from self._screen(locker, _OUTCOMES, 3 * SECOND, since))

    def _doubted(self, parcel: Parcel) -> bool:
        """Where it truly lies a sensor lied, or somebody was told to look."""
        place = parcel.place
        if not isinstance(place, Door):
            return False
        return place.lied or place.number in self.rules.books[parcel.locker.name].quarantined

    def _take(self, locker: "Locker", parcel: Parcel, number: int) -> Found:
        door = locker.cabinet.doors[number]
        if not (yield from self._door(door, 9 * SECOND)):
            return False
        yield self.world.about(3 * SECOND)
        if not door.open:
            return False
        strangers = [other for other in door.inside if other is not parcel]
        if strangers and not door.lied:
            self.rules.broken("I2", f"{locker.name} opened door {number} with another person's parcel inside")
        if parcel not in door.inside:
            if isinstance(parcel.place, Door) and not (door.lied or parcel.walked_off or self._doubted(parcel)):
                self.rules.broken("I2", f"{locker.name} opened door {number} for a parcel that does not lie there")
            yield from self._shut(locker, number)  # its courier never put it in, or a person took it out
            return False
        door.inside.remove(parcel)
        parcel.place = "owner"
        self.world.note(locker.name, "out", number)
        self.used_codes.append((locker, parcel.code))
        self.stale_tokens.append((locker, parcel.token))
        yield from self._shut(locker, number)
        return True


_ANSWERS = (
    "deposit_open", "no_answer", "size", "receipt", "no_room", "unknown_label", "not_allowed",
    "parcel_done", "parcel_elsewhere", "declined", "journal_full", "deposit_jammed", "again",
)  # fmt: skip
_OUTCOMES = (
    "opening", "already_open", "take_parcel", "wrong_code", "typo", "short", "throttled", "code_used",
    "token_refused", "door_jammed", "door_out_of_service", "again", "fault",
)  # fmt: skip

"""Who may open which door now, and what the doors say came of it.

Every opening is authorised in the books before its pulse. A deposit or a pickup is done when the door was seen
open and then closed; a door that opens without anybody's leave was forced. The answers are happenings: (word,
compartment number), for whoever talks to the person in front.
"""

from typing import TYPE_CHECKING

from device.agent import door
from device.agent.books import DELEGATED, OPENED, OUT, PICKUP, QUARANTINED
from device.agent.door import Doors
from device.agent.effects import Pulse
from protocol.limits import PULSE_MS, REOPEN_MS, REOPENS_MAX
from protocol.messages import (
    Collected,
    DepositAbandoned,
    Deposited,
    DoorClosed,
    DoorFaulted,
    DoorOpened,
    OpeningAuthorised,
    PickupAuthorised,
)
from protocol.numbers import DEPOSITING, FREE, HELD, JAMMED, WRONG_BOX

if TYPE_CHECKING:
    from typing import Any

    from device.agent.codes import Codes
    from device.agent.effects import Effect
    from device.agent.ledger import Ledger

# What an opening under way is for.
_DEPOSIT, _PICKUP, _REOPEN, _OTHER = 1, 2, 3, 4
_SOMEBODY = b""  # a delegate, of whom a restart has left no more than that
_JAM_GRACE_MS = 60_000  # a stuck door pulled open so soon after the pulses was still opened with leave


class Openings:
    def __init__(self, ledger: "Ledger", codes: "Codes") -> None:
        self._ledger = ledger
        self._books = ledger.books
        self._codes = codes
        self.doors = Doors(len(ledger.books.numbers))
        self._pending: dict[int, list[int]] = {}  # place -> [what for, until (0: no end)]
        self._takers: dict[int, bytes | None] = {}  # place -> who picks up there: a delegate's token, or the recipient
        self._collected: dict[int, list[int]] = {}  # place -> [deposit, reopen until, reopened]
        for place in range(len(self._books.numbers)):
            if self._books.has(place, OUT):
                self.doors.disable(0, place)
            if self._books.holdings[place] == DEPOSITING:
                self._pending[place] = [_DEPOSIT, 0]
            elif self._books.has(place, PICKUP):
                self._pending[place] = [_PICKUP, 0]
                self._takers[place] = _SOMEBODY if self._books.has(place, DELEGATED) else None

    # -------------------------------------------------------------- authorising
    def is_free(self, place: int) -> bool:
        """Whether a parcel can be put in there, as far as the locker knows."""
        if self._books.holdings[place] != FREE or self._books.flags[place] or place in self._pending:
            return False
        return self.doors.states[place] == door.CLOSED

    def deposit(self, now: int, place: int, kind: "Any", order: "tuple[Any, ...]", effects: "list[Effect]") -> str:
        """Open for a courier. `kind` is DepositAuthorised or OfflineDepositAuthorised, `order` what that says behind
        the deposit number. "" or why not."""
        if not self.is_free(place):
            return "wrong_state"
        deposit = self._codes.next_deposit(place)
        self._ledger.save(now, kind(self._books.numbers[place], deposit, *order), effects)
        self._collected.pop(place, None)
        self._pending[place] = [_DEPOSIT, 0]
        self._order(now, place, effects)
        return ""

    def pickup(self, now: int, place: int, channel: int, taker: "bytes | None", effects: "list[Effect]") -> str:
        """Open for whoever showed the right code: the recipient, or the delegate whose token is `taker`.
        "" or why not (out_of_service, spent)."""
        if self.doors.states[place] == door.OUT_OF_SERVICE:
            return "out_of_service"
        deposit = self._books.deposit(place)
        number = self._books.numbers[place]
        if self._books.holdings[place] != HELD:
            return self._reopen(now, place, channel, taker, effects)
        if self.doors.states[place] != door.OPENING:
            self._ledger.save(now, PickupAuthorised(number, deposit, channel, 0, taker), effects)
            self._pending[place] = [_PICKUP, 0]
            self._takers[place] = taker
            self._order(now, place, effects)
        return ""

    def _reopen(self, now: int, place: int, channel: int, taker: "bytes | None", effects: "list[Effect]") -> str:
        """The same person once more, within three minutes: nobody is stranded by a door that fell shut."""
        last = self._collected.get(place)
        if last is None or last[0] != self._books.deposit(place) or self._books.holdings[place] != FREE:
            return "spent"
        if now > last[1] or last[2] >= REOPENS_MAX or self._takers.get(place) != taker:
            return "spent"
        last[2] += 1
        self._ledger.save(now, PickupAuthorised(self._books.numbers[place], last[0], channel, last[2], taker), effects)
        self._pending[place] = [_REOPEN, 0]
        self._order(now, place, effects)
        return ""

    def next_of(self, place: int) -> "int | None":
        """Another parcel of the recipient who collects, or has collected, at `place`: a closed door before a doubtful
        one."""
        group = self._books.group(place)
        found = None
        for other in range(len(self._books.numbers)):
            mine = group and other != place and self._books.group(other) == group
            if mine and self._books.holdings[other] == HELD and not self.is_under_way(other):
                if self.doors.states[other] == door.CLOSED:
                    return other
                if self.doors.states[other] != door.OUT_OF_SERVICE:
                    found = other
        return found

    def taker(self, place: int) -> "bytes | None":
        """Who collected there last: a delegate's token, or None for the recipient."""
        return self._takers.get(place)

    def forget(self, place: int) -> None:
        """What was under way there is no evidence any more."""
        self._pending.pop(place, None)

    def other(
        self,
        now: int,
        place: int,
        authorisation: "OpeningAuthorised",
        effects: "list[Effect]",
    ) -> str:
        """Open by command or from the console. "" or why not."""
        if self.doors.states[place] == door.OUT_OF_SERVICE:
            return "out_of_service"
        if self.is_under_way(place) and self._pending[place][0] in (_DEPOSIT, _PICKUP):
            return "wrong_state"
        self._ledger.save(now, authorisation, effects)
        self._pending[place] = [_OTHER, 0]
        self._order(now, place, effects)
        return ""

    def abandon(self, now: int, place: int, reason: int, effects: "list[Effect]") -> None:
        """The courier does not want this one after all; its door may still be open."""
        self._give_up_deposit(now, place, reason, effects)
        self._pending[place] = [_OTHER, 0]

    def _give_up_deposit(self, now: int, place: int, reason: int, effects: "list[Effect]") -> None:
        parcel = self._books.parcel(place)
        self._ledger.save(
            now, DepositAbandoned(self._books.numbers[place], self._books.deposit(place), parcel, reason), effects
        )
        self._pending.pop(place, None)

    def _order(self, now: int, place: int, effects: "list[Effect]") -> None:
        outcome = self.doors.order(now, place)
        if outcome == door.PULSE:
            effects.append(Pulse(self._books.numbers[place], PULSE_MS))
        elif outcome == door.ALREADY_OPEN:
            self._ledger.save(now, DoorOpened(self._books.numbers[place]), effects)

    # -------------------------------------------------------------- what the doors say
    def sensed(self, now: int, place: int, closed: bool, effects: "list[Effect]") -> "tuple[str, int] | None":
        return self._outcome(now, place, self.doors.sense(now, place, closed), effects)

    def tick(self, now: int, effects: "list[Effect]") -> "list[tuple[str, int]]":
        happenings: list[tuple[str, int]] = []
        for place in self.doors.due(now):
            happening = self._outcome(now, place, self.doors.wait_over(now, place), effects)
            if happening is not None:
                happenings.append(happening)
        return happenings

    def deadline(self) -> "int | None":
        return self.doors.deadline()

    def clear(self, now: int, place: int, effects: "list[Effect]") -> None:
        """A person checked this door: believe it again."""
        self._outcome(now, place, self.doors.clear(now, place), effects)

    def put_out_of_service(self, now: int, place: int, out: bool, effects: "list[Effect]") -> "tuple[str, int] | None":
        if not out:
            self.clear(now, place, effects)
            return None
        self.doors.disable(now, place)
        if self._pending.pop(place, [_OTHER])[0] != _DEPOSIT:
            return None
        self._fault(now, place, door.OUT_OF_SERVICE, True, effects)  # is the parcel inside? A person looks.
        self._give_up_deposit(now, place, WRONG_BOX, effects)
        return "deposit_jammed", self._books.numbers[place]

    def is_open(self, place: int) -> bool:
        return self.doors.states[place] in (door.OPEN, door.LEFT_OPEN, door.FORCED)

    def is_opening(self, place: int) -> bool:
        """Whether pulses for it may still come."""
        return self.doors.states[place] == door.OPENING

    def may_release(self, place: int) -> bool:
        """Whether a person's word that it is empty can be taken: shut as far as is known, and no live code."""
        if self.is_under_way(place) or self._books.holdings[place] in (HELD, DEPOSITING):
            return False
        return self.doors.sensor_says_closed(place) or self.doors.states[place] == door.FAULTY

    def is_under_way(self, place: int) -> bool:
        """Whether somebody stands before that open or opening door."""
        return place in self._pending and self.doors.states[place] in (door.OPENING, door.OPEN, door.LEFT_OPEN)

    def _outcome(self, now: int, place: int, outcome: int, effects: "list[Effect]") -> "tuple[str, int] | None":
        number = self._books.numbers[place]
        if outcome == door.PULSE:
            effects.append(Pulse(number, PULSE_MS))
            return None
        handler = _ON_OUTCOME.get(outcome)
        if handler is None:
            return None
        word = handler(self, now, place, effects)
        return (word, number) if word else None

    def _opened(self, now: int, place: int, effects: "list[Effect]") -> str:
        pending = self._pending.get(place)
        if pending is None or (pending[1] and now > pending[1]):
            self._pending.pop(place, None)
            return self._forced(now, place, effects)
        self._ledger.save(now, DoorOpened(self._books.numbers[place]), effects)
        return "opened"

    def _shut(self, now: int, place: int, effects: "list[Effect]") -> str:
        number = self._books.numbers[place]
        what = self._pending.pop(place, [0])[0]
        if what == _DEPOSIT:
            deposit, parcel = self._books.deposit(place), self._books.parcel(place)
            self._ledger.save(now, Deposited(number, deposit, parcel), effects)
            self._codes.refresh(place)
            return "deposited"
        if what == _PICKUP:
            deposit = self._books.deposit(place)
            self._ledger.save(now, Collected(number, deposit), effects)
            self._codes.refresh(place)
            self._collected[place] = [deposit, now + REOPEN_MS, 0]
            return "collected"
        self._ledger.save(now, DoorClosed(number), effects)
        return "collected" if what == _REOPEN else "closed"

    def _forced(self, now: int, place: int, effects: "list[Effect]") -> str:
        self._pending.pop(place, None)  # what was authorised before is not what opened it
        self._fault(now, place, door.FORCED, True, effects)
        return "forced"

    def _stuck(self, now: int, place: int, effects: "list[Effect]") -> str:
        self._fault(now, place, door.JAMMED, True, effects)
        pending = self._pending.get(place)
        if pending is None or pending[0] != _DEPOSIT:
            if pending is not None:
                pending[1] = now + _JAM_GRACE_MS
            return "jammed"
        self._give_up_deposit(now, place, JAMMED, effects)
        return "deposit_jammed"

    def _stays_open(self, now: int, place: int, effects: "list[Effect]") -> str:
        self._fault(now, place, door.LEFT_OPEN, False, effects)
        return "left_open"

    def _doubted(self, now: int, place: int, effects: "list[Effect]") -> str:
        """Its sensor flaps: nothing it said or says is evidence, and a person must look."""
        self._fault(now, place, door.FAULTY, True, effects)
        if self._pending.pop(place, [_OTHER])[0] == _DEPOSIT:
            self._give_up_deposit(now, place, JAMMED, effects)
            return "deposit_jammed"
        return "faulty"

    def _remind(self, _now: int, _place: int, _effects: "list[Effect]") -> str:
        return "remind"

    def _found_open(self, now: int, place: int, effects: "list[Effect]") -> str:
        """The first look after a start finds it open."""
        if place in self._pending:
            if not self._books.has(place, OPENED):
                self._ledger.save(now, DoorOpened(self._books.numbers[place]), effects)
            return "opened"
        self._fault(now, place, door.OPEN, self._books.holdings[place] != FREE, effects)
        return ""

    def _found_shut(self, now: int, place: int, effects: "list[Effect]") -> str:
        """The first look after a start finds it closed: what was under way ended, or never began."""
        pending = self._pending.get(place)
        if pending is None:
            return ""
        if self._books.has(place, OPENED) or pending[0] >= _REOPEN:
            return self._shut(now, place, effects)
        del self._pending[place]
        if pending[0] == _DEPOSIT:
            # Power went between pulse and sensor: the parcel may lie inside or not. Not guessed: a person looks.
            self._fault(now, place, door.UNKNOWN, True, effects)
            self._give_up_deposit(now, place, WRONG_BOX, effects)
        return ""

    def _fault(self, now: int, place: int, state: int, quarantined: bool, effects: "list[Effect]") -> None:
        kept = quarantined or self._books.has(place, QUARANTINED)
        self._ledger.save(now, DoorFaulted(self._books.numbers[place], state, kept), effects)


_ON_OUTCOME = {
    door.OPENED: Openings._opened,
    door.SHUT: Openings._shut,
    door.BROKEN_OPEN: Openings._forced,
    door.STUCK: Openings._stuck,
    door.REMIND: Openings._remind,
    door.STAYS_OPEN: Openings._stays_open,
    door.DOUBTED: Openings._doubted,
    door.FOUND_OPEN: Openings._found_open,
    door.FOUND_SHUT: Openings._found_shut,
}

"""Who may open which door now, and what the doors say came of it.

Every opening is authorised in the books before its pulse. A deposit or a pickup is done when the door was seen
open and then closed; a door that opens without anybody's leave was forced. The answers are happenings: (word,
compartment number), for whoever talks to the person in front.
"""

from typing import TYPE_CHECKING

from device.agent import door
from device.agent.books import DELEGATED, OPENED, OUT, PICKUP, QUARANTINED
from device.agent.contents import Contents
from device.agent.door import Doors
from device.agent.effects import Pulse
from protocol.limits import PULSE_MS, REOPEN_MS, REOPENS_MAX
from protocol.messages import (
    Collected,
    ContentsDoubted,
    DepositAbandoned,
    Deposited,
    DoorClosed,
    DoorFaulted,
    DoorOpened,
    OpeningAuthorised,
    PickupAuthorised,
)
from protocol.numbers import (
    DEPOSITING,
    FREE,
    HELD,
    JAMMED,
    KEYPAD,
    MISSING,
    SENSOR_FAULTY,
    UNEXPECTED,
    WRONG_BOX,
)

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
        self._contents = Contents()
        self._pending: dict[int, list[int]] = {}  # place -> [what for, until (0: no end)]
        self._takers: dict[int, bytes | None] = {}  # place -> who picks up there: a delegate's token, or the recipient
        self._collected: dict[int, list[int]] = {}  # place -> [deposit, reopen until, reopened]
        for place in range(len(self._books.numbers)):
            if self._books.has(place, OUT) or place >= self._books.present:
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
        return self.doors.states[place] == door.CLOSED and not self._contents.full(place)

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
        if self.doors.refused(place):
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
                if not self.doors.refused(other):
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
        if self.doors.refused(place):
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
        if self.doors.states[place] != door.CLOSED:
            self._pending[place] = [_OTHER, 0]

    def seems_empty(self, place: int) -> "bool | None":
        """Of a deposit whose door was closed: whether nothing is sensed behind it (False: not known yet), so that it
        is for the courier to say. None: not closed."""
        return not self._contents.settling(place) if self.doors.states[place] == door.CLOSED else None

    def deposit_again(self, now: int, place: int, actor: str, effects: "list[Effect]") -> None:
        """The courier opens once more what seems empty; it is the same deposit."""
        number = self._books.numbers[place]
        self._ledger.save(now, OpeningAuthorised(number, KEYPAD, actor, None, None), effects)
        self._order(now, place, effects)

    def leave_unclear(self, now: int, place: int, effects: "list[Effect]") -> None:
        """Nobody is there to say whether that deposit is inside: a person looks."""
        self._doubt(now, place, MISSING, effects)
        self._give_up_deposit(now, place, WRONG_BOX, effects)

    def _give_up_deposit(self, now: int, place: int, reason: int, effects: "list[Effect]") -> None:
        parcel = self._books.parcel(place)
        self._ledger.save(
            now, DepositAbandoned(self._books.numbers[place], self._books.deposit(place), parcel, reason), effects
        )
        self._pending.pop(place, None)

    def _order(self, now: int, place: int, effects: "list[Effect]") -> None:
        self._contents.forget(place)
        outcome = self.doors.order(now, place)
        if outcome == door.ALREADY_OPEN:
            self._ledger.save(now, DoorOpened(self._books.numbers[place]), effects)
        if outcome in (door.PULSE, door.ALREADY_OPEN):  # "open already" may be a sensor that lies: nobody is stranded
            effects.append(Pulse(self._books.numbers[place], PULSE_MS))

    # -------------------------------------------------------------- what the doors say
    def sensed(self, now: int, place: int, closed: bool, effects: "list[Effect]") -> "tuple[str, int] | None":
        return self._outcome(now, place, self.doors.sense(now, place, closed), effects)

    def drop(self, now: int, place: int, effects: "list[Effect]") -> None:
        """Its board is silent: nothing more is known of that door, as after a start, and no order reaches it."""
        self.doors.forget(now, place, self.is_under_way(place))
        effects.append(Pulse(self._books.numbers[place], 0))  # none that waits shall come once the board is back

    def contents_sensed(self, now: int, place: int, occupied: "bool | None") -> None:
        self._contents.sense(now, place, occupied, self.doors.states[place] == door.CLOSED)

    def tick(self, now: int, effects: "list[Effect]") -> "list[tuple[str, int]]":
        happenings: list[tuple[str, int]] = []
        for place in self._contents.due(now):
            word = self._settled(now, place, effects)
            if word:
                happenings.append((word, self._books.numbers[place]))
        for place in self.doors.due(now):
            happening = self._outcome(now, place, self.doors.wait_over(now, place), effects)
            if happening is not None:
                happenings.append(happening)
        return happenings

    def deadline(self) -> "int | None":
        doors, contents = self.doors.deadline(), self._contents.deadline()
        return doors if contents is None else contents if doors is None else min(doors, contents)

    def clear(self, now: int, place: int, effects: "list[Effect]") -> None:
        """A person checked this door: believe it again."""
        if place >= self._books.present:
            return
        self._contents.clear(now, place)
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

    def _broken_open(self, now: int, place: int, effects: "list[Effect]") -> str:
        """It opened unasked. If another was just ordered open, their wires may be swapped: each retry, and each later
        code, would open this one again, so that other door is out until a person has looked."""
        word = self._forced(now, place, effects)
        for other in range(len(self._books.numbers)):
            if self.doors.states[other] == door.OPENING:
                word = "wrong_door"
                self.doors.disable(now, other)
                self._break_off(now, other, door.OUT_OF_SERVICE, WRONG_BOX, effects)
        return word

    def _break_off(self, now: int, place: int, state: int, reason: int, effects: "list[Effect]") -> bool:
        """A fault ends what was under way, and a person must look; whether it was a deposit."""
        self._fault(now, place, state, True, effects)
        if self._pending.pop(place, [_OTHER])[0] != _DEPOSIT:
            return False
        self._give_up_deposit(now, place, reason, effects)
        return True

    def is_open(self, place: int) -> bool:
        return self.doors.states[place] in (door.OPEN, door.LEFT_OPEN, door.FORCED)

    def sensor_is_faulty(self, place: int) -> bool:
        """What an occupancy sensor says is not believed any more."""
        return self._contents.is_faulty(place)

    def is_opening(self, place: int) -> bool:
        """Whether pulses for it may still come."""
        return self.doors.states[place] == door.OPENING

    def may_release(self, place: int) -> bool:
        """Whether a person's word that it is empty can be taken: shut as far as is known, and no live code."""
        if place >= self._books.present:  # there is no door: it is for whoever took it away to say
            return self._books.holdings[place] != HELD
        if self.is_under_way(place) or self._books.holdings[place] in (HELD, DEPOSITING):
            return False
        return self.doors.sensor_says_closed(place) or self.doors.states[place] == door.FAULTY

    def is_under_way(self, place: int) -> bool:
        """Whether somebody stands before that open or opening door."""
        if place not in self._pending:
            return False
        if self.doors.states[place] == door.CLOSED:  # its contents are not known yet
            return self._pending[place][0] in (_DEPOSIT, _PICKUP)
        return self.doors.states[place] in (door.OPENING, door.OPEN, door.LEFT_OPEN)

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
        effects.append(Pulse(self._books.numbers[place], 0))  # whatever was ordered of it is over
        what = self._pending.get(place, [0])[0]
        if self._contents.wait(now, place) and what in (_DEPOSIT, _PICKUP):
            return ""
        return self._finish(now, place, effects)

    def _settled(self, now: int, place: int, effects: "list[Effect]") -> str:
        """The occupancy sensor's word counts now, if the door is shut."""
        occupied = self._contents.ask(place)
        if self._contents.newly_faulty(place):
            self._doubt(now, place, SENSOR_FAULTY, effects)
        if self.doors.states[place] != door.CLOSED:
            return ""
        what = self._pending.get(place, [0])[0]
        if what == _PICKUP and occupied:
            self._pending.pop(place)
            self._ledger.save(now, DoorClosed(self._books.numbers[place]), effects)
            return "still_inside"
        if what == _DEPOSIT and occupied is False:
            return "deposit_empty"
        if what in (_DEPOSIT, _PICKUP):
            return self._finish(now, place, effects)
        holding = self._books.holdings[place]
        if occupied is not None and not self._books.has(place, QUARANTINED):
            if holding == FREE and occupied:
                self._doubt(now, place, UNEXPECTED, effects)
            elif holding == HELD and not occupied:
                self._doubt(now, place, MISSING, effects)
        return ""

    def _doubt(self, now: int, place: int, finding: int, effects: "list[Effect]") -> None:
        self._ledger.save(now, ContentsDoubted(self._books.numbers[place], finding), effects)

    def _finish(self, now: int, place: int, effects: "list[Effect]") -> str:
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
        """What was authorised before is not what opened it."""
        return "deposit_jammed" if self._break_off(now, place, door.FORCED, WRONG_BOX, effects) else "forced"

    def _stuck(self, now: int, place: int, effects: "list[Effect]") -> str:
        """It does not open, or its board was lost with somebody before it and has not come back."""
        self._fault(now, place, door.JAMMED, True, effects)
        pending = self._pending.get(place)
        if pending is None or pending[0] != _DEPOSIT:
            if pending is not None:
                pending[1] = now + _JAM_GRACE_MS
            return "jammed"
        self._give_up_deposit(now, place, JAMMED, effects)
        self._pending[place] = [_OTHER, now + _JAM_GRACE_MS]  # pulled open after all by the same courier
        return "deposit_jammed"

    def _stays_open(self, now: int, place: int, effects: "list[Effect]") -> str:
        self._fault(now, place, door.LEFT_OPEN, False, effects)
        return "left_open"

    def _doubted(self, now: int, place: int, effects: "list[Effect]") -> str:
        """Its sensor flaps: nothing it said or says is evidence, and a person must look."""
        return "deposit_jammed" if self._break_off(now, place, door.FAULTY, JAMMED, effects) else "faulty"

    def _remind(self, _now: int, _place: int, _effects: "list[Effect]") -> str:
        return "remind"

    def _found_open(self, now: int, place: int, effects: "list[Effect]") -> str:
        """The first look after a start finds it open."""
        if place in self._pending:
            if not self._books.has(place, OPENED):
                self._ledger.save(now, DoorOpened(self._books.numbers[place]), effects)
            return "remind"  # whoever stands there now may not be whose parcel it is
        self._fault(now, place, door.OPEN, self._books.holdings[place] != FREE, effects)
        return ""

    def _found_shut(self, now: int, place: int, effects: "list[Effect]") -> str:
        """The first look after a start finds it closed: what was under way ended, or never began."""
        pending = self._pending.get(place)
        if pending is None:
            self._contents.wait(now, place)
            return ""
        if self._books.has(place, OPENED) or pending[0] >= _REOPEN:
            return self._shut(now, place, effects)
        del self._pending[place]
        # Power went between pulse and sensor: the parcel may lie inside or not. Not guessed: a person looks. The code
        # stays good, but whatever opens that door without it is not the pickup that was begun.
        self._fault(now, place, door.UNKNOWN, True, effects)
        if pending[0] == _DEPOSIT:
            self._give_up_deposit(now, place, WRONG_BOX, effects)
        return ""

    def _fault(self, now: int, place: int, state: int, quarantined: bool, effects: "list[Effect]") -> None:
        kept = quarantined or self._books.has(place, QUARANTINED)
        self._ledger.save(now, DoorFaulted(self._books.numbers[place], state, kept), effects)


_ON_OUTCOME = {
    door.OPENED: Openings._opened,
    door.SHUT: Openings._shut,
    door.BROKEN_OPEN: Openings._broken_open,
    door.STUCK: Openings._stuck,
    door.REMIND: Openings._remind,
    door.STAYS_OPEN: Openings._stays_open,
    door.DOUBTED: Openings._doubted,
    door.FOUND_OPEN: Openings._found_open,
    door.FOUND_SHUT: Openings._found_shut,
}

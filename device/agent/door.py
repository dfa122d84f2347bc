"""Doors: a table of states and inputs. A pair that is not in the table is an error. Unknown is a state.

All doors of a locker live in three byte arrays, because a hundred objects would cost a tenth of the heap. What a
door did is told as an outcome; who was allowed to open it is openings.py's business.
"""

from protocol.limits import (
    DOOR_FLAPS_MAX,
    LEFT_OPEN_MS,
    LEFT_OPEN_REMIND_MS,
    PULSE_RETRY_MS,
    PULSE_TRIES_MAX,
)

# States: the numbers are the places in protocol.numbers.DOOR_STATES.
UNKNOWN, CLOSED, OPENING, OPEN, LEFT_OPEN, JAMMED, FORCED, FAULTY, OUT_OF_SERVICE = 0, 1, 2, 3, 4, 5, 6, 7, 8
STATES = 9

# Inputs. WAITED: this state's timer ran out; GAVE_UP: it ran out for the last time; FLAPPED: the sensor cannot
# be believed; DISABLED, CLEARED: a person took the door out of service, or checked it; _LOST: its board is silent.
SENSED_OPEN, SENSED_CLOSED, ORDERED, WAITED, GAVE_UP, FLAPPED, DISABLED, CLEARED, _LOST = 0, 1, 2, 3, 4, 5, 6, 7, 8
INPUTS = 9

# Outcomes: what the agent must know or do.
NOTHING, PULSE, OPENED, SHUT, BROKEN_OPEN, STUCK, REMIND = 0, 1, 2, 3, 4, 5, 6
STAYS_OPEN, DOUBTED, ALREADY_OPEN, REFUSED, FOUND_OPEN, FOUND_SHUT = 7, 8, 9, 10, 11, 12

# One row a state, one cell an input (both in the order above): the next state, and the outcome after the slash. "." is
# a pair that cannot happen. A faulty door's sensor lies, so nothing it says counts; the person in front may still get
# one pulse for each order. A door whose board is lost is as unknown as at a start; its timer is somebody's who stands
# before it.
_ROWS = (
    "open/found_open closed/found_shut opening/pulse unknown/stuck . faulty/doubted out/- unknown/- unknown/-",
    "forced/broken_open closed/- opening/pulse . . faulty/doubted out/- closed/- unknown/-",  # closed
    "open/opened opening/- opening/- opening/pulse jammed/stuck faulty/doubted out/- opening/- unknown/-",  # opening
    "open/- closed/shut open/already open/remind left_open/stays_open faulty/doubted out/- open/- unknown/-",  # open
    "left_open/- closed/shut left_open/already . . faulty/doubted out/- left_open/- unknown/-",  # left_open
    "open/opened jammed/- opening/pulse . . faulty/doubted out/- unknown/- unknown/-",  # jammed
    "forced/- closed/shut forced/already . . faulty/doubted out/- forced/- unknown/-",  # forced
    "faulty/- faulty/- faulty/pulse . . faulty/- out/- unknown/- faulty/-",  # faulty
    "out/- out/- out/refused . . out/- out/- unknown/- out/-",  # out_of_service
)
_STATES = ("unknown", "closed", "opening", "open", "left_open", "jammed", "forced", "faulty", "out")
_OUTCOMES = (
    "-",
    "pulse",
    "opened",
    "shut",
    "broken_open",
    "stuck",
    "remind",
    "stays_open",
    "doubted",
    "already",
    "refused",
    "found_open",
    "found_shut",
)
_IMPOSSIBLE = 0xFF


def _compile() -> bytes:
    """The rows as one byte a cell: the next state in the high nibble, the outcome in the low one."""
    table = bytearray()
    for row in _ROWS:
        for cell in row.split(" "):
            if cell == ".":
                table.append(_IMPOSSIBLE)
            else:
                state, outcome = cell.split("/")
                table.append(_STATES.index(state) << 4 | _OUTCOMES.index(outcome))
    return bytes(table)


_TABLE = _compile()


def transition(state: int, stimulus: int) -> "tuple[int, int]":
    """(next state, outcome). Raises KeyError for a pair that is not in the table."""
    cell = _TABLE[state * INPUTS + stimulus]
    if cell == _IMPOSSIBLE:
        raise KeyError(state, stimulus)
    return cell >> 4, cell & 0x0F


_FLAP_WINDOW_MS = 60_000


def flapping(flaps: "dict[int, list[int]]", now: int, place: int) -> bool:
    """Note one more change without an order; whether there were too many."""
    flap = flaps.get(place)
    if flap is None or now - flap[0] > _FLAP_WINDOW_MS:
        flaps[place] = [now, 1]
        return False
    flap[1] += 1
    return flap[1] > DOOR_FLAPS_MAX


class Doors:
    """Every door of one locker, by place (0 is the lowest-numbered compartment)."""

    def __init__(self, count: int) -> None:
        self.states = bytearray(count)
        self._sensed = bytearray(count)  # 0 not yet, 1 open, 2 closed, 3 its board is lost
        self._tries = bytearray(count)
        self.took = bytearray(count)  # from the last pulse to its opening, in 10 ms, at most 255; 0: not opened yet
        self._timers: dict[int, int] = {}  # place -> when its state's time is up
        self._flaps: dict[int, list[int]] = {}  # place -> [since, changes without an order]

    def sense(self, now: int, place: int, closed: bool) -> int:
        """The sensor settled. The outcome."""
        heard = self._sensed[place] % 3  # what was said before its board was lost is as good as nothing
        self._sensed[place] = 2 if closed else 1
        before = self.states[place]
        if closed and heard == 2 and before == OPENING:
            # A glimpse of open: perhaps somebody pushed it shut at once. One more pulse could open a door that nobody
            # stands at, and a glimpse is no evidence: no more tries, and the person in front asks again.
            self._tries[place] = PULSE_TRIES_MAX
        outcome = self._apply(now, place, SENSED_CLOSED if closed else SENSED_OPEN)
        # A door that opens unasked again and again is a sensor that lies, not a burglar in a hurry.
        changed = heard != self._sensed[place]
        if changed and before not in (OPENING, OPEN, LEFT_OPEN, UNKNOWN) and flapping(self._flaps, now, place):
            return self._apply(now, place, FLAPPED)
        return outcome

    def order(self, now: int, place: int) -> int:
        """Somebody with an authorisation wants it open. The outcome."""
        self._tries[place] = 1
        self._flaps.pop(place, None)
        return self._apply(now, place, ORDERED)

    def disable(self, now: int, place: int) -> int:
        return self._apply(now, place, DISABLED)

    def clear(self, now: int, place: int) -> int:
        """A person checked it. Where the state becomes unknown, the sensor's last word settles it."""
        self._flaps.pop(place, None)
        outcome = self._apply(now, place, CLEARED)
        if self.states[place] == UNKNOWN and self._sensed[place] in (1, 2):
            return self._apply(now, place, SENSED_OPEN if self._sensed[place] == 1 else SENSED_CLOSED)
        return outcome

    def forget(self, now: int, place: int, pending: bool) -> None:
        """Its board is silent. `pending`: somebody stands before it, and is told should it not come back soon."""
        self._sensed[place] = 3
        self._apply(now, place, _LOST)
        if pending and self.states[place] == UNKNOWN:
            self._timers[place] = now + LEFT_OPEN_REMIND_MS

    def refused(self, place: int) -> bool:
        """Whether an order could not reach it: out of service, or its board is lost."""
        return self.states[place] == OUT_OF_SERVICE or self._sensed[place] == 3

    def due(self, now: int) -> "list[int]":
        """The places whose timer has run out, in order."""
        return sorted([place for place, when in self._timers.items() if when <= now])

    def wait_over(self, now: int, place: int) -> int:
        """One of due(): the outcome of its time being up."""
        last = self.states[place] == OPEN and self._tries[place] > 1
        if self.states[place] == OPENING:
            last = self._tries[place] >= PULSE_TRIES_MAX
        self._tries[place] += 1
        return self._apply(now, place, GAVE_UP if last else WAITED)

    def deadline(self) -> "int | None":
        return min(self._timers.values()) if self._timers else None

    def all_seen(self) -> bool:
        """Whether every door has been sensed since the start."""
        return all([state != UNKNOWN for state in self.states])  # `in` works on no array in MicroPython

    def sensor_says_closed(self, place: int) -> bool:
        return self._sensed[place] == 2

    def _apply(self, now: int, place: int, stimulus: int) -> int:
        before = self.states[place]
        after, outcome = transition(before, stimulus)
        self.states[place] = after
        if after == OPENING and outcome == PULSE:
            self._timers[place] = now + PULSE_RETRY_MS
        elif after == OPEN and before != OPEN:
            if before == OPENING:
                self.took[place] = min(255, (now + PULSE_RETRY_MS - self._timers[place]) // 10)
            self._tries[place] = 1
            self._timers[place] = now + LEFT_OPEN_REMIND_MS
        elif outcome == REMIND:
            self._timers[place] = now + LEFT_OPEN_MS - LEFT_OPEN_REMIND_MS
        elif after != before or outcome == STUCK:
            self._timers.pop(place, None)
        return outcome

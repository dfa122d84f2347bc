"""`module retire NAME`: a module is led out, parcel by parcel, before it is taken off.

From the first word on nothing is put in any more: the books say so of each of its compartments, and the gateway's
follow. Customers fetch from it as ever. What nobody fetches, a technician takes out: its code ends before the door
opens, so that nobody comes in between; and what became of it is said once the door was seen to open and to close.
"""

from typing import TYPE_CHECKING

from device.agent import door
from device.agent.books import LEAVING, QUARANTINED
from device.desk.act import number_of
from device.desk.cycle import Cycle
from device.desk.people import says, wrapped
from protocol.messages import (
    CommandDone,
    ContentsDoubted,
    OpeningAuthorised,
    OutOfService,
    Reissue,
    Release,
    Revoke,
)
from protocol.numbers import DEPOSITING, FREE, HELD, LEAVES, MISSING, REVOKED, STAYS, UNEXPECTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.desk.seat import Desk

_STEPS_A_LAP = 2  # records and lines wait in the heap until the lap ends
_BLIND = (door.UNKNOWN, door.JAMMED, door.FAULTY)  # its switch cannot show that it was opened
_CANCEL = "cancel"


def retire(desk: "Desk", words: "list[str]", built: "tuple[bytes, bool]", stage: "Any") -> None:
    """`words`: retire, a module's name, and nothing, `cancel`, or a compartment and what became of it. `built`: as
    messages.Layout tells, and whether changes are put beside; `stage()` puts this one beside once nothing is left."""
    name = words[1]
    books = desk.agent.books
    places = [place for number in numbers_of(built[0], name) if (place := books.place(number)) is not None]
    if not places:
        desk.err("bad_value", f"there is no module {name}; see module")
    elif len(words) == 2 and len(places) == books.present and not built[1]:
        desk.err("bad_value", "it is the only module: first module add")
    elif len(words) == 2:
        _go(desk, _leave(desk, name, places, stage))
    elif words[2] == _CANCEL and len(words) == 3:
        _go(desk, _stay(desk, places))
    else:
        number = number_of(words[2])
        place = None if number is None else books.place(number)
        act = _take_out if len(words) == 3 else _WORDS.get(words[3])
        if place is None or place not in places:
            desk.err("bad_value", f"no such compartment in {name}: see module")
        elif not books.has(place, LEAVING):
            desk.err("wrong_state", f"first: module retire {name}")
        elif act is None or len(words) > 4:
            desk.err("bad_value", "taken, left or empty?")
        elif not left_in(desk, place):
            desk.err("wrong_state", "by the books nothing is in there")
        else:
            act(desk, name, places, place)


def numbers_of(modules: bytes, name: str) -> "list[int]":
    """The compartments of that module, as messages.Layout tells; none for a name that is none."""
    wanted = name.encode()
    at, last = 0, 0
    while at < len(modules):
        size = modules[at]
        found = modules[at + 1 : at + 1 + size]
        at += 1 + size
        at += 1 + modules[at]
        numbers: list[int] = []
        count = modules[at]
        at += 1
        for _box in range(count):
            step = modules[at] & 0x3F
            last = last + step if step else int.from_bytes(modules[at + 1 : at + 3], "big")
            at += 1 if step else 3
            if found == wanted:
                numbers.append(last)
        if numbers:
            return numbers
    return []


def left_in(desk: "Desk", place: int) -> str:
    """What keeps a module from going: the word of its text, or ""."""
    agent = desk.agent
    holding = agent.books.holdings[place]
    if holding == DEPOSITING or agent.openings.is_under_way(place) or agent.openings.seems_empty(place) is False:
        return "busy"
    if agent.books.has(place, QUARANTINED):
        return "doubted"
    return "" if holding == FREE else "held" if holding == HELD else "ended"


# ------------------------------------------------------------------ the whole module
def _leave(desk: "Desk", name: str, places: "list[int]", stage: "Any") -> "Iterator[str]":
    """Marks each compartment, tells what is left, and goes on to the change itself when nothing is."""
    for place in places:
        if not desk.agent.books.has(place, LEAVING):
            _decide(desk, place, OutOfService.TYPE, LEAVES)
            yield ""
    for place in places:
        word = left_in(desk, place)
        if word:
            yield f"{desk.agent.books.numbers[place]:3d} {says(desk, 'leaving ' + word)}"
    if not _left(desk, places):
        stage()
        return
    yield from wrapped(says(desk, "leaving").replace("NAME", name))
    _answer(desk, name, places, {"leaving": name})


def _stay(desk: "Desk", places: "list[int]") -> "Iterator[str]":
    for place in places:
        if desk.agent.books.has(place, LEAVING):
            _decide(desk, place, OutOfService.TYPE, STAYS)
            yield ""
    desk.ok({"leaving": None})


def _left(desk: "Desk", places: "list[int]") -> "list[int]":
    return [desk.agent.books.numbers[place] for place in places if left_in(desk, place)]


def _answer(desk: "Desk", name: str, places: "list[int]", document: "dict[str, Any]") -> None:
    """With what is left, and the next order."""
    document["left"] = _left(desk, places)
    document["next"] = f"module retire {name}"
    for place in places:
        if left_in(desk, place) not in ("", "busy"):
            document["next"] += f" {desk.agent.books.numbers[place]}"
            break
    desk.ok(document)


# ------------------------------------------------------------------ one compartment
def _take_out(desk: "Desk", name: str, _places: "list[int]", place: int) -> None:
    agent = desk.agent
    number = agent.books.numbers[place]
    if left_in(desk, place) == "busy":
        desk.err("wrong_state", f"somebody is at door {number}; wait")
    elif agent.doors.refused(place):
        desk.err("out_of_service", f"by hand, then module retire {name} {number} taken")
    elif not agent.ledger.has_room_for(OpeningAuthorised.TYPE):
        desk.err("journal_full", "records wait for the gateway: check the network")
    else:
        if agent.books.holdings[place] == HELD:
            _decide(desk, place, Revoke.TYPE, agent.books.deposit(place))
        desk.emptied = 0
        desk.task = Cycle(desk, [place], 1, _Handing(name))


class _Handing:
    """One door is opened for whoever takes out what is inside, and pushed shut again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._why = ""
        self._number = 0

    def opened(self, desk: "Desk", place: int, _ms: int) -> str:
        return f"{desk.agent.books.numbers[place]:3d} {says(desk, 'leaving open')}"

    def ended(self, desk: "Desk", place: int, why: str) -> None:
        self._number = desk.agent.books.numbers[place]
        self._why = why

    def over(self, desk: "Desk") -> None:
        again = f"module retire {self._name} {self._number}"
        if self._why:
            desk.err(self._why, again + ": once more")
            return
        desk.emptied = self._number
        for line in wrapped(says(desk, "leaving said")):
            desk.say(line)
        desk.ok({"compartment": self._number, "next": again + " taken|left|empty"})


def _settled(desk: "Desk", name: str, place: int, must_see: bool) -> bool:
    """Whether what is said of that compartment can be believed; if not, that was answered."""
    agent = desk.agent
    number = agent.books.numbers[place]
    blind = agent.doors.refused(place) or agent.doors.states[place] in _BLIND
    if left_in(desk, place) == "busy":
        desk.err("wrong_state", f"push door {number} shut, or wait for who is there")
    elif must_see and desk.emptied != number and not blind:
        desk.err("wrong_state", f"first: module retire {name} {number}")
    else:
        desk.emptied = 0
        return True
    return False


def _taken(desk: "Desk", name: str, places: "list[int]", place: int) -> None:
    """The technician has it. What nobody knew of is for the operator, who is told."""
    if not _settled(desk, name, place, must_see=True):
        return
    books = desk.agent.books
    if books.holdings[place] == FREE:
        _doubt(desk, place, UNEXPECTED)
    else:
        _free(desk, place, books.deposit(place))
    _answer(desk, name, places, {"compartment": books.numbers[place]})


def _still_inside(desk: "Desk", name: str, places: "list[int]", place: int) -> None:
    """Its recipient gets another code: the one before has ended."""
    if not _settled(desk, name, place, must_see=False):
        return
    agent = desk.agent
    if agent.books.holdings[place] == REVOKED:
        _decide(desk, place, Reissue.TYPE, agent.codes.next_deposit(place))
    _answer(desk, name, places, {"compartment": agent.books.numbers[place]})


def _empty(desk: "Desk", name: str, places: "list[int]", place: int) -> None:
    """Nothing was inside: as the books have it, or the operator has to find out."""
    if not _settled(desk, name, place, must_see=True):
        return
    books = desk.agent.books
    if books.holdings[place] == FREE:
        _free(desk, place, 0)
    else:
        _doubt(desk, place, MISSING)
    _answer(desk, name, places, {"compartment": books.numbers[place]})


def _free(desk: "Desk", place: int, deposit: int) -> None:
    openings = desk.agent.openings
    _decide(desk, place, Release.TYPE, deposit)
    openings.forget(place)
    if openings.may_release(place):  # an occupancy sensor has its word too
        openings.clear(desk.now, place, desk.effects)


def _doubt(desk: "Desk", place: int, finding: int) -> None:
    agent = desk.agent
    agent.ledger.save(desk.now, ContentsDoubted(agent.books.numbers[place], finding), desk.effects)


def _decide(desk: "Desk", place: int, order: int, value: int) -> None:
    """What a command would do, ordered here. Its id comes twice as little as a record does."""
    agent = desk.agent
    name = (agent.boot << 32 | (agent.books.seq + 1) & 0xFFFFFFFF).to_bytes(8, "big")
    done = CommandDone(name, 0, 0, order, agent.books.numbers[place], value)
    agent.ledger.save(desk.now, done, desk.effects)
    agent.codes.refresh(place)


_WORDS: "dict[str, Any]" = {"taken": _taken, "left": _still_inside, "empty": _empty}


# ------------------------------------------------------------------ in laps
def _go(desk: "Desk", steps: "Iterator[str]") -> None:
    desk.task = _Steps(steps)
    desk.task.step(desk)


class _Steps:
    """An order that saves and says more than a board has room for at once; "" is a step without a line. Without memory
    the agent is made anew from the journal, as after any act; the same order then goes on where this one ended."""

    call_at = 0

    def __init__(self, steps: "Iterator[str]") -> None:
        self._steps = steps

    def step(self, desk: "Desk") -> None:
        for _step in range(_STEPS_A_LAP):
            text = next(self._steps, None)
            if text is None:
                break
            if text:
                desk.say(text)

    def stop(self, desk: "Desk") -> None:
        desk.err("stopped", "Ctrl-C")

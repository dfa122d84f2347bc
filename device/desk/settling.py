"""`module retire NAME NUMBER taken|left|empty`: what became of a parcel, by the word of whoever opened its door."""

from typing import TYPE_CHECKING

from device.agent import door
from device.desk.left import answer, decide, left_in
from protocol.messages import ContentsDoubted, Reissue, Release
from protocol.numbers import FREE, MISSING, REVOKED, UNEXPECTED

_BLIND = (door.UNKNOWN, door.JAMMED, door.FAULTY)  # its switch cannot show that it was opened

if TYPE_CHECKING:
    from typing import Any

    from device.desk.seat import Desk


def retire(desk: "Desk", name: str, places: "list[int]", place: int, word: str) -> None:
    act = _WORDS.get(word)
    if act is None:
        desk.err("bad_value", "taken, left or empty?")
    elif _can_be(desk, name, place, must_see=word != "left"):
        desk.emptied = 0
        act(desk, place)
        answer(desk, name, places, {"compartment": desk.agent.books.numbers[place]})


def _can_be(desk: "Desk", name: str, place: int, must_see: bool) -> bool:
    """Whether what is said of that compartment can be believed; if not, that was answered."""
    agent = desk.agent
    number = agent.books.numbers[place]
    blind = agent.doors.refused(place) or agent.doors.states[place] in _BLIND
    if left_in(desk, place) == "busy":
        desk.err("wrong_state", f"push door {number} shut, or wait for who is there")
    elif must_see and desk.emptied != number and not blind:
        desk.err("wrong_state", f"first: module retire {name} {number}")
    else:
        return True
    return False


def _taken(desk: "Desk", place: int) -> None:
    """The technician has it. What nobody knew of is for the operator, who is told."""
    books = desk.agent.books
    if books.holdings[place] == FREE:
        _doubt(desk, place, UNEXPECTED)
    else:
        _free(desk, place, books.deposit(place))


def _still_inside(desk: "Desk", place: int) -> None:
    """Its recipient gets another code: the one before has ended."""
    agent = desk.agent
    if agent.books.holdings[place] == REVOKED:
        decide(desk, place, Reissue.TYPE, agent.codes.next_deposit(place))


def _empty(desk: "Desk", place: int) -> None:
    """Nothing was inside: as the books have it, or the operator has to find out."""
    if desk.agent.books.holdings[place] == FREE:
        _free(desk, place, 0)
    else:
        _doubt(desk, place, MISSING)


def _free(desk: "Desk", place: int, deposit: int) -> None:
    openings = desk.agent.openings
    decide(desk, place, Release.TYPE, deposit)
    openings.forget(place)
    if openings.may_release(place):  # an occupancy sensor has its word too
        openings.clear(desk.now, place, desk.effects)


def _doubt(desk: "Desk", place: int, finding: int) -> None:
    agent = desk.agent
    agent.ledger.save(desk.now, ContentsDoubted(agent.books.numbers[place], finding), desk.effects)


_WORDS: "dict[str, Any]" = {"taken": _taken, "left": _still_inside, "empty": _empty}

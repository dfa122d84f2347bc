"""What is left in a module that is to go; and how what a technician decides about it gets into the books."""

from typing import TYPE_CHECKING

from device.agent.books import LEAVING, QUARANTINED
from protocol.messages import CommandDone
from protocol.numbers import DEPOSITING, FREE, HELD, REVOKED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.desk.seat import Desk


def places_of(desk: "Desk", name: str) -> "list[int]":
    """Of that module; none where there is no such module, and that was answered."""
    books = desk.agent.books
    numbers = numbers_of(desk.agent.console.board.modules, name)
    places = [place for number in numbers if (place := books.place(number)) is not None]
    if not places:
        desk.err("bad_value", f"there is no module {name}; see module")
    return places


def one_of(desk: "Desk", name: str, places: "list[int]", number: str) -> int:
    """The place of that compartment, in which something is left; -1 for any other, and that was answered. What lies
    there without a code can be settled though its module stays after all."""
    books = desk.agent.books
    found = [place for place in places if str(books.numbers[place]) == number]
    if not found:
        desk.err("bad_value", f"no such compartment in {name}: see module")
    elif not books.has(found[0], LEAVING) and books.holdings[found[0]] != REVOKED:
        desk.err("wrong_state", f"first: module retire {name}")
    elif not left_in(desk, found[0]):
        desk.err("wrong_state", "by the books nothing is in there")
    else:
        return found[0]
    return -1


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
    """What keeps a module from going: busy, quarantined, held or revoked; "" for nothing."""
    agent = desk.agent
    holding = agent.books.holdings[place]
    if holding == DEPOSITING or agent.openings.is_under_way(place) or agent.openings.seems_empty(place) is False:
        return "busy"
    if agent.books.has(place, QUARANTINED):
        return "quarantined"
    return "" if holding == FREE else "held" if holding == HELD else "revoked"


def answer(desk: "Desk", name: str, places: "list[int]", document: "dict[str, Any]") -> None:
    """With what is left, and the next order. Of a module that stays only what has no code."""
    leaves = desk.agent.books.has(places[0], LEAVING)
    left: dict[str, list[int]] = {}
    following = ""
    for place in places:
        word = left_in(desk, place)
        if word and (leaves or word == "revoked"):
            number = desk.agent.books.numbers[place]
            left.setdefault(word, []).append(number)
            if not following and word != "busy":
                following = f" {number}"
    document["left"] = left
    if leaves or following:
        document["next"] = f"module retire {name}{following}"
    desk.ok(document)


def says(desk: "Desk", name: str) -> str:
    """What the desk's texts say under that name; "" where there are none, or no room: the answer has it too."""
    try:
        hands = desk.hands()
        return hands.text(desk.language, name) if hands else ""
    except MemoryError:
        return ""


def decide(desk: "Desk", place: int, order: int, value: int) -> None:
    """What a command would do, ordered here. Its id comes twice as little as a record does."""
    agent = desk.agent
    name = (agent.boot << 32 | (agent.books.seq + 1) & 0xFFFFFFFF).to_bytes(8, "big")
    done = CommandDone(name, 0, 0, order, agent.books.numbers[place], value)
    agent.ledger.save(desk.now, done, desk.effects)
    agent.codes.refresh(place)


class Steps:
    """An order that saves and says more than a board has room for at once; "" is a step without a line. Without memory
    the agent is made anew from the journal, as after any act; the same order then goes on where this one ended."""

    call_at = 0

    def __init__(self, steps: "Iterator[str]") -> None:
        self._steps = steps

    def step(self, desk: "Desk") -> None:
        text = next(self._steps, None)  # one a lap: records and lines wait in the heap until its end
        if text:
            desk.say(text)

    def stop(self, desk: "Desk") -> None:
        desk.err("stopped", "Ctrl-C")

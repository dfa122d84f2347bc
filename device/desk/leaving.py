"""`module retire NAME`: a module is led out, parcel by parcel, before it is taken off.

From the first word on nothing is put in any more: the books say so of each of its compartments, and the gateway's
follow. Customers fetch from it as ever. What nobody fetches, a technician takes out.
"""

from typing import TYPE_CHECKING

from device.agent.books import LEAVING
from device.agent.console import load
from device.desk.left import Steps, answer, decide, left_in, says
from protocol.messages import OutOfService
from protocol.numbers import LEAVES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.desk.seat import Desk


def retire(desk: "Desk", name: str, places: "list[int]") -> None:
    """Begun in the lap's end, when whoever asked for it is gone from the heap."""
    board = desk.agent.console.board
    if len(places) == desk.agent.books.present and not load("trial").is_there(board.root + "/config.new"):
        desk.err("bad_value", "it is the only module: first module add")
    else:
        desk.task = Steps(_leave(desk, name, places))


def _leave(desk: "Desk", name: str, places: "list[int]") -> "Iterator[str]":
    """Marks each compartment, tells what is left, and goes on to the change itself when nothing is."""
    for place in places:
        if not desk.agent.books.has(place, LEAVING):
            decide(desk, place, OutOfService.TYPE, LEAVES)
            yield ""
    for place in places:
        word = left_in(desk, place)
        text = says(desk, "leaving " + word) if word else ""
        if text:
            yield f"{desk.agent.books.numbers[place]:3d} {text}"
    if not any([left_in(desk, place) for place in places]):
        desk.task = load("staging").Staging(name)
        return
    yield from _hint(desk, name)
    answer(desk, name, places, {"leaving": name})


def _hint(desk: "Desk", name: str) -> "list[str]":
    try:
        return says(desk, "leaving").replace("NAME", name).split(" / ")
    except MemoryError:
        return []  # it only tells more of what the answer has

"""`module retire NAME`: a module is led out, parcel by parcel, before it is taken off.

From the first word on nothing is put in any more: the books say so of each of its compartments, and the gateway's
follow. Customers fetch from it as ever. What nobody fetches, a technician takes out.
"""

from typing import TYPE_CHECKING

from device.agent.books import LEAVING
from device.agent.console import load
from device.desk.left import answer, decide, left_in, says
from protocol.messages import OutOfService
from protocol.numbers import LEAVES, STAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.desk.seat import Desk


def retire(desk: "Desk", name: str, places: "list[int]", cancelled: bool) -> None:
    """`cancelled`: it stays after all. Begun in the lap's end, when whoever asked for it is gone from the heap."""
    board = desk.agent.console.board
    if cancelled:
        desk.emptied = 0  # what is behind that door later is another parcel
        desk.task = _Steps(_stay(desk, places))
    elif len(places) == desk.agent.books.present and not load("trial").is_there(board.root + "/config.new"):
        desk.err("bad_value", "it is the only module: first module add")
    else:
        desk.task = _Steps(_leave(desk, name, places))


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
        return load("people").wrapped(says(desk, "leaving").replace("NAME", name))
    except MemoryError:
        return []  # it only tells more of what the answer has


def _stay(desk: "Desk", places: "list[int]") -> "Iterator[str]":
    for place in places:
        if desk.agent.books.has(place, LEAVING):
            decide(desk, place, OutOfService.TYPE, STAYS)
            yield ""
    desk.ok({"leaving": None})


class _Steps:
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

"""`module retire NAME cancel`: it stays after all. The change is taken from those put beside, then the books say so.

What was opened before and not settled has no code and stays to be settled: module retire NAME NUMBER left.
"""

import os
from typing import TYPE_CHECKING

from device.agent.books import LEAVING
from device.agent.console import load
from device.desk.left import Steps, answer, decide, left_in, says
from protocol.messages import OutOfService
from protocol.numbers import STAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.desk.seat import Desk


def retire(desk: "Desk", name: str, places: "list[int]") -> None:
    desk.emptied = 0  # what is behind that door later is another parcel
    desk.task = Steps(_stay(desk, name, places))


def _stay(desk: "Desk", name: str, places: "list[int]") -> "Iterator[str]":
    """Cut between the two, the module still leaves and nothing is put beside: said once more, it is done."""
    try:
        staged = _unstage(desk.agent.console.board.root, name)
    except OSError as error:
        desk.err("fault", f"flash: {error}")
        return
    books = desk.agent.books
    for place in places:
        if books.has(place, LEAVING):
            decide(desk, place, OutOfService.TYPE, STAYS)
            yield ""
    document: dict[str, object] = {"leaving": None}
    if staged is not None:
        document["staged"] = staged
    if not any([left_in(desk, place) == "revoked" for place in places]):
        desk.ok(document)
        return
    for place in places:
        if left_in(desk, place) == "revoked":
            yield f"{books.numbers[place]:3d} {says(desk, 'leaving revoked')}"
    answer(desk, name, places, document)


def _unstage(root: str, name: str) -> "bool | None":
    """Whether other changes stay put beside; None: this one was not among them. Raises OSError."""
    trial = load("trial")
    if not trial.is_there(root + trial.STAGED):
        return None
    found = others = False
    with open(root + trial.STAGED) as file, open(root + trial.PART, "w") as part:
        for line in file:
            if line.split() == ["retire", name]:
                found = True
            else:
                part.write(line)
                others = True
    if found and others:
        os.rename(root + trial.PART, root + trial.STAGED)
        return True
    if found:
        os.remove(root + trial.STAGED)
    os.remove(root + trial.PART)
    return False if found else None

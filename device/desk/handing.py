"""`module retire NAME NUMBER`: one door is opened for whoever takes out what is inside. Its code ends first, so that
nobody comes in between; what became of it is said once the door was seen to open and to close (device.desk.settling).
"""

from typing import TYPE_CHECKING

from device.agent.console import load
from device.desk.cycle import Cycle
from device.desk.left import decide, left_in, says
from protocol.messages import OpeningAuthorised, Revoke
from protocol.numbers import HELD

if TYPE_CHECKING:
    from device.desk.seat import Desk


def retire(desk: "Desk", name: str, _places: "list[int]", place: int, _word: str) -> None:
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
            decide(desk, place, Revoke.TYPE, agent.books.deposit(place))
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
        for line in load("people").wrapped(says(desk, "leaving said")):
            desk.say(line)
        desk.ok({"compartment": self._number, "next": again + " taken|left|empty"})

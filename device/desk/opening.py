"""A door that a technician opens, and the number that stands for it in an order."""

from typing import TYPE_CHECKING

from protocol.messages import OpeningAuthorised
from protocol.numbers import CONSOLE

if TYPE_CHECKING:
    from device.desk.seat import Desk

_REMEDIES = {"unknown_compartment": "see doors", "out_of_service": "put it in service first"}


def number_of(text: str) -> "int | None":
    """A decimal number of at most 10 digits. (A letter taken out of a text would stay in a board's heap for ever.)"""
    if 0 < len(text) <= 10 and all([0x30 <= byte <= 0x39 for byte in text.encode()]):
        return int(text)
    return None


def open_door(desk: "Desk", number: "int | None") -> str:
    """By this technician. "" or the code of why not."""
    agent = desk.agent
    place = None if number is None else agent.books.place(number)
    if number is None or place is None:
        return "unknown_compartment"
    authorised = OpeningAuthorised(number, CONSOLE, agent.console.actor, None, None)
    return agent.openings.other(desk.now, place, authorised, desk.effects)


def refuse_door(desk: "Desk", why: str) -> None:
    desk.err(why, _REMEDIES.get(why, "see doors"))

"""Deliberate faults about modules that come, go and are led out: some of them were real ones for a while."""

from typing import Any

import device.agent.books
from device.agent.books import LEAVING, Books
from device.agent.openings import Openings
from gateway.domain.compartments import Compartment
from gateway.services import dead_codes
from protocol.numbers import FREE
from tools.sim.planting import bug, bug_of_value


def free_in_spite_of(flag: int, is_free: Any, openings: Openings, place: int) -> bool:
    """As Openings.is_free says of a compartment, if it does not mind this flag any more."""
    flags = openings._books.flags
    kept = flags[place]
    flags[place] &= ~flag
    free: bool = is_free(openings, place)
    flags[place] = kept
    return free


@bug(Books, "replay")
def books_of_missing_doors_dropped(replay: Any, numbers: Any, *kept: Any) -> Books:
    """A start forgets what lies behind doors that its description does not name."""
    named = set(numbers)
    books: Books = replay(numbers, *kept)
    for place, number in enumerate(books.numbers):
        if number not in named:
            books.holdings[place] = FREE
    return books


@bug(Books, "apply")
def refused_order_takes_a_place(apply: Any, books: Books, up: Any) -> None:
    """What is refused of a compartment that is not there gets a place in the books, behind which there is no door."""
    number = getattr(up.event, "compartment", None)
    if number is not None and up.event.TYPE in device.agent.books._HANDLERS:
        books._placed(number)
    apply(books, up)


@bug(Books, "_restore")
def quarantine_forgotten_while_away(restore: Any, books: Books, snapshot: Any) -> None:
    """A start without its module forgets that nobody has looked into a compartment in which nothing ever lay."""
    restore(books, snapshot)
    for place in range(books.present, len(books.numbers)):
        if books.holdings[place] == FREE and not books.deposit(place):
            books.flags[place] = 0


@bug(Books, "replay")
def leaving_forgotten_at_boot(replay: Any, *kept: Any) -> Books:
    """After a restart a module that is led out takes parcels in again."""
    books: Books = replay(*kept)
    for place in range(len(books.numbers)):
        books.flags[place] &= ~LEAVING
    return books


# Neither the locker nor the gateway minds, when they look for a door, that its module leaves.
bug_of_value("leaving_door_offered", Compartment, "closed_to_deposits", property(lambda box: box.out_of_service))


@bug(Openings, "is_free", of="leaving_door_offered")
def _leaving_at_the_locker(is_free: Any, openings: Openings, place: int) -> bool:
    return free_in_spite_of(LEAVING, is_free, openings, place)


@bug(dead_codes.__dict__, "tell")
def dead_code_untold(_tell: Any, _batch: Any, _box: Any) -> None:
    """Nobody is told of a parcel whose code has ended and that nobody took out."""

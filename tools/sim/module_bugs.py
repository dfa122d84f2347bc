"""Deliberate faults about modules that come, go and are led out: some of them were real ones for a while."""

from collections.abc import Callable, Generator
from typing import Any

import device.agent.books
from device.agent.books import LEAVING, Books
from device.agent.openings import Openings
from gateway.domain.compartments import Compartment
from gateway.services import dead_codes
from protocol.numbers import FREE
from tools.sim.planting import bug, instead


def in_spite_of(flag: int) -> Callable[[Any], Any]:
    """Of Openings.is_free: a compartment's flag that a locker does not mind any more."""

    def make(former: Any) -> Any:
        def is_free(self: Openings, place: int) -> bool:
            flags = self._books.flags
            kept = flags[place]
            flags[place] &= ~flag
            free: bool = former(self, place)
            flags[place] = kept
            return free

        return is_free

    return make


@bug
def books_of_missing_doors_dropped() -> Generator[None, None, None]:
    """A start forgets what lies behind doors that its description does not name."""

    def make(former: Any) -> Any:
        def replay(numbers: Any, snapshot: Any, records: Any) -> Any:
            named = set(numbers)
            books = former(numbers, snapshot, records)
            for place, number in enumerate(books.numbers):
                if number not in named:
                    books.holdings[place] = FREE
            return books

        return staticmethod(replay)

    with instead(Books, "replay", make):
        yield


@bug
def refused_order_takes_a_place() -> Generator[None, None, None]:
    """What is refused of a compartment that is not there gets a place in the books, behind which there is no door."""

    def make(former: Any) -> Any:
        def apply(self: Books, up: Any) -> None:
            number = getattr(up.event, "compartment", None)
            if number is not None and up.event.TYPE in device.agent.books._HANDLERS:
                self._placed(number)
            former(self, up)

        return apply

    with instead(Books, "apply", make):
        yield


@bug
def quarantine_forgotten_while_away() -> Generator[None, None, None]:
    """A start without its module forgets that nobody has looked into a compartment in which nothing ever lay."""

    def make(former: Any) -> Any:
        def restore(self: Books, snapshot: Any) -> None:
            former(self, snapshot)
            for place in range(self.present, len(self.numbers)):
                if self.holdings[place] == FREE and not self.deposit(place):
                    self.flags[place] = 0

        return restore

    with instead(Books, "_restore", make):
        yield


@bug
def leaving_forgotten_at_boot() -> Generator[None, None, None]:
    """After a restart a module that is led out takes parcels in again."""

    def make(former: Any) -> Any:
        def replay(numbers: Any, snapshot: Any, records: Any) -> Any:
            books = former(numbers, snapshot, records)
            for place in range(len(books.numbers)):
                books.flags[place] &= ~LEAVING
            return books

        return staticmethod(replay)

    with instead(Books, "replay", make):
        yield


@bug
def leaving_door_offered() -> Generator[None, None, None]:
    """Neither the locker nor the gateway minds, when they look for a door, that its module leaves."""

    def at_the_gateway(_former: Any) -> Any:
        return property(lambda box: box.out_of_service)

    with (
        instead(Openings, "is_free", in_spite_of(LEAVING)),
        instead(Compartment, "closed_to_deposits", at_the_gateway),
    ):
        yield


@bug
def dead_code_untold() -> Generator[None, None, None]:
    """Nobody is told of a parcel whose code has ended and that nobody took out."""

    def tell(_batch: Any, _box: Any) -> None:
        pass

    with instead(vars(dead_codes), "tell", lambda _former: tell):
        yield

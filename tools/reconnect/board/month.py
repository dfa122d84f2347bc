"""A locker that is alone for a month: parcels put in while it was online, then days without any network.

The real agent on simulated time over the real journal. Every live code is used, by keypad or by scanner, and must open
its own door and no other. Runs on both interpreters.
"""

from typing import TYPE_CHECKING

from device.agent.core import Agent
from protocol import damm
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.numbers import FREE, HELD
from protocol.otp import typed_code
from tools.attack.board.chance import Chance
from tools.attack.board.locker import Locker
from tools.attack.board.people import People
from tools.attack.board.watch import Tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from device.agent.books import Books
    from device.agent.config import Config
    from tools.attack.board.tickets import Tickets

DAY_MS = 86_400_000
_TAKES_MS = 10_000
_PAUSE_MS = 30_000  # between two acts: a lock's duty, and the pause behind a wrong code
_COLD_STARTS_EVERY = 3  # days


class Month:
    """`journal`: the locker's own, a device.journal.Journal. `days` without network; `round_doors`: how many empty
    compartments the technician opens a day, to clean them."""

    def __init__(self, config: "Config", tickets: "Tickets", journal: "Any", days: int, round_doors: int) -> None:
        self._journal = journal
        self._tally = Tally()
        self._tickets = tickets
        self._days = days
        self._round_doors = round_doors
        self._chance = Chance(days, config.locker)
        self._code_key = HmacKey(sub_key(config.key, "code"))
        self._locker = Locker(config, days, self._tally, self._journal, self._made)
        self._next_door = 0

    def _made(self, config: "Config", books: "Books", boot: int, seed: bytes) -> Agent:
        return Agent(config, books, boot, seed, self._journal.first_seq)

    def live(self) -> "dict[str, int]":
        """All of it; counts by name."""
        locker = self._locker
        People(locker, self._tickets, self._chance, self._tally).courier()
        assert len(self._places(HELD)) == len(locker.config.numbers)
        self._tally.add("live_codes_at_start", len(self._places(HELD)))
        self._tally.add("seq_when_cut_off", locker.agent.books.seq)
        began = locker.clock
        for day in range(self._days):
            self._day(day)
            locker.wait(max(0, began + (day + 1) * DAY_MS - locker.clock))
        for number in locker.config.numbers:
            assert locker.closed[number], "a door was left open"
        assert not self._places(HELD)
        self._tally.add("events", locker.agent.books.seq)
        self._journal.close()
        return self._tally.counts

    def _places(self, holding: int) -> "list[int]":
        holdings = self._locker.agent.books.holdings
        return [place for place in range(len(holdings)) if holdings[place] == holding]

    def _day(self, day: int) -> None:
        if day % _COLD_STARTS_EVERY == 0:
            self._locker.restart()
            self._locker.settle()
            assert self._locker.agent.link.wall_s(self._locker.now) is None
            self._tally.add("cold_starts")
            self._locker.wait(_PAUSE_MS)
        self._guess()
        held = self._places(HELD)
        last = day == self._days - 1
        share = len(held) if last else len(self._locker.config.numbers) // self._days
        for place in held[:share]:
            self._fetch(place)
        self._clean()

    def _guess(self) -> None:
        """A stranger's wrong code: paid for, and it opens nothing."""
        before = self._locker.agent.books.seq
        front = str(10**10 + self._chance.below(10**10))
        self._expect(0, lambda: self._locker.keys(front + damm.check_digit(front)))
        if self._locker.agent.books.seq > before:
            self._tally.add("wrong_codes")
        self._locker.wait(_PAUSE_MS)

    def _fetch(self, place: int) -> None:
        books = self._locker.agent.books
        number, deposit = books.numbers[place], books.deposit(place)
        if self._chance.one_in(2):
            code = typed_code(self._code_key, number, deposit, self._locker.config.code_digits)
            self._expect(number, lambda: self._locker.keys(code))
            self._tally.add("by_code")
        else:
            token = self._tickets.pickup(number, deposit)
            self._expect(number, lambda: self._locker.scan(token))
            self._tally.add("by_token")
        self._shut(number)
        assert self._locker.agent.books.was_collected(place, deposit)
        assert self._locker.agent.books.holdings[place] == FREE

    def _clean(self) -> None:
        free = self._places(FREE)
        if not free:
            return
        self._locker.type("badge " + self._tickets.technician + "\r")
        for _ in range(self._round_doors):
            self._next_door += 1
            number = self._locker.config.numbers[free[self._next_door % len(free)]]
            self._expect(number, lambda number=number: self._locker.type(f"open {number}\r"))
            self._shut(number)
            self._tally.add("cleaned")
        self._locker.type("logout\r")

    def _expect(self, number: int, act: "Callable[[], None]") -> None:
        """This door opens and no other; 0: none."""
        closed = dict(self._locker.closed)
        if number:
            closed[number] = False
        act()
        assert self._locker.closed == closed, "another door than %d" % number  # noqa: UP031 - for both interpreters

    def _shut(self, number: int) -> None:
        self._locker.wait(_TAKES_MS)
        self._locker.push(number)
        self._locker.wait(_PAUSE_MS)

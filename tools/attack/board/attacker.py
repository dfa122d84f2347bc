"""Somebody who guesses without end, at every input, and has a hand on the switch. Never the same guess twice.

Patient days cut the power only where that does not put off the next refill of the bucket, which starts anew with
every boot; wild days cut it at any moment. What looks free (edges of the pause, starts, floods, cuts) is tried over
and over: whether it was free, tools.attack.board.watch has counted.
"""

from typing import TYPE_CHECKING

from protocol import damm
from protocol.limits import WRONG_CODE_PAUSE_MS
from protocol.numbers import CONSOLE, KEYPAD, SCANNER
from tools.attack.board.locker import BLIND, COUNTED, NO_CUT, SAVED, SIGN
from tools.attack.board.tickets import with_a_bit_flipped
from tools.attack.board.watch import INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.attack.board.chance import Chance
    from tools.attack.board.locker import Locker
    from tools.attack.board.people import People
    from tools.attack.board.tickets import Tickets
    from tools.attack.board.watch import Tally

_WAYS = (KEYPAD, SCANNER, CONSOLE)
_CUTS = (NO_CUT, NO_CUT, NO_CUT, BLIND, SAVED, SIGN, COUNTED)
_CUT_WITHIN = 20  # effects
_FRESH_MS = 120_000  # after a refill: a restart now puts off the next one by no more than that
_STRIDE = 7_777_777_777_777_777  # has no factor 2 or 5: every number comes once before one comes twice
_HASTE_MS = 1_000
_LATER_MS = 300_000
_YEAR_S = 31_536_000


class Attacker:
    def __init__(
        self, locker: "Locker", people: "People", tickets: "Tickets", chance: "Chance", tally: "Tally"
    ) -> None:
        self._locker = locker
        self._people = people
        self._tickets = tickets
        self._chance = chance
        self._tally = tally
        self._secret = locker.config.code_digits - 1
        self._guess = chance.below(1 << 32)
        self._refilled_at = 0
        self._until = 0
        self.wild = False

    # -------------------------------------------------------------- one guess
    def _code(self) -> str:
        """Well-formed, and never guessed before."""
        self._guess += 1
        front = str(self._guess * _STRIDE % 10**self._secret)
        front = "0" * (self._secret - len(front)) + front
        return front + damm.check_digit(front)

    def _answer(self) -> str:
        self._guess += 1
        answer = self._guess * _STRIDE % (1 << 48)
        return answer.to_bytes(6, "big").hex()

    @property
    def _free(self) -> bool:
        """Nobody wants to use the locker: an attacker who does not step aside is not an attacker of codes."""
        return self._locker.clock < self._until

    def _try(self, way: int, cut: int = NO_CUT) -> None:
        if not self._free:
            return
        locker = self._locker
        self._tally.add("tries_" + INPUTS[way])
        locker.cut, locker.cut_after = cut, self._chance.below(_CUT_WITHIN)
        if way == KEYPAD:
            locker.keys(self._code())
        elif way == SCANNER:
            code = self._code()
            locker.scan(code if self._chance.one_in(2) else f"{code[:3]} {code[3:6]} {code[6:]}")
        else:
            locker.type(f"login eve\ranswer {self._answer()}\r")
        locker.revive()

    def _wait(self, ms: int) -> None:
        """At most until somebody comes."""
        self._locker.wait(min(ms, self._until - self._locker.clock))

    def _any_way(self) -> int:
        """An answer to the console is worth a hundredth of a code, and is charged alike."""
        return CONSOLE if self._chance.one_in(8) else _WAYS[self._chance.below(2)]

    @property
    def _may_restart(self) -> bool:
        return self.wild or self._locker.clock - self._refilled_at < _FRESH_MS or not self._refills

    @property
    def _refills(self) -> bool:
        return self._locker.config.code_digits < 16

    def _any_cut(self) -> int:
        return _CUTS[self._chance.below(len(_CUTS))] if self._may_restart else NO_CUT

    # -------------------------------------------------------------- all day
    def attack_until(self, when: int) -> None:
        """Never idle; with nothing left to guess with, ahead to the next refill, and a try or two before it comes."""
        self._until = when
        self._locker.watch.guessing = True
        while self._free:
            if self._refills:
                for _ in range(self._chance.between(1, 4)):
                    self._act()
                    self._wait(self._chance.below(_LATER_MS))
                self._wait_for_refill()
            else:
                self._nonstop()
        self._locker.watch.guessing = False

    def _act(self) -> None:
        if self._free:
            _ACTS[self._chance.below(len(_ACTS))](self)

    def _wait_for_refill(self) -> None:
        """Up to the moment the bucket fills, or somebody comes; then whatever it holds is used at once."""
        locker = self._locker
        if locker.agent.books.bucket == 0:
            if self.wild and self._chance.one_in(8):
                locker.cut, locker.cut_after = COUNTED, self._chance.below(4)  # perhaps while the refill is saved
            refill = locker.agent._access.deadline()
            self._wait(1 if refill is None else max(1, refill - locker.now))
            locker.revive()
        if locker.agent.books.bucket:
            self._refilled_at = locker.clock
        while locker.agent.books.bucket and self._free:
            self._cut_in_time()
            self._try(self._any_way(), self._any_cut())
            if self._chance.one_in(2):
                self._restart_and_try()
            self._at_the_edge_of_the_pause()

    def _cut_in_time(self) -> None:
        """When a right code would have opened, and before a wrong one is charged: if there is such a moment."""
        if self._may_restart and self._chance.one_in(2):
            for _ in range(self._chance.between(1, 5)):
                self._try(self._any_way(), BLIND)

    def _nonstop(self) -> None:
        """Sixteen digits: only the pause is in the way."""
        if self._chance.one_in(40):
            self._act()
        self._at_the_edge_of_the_pause()
        self._try(self._any_way(), self._any_cut() if self._chance.one_in(20) else NO_CUT)

    def _at_the_edge_of_the_pause(self) -> None:
        """Its last millisecond is tried in passing; the first one after it is left for the next guess."""
        left = self._locker.agent._access.pause_left_ms(self._locker.now)
        if left > 1:
            self._wait(left - 1)
            if self._chance.one_in(4):
                self._try(self._any_way())
        self._wait(1)

    # -------------------------------------------------------------- acts
    def _restart_and_try(self) -> None:
        """To be rid of the pause, or of the count: before the doors are seen, and a moment later."""
        if self._free and self._may_restart:
            self._locker.restart()
            self._try(self._any_way(), self._any_cut())
            self._wait(self._chance.below(_HASTE_MS))
            self._try(self._any_way(), self._any_cut())
            self._locker.settle()

    def _boot_in_circles(self) -> None:
        for _ in range(self._chance.between(2, 6)):
            self._restart_and_try()

    def _flood(self) -> None:
        """Every input in the same millisecond, several times; the console in one piece."""
        for _ in range(3):
            for way in _WAYS:
                self._try(way)
        lines = [f"login eve\ranswer {self._answer()}\r" for _ in range(3)]
        self._tally.add("tries_console", len(lines))
        self._locker.type("".join(lines))

    def _one_try(self) -> None:
        self._try(self._any_way(), self._any_cut())

    def _two_tries(self) -> None:
        for _ in range(2):
            self._wait(1 + self._chance.below(2 * WRONG_CODE_PAUSE_MS))
            self._one_try()

    def _forge(self) -> None:
        """Bits flipped in a token that is good, tokens of other signers and other lockers, spent ones."""
        kind, spent = self._chance.below(3), self._people.spent
        text = self._tickets.strangers[self._chance.below(len(self._tickets.strangers))]
        if kind == 0:
            text = with_a_bit_flipped(self._people.someones_token() or text, self._chance)
        elif kind == 1 and spent:
            text = spent[self._chance.below(len(spent))]
        self._tally.add("tries_tokens")
        locker = self._locker
        locker.cut, locker.cut_after = self._any_cut(), self._chance.below(_CUT_WITHIN)
        if self._chance.one_in(4):
            locker.type(f"badge {text}\r")
        else:
            locker.scan(text)
        locker.revive()
        self._shut_what_sprang_open()

    def _shut_what_sprang_open(self) -> None:
        """Within three minutes a used token opens its empty compartment once more: that is promised, and no loss."""
        for number in self._locker.config.numbers:
            if not self._locker.closed[number]:
                self._tally.add("empty_doors_opened_again")
                self._locker.push(number)

    def _play_with_the_console(self) -> None:
        """Answers without a challenge, twice to the same one, of other lengths; orders that need a login."""
        self._tally.add("tries_console", 4)
        self._locker.type(
            f"answer {self._answer()}\rlogin eve\rlogin mallory\ranswer {self._answer()}\r"
            f"answer {self._answer()}\rlogin eve\ranswer {self._answer()[:-2]}\r"
            "time set 2000000000\rreboot\ropen 1\rstatus\r"
        )

    def _leave_half_a_code(self) -> None:
        self._locker.keys(self._code()[: self._chance.between(1, self._secret)])

    def move_the_clock(self) -> None:
        """With somebody's help: a gateway or a technician whose time is years out. Then everything at once."""
        jump_s = self._chance.between(-5, 40) * _YEAR_S
        if self._chance.one_in(2):
            self._people.technician_sets_time(jump_s)
        else:
            self._people.gateway_tells_time(jump_s)
        self._until = self._locker.clock + 1
        self._locker.watch.guessing = True
        self._flood()
        self._locker.watch.guessing = False


_ACTS: "tuple[Callable[[Attacker], None], ...]" = (
    Attacker._one_try,
    Attacker._two_tries,
    Attacker._restart_and_try,
    Attacker._boot_in_circles,
    Attacker._flood,
    Attacker._forge,
    Attacker._forge,
    Attacker._play_with_the_console,
    Attacker._leave_half_a_code,
)

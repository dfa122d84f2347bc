"""Everybody who means well: customers with a code or a QR, couriers, the technician. What the attacker costs them is
counted here, from when they first ask until their door springs open."""

from typing import TYPE_CHECKING

from device.agent.books import QUARANTINED
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.messages import Assign, Release
from protocol.numbers import FREE, HELD
from protocol.otp import typed_code
from tools.attack.board.locker import COUNTED

if TYPE_CHECKING:
    from tools.attack.board.chance import Chance
    from tools.attack.board.locker import Locker
    from tools.attack.board.tickets import Tickets
    from tools.attack.board.watch import Tally

RESCAN_MS = 2_000  # to see that the screen is back, and show the phone again
_TRIES = 3
_TAKING_MS = 10_000
_TYPE_AGAIN_MS = 1_000
_SPENT_KEPT = 8
_CUT_WITHIN = 8  # effects of a scan and of the door that follows it


class People:
    def __init__(self, locker: "Locker", tickets: "Tickets", chance: "Chance", tally: "Tally") -> None:
        self._locker = locker
        self._tickets = tickets
        self._chance = chance
        self._tally = tally
        self._code_key = HmacKey(sub_key(locker.config.key, "code"))
        self._parcels = 0
        self.spent: list[str] = []  # tokens of parcels fetched lately: an attacker may have seen them

    def someones_token(self) -> str:
        """Of a parcel that is still inside; "" when there is none."""
        held = self._held()
        if not held:
            return ""
        books, place = self._locker.agent.books, held[self._chance.below(len(held))]
        return self._tickets.pickup(books.numbers[place], books.deposit(place))

    def _held(self) -> "list[int]":
        books = self._locker.agent.books
        return [place for place in range(len(books.holdings)) if books.holdings[place] == HELD]

    # -------------------------------------------------------------- customers
    def customer(self, asked_at: int, types: bool, cut: bool) -> None:
        """One person fetches one parcel. `asked_at`: since when they have wanted to; `cut`: the power goes on them."""
        held = self._held()
        if not held:
            self._tally.add("nothing_to_fetch")
            return
        books = self._locker.agent.books
        place = held[self._chance.below(len(held))]
        number, deposit = books.numbers[place], books.deposit(place)
        if types:
            self._types(asked_at, number, deposit)
        else:
            self._shows(asked_at, number, deposit, cut, "qr")

    def _shows(self, asked_at: int, number: int, deposit: int, cut: bool, name: str) -> None:
        locker = self._locker
        token = self._tickets.pickup(number, deposit)
        self._tally.add(name)
        if cut:
            locker.cut, locker.cut_after = COUNTED, self._chance.below(_CUT_WITHIN)
        for _ in range(_TRIES):
            locker.scan(token)
            if locker.revive():
                self._tally.add(name + "_cut")
            if not locker.closed[number]:
                break
            locker.wait(RESCAN_MS)
        if locker.closed[number]:
            self._tally.add(name + "_refused")
            return
        self._served(asked_at, name)
        self._takes(number, deposit)
        self.spent = self.spent[1 - _SPENT_KEPT :] + [token]  # noqa: RUF005 - MicroPython has no stars in lists

    def _types(self, asked_at: int, number: int, deposit: int) -> None:
        locker = self._locker
        code = typed_code(self._code_key, number, deposit, locker.config.code_digits)
        self._tally.add("typed")
        while locker.screen == "typing":  # what the one before has left
            locker.keys("*")
        locker.keys(code)
        waits = 0
        while locker.screen == "wrong_code" and waits < _TRIES:  # the pause that another's guess has left
            waits += 1
            locker.wait(locker.agent._access.pause_left_ms(locker.now) + _TYPE_AGAIN_MS)
            locker.keys(code)
        if not locker.closed[number]:
            self._served(asked_at, "typed")
            self._takes(number, deposit)
        elif locker.screen == "throttled":
            self._tally.add("typed_throttled")
            self._tally.raise_to("typed_delay_ms", locker.clock - asked_at)
            self._shows(locker.clock, number, deposit, False, "told_to_show")
        else:
            self._tally.add("typed_refused")

    def _served(self, asked_at: int, name: str) -> None:
        delay = self._locker.clock - asked_at
        self._tally.add(name + "_served")
        if delay > 0:
            self._tally.add(name + "_delayed")
        self._tally.raise_to(name + "_delay_ms", delay)

    def _takes(self, number: int, deposit: int) -> None:
        self._locker.wait(_TAKING_MS)
        self._locker.push(number)
        books = self._locker.agent.books
        place = books.place(number)
        assert place is not None
        if books.holdings[place] != FREE or not books.was_collected(place, deposit):
            self._tally.add("not_booked_as_collected")

    # -------------------------------------------------------------- those who work there
    def courier(self) -> None:
        """A parcel into every free compartment."""
        locker = self._locker
        locker.connect()
        locker.scan(self._tickets.courier)
        for number in locker.config.numbers:
            place = locker.agent.books.place(number)
            if place is not None and locker.agent.books.holdings[place] == FREE:
                if locker.agent.books.has(place, QUARANTINED):  # a cut ended a pickup there; somebody has looked
                    locker.arrives(locker.gateway.say(Release(number)))
                self._puts(number)
        locker.keys("*")
        locker.disconnect()

    def _puts(self, number: int) -> None:
        locker = self._locker
        self._parcels += 1
        locker.scan("PARCEL-%d" % self._parcels)  # noqa: UP031 - digits alone would be a code
        answer = Assign(locker.agent.boot, locker.gateway.request, number, self._parcels)
        locker.arrives(locker.gateway.say(answer))
        if locker.closed[number]:
            self._tally.add("deposits_refused")
            return
        locker.push(number)
        self._tally.add("deposits")

    def gateway_tells_time(self, jump_s: int) -> None:
        """A gateway that is that much out, and answers the next birth with it."""
        locker = self._locker
        locker.gateway.jump_s = jump_s
        locker.disconnect()
        locker.connect()
        self._count_if_believed()
        locker.disconnect()

    def technician_sets_time(self, jump_s: int) -> None:
        locker = self._locker
        locker.gateway.jump_s = jump_s
        locker.type(f"badge {self._tickets.technician}\rtime set {locker.gateway.now_s}\rlogout\r")
        self._count_if_believed()

    def _count_if_believed(self) -> None:
        wall_s = self._locker.agent.link.wall_s(self._locker.now)
        if wall_s is not None and abs(wall_s - self._locker.gateway.now_s) <= 1:
            self._tally.add("clock_jumps")

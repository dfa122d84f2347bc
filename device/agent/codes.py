"""The typed codes of the parcels that are inside, derived when needed and never stored (design, section 5)."""

from array import array
from typing import TYPE_CHECKING

from device.agent.books import CODES_KEPT
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.numbers import HELD
from protocol.otp import typed_code

if TYPE_CHECKING:
    from device.agent.books import Books


class Codes:
    """Derived once for each live deposit, because 100 derivations cost a board 40 ms and a customer waits."""

    def __init__(self, books: "Books", locker_key: bytes, digits: int) -> None:
        self._books = books
        self._key = HmacKey(sub_key(locker_key, "code"))
        self.digits = digits
        self._live = array("Q", [0] * len(books.numbers))
        for place in range(len(books.numbers)):
            self.refresh(place)

    def refresh(self, place: int) -> None:
        """Call when what `place` holds has changed."""
        held = self._books.holdings[place] == HELD
        self._live[place] = self._derive(place, self._books.deposit(place)) if held else 0

    def find(self, code: str) -> "int | None":
        """The place whose live code this is. Looks at every one, so that the time tells nothing."""
        return self._find(int(code))

    def _find(self, wanted: int) -> "int | None":
        found = None
        for place in range(len(self._live)):
            live = self._live[place]
            if live ^ wanted == 0 and live:
                found = place
        return found

    def find_spent(self, code: str) -> "tuple[int, int] | None":
        """(place, deposit) of one of the last deposits that this code once opened. Tries each of them, too."""
        wanted = int(code)
        found = None
        for place in range(len(self._live)):
            last = self._books.deposit(place)
            for deposit in range(max(1, last - CODES_KEPT + 1), last + 1):
                if self._derive(place, deposit) ^ wanted == 0 and (deposit != last or not self._live[place]):
                    found = (place, deposit)
        return found

    def next_deposit(self, place: int) -> int:
        """The compartment's next deposit number: bumped on until its code differs from every live one."""
        deposit = self._books.deposit(place) + 1
        while self._find(self._derive(place, deposit)) is not None:
            deposit += 1
        return deposit

    def _derive(self, place: int, deposit: int) -> int:
        return int(typed_code(self._key, self._books.numbers[place], deposit, self.digits))

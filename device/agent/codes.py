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


_NO_CODE = 1 << 63  # above every code, so that an empty compartment compares like any other


class Codes:
    """Derived once for each live deposit, because 100 derivations cost a board 40 ms and a customer waits."""

    def __init__(self, books: "Books", locker_key: bytes, digits: int) -> None:
        self._books = books
        self._key = HmacKey(sub_key(locker_key, "code"))
        self.digits = digits
        self._spent: tuple[int, int] | None = None
        self._live = array("Q", [_NO_CODE] * len(books.numbers))
        for place in range(len(books.numbers)):
            self.refresh(place)

    def refresh(self, place: int) -> None:
        """Call when what `place` holds has changed."""
        held = self._books.holdings[place] == HELD
        self._live[place] = self._derive(place, self._books.deposit(place)) if held else _NO_CODE

    def find(self, code: str) -> "int | None":
        """The place whose live code this is. Looks at every live one and every spent one before anything is known, so
        that the time tells nothing: were a right code found out sooner, a power cut timed between the two would make
        wrong ones free."""
        wanted = int(code)
        found = self._find(wanted)
        self._spent = self._find_spent(wanted)
        return found

    def find_spent(self) -> "tuple[int, int] | None":
        """(place, deposit) of one of the last deposits that the code of the last find() once opened."""
        return self._spent

    def _find(self, wanted: int) -> "int | None":
        found = None
        for place in range(len(self._live)):
            if self._live[place] ^ wanted == 0:
                found = place
        return found

    def _find_spent(self, wanted: int) -> "tuple[int, int] | None":
        found = None
        for place in range(len(self._live)):
            last = self._books.deposit(place)
            for deposit in range(max(1, last - CODES_KEPT + 1), last + 1):
                if self._derive(place, deposit) ^ wanted == 0 and (deposit != last or self._live[place] == _NO_CODE):
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

"""Deposits that no gateway is asked about: the door, the receipt, and the label that was taken in last.

Words of refusal are the names of their screens.
"""

from typing import TYPE_CHECKING

from device.agent.allocation import choose
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.messages import OfflineDepositAuthorised
from protocol.numbers import DEPOSITING, HELD, SIZES
from protocol.receipts import DIGITS, Receipt, digits, seal

if TYPE_CHECKING:
    from typing import Any

    from device.agent.config import Config
    from device.agent.effects import Effect
    from device.agent.ledger import Ledger
    from device.agent.openings import Openings


class Alone:
    """`reserved`: the bits of the last messages.Reserved of this boot."""

    def __init__(self, ledger: "Ledger", openings: "Openings", config: "Config") -> None:
        self._ledger = ledger
        self._books = ledger.books
        self._openings = openings
        self._config = config
        self.reserved = b""

    def deposit(self, now: int, order: "tuple[bytes, str, str, int]", effects: "list[Effect]") -> "tuple[str, int]":
        """Open for a courier; `order` is (badge, carrier, label, size). ("", the place), or why not."""
        if self._books.token_is_revoked(order[0]):  # the gateway would have said so
            return "badge_refused", 0
        if self._ledger.no_deposits:
            return self._ledger.no_deposits, 0
        sizes = self._config.sizes
        free = [place for place in range(len(sizes)) if self._openings.is_free(place)]
        place = choose(self._books, sizes, order[3], self.reserved, free)
        if place is None:
            return "no_room", 0
        self._openings.deposit(now, place, OfflineDepositAuthorised, order, effects)
        return "", place

    def next_size(self, place: int, is_too_small: bool) -> "int | None":
        """For another door in place of that one; None where the gateway had given it."""
        up = self._books.alone_in(place)
        if up is None:
            return None
        event: Any = up.event
        return self._config.sizes[place] + 1 if is_too_small else event.size

    def find(self, badge: bytes, carrier: str, label: str) -> "tuple[str, int]":
        """Whether this label is the last that was taken in like that: ("inside", place), ("begun", place) where its
        door is still open, ("parcel_done", 0) for somebody else's eyes; ("", 0) when it is not."""
        event: Any = None if self._books.alone is None else self._books.alone.event
        if event is None or event.label != label or event.carrier != carrier:
            return "", 0
        place = self._books.place(event.compartment)
        if place is None or self._books.alone_in(place) is None:
            return "", 0
        holding = self._books.holdings[place]
        if holding not in (HELD, DEPOSITING):
            return "", 0
        if event.badge != badge:
            return "parcel_done", 0
        return "inside" if holding == HELD else "begun", place

    def is_from(self, place: int) -> bool:
        """Whether the last deposit at `place` was this locker's own choice."""
        return self._books.alone_in(place) is not None

    def receipt(self) -> "tuple[str, ...]":
        """The last such deposit's, for the screen: compartment, size, twelve digits in groups, and the text of a QR
        code. The key is derived each time: it is needed seldom, and heap is dear."""
        up = self._books.alone
        assert up is not None
        values = up.event.values()
        values.append(up.t_wall_s)
        receipt = Receipt(*values)
        key = HmacKey(sub_key(self._config.key, "receipt"))
        code = digits(key, receipt)
        groups = " ".join([code[start : start + 3] for start in range(0, DIGITS, 3)])
        text = seal(key, bytes([self._config.generation]), self._config.locker, receipt)
        return str(receipt.compartment), SIZES[receipt.size], groups, text

"""The one way to make something durable: number it, save it, fold it into the books, hand it to the link.

Room that runs out is shared out here. What a compartment needs for its pickup is never given to anything else; of
the reserve beside it every kind of event may take so much and no more. Below that, what changes nothing in the books
is left out, and what would is refused before it happens.
"""

from typing import TYPE_CHECKING

from device.agent.books import DELEGATED, OPENED, PICKUP, QUARANTINED
from device.agent.effects import Save
from device.agent.outbox import seq_of
from protocol.limits import (
    JOURNAL_COMMANDS_MAX,
    JOURNAL_GUESSES_MAX,
    JOURNAL_RESERVE_RECORDS,
    OUTBOX_WINDOW,
)
from protocol.messages import (
    BucketRefilled,
    CodeRefused,
    DoorClosed,
    DoorFaulted,
    DoorOpened,
    OpeningAuthorised,
    PickupAuthorised,
    ServiceActed,
    Up,
    encode,
)
from protocol.numbers import DEPOSITING, DOOR_STATES, HELD

if TYPE_CHECKING:
    from typing import Any

    from device.agent.books import Books
    from device.agent.effects import Effect
    from device.agent.link import Link
    from protocol.messages import Message

_PER_DOOR, _PER_PARCEL = 1, 3  # a fault; authorised, opened, collected
_GUESSES_ABOVE = JOURNAL_RESERVE_RECORDS - JOURNAL_GUESSES_MAX
_COMMANDS_ABOVE = JOURNAL_RESERVE_RECORDS - JOURNAL_COMMANDS_MAX
_LEFT_OPEN = DOOR_STATES.index("left_open")


class NoRoomError(Exception):
    """The journal has no room for this; nothing of it happened. With the screen that says so, and its arguments."""


class Ledger:
    def __init__(self, books: "Books", link: "Link", boot: int) -> None:
        self.books = books
        self.link = link
        self.boot = boot
        self.untold: Message | None = None  # this boot's Booted: it waits for something worth its room
        self._saved = False
        # Records that still fit: as the shell last measured, less those saved since.
        self.journal_free = JOURNAL_RESERVE_RECORDS + (_PER_DOOR + _PER_PARCEL) * len(books.numbers)

    @property
    def reserve(self) -> int:
        """Records that fit beside those which the parcels inside may need."""
        numbers = self.books.numbers
        parcels = len(numbers) - bytes(self.books.holdings).count(b"\x00")
        return self.journal_free - _PER_DOOR * len(numbers) - _PER_PARCEL * parcels

    @property
    def has_room(self) -> bool:
        """Whether there is room beside the reserve: for deposits, and for what is merely good to know."""
        return self.reserve >= JOURNAL_RESERVE_RECORDS

    @property
    def takes_commands(self) -> bool:
        return self.reserve > _COMMANDS_ABOVE

    @property
    def can_charge(self) -> bool:
        """Whether the price of a wrong code could be saved."""
        return self.reserve > _GUESSES_ABOVE

    def save(self, now: int, event: "Message", effects: "list[Effect]") -> None:
        """Journal a custody event. Whatever is appended to `effects` after this happens only once it is durable.

        Raises NoRoomError, and then nothing has changed."""
        if not self.has_room:
            if _repeats(self.books, event):
                return
            share = _SHARES.get(type(event).TYPE)
            if share is not None and self.reserve <= share[0]:
                counts = share[1](self.books, event)
                if share[2] and not counts:
                    return
                if not share[2] and (not counts or self.journal_free < _PER_PARCEL):
                    raise _no_room(event)
        self._write(now, event, effects)

    def tell_boot(self, now: int, effects: "list[Effect]") -> None:
        """Journal this boot, once: behind its first other record, or when the gateway listens."""
        if self.untold is not None and (self._saved or self.link.outbox.begun) and self.has_room:
            untold, self.untold = self.untold, None
            self._write(now, untold, effects)

    def _write(self, now: int, event: "Message", effects: "list[Effect]") -> None:
        seq = self.books.seq + 1
        up = Up(self.boot, seq, now, self.link.wall_s(now), event)
        record = encode(up)
        self.books.apply(up)
        self.journal_free -= 1
        self._saved = True
        effects.append(Save(seq, record))
        self.link.saved(now, seq, record, effects)

    def whole(self, now: int, first: int, records: "list[bytes]") -> "list[bytes]":
        """`records` as read from seq `first` on, with a word in place of each that rotted: the gateway would wait for
        it for ever."""
        found: list[bytes] = []
        for record in records:
            seq = seq_of(record)
            while first < seq and len(found) < OUTBOX_WINDOW:
                found.append(encode(Up(self.boot, first, now, None, ServiceActed("journal", "lost record"))))
                first += 1
            if len(found) >= OUTBOX_WINDOW:
                break
            found.append(record)
            first = seq + 1
        return found


def _no_room(event: "Any") -> NoRoomError:
    if type(event) is PickupAuthorised:
        return NoRoomError("door_out_of_service", (str(event.compartment),))
    return NoRoomError("journal_full", ())


# What of each kind the books cannot do without.
def _opening_counts(books: "Books", event: "Any") -> bool:
    place = books.place(event.compartment)
    if place is None or books.has(place, OPENED):
        return False
    return books.has(place, PICKUP) or books.holdings[place] == DEPOSITING


def _fault_counts(books: "Books", event: "Any") -> bool:
    place = books.place(event.compartment)
    if place is None:
        return False
    new = event.quarantined and not books.has(place, QUARANTINED)
    return new or (event.state != _LEFT_OPEN and books.has(place, PICKUP))


def _pickup_counts(books: "Books", event: "Any") -> bool:
    """The first try at a door: what it needs is set aside."""
    place = books.place(event.compartment)
    return place is not None and books.holdings[place] == HELD and not books.flags[place] & (PICKUP | QUARANTINED)


def _repeats(books: "Books", event: "Any") -> bool:
    """The same right code at a door that is being opened for it: what was saved then authorises this pulse too."""
    if type(event) is not PickupAuthorised or event.reopen or event.token is not None:
        return False
    place = books.place(event.compartment)
    return place is not None and books.flags[place] & (PICKUP | DELEGATED) == PICKUP


def _charges(books: "Books", event: "Any") -> bool:
    """What a guess costs is never left out; Access asks can_charge before it compares."""
    return event.left != books.bucket


def _never(_books: "Books", _event: "Any") -> bool:
    return False


# TYPE -> (not with so much of the reserve left, but for what counts, left out rather than refused)
_SHARES: "dict[int, tuple[int, Any, bool]]" = {
    DoorOpened.TYPE: (JOURNAL_RESERVE_RECORDS, _opening_counts, True),
    DoorClosed.TYPE: (JOURNAL_RESERVE_RECORDS, _never, True),
    DoorFaulted.TYPE: (JOURNAL_RESERVE_RECORDS, _fault_counts, True),
    ServiceActed.TYPE: (_COMMANDS_ABOVE, _never, True),
    OpeningAuthorised.TYPE: (_COMMANDS_ABOVE, _never, False),
    BucketRefilled.TYPE: (_GUESSES_ABOVE, _never, True),
    CodeRefused.TYPE: (_GUESSES_ABOVE, _charges, True),
    PickupAuthorised.TYPE: (0, _pickup_counts, False),
}

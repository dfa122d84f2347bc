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
_LEFT_OPEN = DOOR_STATES.index("left_open")


class NoRoomError(Exception):
    """The journal has no room for this; nothing of it happened. With the screen that says so, and its arguments."""


class Ledger:
    def __init__(self, books: "Books", link: "Link", boot: int) -> None:
        self.books = books
        self.link = link
        self.boot = boot
        self.untold: Message | None = None  # this boot's Booted: it waits for something worth its room
        self.serving = False  # a technician is at work: the screen says so, and nothing is deposited
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
    def no_deposits(self) -> str:
        """The screen that says why there are none; "" when there are."""
        if self.serving:
            return "service"
        return "" if self.has_room else "journal_full"

    def has_room_for(self, kind: int) -> bool:
        """Whether this TYPE has anything left of its share of the reserve."""
        return self.reserve > _FLOORS[kind]

    def save(self, now: int, event: "Message", effects: "list[Effect]") -> None:
        """Journal a custody event. Whatever is appended to `effects` after this happens only once it is durable.

        Raises NoRoomError, and then nothing has changed."""
        if self.has_room or self._admits(event):
            self._write(now, event, effects)

    def _admits(self, event: "Any") -> bool:
        """Below the reserve: whether it is saved; if not, the books can do without it. Raises NoRoomError."""
        kind: int = event.TYPE
        if kind not in _FLOORS:
            return True
        books = self.books
        place = books.place(getattr(event, "compartment", 0))
        flags = 0 if place is None else books.flags[place]
        if kind == PickupAuthorised.TYPE:
            if flags & (PICKUP | DELEGATED) == PICKUP and not event.reopen and event.token is None:
                return False  # the same right code at a door that is being opened: what was saved authorises this too
            first = place is not None and books.holdings[place] == HELD and not flags & (PICKUP | QUARANTINED)
            if (first or self.reserve > 0) and self.journal_free >= _PER_PARCEL:
                return True  # what a first try needs is set aside
            raise NoRoomError("door_out_of_service", (str(event.compartment),))
        if self.has_room_for(kind):
            return True
        if kind == OpeningAuthorised.TYPE:
            raise NoRoomError("journal_full", ())
        counts = False
        if kind == CodeRefused.TYPE:  # what a guess costs is never left out; Access asks for room before it compares
            counts = event.left != books.bucket
        elif kind == DoorOpened.TYPE and place is not None and not flags & OPENED:
            counts = flags & PICKUP != 0 or books.holdings[place] == DEPOSITING
        elif kind == DoorFaulted.TYPE:
            counts = event.quarantined and not flags & QUARANTINED
            counts = counts or (event.state != _LEFT_OPEN and flags & PICKUP != 0)
        return counts

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


# TYPE -> what it must leave of the reserve. Kinds that are not here always have their room.
_FLOORS = {
    DoorOpened.TYPE: JOURNAL_RESERVE_RECORDS,
    DoorClosed.TYPE: JOURNAL_RESERVE_RECORDS,
    DoorFaulted.TYPE: JOURNAL_RESERVE_RECORDS,
    ServiceActed.TYPE: JOURNAL_RESERVE_RECORDS - JOURNAL_COMMANDS_MAX,
    OpeningAuthorised.TYPE: JOURNAL_RESERVE_RECORDS - JOURNAL_COMMANDS_MAX,
    BucketRefilled.TYPE: JOURNAL_RESERVE_RECORDS - JOURNAL_GUESSES_MAX,
    CodeRefused.TYPE: JOURNAL_RESERVE_RECORDS - JOURNAL_GUESSES_MAX,
    PickupAuthorised.TYPE: 0,
}

"""The locker's books: all that must survive a power cut, as the sum of its journal records.

One rule keeps memory and flash the same: the books change by apply(record) and by nothing else, live and at
replay alike. A snapshot is the sum so far, so that a restart reads one journal segment and not all of them.
"""

from typing import TYPE_CHECKING

from protocol import cbor
from protocol.errors import ProtocolError, number_of
from protocol.limits import (
    COMMAND_IDS_KEPT,
    COMMAND_OPENS_PER_HOUR_MAX,
    REVOKED_TOKENS_KEPT,
    WRONG_CODE_BUCKET,
)
from protocol.messages import (
    BucketRefilled,
    CodeRefused,
    Collected,
    CommandDone,
    ContentsDoubted,
    DepositAbandoned,
    DepositAuthorised,
    Deposited,
    DoorClosed,
    DoorFaulted,
    DoorOpened,
    Join,
    OfflineDepositAuthorised,
    OpeningAuthorised,
    OutOfService,
    PickupAuthorised,
    Reissue,
    Release,
    Revoke,
    TokenRevoked,
    decode_up,
    encode,
)
from protocol.numbers import (
    COMMAND,
    DEPOSITING,
    DOOR_STATES,
    FREE,
    HELD,
    KEYPAD,
    LEAVES,
    REVOKED,
    SENSOR_FAULTY,
    STAYS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from protocol.messages import Up

VERSION = 3
# Flags of a compartment. DELEGATED: the pickup under way is a delegate's. LEAVING: its module is, nothing is put in.
QUARANTINED, OUT, PICKUP, OPENED, DELEGATED, LEAVING = 1, 2, 4, 8, 16, 32
CODES_KEPT = 3  # deposits of a compartment whose used code is still recognised as used
_ID = 8
_REVOCATION = 12  # a token's id and its expiry
_LIST = 0x80  # CBOR: of up to 23 items
_WRONG_CODE = number_of("wrong_code")
_OUT_OF_SERVICE = DOOR_STATES.index("out_of_service")
# Faults after which a door's opening and closing is no evidence for the pickup that was authorised before.
_NO_EVIDENCE = [DOOR_STATES.index(word) for word in ("unknown", "jammed", "forced", "faulty", "out_of_service")]


class Books:
    """By place: `holdings` (FREE, DEPOSITING, HELD, REVOKED) and `flags`; by place too, deposit() and parcel().

    The first `present` places are the compartments that there are. Behind them are those that /config.json does not
    name any more: what lay in one is still somebody's, its deposit numbers must not come again, and nobody has looked
    into one that was quarantined."""

    def __init__(self, numbers: "list[int]") -> None:
        count = len(numbers)
        self.numbers = numbers
        self.present = count
        self.seq = 0
        self.boot = 0
        self.bucket = WRONG_CODE_BUCKET
        self.holdings = bytearray(count)
        self.flags = bytearray(count)
        self._deposits = bytearray(4 * count)
        self._parcels = bytearray(8 * count)
        self._groups = bytearray(4 * count)
        self._collections = bytearray(count)  # bit n: the last deposit but n was collected
        self._revoked = bytearray()
        self.refused = False  # the last code typed was a wrong one
        self.wall_s = 0  # the last time of day that was known
        self.alone: Up | None = None  # the last OfflineDepositAuthorised, to show its receipt again
        # Command ids that took effect, oldest first, and the latest issue time among those forgotten since.
        self._ids = bytearray()
        self._issues = bytearray()
        self.floor_s = 0
        # When the last commanded openings were (ms of this boot); those of earlier boots count as just now.
        self.opens_ms: list[int] = []

    def place(self, number: int) -> "int | None":
        # No dictionary: one of 100 takes 1.3 kB, and the list is searched within microseconds.
        return self.numbers.index(number) if number in self.numbers else None

    def deposit(self, place: int) -> int:
        return int.from_bytes(self._deposits[4 * place : 4 * place + 4], "big")

    def parcel(self, place: int) -> int:
        return int.from_bytes(self._parcels[8 * place : 8 * place + 8], "big")

    def group(self, place: int) -> int:
        """What the deposits of one recipient have in common; 0 for one that stands alone."""
        return int.from_bytes(self._groups[4 * place : 4 * place + 4], "big")

    def alone_in(self, place: int) -> "Up | None":
        """The last OfflineDepositAuthorised, if no later deposit was at `place` and it was there."""
        up = self.alone
        if up is None:
            return None
        event: Any = up.event
        return up if self.place(event.compartment) == place and event.deposit == self.deposit(place) else None

    def was_collected(self, place: int, deposit: int) -> bool:
        """Whether this one of the last CODES_KEPT deposits was fetched with its code (and not revoked, say)."""
        back = self.deposit(place) - deposit
        return 0 <= back < CODES_KEPT and self._collections[place] >> back & 1 != 0

    def has(self, place: int, flag: int) -> bool:
        return self.flags[place] & flag != 0

    def knows_command(self, command: bytes) -> bool:
        """Whether this id already took effect here."""
        return any([bytes(self._ids[start : start + _ID]) == command for start in range(0, len(self._ids), _ID)])

    def token_is_revoked(self, token: bytes) -> bool:
        starts = range(0, len(self._revoked), _REVOCATION)
        return any([bytes(self._revoked[start : start + _ID]) == token for start in starts])

    def revocations_left(self, now_s: int) -> int:
        """How many more tokens can be revoked, those past their expiry forgotten."""
        return REVOKED_TOKENS_KEPT - len(self._unexpired(now_s)) // _REVOCATION

    def _unexpired(self, now_s: int) -> bytearray:
        kept = bytearray()
        for start in range(0, len(self._revoked), _REVOCATION):
            entry = self._revoked[start : start + _REVOCATION]
            if int.from_bytes(entry[_ID:], "big") >= now_s:
                kept.extend(entry)
        return kept

    # -------------------------------------------------------------- the one way they change
    def apply(self, up: "Up") -> None:
        event = up.event
        self.seq = up.seq
        self.begin(up.boot, up.t_mono_ms)
        if up.t_wall_s is not None:
            self.wall_s = up.t_wall_s
        handler = _HANDLERS.get(type(event).TYPE)
        if handler is not None:
            place = 0
            number = getattr(event, "compartment", None)
            if number is not None and not getattr(event, "code", 0):  # what was refused changed no compartment
                place = self._placed(number)
            handler(self, place, event, up)

    def _placed(self, number: int) -> int:
        """One that is not there any more, or not yet, gets a place behind the others."""
        place = self.place(number)
        if place is None:
            place = len(self.numbers)
            self.numbers = list(self.numbers)  # Config's own stays as it is
            self.numbers.append(number)
            for rows, size in (
                (self.holdings, 1),
                (self.flags, 1),
                (self._deposits, 4),
                (self._parcels, 8),
                (self._groups, 4),
                (self._collections, 1),
            ):
                rows.extend(bytes(size))
        return place

    def begin(self, boot: int, now: int) -> None:
        """Another boot: the commanded openings of the one before count as just now, in the time of this one. An agent
        that is made anew begins late in the board's time."""
        if boot != self.boot:
            self.boot = boot
            self.opens_ms = [now] * len(self.opens_ms)

    def _door_opened(self, place: int, _event: "DoorOpened", _up: "Up") -> None:
        if self.has(place, PICKUP) or self.holdings[place] == DEPOSITING:
            self.flags[place] |= OPENED

    def _door_closed(self, place: int, _event: "DoorClosed", _up: "Up") -> None:
        if self.holdings[place] != DEPOSITING:  # it ended no pickup: what was authorised before is over
            self.flags[place] &= ~(PICKUP | OPENED)

    def _door_faulted(self, place: int, event: "DoorFaulted", _up: "Up") -> None:
        if event.quarantined:
            self.flags[place] |= QUARANTINED
        if event.state == _OUT_OF_SERVICE:
            self.flags[place] |= OUT
        if event.state in _NO_EVIDENCE and self.holdings[place] != DEPOSITING:
            self.flags[place] &= ~(PICKUP | OPENED)

    def _contents_doubted(self, place: int, event: "ContentsDoubted", _up: "Up") -> None:
        if event.finding != SENSOR_FAULTY:
            self.flags[place] |= QUARANTINED

    def _deposit_authorised(self, place: int, event: "DepositAuthorised", _up: "Up") -> None:
        self._begin(place, event.deposit, event.parcel)
        self._remember(event.command, event.issued)

    def _offline_deposit_authorised(self, place: int, event: "OfflineDepositAuthorised", up: "Up") -> None:
        self._begin(place, event.deposit, 0)
        self.alone = up

    def _deposited(self, place: int, _event: "Deposited", _up: "Up") -> None:
        self.holdings[place] = HELD
        self._end(place)

    def _deposit_abandoned(self, place: int, _event: "DepositAbandoned", _up: "Up") -> None:
        self.holdings[place] = FREE
        self._end(place)

    def _pickup_authorised(self, place: int, event: "PickupAuthorised", _up: "Up") -> None:
        if event.reopen == 0:
            self.flags[place] &= ~DELEGATED
            self.flags[place] |= PICKUP if event.token is None else PICKUP | DELEGATED
        if event.channel == KEYPAD:
            self.refused = False

    def _collected(self, place: int, _event: "Collected", _up: "Up") -> None:
        self.holdings[place] = FREE
        self._collections[place] |= 1
        self._end(place)

    def _code_refused(self, _place: int, event: "CodeRefused", _up: "Up") -> None:
        self.bucket = event.left
        if event.code == _WRONG_CODE:
            self.refused = True

    def _token_revoked(self, _place: int, event: "TokenRevoked", up: "Up") -> None:
        self._remember(event.command, event.issued)
        if self.token_is_revoked(event.token):
            return
        if len(self._revoked) >= _REVOCATION * REVOKED_TOKENS_KEPT:
            self._revoked[:] = self._unexpired(up.t_wall_s or 0)
        self._revoked.extend(event.token + min(event.expiry_s, 0xFFFFFFFF).to_bytes(4, "big"))

    def _opening_authorised(self, place: int, event: "OpeningAuthorised", up: "Up") -> None:
        self._remember(event.command, event.issued)
        if self.holdings[place] != DEPOSITING:
            # What this opening shows is no evidence for a pickup that was authorised before it.
            self.flags[place] &= ~(PICKUP | OPENED)
        if event.channel == COMMAND:
            self.opens_ms.append(up.t_mono_ms)
            self.opens_ms = self.opens_ms[-COMMAND_OPENS_PER_HOUR_MAX:]

    def _command_done(self, place: int, event: "CommandDone", _up: "Up") -> None:
        self._remember(event.command, event.issued)
        if event.code != 0:
            return
        if event.order == Release.TYPE:
            self.holdings[place] = FREE
            self.flags[place] &= OUT | LEAVING
        elif event.order == Revoke.TYPE:
            if self.holdings[place] == HELD and self.deposit(place) == event.value:
                self.holdings[place] = REVOKED
        elif event.order == Reissue.TYPE:
            self.holdings[place] = HELD  # a technician had ended its code, and left the parcel inside
            self._renumber(place, event.value)
            self._end(place)
        elif event.order == Join.TYPE:
            self._groups[4 * place : 4 * place + 4] = event.value.to_bytes(4, "big")
        elif event.order == OutOfService.TYPE:
            flags = self.flags[place]
            if event.value >= STAYS:
                flags = flags & ~LEAVING | (LEAVING if event.value == LEAVES else 0)
            elif event.value:  # whatever was begun at that door is over: it can be no evidence once it is back
                flags = flags & (QUARANTINED | LEAVING) | OUT
            else:
                flags &= ~OUT
            self.flags[place] = flags

    def _begin(self, place: int, deposit: int, parcel: int) -> None:
        self.holdings[place] = DEPOSITING
        self._end(place)
        self._renumber(place, deposit)
        self._groups[4 * place : 4 * place + 4] = bytes(4)
        self._parcels[8 * place : 8 * place + 8] = parcel.to_bytes(8, "big")

    def _renumber(self, place: int, deposit: int) -> None:
        """The next deposit, or the same parcel under a new number."""
        ahead = min(max(deposit - self.deposit(place), 0), CODES_KEPT)
        self._collections[place] = self._collections[place] << ahead & 0xFF
        self._deposits[4 * place : 4 * place + 4] = deposit.to_bytes(4, "big")

    def _end(self, place: int) -> None:
        """No deposit and no pickup is under way there any more."""
        self.flags[place] &= QUARANTINED | OUT | LEAVING

    def _remember(self, command: "bytes | None", issued: "int | None") -> None:
        if command is None or not issued:
            return
        self._ids.extend(command)
        self._issues.extend(issued.to_bytes(8, "big"))
        if len(self._ids) > _ID * COMMAND_IDS_KEPT:
            # What is forgotten must not come back: nothing issued up to then is taken any more.
            self.floor_s = max(self.floor_s, int.from_bytes(self._issues[:8], "big"))
            self._ids[:] = self._ids[_ID:]
            self._issues[:] = self._issues[8:]

    # -------------------------------------------------------------- snapshot and replay
    def snapshot(self) -> bytes:
        numbers = b"".join([number.to_bytes(2, "big") for number in self.numbers])
        items: list[Any] = [
            VERSION,
            self.seq,
            self.boot,
            self.bucket,
            self.floor_s,
            self.opens_ms,
            self._ids,
            self._issues,
            numbers,
            self.holdings,
            self.flags,
            self._deposits,
            self._parcels,
            self._groups,
            self._collections,
            self._revoked,
            self.refused,
            self.wall_s,
            None if self.alone is None else encode(self.alone),
        ]
        # What cbor.encode(items) gives, in pieces: a full heap has no two runs of such a length.
        pieces = [cbor.encode(item) for item in items]
        pieces.insert(0, bytes([_LIST + len(items)]))
        return b"".join(pieces)

    def _restore(self, snapshot: bytes) -> None:
        items: list[Any] = cbor.decode(snapshot)
        if items[0] != VERSION:
            raise ProtocolError("unknown_version", "snapshot")
        self.seq, self.boot, self.bucket, self.floor_s = items[1:5]
        self.opens_ms = items[5]
        self._ids[:] = items[6]
        self._issues[:] = items[7]
        numbers, holdings, flags, deposits, parcels, groups, collections = items[8:15]
        self._revoked[:] = items[15]
        self.refused, self.wall_s, alone = items[16:]
        self.alone = None if alone is None else decode_up(alone)
        for old in range(len(holdings)):
            number = int.from_bytes(numbers[2 * old : 2 * old + 2], "big")
            if number in self.numbers or holdings[old] or flags[old] or deposits[4 * old : 4 * old + 4] != bytes(4):
                place = self._placed(number)
                self.holdings[place] = holdings[old]
                self.flags[place] = flags[old]
                self._deposits[4 * place : 4 * place + 4] = deposits[4 * old : 4 * old + 4]
                self._parcels[8 * place : 8 * place + 8] = parcels[8 * old : 8 * old + 8]
                self._groups[4 * place : 4 * place + 4] = groups[4 * old : 4 * old + 4]
                self._collections[place] = collections[old]

    @staticmethod
    def replay(numbers: "list[int]", snapshot: "bytes | None", records: "Iterable[bytes]") -> "Books":
        """The books as they stood when the last of `records` was saved.

        Raises ProtocolError for a snapshot or record that is whole (its checksum held) but not understood.
        """
        books = Books(numbers)
        if snapshot is not None:
            books._restore(snapshot)
        for record in records:
            books.apply(decode_up(record))
        return books


def _bucket_refilled(books: Books, _place: int, event: BucketRefilled, _up: "Up") -> None:
    books.bucket = event.left


_HANDLERS: "dict[int, Any]" = {
    DoorOpened.TYPE: Books._door_opened,
    DoorClosed.TYPE: Books._door_closed,
    DoorFaulted.TYPE: Books._door_faulted,
    ContentsDoubted.TYPE: Books._contents_doubted,
    DepositAuthorised.TYPE: Books._deposit_authorised,
    OfflineDepositAuthorised.TYPE: Books._offline_deposit_authorised,
    Deposited.TYPE: Books._deposited,
    DepositAbandoned.TYPE: Books._deposit_abandoned,
    PickupAuthorised.TYPE: Books._pickup_authorised,
    Collected.TYPE: Books._collected,
    CodeRefused.TYPE: Books._code_refused,
    BucketRefilled.TYPE: _bucket_refilled,
    OpeningAuthorised.TYPE: Books._opening_authorised,
    CommandDone.TYPE: Books._command_done,
    TokenRevoked.TYPE: Books._token_revoked,
}

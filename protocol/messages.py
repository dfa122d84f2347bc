"""Every message that crosses the wire, and the two envelopes they travel in.

Up (locker to gateway):   [version, boot, seq, t_mono_ms, t_wall_s|null, type, [fields…]]
Down (gateway to locker): [version, id, issued_s, ttl_s, type, [fields…]]
Both are deterministic CBOR and travel inside a COSE_Mac0 (protocol.cose). The same bytes, without the MAC,
are the locker's journal records. Events are past tense, commands are orders.

Custody events carry a seq that counts up for ever and are journalled before they are sent. The others (seq 0)
are told once, when the link is up, and may be lost.
"""

from typing import TYPE_CHECKING

from protocol import cbor
from protocol.errors import ProtocolError
from protocol.kinds import (
    BOOL,
    BYTES,
    COMPARTMENT,
    I32,
    ID4,
    ID8,
    LABEL,
    OPTIONAL_COMPARTMENT,
    OPTIONAL_ID8,
    OPTIONAL_U63,
    OPTIONAL_WORD,
    PART,
    STATEMENT,
    U8,
    U16,
    U32,
    U63,
    WORD,
    check_all,
)
from protocol.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

VERSION = 1


class Message(Record):
    """What travels inside an envelope. TYPE is its number on the wire and is never reused; KINDS its fields' kinds."""

    TYPE = 0


# ------------------------------------------------------------------ up, told once (seq 0)
class Birth(Message):
    """Retained on `state`: who woke up, what is still to be sent, and how every door stands.

    `nonce` is what SetTime must answer. `doors`: one byte a compartment, in order of number (protocol.numbers).
    """

    TYPE = 1
    FIELDS = ("firmware", "nonce", "first_seq", "last_seq", "doors")
    KINDS = (WORD, ID8, U63, U63, BYTES)
    firmware: str
    nonce: bytes
    first_seq: int
    last_seq: int
    doors: bytes


class Lost(Message):
    """The last will: the broker says it when the link breaks. The envelope's boot number pairs it to its birth."""

    TYPE = 2


class Heartbeat(Message):
    TYPE = 3
    FIELDS = ("heap_free", "journal_free", "unacknowledged")
    KINDS = (U32, U32, U32)
    heap_free: int
    journal_free: int
    unacknowledged: int


class DepositRequested(Message):
    """A courier with a verified badge scanned a label and wants a door. `request` counts up within a boot."""

    TYPE = 4
    FIELDS = ("request", "badge", "carrier", "label", "reason")
    KINDS = (U32, ID8, WORD, LABEL, U8)
    request: int
    badge: bytes
    carrier: str
    label: str
    reason: int


class MessageRefused(Message):
    """Something on `down` was not acted on and has no id that could be answered (errors.CODES)."""

    TYPE = 5
    FIELDS = ("code",)
    KINDS = (U16,)
    code: int


class Measured(Message):
    """What a sensor says (events.Sensed): with each heartbeat, and when it changes. What it said while nobody heard is
    lost, but for the highest."""

    TYPE = 6
    FIELDS = ("name", "value")
    KINDS = (WORD, I32)
    name: str
    value: int


class Layout(Message):
    """How the locker is built, said before each birth: its compartments by module, and the numbers it will never use
    again. A locker that does not say it is one whose compartments the gateway knows, all of them.

    `modules` is a row of entries, each: a byte and so many of the module's name (1 to 8), a byte and so many of its id
    (0 to 12), a byte and so many compartments. A name of no length: the retired numbers; as many entries as needed. A
    compartment is one byte, its size in the two high bits (a place in SIZES, 3: not told), and in the low six by how
    much its number is higher than the one before in this message; 0: two bytes with the number follow.
    """

    TYPE = 7
    FIELDS = ("modules",)
    KINDS = (PART,)
    modules: bytes


# ------------------------------------------------------------------ up, custody (journalled, seq ≥ 1)
class Booted(Message):
    TYPE = 16
    FIELDS = ("firmware", "cause")
    KINDS = (WORD, WORD)
    firmware: str
    cause: str


class DoorOpened(Message):
    TYPE = 17
    FIELDS = ("compartment",)
    KINDS = (COMPARTMENT,)
    compartment: int


class DoorClosed(Message):
    """A door closed that ended no deposit and no pickup."""

    TYPE = 18
    FIELDS = ("compartment",)
    KINDS = (COMPARTMENT,)
    compartment: int


class DoorFaulted(Message):
    """`state` is an index into DOOR_STATES (jammed, forced, left_open, faulty); `quarantined`: not to be offered
    until a person cleared it."""

    TYPE = 19
    FIELDS = ("compartment", "state", "quarantined")
    KINDS = (COMPARTMENT, U8, BOOL)
    compartment: int
    state: int
    quarantined: bool


class CourierIdentified(Message):
    TYPE = 20
    FIELDS = ("badge", "carrier")
    KINDS = (ID8, WORD)
    badge: bytes
    carrier: str


class DepositAuthorised(Message):
    """Durable before the pulse. `deposit` is the compartment's new deposit number; `command` the Assign's id."""

    TYPE = 21
    FIELDS = ("compartment", "deposit", "request", "parcel", "command", "issued")
    KINDS = (COMPARTMENT, U32, U32, U63, OPTIONAL_ID8, OPTIONAL_U63)
    compartment: int
    deposit: int
    request: int
    parcel: int
    command: "bytes | None"
    issued: "int | None"


class Deposited(Message):
    """Opened and closed again: the parcel is inside, and (compartment, deposit) has a live code."""

    TYPE = 22
    FIELDS = ("compartment", "deposit", "parcel")
    KINDS = (COMPARTMENT, U32, U63)
    compartment: int
    deposit: int
    parcel: int


class DepositAbandoned(Message):
    """An authorised deposit that did not happen (reason: REASONS). The compartment is free again, or faulty."""

    TYPE = 23
    FIELDS = ("compartment", "deposit", "parcel", "reason")
    KINDS = (COMPARTMENT, U32, U63, U8)
    compartment: int
    deposit: int
    parcel: int
    reason: int


class PickupAuthorised(Message):
    """Durable before the pulse: the right code or token for (compartment, deposit) was shown. `reopen` counts
    the openings after the first; `token` is a delegate's (None: the recipient's own code or token)."""

    TYPE = 31  # 24 was this without `token`, before the first release
    FIELDS = ("compartment", "deposit", "channel", "reopen", "token")
    KINDS = (COMPARTMENT, U32, U8, U8, OPTIONAL_ID8)
    compartment: int
    deposit: int
    channel: int
    reopen: int
    token: "bytes | None"


class Collected(Message):
    """Opened and closed again after a PickupAuthorised: the deposit number is spent."""

    TYPE = 25
    FIELDS = ("compartment", "deposit")
    KINDS = (COMPARTMENT, U32)
    compartment: int
    deposit: int


class CodeRefused(Message):
    """A well-formed wrong code, or a token that did not verify. `code`: errors.CODES; `left`: tries in the bucket."""

    TYPE = 26
    FIELDS = ("channel", "code", "left")
    KINDS = (U8, U16, U8)
    channel: int
    code: int
    left: int


class BucketRefilled(Message):
    TYPE = 27
    FIELDS = ("left",)
    KINDS = (U8,)
    left: int


class OpeningAuthorised(Message):
    """Durable before the pulse of an opening that is neither deposit nor pickup: by command or from the console."""

    TYPE = 28
    FIELDS = ("compartment", "channel", "actor", "command", "issued")
    KINDS = (COMPARTMENT, U8, OPTIONAL_WORD, OPTIONAL_ID8, OPTIONAL_U63)
    compartment: int
    channel: int
    actor: "str | None"
    command: "bytes | None"
    issued: "int | None"


class CommandDone(Message):
    """The result of a command: `code` 0, or why it took no effect. Release, Revoke, Reissue, Join and OutOfService
    change the locker's books by this record, so it says what they ordered (`order` is their TYPE) and what came of
    it (`value`: the deposit revoked, the deposit's new number, the group, whether out).

    `issued` 0: nobody ordered it; a technician at the locker's console did it, who is named by the ServiceActed before
    (device.desk.leaving). Of an OutOfService, `value` is STAYS or LEAVES then; of a Release, the deposit that was
    taken out, 0: the compartment was empty."""

    TYPE = 29
    FIELDS = ("command", "issued", "code", "order", "compartment", "value")
    KINDS = (ID8, U63, U16, U8, OPTIONAL_COMPARTMENT, U63)
    command: bytes
    issued: int
    code: int
    order: int
    compartment: "int | None"
    value: int


class ServiceActed(Message):
    """A technician did something on the console that opens no door."""

    TYPE = 30
    FIELDS = ("actor", "action")
    KINDS = (WORD, WORD)
    actor: str
    action: str


class TokenRevoked(Message):
    """The result of RevokeToken: from here on that badge, delegation or authorisation opens nothing."""

    TYPE = 32
    FIELDS = ("command", "issued", "token", "expiry_s")
    KINDS = (ID8, U63, ID8, U63)
    command: bytes
    issued: int
    token: bytes
    expiry_s: int


class OfflineDepositAuthorised(Message):
    """DepositAuthorised where no gateway could be asked: the locker chose the door by itself. Its Deposited or
    DepositAbandoned says parcel 0; whose it is, the gateway learns from the label. `size`: SIZES, as keyed."""

    TYPE = 33
    FIELDS = ("compartment", "deposit", "badge", "carrier", "label", "size")
    KINDS = (COMPARTMENT, U32, ID8, WORD, LABEL, U8)
    compartment: int
    deposit: int
    badge: bytes
    carrier: str
    label: str
    size: int


class ContentsDoubted(Message):
    """The occupancy sensor of a closed compartment contradicts the books (`finding`: CONTENTS_FINDINGS): quarantined
    until a person looked. Or the sensor is faulty: ignored from here on."""

    TYPE = 34
    FIELDS = ("compartment", "finding")
    KINDS = (COMPARTMENT, U8)
    compartment: int
    finding: int


# ------------------------------------------------------------------ down
class Ack(Message):
    """Everything up to and with `seq` is committed in the gateway's books."""

    TYPE = 1
    FIELDS = ("seq",)
    KINDS = (U63,)
    seq: int


class Resend(Message):
    """A gap: send again from `seq`."""

    TYPE = 2
    FIELDS = ("seq",)
    KINDS = (U63,)
    seq: int


class SetTime(Message):
    """`now_s`: Unix time. Answers the nonce of this boot's Birth, so that an old one cannot be replayed."""

    TYPE = 3
    FIELDS = ("nonce", "now_s")
    KINDS = (ID8, U63)
    nonce: bytes
    now_s: int


class Reject(Message):
    """The gateway could not take a message up (errors.CODES); the locker keeps it and says so on the console."""

    TYPE = 4
    FIELDS = ("seq", "code")
    KINDS = (U63, U16)
    seq: int
    code: int


class TrustPart(Message):
    """A piece of the comb table of a signing key to come; Trust, right behind the last, says whether to believe it."""

    TYPE = 5
    FIELDS = ("kid", "offset", "part")
    KINDS = (ID4, U16, PART)
    kid: bytes
    offset: int
    part: bytes


class Reserved(Message):
    """The compartments that are promised to somebody, for the choice that a locker makes alone: bit n of `doors` is
    compartment n (the lowest bit of the first byte is 0, which is none). Told after a birth and when it changes."""

    TYPE = 6
    FIELDS = ("doors",)
    KINDS = (BYTES,)
    doors: bytes


class Assign(Message):
    """The answer to DepositRequested(request) of this boot: put the parcel in there."""

    TYPE = 16
    FIELDS = ("boot", "request", "compartment", "parcel")
    KINDS = (U32, U32, COMPARTMENT, U63)
    boot: int
    request: int
    compartment: int
    parcel: int


class Decline(Message):
    """The other answer: no. `code` says why (no_room, unknown_label, not_allowed, wrong_state)."""

    TYPE = 17
    FIELDS = ("boot", "request", "code")
    KINDS = (U32, U32, U16)
    boot: int
    request: int
    code: int


class Open(Message):
    TYPE = 18
    FIELDS = ("compartment", "reason")
    KINDS = (COMPARTMENT, WORD)
    compartment: int
    reason: str


class Release(Message):
    """The compartment is empty and checked: free it, and lift its quarantine."""

    TYPE = 19
    FIELDS = ("compartment",)
    KINDS = (COMPARTMENT,)
    compartment: int


class Revoke(Message):
    """The code of this deposit opens nothing any more."""

    TYPE = 20
    FIELDS = ("compartment", "deposit")
    KINDS = (COMPARTMENT, U32)
    compartment: int
    deposit: int


class OutOfService(Message):
    TYPE = 21
    FIELDS = ("compartment", "out")
    KINDS = (COMPARTMENT, BOOL)
    compartment: int
    out: bool


class Identify(Message):
    """Sound and light: which of the lockers are you?"""

    TYPE = 22


class Reissue(Message):
    """This deposit's code is known to somebody it should not be: the same parcel under a new deposit number. `deposit`
    is the one after it where its code has ended already and the parcel is known to be inside still: an order from
    before that, which names the deposit itself, is refused."""

    TYPE = 23
    FIELDS = ("compartment", "deposit")
    KINDS = (COMPARTMENT, U32)
    compartment: int
    deposit: int


class Join(Message):
    """This deposit belongs to a recipient who has more than one here: whoever opens one may open the others in turn.
    `group`: any number but 0, the same for all of them."""

    TYPE = 24
    FIELDS = ("compartment", "deposit", "group")
    KINDS = (COMPARTMENT, U32, (int, 1, 0xFFFFFFFF, False))
    compartment: int
    deposit: int
    group: int


class RevokeToken(Message):
    """A badge, a delegation or a technician's authorisation, by its token id; it may be forgotten after its expiry."""

    TYPE = 25
    FIELDS = ("token", "expiry_s")
    KINDS = (ID8, U63)
    token: bytes
    expiry_s: int


class Trust(Message):
    """Believe another signing key, or one fewer: protocol.trust's statement, signed by a key that is trusted now."""

    TYPE = 26
    FIELDS = ("statement",)
    KINDS = (STATEMENT,)
    statement: bytes


class Greet(Message):
    """The language of the screen for whoever has not chosen one, from now on: its place in numbers.LANGUAGES. A locker
    that does not know that language says so (bad_value), and greets as before."""

    TYPE = 27
    FIELDS = ("language",)
    KINDS = (U8,)
    language: int


EVENTS = {
    cls.TYPE: cls
    for cls in (
        Birth,
        Lost,
        Heartbeat,
        DepositRequested,
        MessageRefused,
        Measured,
        Layout,
        Booted,
        DoorOpened,
        DoorClosed,
        DoorFaulted,
        CourierIdentified,
        DepositAuthorised,
        Deposited,
        DepositAbandoned,
        Collected,
        CodeRefused,
        BucketRefilled,
        OpeningAuthorised,
        CommandDone,
        ServiceActed,
        PickupAuthorised,
        TokenRevoked,
        OfflineDepositAuthorised,
        ContentsDoubted,
    )
}
FIRST_CUSTODY_TYPE = 16
COMMANDS = {
    cls.TYPE: cls
    for cls in (
        Ack,
        Resend,
        SetTime,
        Reject,
        TrustPart,
        Reserved,
        Assign,
        Decline,
        Open,
        Release,
        Revoke,
        OutOfService,
        Identify,
        Reissue,
        Join,
        RevokeToken,
        Trust,
        Greet,
    )
}
FIRST_REMEMBERED_COMMAND = 16  # below: about the link itself, harmless to repeat


# ------------------------------------------------------------------ envelopes
class Up(Record):
    FIELDS = ("boot", "seq", "t_mono_ms", "t_wall_s", "event")
    KINDS = (U32, U63, U63, OPTIONAL_U63, None)
    boot: int
    seq: int
    t_mono_ms: int
    t_wall_s: "int | None"
    event: Message


class Down(Record):
    FIELDS = ("id", "issued_s", "ttl_s", "command")
    KINDS = (ID8, U63, U32, None)
    id: bytes
    issued_s: int
    ttl_s: int
    command: Message


def encode(envelope: "Up | Down") -> bytes:
    """The envelope as deterministic CBOR. Raises ProtocolError("bad_value") for a field outside its kind."""
    items: list[Any] = [VERSION]
    head = envelope.values()
    message: Message = head.pop()
    check_all(envelope, head)
    items.extend(head)
    values = message.values()
    check_all(message, values)
    items.append(message.TYPE)
    items.append(values)
    return cbor.encode(items)


def decode_up(data: bytes) -> Up:
    """Raises ProtocolError: malformed, not_canonical, unknown_version, unknown_type, bad_value."""
    head, message = _decode(data, Up, EVENTS)
    head.append(message)
    up: Up = _make(Up, head)
    if (up.seq > 0) != (message.TYPE >= FIRST_CUSTODY_TYPE):
        raise ProtocolError("bad_value", "seq")
    return up


def decode_down(data: bytes) -> Down:
    """Raises ProtocolError: malformed, not_canonical, unknown_version, unknown_type, bad_value."""
    head, message = _decode(data, Down, COMMANDS)
    head.append(message)
    return _make(Down, head)


def _decode(
    data: bytes, envelope: "type[Record]", table: "Mapping[int, type[Message]]"
) -> "tuple[list[Any], Message]":
    items: list[Any] = cbor.decode(data)
    if not isinstance(items, list) or not items:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ProtocolError("malformed", "envelope")
    if isinstance(items[0], bool) or items[0] != VERSION:
        raise ProtocolError("unknown_version")
    width = len(envelope.FIELDS) - 1
    if len(items) != width + 3:
        raise ProtocolError("malformed", "envelope")
    head = items[1 : width + 1]
    check_all(envelope, head)
    number: Any = items[width + 1]
    values: list[Any] = items[width + 2]
    if isinstance(number, bool) or not isinstance(number, int) or number not in table:
        raise ProtocolError("unknown_type")
    cls = table[number]
    if not isinstance(values, list) or len(values) != len(cls.FIELDS):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ProtocolError("malformed", cls.__name__)
    check_all(cls, values)
    return head, _make(cls, values)


def _make(cls: "Any", values: "list[Any]") -> "Any":
    """`cls(*values)` for a class that only its wire number named."""
    return cls(*values)

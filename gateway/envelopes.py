"""Opens and seals messages of many lockers, fast, and accepts exactly the bytes that protocol.cose and
protocol.messages accept.

The rule that keeps it so: the fast path only ever says yes, and only to bytes in the one form they can have;
whatever looks different in any way goes to the plain path, which alone says no and why.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

import cbor2

from gateway.keys import Keys
from gateway.limits import LOCKERS_CACHED_MAX, PAYLOAD_SIZE_MAX
from protocol import cbor, cose, messages, topics
from protocol.errors import ProtocolError

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK = 64
_TAG = b"\x58\x20"  # head of the 32-byte MAC at the end
_PROOF_SIZE = len(_TAG) + 32
_UP_WIDTH = len(messages.Up.FIELDS) + 2  # version, head, type, fields
# Type -> (class, kinds of the envelope's fields and its own), and for commands the kinds alone.
_UPS = {number: (cls, messages.Up.KINDS[:-1] + cls.KINDS) for number, cls in messages.EVENTS.items()}
_DOWN_KINDS = {number: messages.Down.KINDS[:-1] + cls.KINDS for number, cls in messages.COMMANDS.items()}
_SHORT, _BYTE = 24, 256  # lengths below these have one- and two-byte heads (RFC 8949, section 3)


class InsideError(ProtocolError):
    """The locker itself sent this (its MAC holds), but it cannot be taken up: worth an answer. `seq` is 0 when
    even that cannot be read without guessing."""

    def __init__(self, code: str, detail: str, seq: int) -> None:
        super().__init__(code, detail)
        self.seq = seq


@dataclass(frozen=True)
class _Line:
    """What one locker's messages need, worked out once per key generation."""

    locker: str
    generation: int
    prefix: bytes  # everything before the payload's head
    up_inner: "_Hash"  # HMAC states that have already taken the pads and the MAC_structure's beginning
    up_outer: "_Hash"
    down_inner: "_Hash"
    down_outer: "_Hash"
    down_topic: str


class Envelopes:
    """For one thread. `generation_of(locker)`: the generation of its key, None for a locker nobody provisioned."""

    def __init__(self, keys: Keys, generation_of: Callable[[str], int | None]) -> None:
        self._keys = keys
        self._generation_of = generation_of
        self._lines: dict[str, _Line] = {}
        self._codec = Codec()

    def open(self, locker: str, data: bytes) -> messages.Up:
        """Verify, then decode. Raises ProtocolError: too_large, unknown_locker, unknown_key, and all of
        cose.open_mac0 and messages.decode_up."""
        if len(data) > PAYLOAD_SIZE_MAX:
            raise ProtocolError("too_large")
        line = self._line(locker)
        if not data.startswith(line.prefix):
            line = self._line(locker, renew=True)  # provisioned again since we last looked?
        payload = _open_fast(line, data)
        if payload is None:
            key = self._keys.hmac(locker, line.generation, "up")
            payload = cose.open_mac0(key, bytes([line.generation]), data)
        try:
            return self._codec.decode_up(payload)
        except ProtocolError as error:
            raise InsideError(error.code, error.detail, seq_of(payload))

    def seal(self, locker: str, down: messages.Down) -> bytes:
        """Raises ProtocolError: unknown_locker; bad_value for a field outside its kind."""
        return self.seal_command(locker, down.id, down.issued_s, down.ttl_s, down.command)

    def seal_command(self, locker: str, id8: bytes, issued_s: int, ttl_s: int, command: messages.Message) -> bytes:
        """The same, without a Down made for it: answers go out by the thousand."""
        line = self._line(locker)
        payload = self._codec.encode_command(id8, issued_s, ttl_s, command)
        body = _head(len(payload)) + payload
        return line.prefix + body + _TAG + _mac(line.down_inner, line.down_outer, body)

    def topic(self, locker: str) -> str:
        return self._line(locker).down_topic

    def keep_only(self, provisioned: Iterable[tuple[str, int]]) -> None:
        """From any thread: a locker provisioned again is not heard with its old key from here on."""
        current = dict(provisioned)
        for locker, line in list(self._lines.items()):
            if current.get(locker) != line.generation:
                self._lines.pop(locker, None)

    def _line(self, locker: str, renew: bool = False) -> _Line:
        line = self._lines.get(locker)
        if line is not None and not renew:
            return line
        generation = self._generation_of(locker)
        if generation is None:
            self._lines.pop(locker, None)
            raise ProtocolError("unknown_locker")
        if line is not None and line.generation == generation:
            return line
        if len(self._lines) >= LOCKERS_CACHED_MAX:
            self._lines.clear()
        line = self._lines[locker] = _line_of(self._keys, locker, generation)
        return line


def _line_of(keys: Keys, locker: str, generation: int) -> _Line:
    protected = bytes([0xA2, 0x01, 0x05, 0x04, 0x41, generation])  # {1: 5, 4: kid}: HMAC 256/256
    structure = b"\x84\x64MAC0" + _head(len(protected)) + protected + b"\x40"  # ["MAC0", protected, b"", payload
    up_inner, up_outer = _states(keys.sub_key(locker, generation, "up"), structure)
    down_inner, down_outer = _states(keys.sub_key(locker, generation, "down"), structure)
    return _Line(
        locker=locker,
        generation=generation,
        prefix=b"\xd1\x84" + _head(len(protected)) + protected + b"\xa0",  # 17([protected, {}, payload
        up_inner=up_inner,
        up_outer=up_outer,
        down_inner=down_inner,
        down_outer=down_outer,
        down_topic=topics.topic(locker, "down"),
    )


def _states(key: bytes, start: bytes) -> "tuple[_Hash, _Hash]":
    key = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + start)
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in key))


def _mac(inner: "_Hash", outer: "_Hash", body: bytes) -> bytes:
    first = inner.copy()
    first.update(body)
    second = outer.copy()
    second.update(first.digest())
    return second.digest()


def _head(size: int) -> bytes:
    """The shortest head of a byte string."""
    if size < _SHORT:
        return bytes([0x40 + size])
    if size < _BYTE:
        return bytes([0x58, size])
    return b"\x59" + size.to_bytes(2, "big")


def _open_fast(line: _Line, data: bytes) -> bytes | None:
    """The payload, or None: ask the plain path."""
    start = len(line.prefix)
    if not data.startswith(line.prefix) or len(data) < start + 1 + _PROOF_SIZE or data[-_PROOF_SIZE:-32] != _TAG:
        return None
    body = data[start:-_PROOF_SIZE]
    skipped = 1 if body[0] < 0x58 else 2 if body[0] == 0x58 else 3
    if body[:skipped] != _head(max(len(body) - skipped, 0)):
        return None
    return body[skipped:] if compare_digest(data[-32:], _mac(line.up_inner, line.up_outer, body)) else None


# ------------------------------------------------------------------ the inside
class Codec:
    """messages.decode_up and messages.encode for commands, faster. For one thread: the encoder is kept."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._encoder = cbor2.CBOREncoder(self._buffer)

    def decode_up(self, payload: bytes) -> messages.Up:
        """cbor2 is not strict, so its answer counts only when encoding it again gives the same bytes and every
        field is of its kind; then the strict decoder could have said nothing else."""
        try:
            items: Any = cbor2.loads(payload)
            fast = _up_of(items)
            if fast is not None and self._encode(items) == payload:
                return fast
        except Exception:  # cbor2 makes objects of tags (regex, fraction, date …): what those raise is open
            self.__init__()
        return messages.decode_up(payload)  # which says what is wrong with it

    def encode_command(self, id8: bytes, issued_s: int, ttl_s: int, command: messages.Message) -> bytes:
        """What does not fit is refused by messages.encode."""
        values = command.values()
        if not _fit(_DOWN_KINDS.get(command.TYPE, ()), (id8, issued_s, ttl_s, *values)):
            return messages.encode(messages.Down(id8, issued_s, ttl_s, command))
        return self._encode([messages.VERSION, id8, issued_s, ttl_s, command.TYPE, values])

    def _encode(self, items: Any) -> bytes:
        self._buffer.seek(0)
        self._buffer.truncate()
        self._encoder.encode(items)
        return self._buffer.getvalue()


def seq_of(payload: bytes) -> int:
    """The seq of an event whose version is ours and whose inside is not."""
    try:
        items: Any = cbor.decode(payload)
    except ProtocolError:
        return 0
    if items.__class__ is not list or len(items) != _UP_WIDTH or items[0] != messages.VERSION:
        return 0
    seq: Any = items[2]
    return seq if seq.__class__ is int and 0 <= seq < 1 << 63 else 0


def _up_of(items: Any) -> messages.Up | None:
    """The event, if every part has its kind; None: ask the plain path."""
    if items.__class__ is not list or len(items) != _UP_WIDTH:
        return None
    version, boot, seq, t_mono, t_wall, number, values = items
    if (
        version.__class__ is not int
        or version != messages.VERSION
        or number.__class__ is not int
        or values.__class__ is not list
    ):
        return None
    known = _UPS.get(number)
    if known is None or not _fit(known[1], (boot, seq, t_mono, t_wall, *values)):
        return None
    if (seq > 0) != (number >= messages.FIRST_CUSTODY_TYPE):
        return None
    made: Any = known[0]  # of many classes, and past Record.__init__, which counts and names fields for people
    event: Any = made.__new__(made)
    event.__dict__.update(zip(made.FIELDS, values, strict=True))
    up: Any = messages.Up.__new__(messages.Up)
    up.__dict__.update(boot=boot, seq=seq, t_mono_ms=t_mono, t_wall_s=t_wall, event=event)
    return up


def _fit(kinds: Sequence[Any], values: Sequence[Any]) -> bool:
    """Whether kinds.check would let every value through."""
    if len(kinds) != len(values):
        return False
    for (wanted, lowest, highest, optional), value in zip(kinds, values, strict=True):
        kind = value.__class__
        if kind is wanted:
            if kind is int:
                if not lowest <= value <= highest:
                    return False
            elif kind is not bool and not lowest <= len(value) <= highest:
                return False
        elif value is not None or not optional:
            return False
    return True

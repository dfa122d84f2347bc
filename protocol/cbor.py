"""Deterministic CBOR (RFC 8949, section 4.2.1), the part of it that our messages use.

Integers of 64 bits, byte strings, text, arrays, maps, tags, false, true and null. No floats, no indefinite
lengths, no undefined, no bignums: what has no use here has no parser here. Decoding is strict: one value
has one encoding, so what was authenticated is what is read.
"""

from typing import TYPE_CHECKING

from protocol.errors import ProtocolError
from protocol.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX

if TYPE_CHECKING:
    from typing import Any

_UINT, _NINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 0, 1, 2, 3, 4, 5, 6, 7
_SIMPLES = {0xF4: False, 0xF5: True, 0xF6: None}
_ARGUMENT_MAX = 0xFFFFFFFFFFFFFFFF


class Tag:
    """A tagged value (RFC 8949, section 3.4)."""

    def __init__(self, number: int, value: "Any") -> None:
        self.number = number
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tag) and (self.number, self.value) == (other.number, other.value)

    def __hash__(self) -> int:
        return hash((self.number, repr(self.value)))

    def __repr__(self) -> str:
        return f"Tag({self.number}, {self.value!r})"


def encode(value: "Any") -> bytes:
    """The one deterministic encoding of `value`. Raises ProtocolError("bad_value") for what has none here."""
    out = bytearray()
    _encode(out, value, 0)
    return bytes(out)


def _encode(out: bytearray, value: "Any", depth: int) -> None:
    if depth > CBOR_DEPTH_MAX:
        raise ProtocolError("bad_value", "too deep")
    if value is None or isinstance(value, bool):  # before int: see protocol/README.md
        out.append(0xF6 if value is None else 0xF4 + value)
    elif isinstance(value, int):
        if value >= 0:
            _head(out, _UINT, value)
        else:
            _head(out, _NINT, -1 - value)
    elif isinstance(value, (bytes, bytearray)):
        _head(out, _BYTES, len(value))
        out.extend(value)
    elif isinstance(value, str):
        data = _utf8(value)
        _head(out, _TEXT, len(data))
        out.extend(data)
    else:
        _encode_nested(out, value, depth)


def _encode_nested(out: bytearray, value: "Any", depth: int) -> None:
    if isinstance(value, (list, tuple)):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType, reportAssignmentType]
        _head(out, _ARRAY, _count(items))
        for item in items:
            _encode(out, item, depth + 1)
    elif isinstance(value, dict):
        pairs: dict[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
        _encode_map(out, pairs, depth)
    elif isinstance(value, Tag):
        _head(out, _TAG, value.number)
        _encode(out, value.value, depth + 1)
    else:
        raise ProtocolError("bad_value", "type without an encoding")


def _encode_map(out: bytearray, value: "dict[Any, Any]", depth: int) -> None:
    pairs: list[tuple[bytes, Any]] = []
    for key, item in value.items():
        if isinstance(key, bool) or not isinstance(key, (int, str, bytes)):
            raise ProtocolError("bad_value", "map key")
        name = bytearray()
        _encode(name, key, depth + 1)
        pairs.append((bytes(name), item))
    pairs.sort(key=lambda pair: pair[0])
    _head(out, _MAP, _count(pairs))
    for name, item in pairs:
        out.extend(name)
        _encode(out, item, depth + 1)


def _count(items: "list[Any]") -> int:
    if len(items) > CBOR_ITEMS_MAX:  # what we would not take we do not send
        raise ProtocolError("bad_value", "too many items")
    return len(items)


def _utf8(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeError:
        raise ProtocolError("bad_value", "UTF-8")
    if not _is_utf8(text, len(data)):
        raise ProtocolError("bad_value", "UTF-8")
    return data


def _is_utf8(text: str, size: int) -> bool:
    """Whether `text`, as read from `size` bytes, is what RFC 3629 allows.

    MicroPython reads surrogates, overlong forms and what lies beyond U+10FFFF: one text would have many encodings.
    """
    if len(text) == size:
        return True  # ASCII
    for letter in text:
        point = ord(letter)
        if 0xD800 <= point <= 0xDFFF or point > 0x10FFFF:
            return False
        size -= 1 + (point > 0x7F) + (point > 0x7FF) + (point > 0xFFFF)
    return size == 0


def _head(out: bytearray, major: int, argument: int) -> None:
    if not 0 <= argument <= _ARGUMENT_MAX:
        raise ProtocolError("bad_value", "integer of more than 64 bits")
    if argument < 24:
        out.append(major << 5 | argument)
    elif argument <= 0xFF:
        out.append(major << 5 | 24)
        out.append(argument)
    elif argument <= 0xFFFF:
        out.append(major << 5 | 25)
        out.extend(argument.to_bytes(2, "big"))
    elif argument <= 0xFFFFFFFF:
        out.append(major << 5 | 26)
        out.extend(argument.to_bytes(4, "big"))
    else:
        out.append(major << 5 | 27)
        out.extend(argument.to_bytes(8, "big"))


def decode(data: bytes) -> "Any":
    """The value of exactly one deterministic encoding.

    Raises ProtocolError: "malformed" (broken, trailing bytes, or a kind that is not used here),
    "not_canonical" (well-formed, but not the deterministic encoding), "too_large" (nesting, items).
    """
    value, place = _decode(data, 0, 0)
    if place != len(data):
        raise ProtocolError("malformed", "trailing bytes")
    return value


def _argument(data: bytes, place: int) -> "tuple[int, int]":
    """The argument of the head at `place`, and the place after it."""
    info = data[place] & 0x1F
    place += 1
    if info < 24:
        return info, place
    if info > 27:
        raise ProtocolError("malformed", "indefinite length or reserved")
    size = 1 << (info - 24)
    if place + size > len(data):
        raise ProtocolError("malformed", "cut short")
    value = int.from_bytes(data[place : place + size], "big")
    if value < 24 or (size > 1 and value >> (size * 4) == 0):
        raise ProtocolError("not_canonical", "not the shortest form")
    return value, place + size


def _decode(data: bytes, place: int, depth: int) -> "tuple[Any, int]":
    if depth > CBOR_DEPTH_MAX:
        raise ProtocolError("too_large", "nested too deep")
    if place >= len(data):
        raise ProtocolError("malformed", "cut short")
    first = data[place]
    major = first >> 5
    if major == _SIMPLE:
        if first not in _SIMPLES:
            raise ProtocolError("malformed", "float or simple value")
        return _SIMPLES[first], place + 1
    argument, place = _argument(data, place)
    if major == _UINT:
        return argument, place
    if major == _NINT:
        return -1 - argument, place
    return _READERS[major - _BYTES](data, place, argument, depth)


def _decode_bytes(data: bytes, place: int, size: int, _depth: int) -> "tuple[bytes, int]":
    end = place + size
    if end > len(data):
        raise ProtocolError("malformed", "cut short")
    return bytes(data[place:end]), end


def _decode_text(data: bytes, place: int, size: int, depth: int) -> "tuple[str, int]":
    chunk, place = _decode_bytes(data, place, size, depth)
    try:
        text = str(chunk, "utf-8")
    except UnicodeError:
        raise ProtocolError("malformed", "UTF-8")
    if not _is_utf8(text, size):
        raise ProtocolError("malformed", "UTF-8")
    return text, place


def _decode_array(data: bytes, place: int, size: int, depth: int) -> "tuple[list[Any], int]":
    if size > CBOR_ITEMS_MAX:
        raise ProtocolError("too_large", "items")
    items: list[Any] = []
    for _ in range(size):
        item, place = _decode(data, place, depth + 1)
        items.append(item)
    return items, place


def _decode_map(data: bytes, place: int, size: int, depth: int) -> "tuple[dict[Any, Any], int]":
    if size > CBOR_ITEMS_MAX:
        raise ProtocolError("too_large", "items")
    result: dict[Any, Any] = {}
    last = b""
    for _ in range(size):
        start = place
        key, place = _decode(data, place, depth + 1)
        if isinstance(key, bool) or not isinstance(key, (int, str, bytes)):
            raise ProtocolError("malformed", "map key")
        name = bytes(data[start:place])
        if name <= last:
            raise ProtocolError("not_canonical", "map keys unsorted or repeated")
        last = name
        result[key], place = _decode(data, place, depth + 1)
    return result, place


def _decode_tag(data: bytes, place: int, number: int, depth: int) -> "tuple[Tag, int]":
    value, place = _decode(data, place, depth + 1)
    return Tag(number, value), place


_READERS = (_decode_bytes, _decode_text, _decode_array, _decode_map, _decode_tag)

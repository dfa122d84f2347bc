"""What holds for every input: hypothesis looks for the one where it does not."""

from typing import Any

import cbor2
from hypothesis import given
from hypothesis import strategies as st
from refusal import refusal_of

from protocol import base45, cbor, cose, damm, messages, topics
from protocol.cbor import Tag
from protocol.errors import ProtocolError
from protocol.hmac import HmacKey
from protocol.limits import MESSAGE_SIZE_MAX
from protocol.messages import COMMANDS, EVENTS, FIRST_CUSTODY_TYPE, Down, Message, Up
from protocol.otp import is_well_formed, typed_code
from protocol.record import Record
from protocol.tokens import open_token

KEY = HmacKey(b"key")
integers = st.integers(-(1 << 64), (1 << 64) - 1)
keys = integers | st.text() | st.binary()
plain = integers | st.text() | st.binary() | st.booleans() | st.none()
# Three levels of ours: the limit itself has tests of its own.
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(keys, inner, max_size=6)
        | st.builds(Tag, st.integers(0, (1 << 64) - 1), inner)
    ),
    max_leaves=20,
)


def depth(value: Any) -> int:
    if isinstance(value, Tag):
        return 1 + depth(value.value)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


def as_cbor2(value: Any) -> Any:
    if isinstance(value, Tag):
        return cbor2.CBORTag(value.number, as_cbor2(value.value))
    if isinstance(value, list):
        return [as_cbor2(item) for item in value]
    if isinstance(value, dict):
        return {key: as_cbor2(item) for key, item in value.items()}
    return value


def same(left: Any, right: Any) -> bool:
    """Equal, and not merely as True equals 1."""
    return cbor.encode(left) == cbor.encode(right) and left == right


@given(values)
def test_what_was_encoded_decodes_to_itself(value: Any):
    if depth(value) <= 8:
        assert same(cbor.decode(cbor.encode(value)), value)
    else:
        assert refusal_of(cbor.encode, value) == "bad_value"


@given(values)
def test_cbor2_writes_the_same_bytes(value: Any):
    if depth(value) > 8 or has_map_with_keys_of_two_lengths(value):
        return
    assert cbor2.dumps(as_cbor2(value), canonical=True) == cbor.encode(value)


def has_map_with_keys_of_two_lengths(value: Any) -> bool:
    """cbor2 sorts keys by length first (RFC 7049), RFC 8949 bytewise: they differ where kinds of key are mixed."""
    if isinstance(value, Tag):
        return has_map_with_keys_of_two_lengths(value.value)
    if isinstance(value, list):
        return any(map(has_map_with_keys_of_two_lengths, value))
    if isinstance(value, dict):
        return len({len(cbor.encode(key)) for key in value}) > 1 or any(
            map(has_map_with_keys_of_two_lengths, value.values())
        )
    return False


@given(values)
def test_cbor2_reads_what_we_write(value: Any):
    if depth(value) <= 8 and not has_special_tag(value):
        assert cbor2.loads(cbor.encode(value)) == as_cbor2(value)


def has_special_tag(value: Any) -> bool:
    """Tags to which cbor2 gives a meaning of its own: dates, bignums, sets and the like."""
    if isinstance(value, Tag):
        return value.number < 100_000 or has_special_tag(value.value)
    if isinstance(value, list):
        return any(map(has_special_tag, value))
    return isinstance(value, dict) and any(map(has_special_tag, value.values()))


heads = st.integers(0, 255).map(lambda byte: bytes([byte]))
soup = st.binary(max_size=60) | st.lists(heads | st.binary(max_size=4), max_size=20).map(b"".join)
nearly = st.builds(
    lambda value, place, byte: _with_byte(cbor.encode(value), place, byte), plain | values, st.integers(0), heads
)


def _with_byte(data: bytes, place: int, byte: bytes) -> bytes:
    place %= len(data)
    return data[:place] + byte + data[place + 1 :]


@given(soup | nearly)
def test_only_the_one_encoding_of_a_value_decodes(data: bytes):
    """Nothing but ProtocolError comes out of decode(), and what it takes it would have written itself."""
    try:
        value = cbor.decode(data)
    except ProtocolError as error:
        assert error.code in ("malformed", "not_canonical", "too_large")
        return
    assert cbor.encode(value) == data


@given(soup | st.binary(max_size=MESSAGE_SIZE_MAX))
def test_noise_never_raises_anything_but_a_protocol_error(data: bytes):
    for function in (messages.decode_up, messages.decode_down, base45.decode):
        refusal_of(function, data)
    assert refusal_of(cose.open_mac0, KEY, b"\x01", data) != "accepted"
    assert refusal_of(open_token, data, {}) != "accepted"


@given(st.text(max_size=80))
def test_no_text_breaks_a_reader(text: str):
    assert refusal_of(open_token, text, {}) != "accepted"
    refusal_of(topics.locker_of, text)
    assert is_well_formed(text) == (
        len(text) in (12, 16) and text.isascii() and text.isdigit() and damm.is_valid(text)
    )


def field(kind: tuple[Any, int, int, bool]) -> st.SearchStrategy[Any]:
    wanted, lowest, highest, optional = kind
    strategy: st.SearchStrategy[Any] = {
        bool: st.booleans(),
        int: st.integers(lowest, highest),
        bytes: st.binary(min_size=lowest, max_size=highest),
        str: st.text(min_size=lowest, max_size=highest),
    }[wanted]
    return strategy | st.none() if optional else strategy


def message(cls: type[Message]) -> st.SearchStrategy[Any]:
    return st.tuples(*map(field, cls.KINDS)).map(lambda values: cls(*values))


def envelope(cls: type[Record], inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    head = st.tuples(*[field(kind) for kind in cls.KINDS[:-1]])
    return st.builds(lambda values, message: _numbered(cls, list(values), message), head, inside)


def _numbered(cls: Any, head: list[Any], message: Message) -> Any:
    if cls is Up:
        head[1] = max(head[1], 1) if message.TYPE >= FIRST_CUSTODY_TYPE else 0
    return cls(*head, message)


ups = st.sampled_from(sorted(EVENTS)).flatmap(lambda number: envelope(Up, message(EVENTS[number])))
downs = st.sampled_from(sorted(COMMANDS)).flatmap(lambda number: envelope(Down, message(COMMANDS[number])))


@given(ups)
def test_every_event_travels_whole(up: Up):
    data = cose.open_mac0(KEY, b"\x01", cose.mac0(KEY, b"\x01", messages.encode(up)))
    assert messages.decode_up(data) == up


@given(downs)
def test_every_command_travels_whole(down: Down):
    data = cose.open_mac0(KEY, b"\x01", cose.mac0(KEY, b"\x01", messages.encode(down)))
    assert messages.decode_down(data) == down


@given(ups | downs, st.integers(0), heads)
def test_a_changed_byte_never_makes_a_message_that_encodes_otherwise(told: Any, place: int, byte: bytes):
    data = _with_byte(messages.encode(told), place, byte)
    decode = messages.decode_up if isinstance(told, Up) else messages.decode_down
    if refusal_of(decode, data) == "accepted":
        assert messages.encode(decode(data)) == data


@given(st.binary(max_size=200))
def test_base45_brings_every_byte_back(data: bytes):
    assert base45.decode(base45.encode(data)) == data


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=30))
def test_base45_has_one_text_for_each_value(text: str):
    if refusal_of(base45.decode, text) == "accepted":
        assert base45.encode(base45.decode(text)) == text


@given(
    st.integers(1, 400), st.integers(0, (1 << 32) - 1), st.sampled_from([12, 16]), st.integers(0), st.integers(1, 9)
)
def test_a_mistyped_digit_is_always_a_typo(compartment: int, deposit: int, digits: int, place: int, more: int):
    code = typed_code(KEY, compartment, deposit, digits)
    assert is_well_formed(code)
    place %= digits
    wrong = str((int(code[place]) + more) % 10)
    assert not is_well_formed(code[:place] + wrong + code[place + 1 :])

"""Deterministic CBOR: the vectors of RFC 8949, appendix A, and everything that strict decoding refuses."""

from binascii import hexlify, unhexlify

from refusal import refusal_of

from protocol import cbor
from protocol.cbor import Tag
from protocol.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX

# Appendix A, the rows that our part of CBOR has.
SUPPORTED = (
    ("00", 0),
    ("01", 1),
    ("0a", 10),
    ("17", 23),
    ("1818", 24),
    ("1819", 25),
    ("1864", 100),
    ("1903e8", 1000),
    ("1a000f4240", 1000000),
    ("1b000000e8d4a51000", 1000000000000),
    ("1bffffffffffffffff", 18446744073709551615),
    ("3bffffffffffffffff", -18446744073709551616),
    ("20", -1),
    ("29", -10),
    ("3863", -100),
    ("3903e7", -1000),
    ("f4", False),
    ("f5", True),
    ("f6", None),
    ("c074323031332d30332d32315432303a30343a30305a", Tag(0, "2013-03-21T20:04:00Z")),
    ("c11a514b67b0", Tag(1, 1363896240)),
    ("d74401020304", Tag(23, b"\x01\x02\x03\x04")),
    ("d818456449455446", Tag(24, b"dIETF")),
    ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", Tag(32, "http://www.example.com")),
    ("40", b""),
    ("4401020304", b"\x01\x02\x03\x04"),
    ("60", ""),
    ("6161", "a"),
    ("6449455446", "IETF"),
    ("62225c", '"\\'),
    ("62c3bc", "\u00fc"),
    ("63e6b0b4", "\u6c34"),
    ("64f0908591", "\U00010151"),
    ("80", []),
    ("83010203", [1, 2, 3]),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("98190102030405060708090a0b0c0d0e0f101112131415161718181819", list(range(1, 26))),
    ("a0", {}),
    ("a201020304", {1: 2, 3: 4}),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ("826161a161626163", ["a", {"b": "c"}]),
    ("a56161614161626142616361436164614461656145", {"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}),
    # Bignums are, to us, tagged bytes: a tag that no message has.
    ("c249010000000000000000", Tag(2, b"\x01\x00\x00\x00\x00\x00\x00\x00\x00")),
    ("c349010000000000000000", Tag(3, b"\x01\x00\x00\x00\x00\x00\x00\x00\x00")),
)

# The rest of appendix A: floats, simple values and indefinite lengths.
UNSUPPORTED = (
    "f90000 f98000 f93c00 fb3ff199999999999a f93e00 f97bff fa47c35000 fa7f7fffff fb7e37e43c8800759c f90001 f90400 "
    "f9c400 fbc010666666666666 f97c00 f97e00 f9fc00 fa7f800000 fa7fc00000 faff800000 fb7ff0000000000000 "
    "fb7ff8000000000000 fbfff0000000000000 f7 f0 f818 f8ff c1fb41d452d9ec200000 5f42010243030405ff "
    "7f657374726561646d696e67ff 9fff 9f018202039f0405ffff 9f01820203820405ff 83018202039f0405ff 83019f0203ff820405 "
    "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff bf61610161629f0203ffff 826161bf61626163ff "
    "bf6346756ef563416d7421ff"
)

NOT_CANONICAL = (
    "1800",  # 0 in two bytes
    "1817",
    "190018",
    "1900ff",
    "1a0000ffff",
    "1b00000000ffffffff",
    "3800",
    "580100",  # a length of 1 in two bytes
    "7801" + "61",
    "980100",
    "b8010000",
    "d80000",
    "a2" + "0201" + "0102",  # keys unsorted
    "a2" + "0101" + "0102",  # a key twice
    "a2" + "616201" + "616102",
    "a2" + "20" + "01" + "01" + "02",  # -1 sorts after 1
)

MALFORMED = (
    "",
    "18",  # cut short in each kind
    "19ff",
    "1a000000",
    "1b00000000000000",
    "41",
    "62c3",
    "8201",
    "a101",
    "c1",
    "0000",  # trailing
    "f600",
    "1c",  # reserved
    "1d",
    "1e",
    "fc",
    "ff",
    "5bffffffffffffffff",  # a length that no memory has
    "61ff",  # not UTF-8
    "61c3",
    "62c080",  # overlong
    "63e08080",
    "64f0808080",
    "63eda080",  # a surrogate
    "64f4908080",  # beyond U+10FFFF
    "64f7bfbfbf",
    "65f888808080",
    "a1f401",  # keys that are no key
    "a1f601",
    "a18001",
    "a1c10101",
)


def test_the_vectors_of_rfc_8949_have_exactly_those_bytes():
    for text, value in SUPPORTED:
        assert cbor.encode(value) == unhexlify(text), text
        decoded = cbor.decode(unhexlify(text))
        assert decoded == value and isinstance(decoded, bool) == isinstance(value, bool), text


def test_what_we_have_no_use_for_is_malformed():
    for text in UNSUPPORTED.split():
        assert refusal_of(cbor.decode, unhexlify(text)) == "malformed", text


def test_a_second_encoding_of_a_value_is_refused():
    for text in NOT_CANONICAL:
        assert refusal_of(cbor.decode, unhexlify(text)) == "not_canonical", text


def test_broken_bytes_are_malformed():
    for text in MALFORMED:
        assert refusal_of(cbor.decode, unhexlify(text)) == "malformed", text


def test_every_message_cut_short_is_malformed():
    whole = cbor.encode([1, b"12345678", {1: "a", "b": [None, True]}, 70000, Tag(17, [b"", {}])])
    for size in range(len(whole)):
        assert refusal_of(cbor.decode, whole[:size]) == "malformed", size


def test_nesting_has_a_limit_on_both_sides():
    for wrap in (lambda value: [value], lambda value: {1: value}, lambda value: Tag(1, value)):
        value = 0
        for _ in range(CBOR_DEPTH_MAX):
            value = wrap(value)
        deepest = cbor.encode(value)
        assert cbor.decode(deepest) == value
        assert refusal_of(cbor.encode, wrap(value)) == "bad_value"
    for head in (b"\x81", b"\xa1\x01", b"\xc1"):
        assert cbor.decode(head * CBOR_DEPTH_MAX + b"\x00") is not None
        assert refusal_of(cbor.decode, head * (CBOR_DEPTH_MAX + 1) + b"\x00") == "too_large"
        assert refusal_of(cbor.decode, head * 1000 + b"\x00") == "too_large"


def test_the_deepest_nesting_fits_a_boards_stack():
    """MicroPython recurses 176 frames on a PC and fewer on a board; a level costs two, the caller has his own."""
    assert CBOR_DEPTH_MAX * 2 <= 40


def test_items_have_a_limit_before_any_is_made():
    full = [0] * CBOR_ITEMS_MAX
    assert cbor.decode(cbor.encode(full)) == full
    assert refusal_of(cbor.encode, [0] * (CBOR_ITEMS_MAX + 1)) == "bad_value"
    assert refusal_of(cbor.encode, {key: 0 for key in range(CBOR_ITEMS_MAX + 1)}) == "bad_value"
    for text in ("99ffff", "9a00ffffff", "9bffffffffffffffff", "b9ffff", "bbffffffffffffffff"):
        assert refusal_of(cbor.decode, unhexlify(text)) == "too_large", text


def test_what_has_no_encoding_here_is_refused():
    for value in (1 << 64, -(1 << 64) - 1, 1.5, {None: 1}, {True: 1}, {1.5: 1}, Tag(-1, 0), Tag(1 << 64, 0), object()):
        assert refusal_of(cbor.encode, value) == "bad_value", repr(value)
    assert refusal_of(cbor.encode, chr(0xD800)) == "bad_value"


def test_maps_are_sorted_by_the_bytes_of_their_keys():
    value = {"b": 1, "a": 2, -1: 3, 10: 4, b"x": 5, 1000: 6, "aa": 7, 0: 8}
    assert hexlify(cbor.encode(value)) == b"a800080a041903e806200341780561610261620162616107"


def test_truth_is_not_a_number():
    assert cbor.encode([True, 1, False, 0]) == unhexlify("84f501f400")
    assert [isinstance(item, bool) for item in cbor.decode(unhexlify("84f501f400"))] == [True, False, True, False]


def test_texts_of_every_width_survive():
    for point in (0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF):
        text = "a" + chr(point) + "z"
        assert cbor.decode(cbor.encode(text)) == text, hex(point)


def test_tags_compare_by_number_and_value():
    assert Tag(1, [2]) == Tag(1, [2]) and hash(Tag(1, [2])) == hash(Tag(1, [2]))
    assert Tag(1, 2) != Tag(2, 2) and Tag(1, 2) != Tag(1, 3) and Tag(1, 2) != 2
    assert repr(Tag(1, 2)) == "Tag(1, 2)"

"""Typed codes: RFC 4226's truncation, Damm's promises, and codes that both sides derive alike."""

from binascii import unhexlify

from protocol import damm
from protocol.hmac import HmacKey
from protocol.otp import is_well_formed, truncate, typed_code

# RFC 4226, appendix D: the intermediate HMAC-SHA-1 of counts 0 to 9, its truncation, and the six-digit value.
RFC_4226 = (
    ("cc93cf18508d94934c64b65d8ba7667fb7cde4b0", 0x4C93CF18, 755224),
    ("75a48a19d4cbe100644e8ac1397eea747a2d33ab", 0x41397EEA, 287082),
    ("0bacb7fa082fef30782211938bc1c5e70416ff44", 0x82FEF30, 359152),
    ("66c28227d03a2d5529262ff016a1e6ef76557ece", 0x66EF7655, 969429),
    ("a904c900a64b35909874b33e61c5938a8e15ed1c", 0x61C5938A, 338314),
    ("a37e783d7b7233c083d4f62926c7a25f238d0316", 0x33C083D4, 254676),
    ("bc9cd28561042c83f219324d3c607256c03272ae", 0x7256C032, 287922),
    ("a4fb960c0bc06e1eabb804e5b397cdc4b45596fa", 0x4E5B397, 162583),
    ("1b3c89f65e6c9e883012052823443f048b4332db", 0x2823443F, 399871),
    ("1637409809a679dc698207310c8c7fc07290d9e5", 0x2679DC69, 520489),
)


def test_truncation_of_width_4_is_rfc_4226s():
    for digest, truncated, code in RFC_4226:
        assert truncate(unhexlify(digest), 4) == truncated
        assert truncated % 1000000 == code


def test_truncation_reads_where_the_last_byte_says():
    for start in range(16):
        digest = bytearray(b"\xff" * 32)
        digest[start : start + 8] = b"\x81\x02\x03\x04\x05\x06\x07\x08"
        digest[31] = 0xE0 | start
        assert truncate(bytes(digest)) == 0x0102030405060708
    assert truncate(b"\xff" * 32) == (1 << 63) - 1


def test_codes_are_the_same_for_ever():
    """A code on a recipient's phone outlives every version of this code."""
    key = HmacKey(bytes(range(32)))
    assert [typed_code(key, *where) for where in ((1, 1), (1, 2), (2, 1), (400, 0xFFFFFFFF))] == [
        "508706725864",
        "769542134005",
        "181255344796",
        "629286015061",
    ]
    assert [typed_code(key, *where, 16) for where in ((1, 1), (2, 1))] == ["9968508706725867", "0224181255344793"]


def test_codes_have_their_digits_and_their_check_digit():
    key = HmacKey(b"k" * 32)
    for digits in (12, 16):
        codes = [typed_code(key, compartment, deposit, digits) for compartment in (1, 7, 300) for deposit in range(40)]
        assert len(codes) == len({code: 0 for code in codes})
        for code in codes:
            assert len(code) == digits and is_well_formed(code)
        assert [code for code in codes if code[0] == "0"], "leading zeros are digits too"


def test_another_key_gives_other_codes():
    one, two = HmacKey(b"1" * 32), HmacKey(b"2" * 32)
    assert not [n for n in range(100) if typed_code(one, 1, n) == typed_code(two, 1, n)]


def test_what_cannot_be_a_code_is_a_typo():
    code = typed_code(HmacKey(b"k" * 32), 1, 1)
    arabic = "".join([chr(0x660 + int(digit)) for digit in code])
    for wrong in ("", code[:-1], code + "0", " " + code[1:], code[:-1] + "#", arabic, "-" + code[1:], code + "\n"):
        assert not is_well_formed(wrong), repr(wrong)
    assert is_well_formed(code)


def test_damm_agrees_with_the_published_example():
    assert damm.check_digit("572") == "4" and damm.is_valid("5724") and not damm.is_valid("5723")
    assert damm.check_digit("0") == "0"
    assert not damm.is_valid("") and not damm.is_valid("0")


def test_damm_catches_every_single_wrong_digit():
    for code in sample():
        for place in range(len(code)):
            for digit in "0123456789":
                if digit != code[place]:
                    assert not damm.is_valid(code[:place] + digit + code[place + 1 :]), (code, place, digit)


def test_damm_catches_every_swap_of_neighbours():
    for code in sample():
        for place in range(len(code) - 1):
            if code[place] != code[place + 1]:
                swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
                assert not damm.is_valid(swapped), (code, place)


def test_damms_table_has_both_properties_for_all_digits():
    """Every row a permutation, so that one wrong digit always shows; x*y then z differs from x*z then y (total
    anti-symmetry), so that every swap does."""
    rows = [[int(damm._interim(prefix + digit)) - 48 for digit in "0123456789"] for prefix in prefixes()]
    for c in range(10):
        assert sorted(rows[c]) == list(range(10)) and rows[c][c] == 0
        for x in range(10):
            for y in range(10):
                assert x == y or rows[rows[c][x]][y] != rows[rows[c][y]][x]


def prefixes() -> "list[str]":
    """For each interim digit, digits that lead to it."""
    return [next(str(n) for n in range(100) if damm._interim(str(n)) == 48 + wanted) for wanted in range(10)]


def sample() -> "list[str]":
    """Codes whose every place takes every digit."""
    fronts = ["0" * 11, "9" * 11, "12345678901", "09876543210", "31415926535"]
    fronts += [str(digit) * 6 + "27182" for digit in range(10)]
    return [front + damm.check_digit(front) for front in fronts]

"""Ed25519 verification (RFC 8032) by fixed-base combs: cofactorless, canonical, over public data only.

R is never decompressed: s*B - h*A is worked out and its encoding compared with the signature's R, byte by byte.
Trusted keys are few and long-lived, so each has a table made once (protocol.ed25519_tables.prepare), as has B;
what makes tables is no part of this, because a locker only verifies.

The comb: an odd k below 2**258 is a sum of +1s and -1s times powers of two, six teeth of 43 columns; the five lower
teeth, as seen from the top one, name one of 32 points, which the top tooth adds or takes away. An even k is made
odd as L - k, and its point is taken away. All-bits-set digits are never 0: each column costs one doubling and
two additions, 21 products of 255 bits.
"""

from protocol.ed25519_base import BASE_TABLE
from protocol.errors import ProtocolError
from protocol.sha512 import sha512

P = (1 << 255) - 19
L = (1 << 252) + 27742317777372353535851937790883648493
TEETH = 6
COLUMNS = 43
_ENTRY = 96
TABLE_SIZE = 32 + (_ENTRY << (TEETH - 1))


def verify(table: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key behind `table` signed `message`. Raises ProtocolError("bad_value") for a broken table."""
    if len(table) != TABLE_SIZE:
        raise ProtocolError("bad_value", "table")
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    h = int.from_bytes(sha512(signature[:32] + table[:32] + message), "little") % L
    # Views: a copy of 3 KB in one piece is what a fragmented heap cannot give.
    x, y, z = _combine(_comb_digits(s), memoryview(BASE_TABLE), _comb_digits(h), memoryview(table)[32:])
    scale = inverse(z)
    encoded = (y * scale % P) | (x * scale % P & 1) << 255
    return encoded.to_bytes(32, "little") == signature[:32]


def inverse(value: int) -> int:
    """1/value modulo P. Euclid: pow(value, -1, P) is 0 on MicroPython, and pow(value, P - 2, P) nine times slower."""
    a, b = value % P, P
    u, v = 1, 0
    while a > 1:
        quotient = b // a
        b, a = a, b - quotient * a
        v, u = u, v - quotient * u
    return u % P


def _comb_digits(scalar: int) -> bytes:
    """One byte a column, the highest first: the place of its point in the table, plus 32 to take it away."""
    odd = scalar & 1
    if not odd:
        scalar = L - scalar
    # k = sum of (2*bit - 1) * 2**i holds for the bits of (k + 2**n - 1) / 2; bin() reads them out at C's speed.
    bits = bin((scalar + (1 << TEETH * COLUMNS) - 1 >> 1) | 1 << TEETH * COLUMNS)[3:].encode()
    digits = bytearray(COLUMNS)
    for column in range(COLUMNS):
        top = bits[column]
        digit = 0
        at = column
        for _ in range(TEETH - 1):
            at += COLUMNS
            digit = digit << 1 | bits[at] ^ top
        digits[column] = digit | (0 if (top & 1) == odd else 32)
    return bytes(digits)


def _combine(  # noqa: PLR0915 - straight on: a call for each product would cost as much as the product
    digits: bytes, table: memoryview, other_digits: bytes, other_table: memoryview
) -> "tuple[int, int, int]":
    """X, Y, Z of the two scalars' sum. Formulas: Hisil, Wong, Carter, Dawson 2008; complete for this curve, no
    special cases. `(v & M) + (v >> 255) * 19` is v modulo P, nearly; sums are folded where they would grow."""
    m = (1 << 255) - 1
    x, y, z, t = 0, 1, 1, 0
    entries = ((digits, table), (other_digits, other_table))
    for column in range(COLUMNS):
        if column:  # by the column, not by the point: an attacker may choose points
            a = x * x
            b = y * y
            c = z * z
            e = x * y
            a = (a & m) + (a >> 255) * 19
            b = (b & m) + (b >> 255) * 19
            h = a + b
            e = ((e & m) + (e >> 255) * 19) * -2
            g = a - b
            f = ((c & m) + (c >> 255) * 19) * 2 + g
            x = e * f
            y = g * h
            z = f * g
            t = e * h
            x = (x & m) + (x >> 255) * 19
            y = (y & m) + (y >> 255) * 19
            z = (z & m) + (z >> 255) * 19
            t = (t & m) + (t >> 255) * 19
        for its_digits, its_table in entries:
            digit = its_digits[column]
            at = (digit & 31) * _ENTRY
            a = int.from_bytes(its_table[at : at + 32], "little")
            b = int.from_bytes(its_table[at + 32 : at + 64], "little")
            c = int.from_bytes(its_table[at + 64 : at + 96], "little")
            if digit > 31:
                a, b = b, a
                t = -t
            a *= y + x
            b *= y - x
            c *= t
            a = (a & m) + (a >> 255) * 19
            b = (b & m) + (b >> 255) * 19
            c = (c & m) + (c >> 255) * 19
            e = a - b
            h = a + b
            z += z
            f = z - c
            g = z + c
            x = e * f
            y = g * h
            z = f * g
            x = (x & m) + (x >> 255) * 19
            y = (y & m) + (y >> 255) * 19
            z = (z & m) + (z >> 255) * 19
            if its_table is table:  # a doubling needs no t
                t = e * h
                t = (t & m) + (t >> 255) * 19
        x = (x & m) + (x >> 255) * 19
        y = (y & m) + (y >> 255) * 19
        z = (z & m) + (z >> 255) * 19
    return x, y, z

"""Ed25519 verification (RFC 8032) by fixed-base combs: cofactorless, canonical, over public data only.

R is never decompressed: s*B - h*A is worked out and its encoding compared with the signature's R, byte by byte.
Trusted keys are few and long-lived, so each has a table made once (protocol.ed25519_tables.prepare), as has B;
what makes tables is no part of this, because a locker only verifies.

The comb of a key: an odd k below 2**258 is a sum of +1s and -1s times powers of two, six teeth of 43 columns; the five
lower teeth, as seen from the top one, name one of 32 points, which the top tooth adds or takes away. An even k is made
odd as L - k, and its point is taken away. All-bits-set digits are never 0: each column costs one doubling and one
addition, 15 products of 255 bits. The base point's comb, of eight teeth, adds its own in the last 32 columns alone.
"""

from protocol import paths
from protocol.ed25519_base import BASE_TABLE
from protocol.errors import ProtocolError
from protocol.sha512 import sha512

P = (1 << 255) - 19
L = (1 << 252) + 27742317777372353535851937790883648493
TEETH = 6
COLUMNS = 43
BASE_TEETH = 8  # its table is in flash and does not travel, so it may be larger
BASE_COLUMNS = 32
TABLE_SIZE = 32 + (96 << (TEETH - 1))


def verify(table: bytes, message: bytes, signature: bytes, path: paths.Path = paths.BEST) -> bool:
    """Whether the key behind `table` signed `message`. Raises ProtocolError("bad_value") for a broken table."""
    if len(table) != TABLE_SIZE:
        raise ProtocolError("bad_value", "table")
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    h = int.from_bytes(sha512(signature[:32] + table[:32] + message, path), "little") % L
    # Views: a copy of 3 KB in one piece is what a fragmented heap cannot give.
    base = comb(s, BASE_TEETH, BASE_COLUMNS)
    x, y, z = path.combine(base, memoryview(BASE_TABLE), comb(h, TEETH, COLUMNS), memoryview(table)[32:])
    scale = inverse(z)
    encoded = (y * scale % P) | (x * scale % P & 1) << 255
    return encoded.to_bytes(32, "little") == signature[:32]


def inverse(value: int) -> int:
    """1/value modulo P. Euclid: pow(value, -1, P) is 0 on MicroPython, and pow(value, P - 2, P) takes far longer.

    Each number carries, below its 256th bit, what `value` is to be multiplied by to make it, which is of less than 255
    bits and a sign: so one remainder does for both.
    """
    a, b = value % P << 256 | 1, P << 256
    while a >= 3 << 255:  # 1.5: the upper number is not 1 yet
        b, a = a, b % a
    return (a - (1 << 256)) % P


def comb(scalar: int, teeth: int, columns: int) -> bytes:
    """One byte a column, the highest first: the place of its point in the table, plus 128 to take it away.

    k = sum of (2*bit - 1) * 2**i holds for the bits of (k + 2**n - 1) / 2.
    """
    even = scalar & 1 ^ 1
    if even:
        scalar = L - scalar
    size = teeth * columns
    bits = bin(scalar + (3 << size) - 1 >> 1)[3:].encode()  # with a bit above, that zeros are kept
    # A tooth's columns, each in a byte, are one number: all of them at once.
    ones = int.from_bytes(b"\x01" * columns, "big")
    top, *lower = [int.from_bytes(bits[at : at + columns], "big") & ones for at in range(0, size, columns)]
    places = 0
    for tooth in lower:
        places = places << 1 | tooth ^ top
    away = top if even else top ^ ones
    return (away << 7 | places).to_bytes(columns, "big")

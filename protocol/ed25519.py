"""Ed25519 verification (RFC 8032) by fixed-base combs: cofactorless, canonical, over public data only.

R is never decompressed: s*B - h*A is worked out and its encoding compared with the signature's R, byte by byte.
Trusted keys are few and long-lived, so each has a table made once (protocol.ed25519_tables.prepare), as has B;
what makes tables is no part of this, because a locker only verifies.

The comb: an odd k below 2**258 is a sum of +1s and -1s times powers of two, six teeth of 43 columns; the five lower
teeth, as seen from the top one, name one of 32 points, which the top tooth adds or takes away. An even k is made
odd as L - k, and its point is taken away. All-bits-set digits are never 0: each column costs one doubling and
two additions, 21 products of 255 bits.
"""

from protocol import paths
from protocol.ed25519_base import BASE_TABLE
from protocol.errors import ProtocolError
from protocol.sha512 import sha512

P = (1 << 255) - 19
L = (1 << 252) + 27742317777372353535851937790883648493
TEETH = 6
COLUMNS = 43
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
    x, y, z = path.combine(comb(s), memoryview(BASE_TABLE), comb(h), memoryview(table)[32:])
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


def comb(scalar: int) -> bytes:
    """The signs of the comb as 258 bits, a 1 for plus; the last bit of all says that the point is to be taken away.

    k = sum of (2*bit - 1) * 2**i holds for the bits of (k + 2**n - 1) / 2.
    """
    even = scalar & 1 ^ 1
    if even:
        scalar = L - scalar
    bits = scalar + (1 << TEETH * COLUMNS) - 1 >> 1
    return (bits | even << 263).to_bytes(33, "little")

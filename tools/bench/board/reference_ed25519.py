"""Runs in MicroPython: Ed25519 verification as RFC 8032 section 6 writes it down, for comparison only.

Points are (X, Y, Z, T); every multiplication is double-and-add; roots and inverses are powers. Each formula, and
where it takes a remainder, is the RFC's; SHA-512 is as FIPS 180-4 writes it. What a locker would do without tables
for the keys that it trusts.
"""

from reference_sha512 import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493


def _inverse(x: int) -> int:
    return pow(x, P - 2, P)


D = -121665 * _inverse(121666) % P
_ROOT = pow(2, (P - 1) // 4, P)


def _x_of(y: int, sign: int) -> "int | None":
    if y >= P:
        return None
    square = (y * y - 1) * _inverse(D * y * y + 1)
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * _ROOT % P
    if (x * x - square) % P != 0:
        return None
    if x & 1 != sign:
        x = P - x
    return x


def _point(encoded: bytes) -> "tuple[int, int, int, int] | None":
    y = int.from_bytes(encoded, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _sum(p: "tuple[int, int, int, int]", q: "tuple[int, int, int, int]") -> "tuple[int, int, int, int]":
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f, g * h, f * g, e * h


def _times(scalar: int, point: "tuple[int, int, int, int]") -> "tuple[int, int, int, int]":
    total = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            total = _sum(total, point)
        point = _sum(point, point)
        scalar >>= 1
    return total


def _equal(p: "tuple[int, int, int, int]", q: "tuple[int, int, int, int]") -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


_Y = 4 * _inverse(5) % P
_X = _x_of(_Y, 0)
assert _X is not None
BASE = (_X, _Y, 1, _X * _Y % P)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    if len(public_key) != 32 or len(signature) != 64:
        return False
    a, r = _point(public_key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(sha512(signature[:32] + public_key + message), "little") % L
    return _equal(_times(s, BASE), _sum(r, _times(h, a)))

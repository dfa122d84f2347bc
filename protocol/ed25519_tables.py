"""Makes the comb tables that protocol.ed25519 reads: done where keys are provisioned, seldom and slowly.

A key's table is its 32 bytes, then 32 points, each as 96 bytes: y + x, y - x and 2dxy, little-endian. The base point's
is 128 points.
"""

from protocol.ed25519 import BASE_COLUMNS, BASE_TEETH, COLUMNS, TEETH, L, P, inverse
from protocol.errors import ProtocolError

BASE = bytes([0x58]) + bytes([0x66]) * 31  # RFC 8032, section 5.1: y = 4/5, x even
D = 37095705934669439343138083508754565189542113879843219016388785533085940283555
_IDENTITY = (0, 1, 1, 0)


def prepare(public_key: bytes) -> bytes:
    """The table of a key to be trusted: of minus the key, since R = s*B - h*A. Raises ProtocolError("bad_value").

    Refused are non-canonical encodings, what is not on the curve, and every point outside the group of order L:
    small orders, and the mixed ones, whose scalars must not be reduced modulo L as the comb does.
    """
    x, y = _decompress(public_key)
    return public_key + _comb((P - x, y, 1, (P - x) * y % P), TEETH, COLUMNS)


def make_base_table() -> bytes:
    """The 128 points of the base point, without a key before them."""
    x, y = _decompress(BASE)
    return _comb((x, y, 1, x * y % P), BASE_TEETH, BASE_COLUMNS)


def _decompress(encoded: bytes) -> "tuple[int, int]":
    """RFC 8032, section 5.1.3, strictly."""
    if len(encoded) != 32:
        raise ProtocolError("bad_value", "key size")
    y = int.from_bytes(encoded, "little")
    odd = y >> 255
    y &= (1 << 255) - 1
    if y >= P:
        raise ProtocolError("bad_value", "key not canonical")
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    if v * x * x % P == P - u:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (v * x * x - u) % P or (x == 0 and odd):
        raise ProtocolError("bad_value", "key not on the curve")
    if x & 1 != odd:
        x = P - x
    point = (x, y, 1, x * y % P)
    order = _times(L, point)
    if x == 0 or order[0] or order[1] != order[2]:
        raise ProtocolError("bad_value", "key not of prime order")
    return x, y


def _add(one: "tuple[int, int, int, int]", two: "tuple[int, int, int, int]") -> "tuple[int, int, int, int]":
    """Extended coordinates (RFC 8032, section 5.1.4); complete, so it doubles too."""
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * D * one[3] * two[3] % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: "tuple[int, int, int, int]") -> "tuple[int, int, int, int]":
    result = _IDENTITY
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _comb(point: "tuple[int, int, int, int]", size: int, columns: int) -> bytes:
    """Entry i is the top tooth plus or minus each lower one: plus where the bit of i is 0 (protocol.ed25519)."""
    teeth = [point]
    for _ in range(size - 1):
        teeth.append(_times(1 << columns, teeth[-1]))
    table = bytearray()
    for index in range(1 << (size - 1)):
        entry = teeth[-1]
        for tooth in range(size - 1):
            x, y, z, t = teeth[tooth]
            entry = _add(entry, (P - x, y, z, P - t) if index >> tooth & 1 else (x, y, z, t))
        table.extend(_affine(entry))
    return bytes(table)


def _affine(point: "tuple[int, int, int, int]") -> bytes:
    scale = inverse(point[2])
    x, y = point[0] * scale % P, point[1] * scale % P
    numbers = ((y + x) % P, (y - x) % P, 2 * D * x * y % P)
    return b"".join([number.to_bytes(32, "little") for number in numbers])

"""The two combs of protocol.ed25519 in bytecode: for every interpreter, with integers as long as they come.

`(v & M) + (v >> 255) * 19` is v modulo P, nearly; sums are folded where they would grow. An operation costs by its
result, which is boxed, more than by its length: so no call between them, and nothing is worked out twice.
"""

_ENTRY = 96
_TEETH = 6
_COLUMNS = 43
_ONES = ((1 << 8 * _COLUMNS) - 1) // 255  # a 1 in every byte


def combine(  # noqa: PLR0915 - straight on: a call for each product would cost as much as the product
    comb: bytes, table: memoryview, other_comb: bytes, other_table: memoryview
) -> "tuple[int, int, int]":
    """X, Y, Z of the two scalars' sum. Formulas: Hisil, Wong, Carter, Dawson 2008; complete for this curve, no
    special cases."""
    m = (1 << 255) - 1
    read = int.from_bytes
    digits, other_digits = _digits(comb), _digits(other_comb)
    x, y, z, t = 0, 1, 1, 0
    for column in range(_COLUMNS):
        if column:  # by the column, not by the point: an attacker may choose points
            a = x * x
            b = y * y
            c = z * z
            e = x * y
            a = (a & m) + (a >> 255) * 19
            b = (b & m) + (b >> 255) * 19
            h = a + b
            e = ((e & m) + (e >> 255) * 19) * 2
            g = b - a
            f = ((c & m) + (c >> 255) * 19) * 2 - g
            x = e * f
            y = g * h
            z = f * g
            t = e * h
            x = (x & m) + (x >> 255) * 19
            y = (y & m) + (y >> 255) * 19
            z = (z & m) + (z >> 255) * 19
            t = (t & m) + (t >> 255) * 19
        for digit, entry in ((digits[column], table), (other_digits[column], other_table)):
            at = (digit & 31) * _ENTRY
            middle = at + 32
            end = at + 64
            c = read(entry[end : end + 32], "little") * t
            c = (c & m) + (c >> 255) * 19
            z += z
            if digit < 32:
                a = read(entry[at:middle], "little") * (y + x)
                b = read(entry[middle:end], "little") * (y - x)
                f = z - c
                g = z + c
            else:
                a = read(entry[middle:end], "little") * (y + x)
                b = read(entry[at:middle], "little") * (y - x)
                f = z + c
                g = z - c
            a = (a & m) + (a >> 255) * 19
            b = (b & m) + (b >> 255) * 19
            e = a - b
            h = a + b
            x = e * f
            y = g * h
            z = f * g
            x = (x & m) + (x >> 255) * 19
            y = (y & m) + (y >> 255) * 19
            z = (z & m) + (z >> 255) * 19
            if entry is table:  # a doubling needs no t
                t = e * h
                t = (t & m) + (t >> 255) * 19
        x = (x & m) + (x >> 255) * 19
        y = (y & m) + (y >> 255) * 19
        z = (z & m) + (z >> 255) * 19
    return x, y, z


def _digits(comb: bytes) -> bytes:
    """One byte a column, the highest first: the place of its point in the table, plus 32 to take it away."""
    bits = bin(int.from_bytes(comb, "little") | 1 << 264)[3:].encode()  # with a bit above, that zeros are kept
    # A tooth's 43 bits, each in a byte, are one number: all columns at once.
    top, *teeth = [int.from_bytes(bits[at : at + _COLUMNS], "big") & _ONES for at in range(6, 264, _COLUMNS)]
    digits = top if bits[0] & 1 else top ^ _ONES
    for tooth in teeth:
        digits = digits << 1 | tooth ^ top
    return digits.to_bytes(_COLUMNS, "big")

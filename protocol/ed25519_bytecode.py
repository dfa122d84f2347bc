"""The two combs of protocol.ed25519 in bytecode: for every interpreter, with integers as long as they come.

`(v & M) + (v >> 255) * 19` is v modulo P, nearly; sums are folded where they would grow. An operation costs by its
result, which is boxed, more than by its length: so no call between them, and nothing is worked out twice.
"""

_ENTRY = 96


def combine(  # noqa: PLR0915 - straight on: a call for each product would cost as much as the product
    comb: bytes, table: memoryview, other_comb: bytes, other_table: memoryview
) -> "tuple[int, int, int]":
    """X, Y, Z of the two scalars' sum; the first comb has fewer columns. Formulas: Hisil, Wong, Carter, Dawson 2008;
    complete for this curve, no special cases."""
    m = (1 << 255) - 1
    read = int.from_bytes
    alone = len(other_comb) - len(comb)
    x, y, z, t = 0, 1, 1, 0
    for column in range(len(other_comb)):
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
        other = (other_comb[column], other_table)
        for digit, entry in (other,) if column < alone else ((comb[column - alone], table), other):
            at = (digit & 127) * _ENTRY
            middle = at + 32
            end = at + 64
            c = read(entry[end : end + 32], "little") * t
            c = (c & m) + (c >> 255) * 19
            z += z
            if digit < 128:
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

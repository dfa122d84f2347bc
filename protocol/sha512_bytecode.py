"""SHA-512's compression in bytecode: for every interpreter, with integers as long as they come.

A word of 64 bits is boxed on a board, so what counts is how many are made: a word set beside itself (`x << 64 | x`)
turns each rotation into one shift, and a sum is masked once, because only its low 64 bits matter.
"""

import struct

_BLOCK = 128
_MASK = 0xFFFFFFFFFFFFFFFF
_TWICE = _MASK + 2  # x * _TWICE == x << 64 | x, in one step


def compress(state: bytearray, rounds: bytes, blocks: "bytes | memoryview") -> None:
    """Blocks of 128 bytes into `state`, which is spelt as the digest is, as are the rounds' constants."""
    k = struct.unpack(">80Q", rounds)
    for at in range(0, len(blocks), _BLOCK):
        before = struct.unpack(">8Q", state)
        after = _mixed(before, k, list(struct.unpack_from(">16Q", blocks, at)))
        struct.pack_into(">8Q", state, 0, *[before[i] + after[i] & _MASK for i in range(8)])


def _mixed(before: "tuple[int, ...]", k: "tuple[int, ...]", w: "list[int]") -> "tuple[int, ...]":
    """a to h after the 80 rounds (FIPS 180-4, section 6.4.2, with its names). `w` is a ring of the last 16 words of
    the schedule, and `ww` of the same words set beside themselves."""
    mask = _MASK
    twice = _TWICE
    a, b, c, d, e, f, g, h = before
    bc = b ^ c
    ww = [word * twice for word in w]
    for t in range(80):
        at = t & 15
        x = w[at]
        if t > 15:
            early = t + 1 & 15
            late = t + 14 & 15
            xx = ww[early]
            yy = ww[late]
            x += w[t + 9 & 15] + (xx >> 1 ^ xx >> 8 ^ w[early] >> 7) + (yy >> 19 ^ yy >> 61 ^ w[late] >> 6)
            w[at] = x = x & mask
            ww[at] = x * twice
        xx = e * twice
        one = x + h + k[t] + (xx >> 14 ^ xx >> 18 ^ xx >> 41) + (g ^ e & (f ^ g))
        h = g
        g = f
        f = e
        e = d + one & mask
        xx = a * twice
        ab = a ^ b
        d = c
        c = b
        b = a
        a = one + (xx >> 28 ^ xx >> 34 ^ xx >> 39) + (c ^ ab & bc) & mask  # the majority of a, b and c
        bc = ab
    return a, b, c, d, e, f, g, h

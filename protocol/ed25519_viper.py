"""The two combs of protocol.ed25519 in native code, for boards whose words are 32 bits wide (protocol.paths chooses).

Numbers are 20 limbs of 13 bits in one bytearray, and `_run` does sums on them that are written as text: `E=X*Y` is a
product modulo 2**255 - 19. What it leaves is one of its residue's names, not the smallest: limbs are from 0 to
2**13 - 1, but for the third, which may be 2 more or less; only an entry's C or M may be negative throughout. So a
column of a product, 20 products of two limbs, stays within 2**31, and nothing here wraps.
"""
# A viper function takes a buffer for its pointer:
# pyright: reportArgumentType=false

import struct

import micropython
from micropython import const

_NUMBER = const(80)  # bytes of one
# The low four bits of a number's letter are its place, which is why the formulas' H is called P.
# A, B and C hold y + x, y - x and 2dxy of the point to be added. Behind all come 40 columns of a product, which are 0
# between products.
_PLACES = const(11)
_WORK_SIZE = _PLACES * _NUMBER + 160

# Formulas: Hisil, Wong, Carter, Dawson 2008; complete for this curve, no special cases. Doubling turns all four signs,
# which is the same point; doubling 0, the first of all, leaves 0. It needs no T: who adds again has to ask for it.
_DOUBLE = b" F=X*X G=Y*Y T=Z*Z E=X*Y P=F+G G=G-F E=E+E T=T+T F=T-G X=E*F Y=G*P Z=F*G T=E*P."
_ADD = b" P=Y+X E=Y-X A=A*P B=B*E C=C*T E=A-B P=A+B Z=Z+Z F=Z-C G=Z+C X=E*F Y=G*P Z=F*G."
_EXTEND = b" T=E*P."


def combine(comb: bytes, table: memoryview, other_comb: bytes, other_table: memoryview) -> "tuple[int, int, int]":
    """X, Y, Z of the two scalars' sum, none of them reduced; the first comb has fewer columns."""
    work = bytearray(_WORK_SIZE)
    work[9 * _NUMBER] = work[10 * _NUMBER] = 1  # X, Y, Z = 0, 1, 1
    entry = memoryview(work)[_NUMBER:]
    alone = len(other_comb) - len(comb)
    for column in range(len(other_comb)):
        _run(work, work, 0, _DOUBLE)
        _fetch(entry, other_table, other_comb[column])
        _run(work, work, 0, _ADD)
        if column >= alone:
            _run(work, work, 0, _EXTEND)
            _fetch(entry, table, comb[column - alone])
            _run(work, work, 0, _ADD)
    return _number(work, 8), _number(work, 9), _number(work, 10)


def _number(work: bytearray, place: int) -> int:
    value = 0
    for limb in reversed(struct.unpack_from("<20i", work, place * _NUMBER)):
        value = (value << 13) + limb
    return value


@micropython.viper
def _fetch(to: ptr32, table: ptr8, digit: int):
    """A digit's entry of the table; the point to be taken away is the one with x turned: y + x and y - x change
    places, 2dxy its sign."""
    away = digit >> 7
    at = (digit & 127) * 96
    for number in range(3):
        place = 20 * (number ^ away if number < 2 else number)
        sign = 1 - 2 * away if number == 2 else 1
        end = at + 32
        have = 0
        v = 0
        for limb in range(place, place + 20):
            while have < 13 and at < end:
                v |= table[at] << have
                at += 1
                have += 8
            to[limb] = (v & 8191) * sign
            v >>= 13
            have -= 13


@micropython.viper
def _run(a: ptr32, b: ptr32, v: int, program: ptr8):  # noqa: PLR0915 - a call for a product would cost as much
    """Called with (work, work, 0, program): the first three names are in registers, and the products use these."""
    work = int(a)
    t = work + 880
    while program[0] == 32:
        to = ptr32(work + (program[1] & 15) * 80)
        one = work + (program[3] & 15) * 80
        two = work + (program[5] & 15) * 80
        if program[4] == 42:
            for i in range(0, 80, 20):
                a = ptr32(one + i)
                for j in range(0, 80, 20):
                    b = ptr32(two + j)
                    r = ptr32(t + i + j)
                    r[0] += a[0] * b[0]
                    v = r[1] + a[0] * b[1]
                    r[1] = v + a[1] * b[0]
                    v = r[2] + a[0] * b[2]
                    v += a[1] * b[1]
                    r[2] = v + a[2] * b[0]
                    v = r[3] + a[0] * b[3]
                    v += a[1] * b[2]
                    v += a[2] * b[1]
                    r[3] = v + a[3] * b[0]
                    v = r[4] + a[0] * b[4]
                    v += a[1] * b[3]
                    v += a[2] * b[2]
                    v += a[3] * b[1]
                    r[4] = v + a[4] * b[0]
                    v = r[5] + a[1] * b[4]
                    v += a[2] * b[3]
                    v += a[3] * b[2]
                    r[5] = v + a[4] * b[1]
                    v = r[6] + a[2] * b[4]
                    v += a[3] * b[3]
                    r[6] = v + a[4] * b[2]
                    v = r[7] + a[3] * b[4]
                    r[7] = v + a[4] * b[3]
                    r[8] += a[4] * b[4]
            # 2**260 is 608: the upper columns, carried, onto the lower ones.
            a = ptr32(t)
            b = to
            upper = 0
            v = 0
            for _ in range(20):
                upper += a[20]
                v += a[0] + (upper & 8191) * 608
                b[0] = v & 8191
                upper >>= 13
                v >>= 13
                a[0] = 0
                a[20] = 0
                a = ptr32(int(a) + 4)
                b = ptr32(int(b) + 4)
            v += upper * 608
        else:
            a = ptr32(one)
            b = ptr32(two)
            sign = 44 - program[4]
            v = 0
            for i in range(20):
                v += a[i] + b[i] * sign
                to[i] = v & 8191
                v >>= 13
        v = to[0] + v * 608
        to[0] = v & 8191
        v = to[1] + (v >> 13)
        to[1] = v & 8191
        to[2] += v >> 13
        program = ptr8(int(program) + 6)

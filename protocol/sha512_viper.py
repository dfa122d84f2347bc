"""SHA-512's compression in native code, for boards whose words are 32 bits wide (protocol.paths chooses).

A word of 64 bits is two of the machine's, the upper one first. Sums wrap at 2**32, and carry where what comes out is
below what was added. That and every shift wants `uint`: what is read through a pointer is signed. Where words have 64
bits nothing wraps, and all of it is wrong.
"""
# A viper function takes a buffer for its pointer:
# pyright: reportArgumentType=false

import micropython
from micropython import const

# In words of 32 bits: the schedule's 80 pairs, then a to h after each of the 80 rounds, the latest first.
_HISTORY = const(160)
_WORK_BYTES = const(4 * (_HISTORY + 2 * 88))


def compress(state: bytearray, rounds: bytes, blocks: bytes) -> None:
    """Blocks of 128 bytes into `state`, which is spelt as the digest is, as are the rounds' constants."""
    work = bytearray(_WORK_BYTES)
    for at in range(0, len(blocks), 128):
        _load(work, 0, memoryview(blocks)[at:], 32)
        _load(work, _HISTORY + 2 * 80, state, 16)
        _expand(work)
        _mix(work, rounds)
        _add(state, work)


@micropython.viper
def _load(work: ptr32, to: int, source: ptr8, count: int):
    """By bytes: neither a message nor a constant in flash is known to begin where a word may."""
    for i in range(count):
        at = i << 2
        work[to + i] = source[at] << 24 | source[at + 1] << 16 | source[at + 2] << 8 | source[at + 3]


@micropython.viper
def _expand(w: ptr32):
    """Words 16 to 79 of the schedule (FIPS 180-4, section 6.4.2, step 1)."""
    for t in range(32, 160, 2):
        hi = uint(w[t - 30])
        lo = uint(w[t - 29])
        high = (hi >> 1 | lo << 31) ^ (hi >> 8 | lo << 24) ^ hi >> 7
        low = (lo >> 1 | hi << 31) ^ (lo >> 8 | hi << 24) ^ (lo >> 7 | hi << 25)
        hi = uint(w[t - 4])
        lo = uint(w[t - 3])
        high += (hi >> 19 | lo << 13) ^ (lo >> 29 | hi << 3) ^ hi >> 6
        x = (lo >> 19 | hi << 13) ^ (hi >> 29 | lo << 3) ^ (lo >> 6 | hi << 26)
        low += x
        if low < x:
            high += 1
        x = uint(w[t - 13])
        low += x
        high += uint(w[t - 14])
        if low < x:
            high += 1
        x = uint(w[t - 31])
        low += x
        high += uint(w[t - 32])
        if low < x:
            high += 1
        w[t] = high
        w[t + 1] = low


@micropython.viper
def _mix(w: ptr32, k: ptr8):
    """The 80 rounds (step 3). A round puts the new a before the old ones and adds to d, which thereby is the new e;
    the other six move by staying where they are."""
    for t in range(80):
        v = ptr32(int(w) + 4 * (160 + 158 - 2 * t))  # v[0], v[1] will be the new a; a is v[2], v[3]; h v[16], v[17]
        at = t << 3
        high = uint(k[at] << 24 | k[at + 1] << 16 | k[at + 2] << 8 | k[at + 3])
        low = uint(k[at + 4] << 24 | k[at + 5] << 16 | k[at + 6] << 8 | k[at + 7])
        x = uint(w[t + t + 1])
        low += x
        high += uint(w[t + t])
        if low < x:
            high += 1
        x = uint(v[17])
        low += x
        high += uint(v[16])
        if low < x:
            high += 1
        hi = uint(v[10])  # e, f, g
        lo = uint(v[11])
        high += uint(v[14] ^ int(hi) & (v[12] ^ v[14]))
        x = uint(v[15] ^ int(lo) & (v[13] ^ v[15]))
        low += x
        if low < x:
            high += 1
        high += (hi >> 14 | lo << 18) ^ (hi >> 18 | lo << 14) ^ (lo >> 9 | hi << 23)
        x = (lo >> 14 | hi << 18) ^ (lo >> 18 | hi << 14) ^ (hi >> 9 | lo << 23)
        low += x
        if low < x:
            high += 1
        x = low + uint(v[9])  # d becomes e
        v[8] = uint(v[8]) + high + (1 if x < low else 0)
        v[9] = x
        hi = uint(v[2])  # a, b, c
        lo = uint(v[3])
        high += uint(v[4] ^ (int(hi) ^ v[4]) & (v[4] ^ v[6]))
        x = uint(v[5] ^ (int(lo) ^ v[5]) & (v[5] ^ v[7]))
        low += x
        if low < x:
            high += 1
        high += (hi >> 28 | lo << 4) ^ (lo >> 2 | hi << 30) ^ (lo >> 7 | hi << 25)
        x = (lo >> 28 | hi << 4) ^ (hi >> 2 | lo << 30) ^ (hi >> 7 | lo << 25)
        low += x
        if low < x:
            high += 1
        v[0] = high
        v[1] = low


@micropython.viper
def _add(state: ptr8, w: ptr32):
    """What the last round left, to what the block found (step 4)."""
    v = ptr32(int(w) + 640)
    for i in range(0, 16, 2):
        at = i << 2
        high = uint(state[at] << 24 | state[at + 1] << 16 | state[at + 2] << 8 | state[at + 3]) + uint(v[i])
        x = uint(v[i + 1])
        low = uint(state[at + 4] << 24 | state[at + 5] << 16 | state[at + 6] << 8 | state[at + 7]) + x
        if low < x:
            high += 1
        for back in range(4):
            shift = 24 - (back << 3)
            state[at + back] = high >> shift
            state[at + 4 + back] = low >> shift

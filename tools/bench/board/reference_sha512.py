"""Runs in MicroPython: SHA-512 as FIPS 180-4 writes it down, for comparison only.

A function for each of the standard's, words kept below 2**64 by a mask: what one writes first, and what
reference_ed25519.py hashes with.
"""

from protocol.sha512 import ROUNDS, START

_MASK = 0xFFFFFFFFFFFFFFFF


def _words(octets: bytes) -> "list[int]":
    return [int.from_bytes(octets[at : at + 8], "big") for at in range(0, len(octets), 8)]


_K = _words(ROUNDS)


def _rotr(x: int, n: int) -> int:
    return (x >> n | x << (64 - n)) & _MASK


def _ch(x: int, y: int, z: int) -> int:
    return (x & y) ^ (~x & z)


def _maj(x: int, y: int, z: int) -> int:
    return (x & y) ^ (x & z) ^ (y & z)


def _large_0(x: int) -> int:
    return _rotr(x, 28) ^ _rotr(x, 34) ^ _rotr(x, 39)


def _large_1(x: int) -> int:
    return _rotr(x, 14) ^ _rotr(x, 18) ^ _rotr(x, 41)


def _small_0(x: int) -> int:
    return _rotr(x, 1) ^ _rotr(x, 8) ^ x >> 7


def _small_1(x: int) -> int:
    return _rotr(x, 19) ^ _rotr(x, 61) ^ x >> 6


def sha512(message: bytes) -> bytes:
    bits = 8 * len(message)
    padded = message + b"\x80" + bytes(-(len(message) + 17) % 128) + bits.to_bytes(16, "big")
    state = _words(START)
    for place in range(0, len(padded), 128):
        w = _words(padded[place : place + 128])
        for t in range(16, 80):
            w.append((_small_1(w[t - 2]) + w[t - 7] + _small_0(w[t - 15]) + w[t - 16]) & _MASK)
        a, b, c, d, e, f, g, h = state
        for t in range(80):
            one = (h + _large_1(e) + _ch(e, f, g) + _K[t] + w[t]) & _MASK
            two = (_large_0(a) + _maj(a, b, c)) & _MASK
            h, g, f, e, d, c, b, a = g, f, e, (d + one) & _MASK, c, b, a, (one + two) & _MASK
        mixed = (a, b, c, d, e, f, g, h)
        state = [(state[i] + mixed[i]) & _MASK for i in range(8)]
    return b"".join([word.to_bytes(8, "big") for word in state])

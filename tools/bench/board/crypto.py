"""Runs in MicroPython: what checking tokens and messages costs, beside 1,000 products modulo 2**255 - 19.

    crypto.py times|churn REPEATS

A trusted key's table, a message and its signature come on stdin, a line of hex each.
`times`: microseconds, each kind in turns, as lists. `churn`: bytes of heap that one call leaves behind.
"""

import gc
import json
import sys
import time
from binascii import unhexlify
from typing import TYPE_CHECKING

import reference_ed25519

from protocol import cbor, ed25519, messages
from protocol.hmac import HmacKey
from protocol.otp import typed_code
from protocol.sha512 import sha512

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MANY = 100  # calls of what takes microseconds
ticks_us: "Any" = getattr(time, "ticks_us")  # noqa: B009 - MicroPython's own

mode, repeats = sys.argv[1], int(sys.argv[2])
table, message, signature = [unhexlify(sys.stdin.readline().strip()) for _ in range(3)]
hmac_key = HmacKey(bytes(range(32)))
text = bytes(range(120))
record = messages.Up(7, 123_456, 98_765_432, 1_900_000_000, messages.Deposited(14, 23, 1 << 60))
encoded = messages.encode(record)


def mulmods() -> None:
    p = (1 << 255) - 19
    x = 0x5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A
    y = x - 12_345
    for _ in range(1000):
        y = x * y % p


def verify() -> None:
    assert ed25519.verify(table, message, signature)


def reference() -> None:
    assert reference_ed25519.verify(table[:32], message, signature, sha512)


def many(act: "Callable[[], Any]") -> "Callable[[], None]":
    def repeated() -> None:
        for _ in range(MANY):
            act()

    return repeated


CASES: "dict[str, tuple[int, Callable[[], Any]]]" = {
    "mulmods": (1, mulmods),
    "verify": (1, verify),
    "reference": (1, reference),
    "sha512": (1, lambda: sha512(signature[:32] + table[:32] + message)),
    "typed_code": (MANY, many(lambda: typed_code(hmac_key, 14, 23))),
    "hmac": (MANY, many(lambda: hmac_key.digest(text))),
    "cbor_encode": (MANY, many(lambda: messages.encode(record))),
    "cbor_decode": (MANY, many(lambda: messages.decode_up(encoded))),
    "cbor_plain": (MANY, many(lambda: cbor.decode(encoded))),
}


def timed() -> "dict[str, list[float]]":
    found: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(repeats):
        for name in sorted(CASES):
            calls, act = CASES[name]
            gc.collect()
            start = ticks_us()
            act()
            found[name].append((ticks_us() - start) / calls)
    return found


def churned() -> "dict[str, list[float]]":
    measure: Any = getattr(gc, "mem_alloc")  # noqa: B009 - MicroPython's own
    found: dict[str, list[float]] = {}
    for name in ("verify", "reference"):
        gc.collect()
        gc.disable()
        before = measure()
        CASES[name][1]()
        found[name] = [measure() - before]
        gc.enable()
    return found


print(json.dumps(timed() if mode == "times" else churned()))

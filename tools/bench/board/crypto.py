"""Runs in MicroPython: what checking tokens and messages costs, beside 1,000 products modulo 2**255 - 19.

    crypto.py times|churn REPEATS
    crypto.py room PATH KILOBYTES

A trusted key's table, a message and its signature come on stdin, a line of hex each.
`times`: microseconds, each kind in turns, as lists. `churn`: bytes of heap that one call leaves behind. `room`: the
bytes of heap that were free, at most so many kilobytes, when the one path verified. All with the path that `verify`
takes by itself.
"""

import gc
import json
import sys
import time
from binascii import unhexlify
from typing import TYPE_CHECKING

import reference_ed25519
import reference_sha512
from reference_hmac import Hmac

from protocol import cbor, ed25519, messages, paths
from protocol.hmac import HmacKey
from protocol.otp import typed_code
from protocol.sha512 import sha512

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MANY = 100  # calls of what takes microseconds
ticks_us: "Any" = getattr(time, "ticks_us")  # noqa: B009 - MicroPython's own

mode = sys.argv[1]
table, message, signature = [unhexlify(sys.stdin.readline().strip()) for _ in range(3)]
key = bytes(range(32))
hmac_key = HmacKey(key)
text = bytes(range(120))
record = messages.Up(7, 123_456, 98_765_432, 1_900_000_000, messages.Deposited(14, 23, 1 << 60))
encoded = messages.encode(record)
signed = signature[:32] + table[:32] + message
PATHS = [paths.BEST] if paths.BEST.name == "bytecode" else [paths.bytecode(), paths.BEST]


def mulmods() -> None:
    p = (1 << 255) - 19
    x = 0x5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A
    y = x - 12_345
    for _ in range(1000):
        y = x * y % p


def verify(path: paths.Path) -> None:
    assert ed25519.verify(table, message, signature, path)


def reference() -> None:
    assert reference_ed25519.verify(table[:32], message, signature)


def many(act: "Callable[[], Any]") -> "Callable[[], None]":
    def repeated() -> None:
        for _ in range(MANY):
            act()

    return repeated


CASES: "dict[str, tuple[int, Callable[[], Any]]]" = {
    "mulmods": (1, mulmods),
    "reference": (1, reference),
    "reference_sha512": (1, lambda: reference_sha512.sha512(signed)),
    "reference_hmac": (MANY, many(lambda: Hmac(key, text).digest())),
    "typed_code": (MANY, many(lambda: typed_code(hmac_key, 14, 23))),
    "hmac": (MANY, many(lambda: hmac_key.digest(text))),
    "cbor_encode": (MANY, many(lambda: messages.encode(record))),
    "cbor_decode": (MANY, many(lambda: messages.decode_up(encoded))),
    "cbor_plain": (MANY, many(lambda: cbor.decode(encoded))),
}
for each in PATHS:
    CASES["verify_" + each.name] = (1, lambda path=each: verify(path))
    CASES["sha512_" + each.name] = (1, lambda path=each: sha512(signed, path))


def filled_holes() -> "Any":
    """To be kept while times are taken: compiling left holes all over the heap, and whatever takes more than a block
    would look into each of them, which is half of what the 1,000 products take. A board's code is in its flash."""
    gc.collect()
    measure: Any = getattr(gc, "mem_alloc")  # noqa: B009 - MicroPython's own
    kept: Any = None
    for _ in range(measure() // 8):
        kept = (kept,)  # one block
    return kept


def timed(repeats: int) -> "dict[str, list[float]]":
    found: dict[str, list[float]] = {name: [] for name in CASES}
    kept = filled_holes()
    for _ in range(repeats):
        for name in sorted(CASES):
            calls, act = CASES[name]
            gc.collect()
            start = ticks_us()
            act()
            found[name].append((ticks_us() - start) / calls)
    assert kept
    return found


def churned() -> "dict[str, list[float]]":
    measure: Any = getattr(gc, "mem_alloc")  # noqa: B009 - MicroPython's own
    found: dict[str, list[float]] = {}
    for name in CASES:
        if name.startswith("verify") or name == "reference":
            gc.collect()
            gc.disable()
            before = measure()
            CASES[name][1]()
            found[name] = [measure() - before]
            gc.enable()
    return found


def in_a_full_heap(name: str, kilobytes: int) -> "dict[str, list[float]]":
    measure: Any = getattr(gc, "mem_free")  # noqa: B009 - MicroPython's own
    path = next(path for path in PATHS if path.name == name)
    ballast: list[bytearray] = [bytearray(64) for _ in range(8)]
    gc.collect()
    while measure() > kilobytes * 1000:
        ballast.append(bytearray(256))
        gc.collect()
    free = measure()
    verify(path)
    return {"free": [free], "ballast": [len(ballast)]}


if mode == "times":
    answer = timed(int(sys.argv[2]))
elif mode == "churn":
    answer = churned()
else:
    answer = in_a_full_heap(sys.argv[2], int(sys.argv[3]))
print(json.dumps({"found": answer, "path": paths.BEST.name}))

"""The two ways in which a signature is worked out, and which of them this machine takes.

MicroPython's viper counts in the machine's words, and ours is written for words of 32 bits, which boards have.
CPython, wider words and ports that run no native code take the bytecode. Both ways give the same answers, and only
the one that is taken is loaded.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# No emitter: SyntaxError from a source, ValueError from a .mpy. No file for this machine, or CPython: ImportError.
# No heap for the code, or no stack to compile it deep within imports: MemoryError, RuntimeError; and a slower locker
# that opens.
NOT_HERE = (SyntaxError, ValueError, ImportError, MemoryError, RuntimeError)


class Path:
    """`compress` is SHA-512's, `combine` Ed25519's."""

    def __init__(
        self,
        name: str,
        compress: "Callable[[bytearray, bytes, bytes], None]",
        combine: "Callable[[bytes, memoryview, bytes, memoryview], tuple[int, int, int]]",
    ) -> None:
        self.name = name
        self.compress = compress
        self.combine = combine


def bytecode() -> Path:
    from protocol.ed25519_bytecode import combine  # noqa: PLC0415 - only what is taken is loaded
    from protocol.sha512_bytecode import compress  # noqa: PLC0415

    return Path("bytecode", compress, combine)


# Not in a function: a board's stack is short, and this is imported from deep within.
try:
    if sys.maxsize >> 31:
        raise ImportError("words wider than 32 bits")
    from protocol import ed25519_viper, sha512_viper

    taken = Path("viper", sha512_viper.compress, ed25519_viper.combine)
except NOT_HERE:
    taken = bytecode()
BEST = taken

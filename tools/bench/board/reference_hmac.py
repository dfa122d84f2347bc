"""Runs in MicroPython: HMAC-SHA-256 as micropython-lib's module goes about it, for comparison only.

The key is padded and combined byte by byte for each message, and both hashes are fed piece by piece.
"""

import hashlib

_BLOCK = 64


class Hmac:
    def __init__(self, key: bytes, message: bytes) -> None:
        self._outer = hashlib.sha256()
        self._inner = hashlib.sha256()
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        key = key + bytes(_BLOCK - len(key))
        self._outer.update(bytes(byte ^ 0x5C for byte in key))
        self._inner.update(bytes(byte ^ 0x36 for byte in key))
        self._inner.update(message)

    def digest(self) -> bytes:
        self._outer.update(self._inner.digest())
        return self._outer.digest()

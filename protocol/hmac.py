"""HMAC-SHA-256 (RFC 2104, FIPS 198-1) with the key's pads worked out once.

Stock MicroPython has no hmac module and its hashes cannot be copied, so there the two pads are kept and hashed
again, in one piece with what follows them; CPython keeps the two hash states.
"""

import hashlib

_BLOCK = 64
_COPIES = hasattr(hashlib.sha256(b""), "copy")


class HmacKey:
    """A key ready to authenticate many messages."""

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        key = key + bytes(_BLOCK - len(key))
        self._inner = bytes([byte ^ 0x36 for byte in key])
        self._outer = bytes([byte ^ 0x5C for byte in key])
        self._states = (hashlib.sha256(self._inner), hashlib.sha256(self._outer)) if _COPIES else None

    def digest(self, message: bytes) -> bytes:
        """The 32-byte tag of `message`."""
        if self._states is None:
            return hashlib.sha256(self._outer + hashlib.sha256(self._inner + message).digest()).digest()
        inner, outer = self._states[0].copy(), self._states[1].copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def equal(left: bytes, right: bytes) -> bool:
    """Whether the two are the same, in a time that depends on their length alone."""
    if len(left) != len(right):
        return False
    difference = 0
    for place in range(len(left)):
        difference |= left[place] ^ right[place]
    return difference == 0

"""Random bytes without a source of randomness: HMAC-SHA-256 in counter mode over a seed given once, at boot.

The same seed gives the same bytes, so a simulated day can be run again; a 32-byte seed from the board's
generator makes them unguessable.
"""

from protocol.hmac import HmacKey


class Drbg:
    def __init__(self, seed: bytes) -> None:
        self._key = HmacKey(seed)
        self._count = 0

    def bytes(self, size: int) -> bytes:
        """`size` bytes, at most 32."""
        assert size <= 32
        self._count += 1
        return self._key.digest(self._count.to_bytes(8, "big"))[:size]

    def below(self, bound: int) -> int:
        """A number from 0 up to but not with `bound` (bias below 2^-32 for bounds of 32 bits)."""
        return int.from_bytes(self.bytes(8), "big") % bound

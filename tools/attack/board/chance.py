"""Chance that is the same on both interpreters and in every run of one seed."""

from device.agent.drbg import Drbg


class Chance:
    def __init__(self, seed: int, name: str) -> None:
        self._drbg = Drbg(seed.to_bytes(8, "big") + name.encode())

    def below(self, bound: int) -> int:
        return self._drbg.below(bound)

    def one_in(self, bound: int) -> bool:
        return self._drbg.below(bound) == 0

    def between(self, lowest: int, highest: int) -> int:
        """Both may come."""
        return lowest + self._drbg.below(highest - lowest + 1)

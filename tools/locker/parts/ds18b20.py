"""A DS18B20 alone on its wire, as its data sheet has it: reset, then an order to all, then its own."""

from collections.abc import Callable
from dataclasses import dataclass, field

ANY, ROM_CODE, CONVERT, READ, WRITE = 0xCC, 0x33, 0x44, 0xBE, 0x4E
FAMILY, OF_DS18S20 = 0x28, 0x10
AT_POWER_UP = 0x0550  # 85 degrees
SERIAL = bytes.fromhex("0000c0ffee01")
CONVERT_MS = 750  # at twelve bits


@dataclass
class Ds18b20:
    """`tenths`: degrees C, as it is. `silent`: it hangs on no wire; `stuck`: the wire is held low; `noisy`: every
    answer is damaged; `another`: a DS18S20, which counts in halves of a degree."""

    tenths: Callable[[], int]
    clock: Callable[[], float]
    silent: bool = False
    stuck: bool = False
    noisy: bool = False
    another: bool = False
    _raw: int = AT_POWER_UP
    _ready_ms: float | None = None
    _heard: list[int] = field(default_factory=list[int])
    _answer: list[int] = field(default_factory=list[int])

    def power_off(self) -> None:
        self._raw = AT_POWER_UP
        self._ready_ms = None
        self.reset()

    def reset(self) -> bool:
        """Whether the wire is low after it: somebody is there, or it is stuck."""
        self._heard, self._answer = [], []
        return self.stuck or not self.silent

    def write(self, byte: int) -> None:
        self._heard.append(byte)
        if self._heard == [ROM_CODE]:
            self._answer = list(_checked(bytes([OF_DS18S20 if self.another else FAMILY]) + SERIAL))
        elif self._heard == [ANY, CONVERT]:
            self._ready_ms = self.clock() + CONVERT_MS
        elif self._heard == [ANY, READ]:
            self._answer = list(self._scratchpad())

    def read(self) -> int:
        if self.stuck:
            return 0
        if self.silent or not self._answer:
            return 0xFF  # nobody pulls it low
        return self._answer.pop(0) ^ (0x10 if self.noisy else 0)

    def _scratchpad(self) -> bytes:
        if self._ready_ms is not None and self.clock() >= self._ready_ms:
            self._raw = self.tenths() * 16 // 10 & 0xFFFF
            self._ready_ms = None
        if self.another:
            return _checked((self._raw >> 3 & 0xFFFF).to_bytes(2, "little") + b"\x4b\x46\xff\xff\x0c\x10")
        return _checked(self._raw.to_bytes(2, "little") + b"\x4b\x46\x7f\xff\x0c\x10")


def _checked(data: bytes) -> bytes:
    """With its CRC-8 (x8 + x5 + x4 + 1, the lowest bit first)."""
    crc = 0
    for byte in data:
        for place in range(8):
            low = (crc ^ byte >> place) & 1
            crc = crc >> 1 ^ (0x8C if low else 0)
    return data + bytes([crc])

"""A DS18B20 alone on its wire: the temperature inside, every five seconds. How the part itself is:
Sensed("thermometer", a PART_ of protocol.numbers).
"""

from typing import TYPE_CHECKING

from device.agent.events import Sensed
from protocol.numbers import PART_GARBLED, PART_SILENT, PART_STUCK, PART_WELL, PART_WRONG

if TYPE_CHECKING:
    from typing import Any

EVERY_MS = 5_000  # whoever pulls its plug looks at once whether it is missed
CONVERT_MS = 800  # 750 at twelve bits
_ANY, _CONVERT, _READ = 0xCC, 0x44, 0xBE
_SIZE = 9
_SETUP, _SETUP_MASK, _SETUP_FIXED = 4, 0x9F, 0x1F  # 0, the resolution, 11111; a DS18S20 has FF there
_AT_POWER_UP = 0x0550  # 85 degrees: nothing was measured yet


class Ds18b20:
    """`wire`: onewire.OneWire, with reset(), writebyte() and readbyte()."""

    def __init__(self, wire: "Any") -> None:
        self._wire = wire
        self._due = 0
        self._measuring = False
        self._told = -1

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if now_ms < self._due:
            return
        if self._measuring:
            self._measuring = False
            self._due = now_ms + EVERY_MS
            scratchpad = self._read()
            tenths = tenths_of(scratchpad)
            if tenths is not None:
                events.append(Sensed("temperature_dc", tenths))
            self._tell(health_of(scratchpad), events)
        elif self._order(_CONVERT):
            self._measuring = True
            self._due = now_ms + CONVERT_MS
        else:
            self._due = now_ms + EVERY_MS
            self._tell(PART_SILENT, events)

    def _tell(self, health: int, events: "list[Any]") -> None:
        if self._told != health:
            self._told = health
            events.append(Sensed("thermometer", health))

    def _order(self, order: int) -> bool:
        """Whether somebody is there."""
        if not self._wire.reset():
            return False
        self._wire.writebyte(_ANY)
        self._wire.writebyte(order)
        return True

    def _read(self) -> bytes:
        if not self._order(_READ):
            return b""
        return bytes([self._wire.readbyte() for _byte in range(_SIZE)])


def health_of(scratchpad: bytes) -> int:
    """All zeros: the wire is held low, which looks like somebody who is there. All ones: gone between two orders."""
    if len(scratchpad) != _SIZE or scratchpad == b"\xff" * _SIZE:
        return PART_SILENT
    if scratchpad == bytes(_SIZE):
        return PART_STUCK
    if crc8(scratchpad):
        return PART_GARBLED
    return PART_WELL if scratchpad[_SETUP] & _SETUP_MASK == _SETUP_FIXED else PART_WRONG


def tenths_of(scratchpad: bytes) -> "int | None":
    """Degrees C; None: it is damaged, another part's, or nothing was measured."""
    if health_of(scratchpad) != PART_WELL:
        return None
    raw = scratchpad[0] | scratchpad[1] << 8
    if raw == _AT_POWER_UP:
        return None
    signed = raw - 0x10000 if raw & 0x8000 else raw
    return (signed * 10 + 8) // 16


def crc8(data: bytes) -> int:
    """Of 1-Wire (x8 + x5 + x4 + 1, reflected); 0 over what ends with its own."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _bit in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc

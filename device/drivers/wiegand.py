"""A Wiegand keypad: each key is a burst of 4 or 8 bits on two wires. Loaded only where /config.json names one.

Cards (26 or 34 bits) are no codes: their number is no secret and anybody can copy it, so a whole one is counted and
tells the agent nothing. A burst with wrong parity or a wrong check is dropped whole.
"""

from typing import TYPE_CHECKING

from device.agent.events import KeyPressed

if TYPE_CHECKING:
    from typing import Any

KEYS = "0123456789*#ABCD"
FRAME_MS = 30  # of silence end a burst; within one, bits are 2 ms apart
BITS_MAX = 64
_KEYS_AT_ONCE = 6  # bursts that a long lap may have left standing one behind the other
CARDS = (26, 34)


class Wiegand:
    """`zero`, `one`: machine.Pin of D0 and D1, inputs with pull-ups; `bits` of one key: 4 or 8."""

    def __init__(self, zero: "Any", one: "Any", bits: int = 4) -> None:
        self._bits = bytearray(BITS_MAX)
        self._count = 0
        self._seen = 0
        self._last_ms = 0
        self._key_bits = bits
        self.cards = 0
        self.dropped = 0
        _listen(zero, self._on_zero)
        _listen(one, self._on_one)

    # In an interrupt: nothing may be allocated. What is too long is counted, and kept out of the buffer.
    def _on_zero(self, _pin: "Any") -> None:
        if self._count < BITS_MAX:
            self._bits[self._count] = 0
        self._count = min(self._count + 1, BITS_MAX + 1)

    def _on_one(self, _pin: "Any") -> None:
        if self._count < BITS_MAX:
            self._bits[self._count] = 1
        self._count = min(self._count + 1, BITS_MAX + 1)

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        count = self._count
        if not count:
            return
        if count != self._seen:
            self._seen = count
            self._last_ms = now_ms
        elif now_ms - self._last_ms >= FRAME_MS:
            keys = self._read(count)
            self._count = self._seen = 0
            for key in keys:
                events.append(KeyPressed(key))

    def _read(self, count: int) -> str:
        """The keys of a whole frame; "" for a card and for noise."""
        keys = keys_of(self._bits[: min(count, BITS_MAX)], self._key_bits) if count <= BITS_MAX else None
        if keys is not None:
            return keys
        if count in CARDS and is_card(self._bits[:count]):
            self.cards += 1
        else:
            self.dropped += 1
        return ""


def keys_of(bits: "bytes | bytearray", width: int) -> "str | None":
    """None unless `bits` is whole keys of `width` bits; of 8, the first four are the last four inverted."""
    if not bits or len(bits) % width or len(bits) > _KEYS_AT_ONCE * width:
        return None
    keys = ""
    for start in range(0, len(bits), width):
        value = 0
        for bit in bits[start : start + width]:
            value = value << 1 | bit
        if width == 8 and value >> 4 ^ value & 15 != 15:
            return None
        keys += KEYS[value & 15 : (value & 15) + 1]
    return keys


def is_card(bits: "bytes | bytearray") -> bool:
    """Even parity over the first half, odd over the second."""
    half = len(bits) // 2
    return sum(bits[:half]) % 2 == 0 and sum(bits[half:]) % 2 == 1


def _listen(pin: "Any", handler: "Any") -> None:
    try:
        pin.irq(handler, pin.IRQ_FALLING, hard=True)
    except (TypeError, ValueError):  # ESP32's are soft, and it knows no such word
        pin.irq(handler, pin.IRQ_FALLING)

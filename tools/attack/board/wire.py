"""The other end of the locker's line, as far as a day needs it: time, acknowledgements, and a door for a courier.

It speaks MQTT 3.1.1 and seals like the gateway, because clocks and doors are to change in no other way than in life.
Its books are not kept: it acknowledges whatever the locker says that it has.
"""

from typing import TYPE_CHECKING

from protocol import messages
from protocol.cose import mac0, open_mac0
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.topics import topic

if TYPE_CHECKING:
    from protocol.messages import Message

GENERATION = 1
_KID = bytes([GENERATION])
_TTL_S = 60
_EPOCH_S = 1_795_000_000  # 2026-11-18
_CONNECT, _PUBLISH, _SUBSCRIBE, _PING = 1, 3, 8, 12


class Gateway:
    """`clock_ms` is simulated time; `jump_s` how far its idea of the time of day is off."""

    def __init__(self, locker: str, key: bytes) -> None:
        self._up = HmacKey(sub_key(key, "up"))
        self._down = HmacKey(sub_key(key, "down"))
        self._topic = topic(locker, "down").encode()
        self._said = 0
        self._seq = 0
        self._bytes = b""
        self.clock_ms = 0
        self.jump_s = 0
        self.request = 0  # the courier's last one
        self.times_told = 0

    @property
    def now_s(self) -> int:
        return _EPOCH_S + self.clock_ms // 1000 + self.jump_s

    def connected(self) -> None:
        self._bytes = b""

    def take(self, arrived: bytes) -> bytes:
        """Bytes from the locker; those that go back."""
        self._bytes += arrived
        back = b""
        while True:
            head, size = self._head()
            if not head or len(self._bytes) < head + size:
                return back
            first, body = self._bytes[0], self._bytes[head : head + size]
            self._bytes = self._bytes[head + size :]
            back += self._answer(first, body)

    def _head(self) -> "tuple[int, int]":
        """(size of the fixed header, remaining length); (0, 0) while it is not whole."""
        size = 0
        for at in range(1, min(5, len(self._bytes))):
            byte = self._bytes[at]
            size += (byte & 127) << 7 * (at - 1)
            if byte < 128:
                return at + 1, size
        return 0, 0

    def _answer(self, first: int, body: bytes) -> bytes:
        kind = first >> 4
        if kind == _CONNECT:
            return b"\x20\x02\x00\x00"
        if kind == _SUBSCRIBE:
            return b"\x90\x03" + body[:2] + b"\x01"
        if kind == _PING:
            return b"\xd0\x00"
        return self._read(first, body) if kind == _PUBLISH else b""

    def _read(self, first: int, body: bytes) -> bytes:
        at = 2 + int.from_bytes(body[:2], "big")
        back = b""
        if first & 6:
            back = b"\x40\x02" + body[at : at + 2]
            at += 2
        up = messages.decode_up(open_mac0(self._up, _KID, body[at:]))
        if isinstance(up.event, messages.Birth):
            self._seq = up.event.last_seq
            self.times_told += 1
            back += self.say(messages.SetTime(up.event.nonce, self.now_s))
        elif isinstance(up.event, messages.DepositRequested):
            self.request = up.event.request
        self._seq = max(self._seq, up.seq)
        return back + self.say(messages.Ack(self._seq))

    def say(self, command: "Message") -> bytes:
        """A command, sealed, as an MQTT packet."""
        self._said += 1
        down = messages.Down(self._said.to_bytes(8, "big"), self.now_s, _TTL_S, command)
        sealed = mac0(self._down, _KID, messages.encode(down))
        body = len(self._topic).to_bytes(2, "big") + self._topic + b"\x00\x01" + sealed
        size = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 127 | 128, len(body) >> 7])
        return b"\x32" + size + body

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
from tools import mqtt_wire

if TYPE_CHECKING:
    from protocol.messages import Message

GENERATION = 1
_KID = bytes([GENERATION])
_TTL_S = 60
_EPOCH_S = 1_795_000_000  # 2026-11-18


class Gateway:
    """`clock_ms` is simulated time; `jump_s` how far its idea of the time of day is off."""

    def __init__(self, locker: str, key: bytes) -> None:
        self._up = HmacKey(sub_key(key, "up"))
        self._down = HmacKey(sub_key(key, "down"))
        self._topic = topic(locker, "down").encode()
        self._said = 0
        self._seq = 0
        self._packets = mqtt_wire.Packets()
        self.clock_ms = 0
        self.jump_s = 0
        self.request = 0  # the courier's last one

    @property
    def now_s(self) -> int:
        return _EPOCH_S + self.clock_ms // 1000 + self.jump_s

    def connected(self) -> None:
        self._packets = mqtt_wire.Packets()

    def take(self, arrived: bytes) -> bytes:
        """Bytes from the locker; those that go back."""
        return b"".join([self._answer(first, body) for first, body in self._packets.feed(arrived)])

    def _answer(self, first: int, body: bytes) -> bytes:
        kind = first >> 4
        if kind == mqtt_wire.CONNECT:
            return mqtt_wire.CONNACK
        if kind == mqtt_wire.SUBSCRIBE:
            return mqtt_wire.suback(body)
        if kind == mqtt_wire.PING:
            return mqtt_wire.PINGRESP
        return self._read(first, body) if kind == mqtt_wire.PUBLISH else b""

    def _read(self, first: int, body: bytes) -> bytes:
        _topic, payload, back = mqtt_wire.published(first, body)
        up = messages.decode_up(open_mac0(self._up, _KID, payload))
        if isinstance(up.event, messages.Birth):
            self._seq = up.event.last_seq
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
        return mqtt_wire.publish(self._topic, sealed)

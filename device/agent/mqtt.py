"""An MQTT 3.1.1 client without a socket or a clock: bytes in, bytes out, its timers as deadlines.

Sections are those of the OASIS standard. What the broker sends is never asserted on and never sizes an
allocation: a broken packet ends the connection with a word that says why, an oversize one is drained, a late or
unknown acknowledgement is counted. The session is clean and starts empty; repeating across connections is the
outbox's work. DISCONNECT is never sent: it would silence the will (3.14.4).
"""

from typing import TYPE_CHECKING

from protocol.errors import ProtocolError
from protocol.limits import (
    CONNECT_WAIT_MS,
    INFLIGHT_MAX,
    KEEPALIVE_S,
    MQTT_TOPIC_SIZE_MAX,
    PING_WAIT_MS,
    PUBACK_WAIT_MS,
)
from protocol.record import Record

if TYPE_CHECKING:
    from typing import Any

NEVER = 0x7FFFFFFFFFFFFFFF
OFF, CONNECTING, CONNECTED = 0, 1, 2
_PING_EVERY_MS = KEEPALIVE_S * 1000 // 2  # + PING_WAIT_MS is below the keepalive
_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _PINGRESP = 2, 3, 4, 9, 13
# CONNACK return codes, table 3.1.
_REFUSALS = ("", "bad_mqtt_version", "id_refused", "server_unavailable", "bad_credentials", "not_authorised")


class Connected(Record):
    """The broker accepted us."""


class Subscribed(Record):
    """The broker accepted the subscription."""


class Incoming(Record):
    """A PUBLISH. `payload` is None when it was too large; `packet_id` (0 for QoS 0) goes back to handled()."""

    FIELDS = ("topic", "payload", "retain", "dup", "packet_id")
    topic: bytes
    payload: "bytes | None"
    retain: bool
    dup: bool
    packet_id: int


class Broken(Record):
    """The connection is of no use any more: hang up."""

    FIELDS = ("reason",)
    reason: str


class Client:
    def __init__(self, payload_max: int) -> None:
        self._payload_max = payload_max
        self._buffer = bytearray(payload_max + MQTT_TOPIC_SIZE_MAX + 4)
        self._view = memoryview(self._buffer)
        self._last_id = 0
        self.ignored = 0  # acknowledgements of nothing we wait for
        self.reset()

    def reset(self) -> None:
        """No connection: nothing to say, nothing in flight."""
        self.state = OFF
        self._out: list[bytes] = []
        self._in_flight: set[int] = set()
        self._due: dict[str, int] = {}  # what the broker owes us -> by when
        self._ping_at = NEVER
        self._subscribe_id = 0
        self._next_packet()

    def _next_packet(self) -> None:
        self._head = -1
        self._shift = 0  # 7 bits a byte of the remaining length, 28 when it is whole
        self._length = 0
        self._filled = 0

    # -------------------------------------------------------------- what we say
    def connect(self, now: int, name: str, password: str, will_topic: str, will: bytes) -> None:
        """CONNECT (3.1): clean session, `name` as client id and user, a retained QoS 1 will."""
        self.reset()
        self.state = CONNECTING
        self._due["connack"] = now + CONNECT_WAIT_MS
        # Flags (3.1.2.3): user, password, will retain, will QoS 1, will, clean session.
        head = b"\x00\x04MQTT\x04\xee" + KEEPALIVE_S.to_bytes(2, "big")
        self._put(0x10, head, _field(name), _field(will_topic), _field(will), _field(name), _field(password))

    def subscribe(self, now: int, topic: str) -> None:
        """SUBSCRIBE (3.8) to one topic at QoS 1."""
        self._subscribe_id = self._new_id()
        self._due["suback"] = now + CONNECT_WAIT_MS
        self._put(0x82, self._subscribe_id.to_bytes(2, "big"), _field(topic), b"\x01")

    def publish(self, now: int, topic: str, payload: bytes, qos: int, retain: bool) -> bool:
        """PUBLISH (3.3). False when not connected, or when too many wait for their PUBACK already."""
        if self.state != CONNECTED or (qos and not self.has_room()):
            return False
        packet_id = b""
        if qos:
            number = self._new_id()
            packet_id = number.to_bytes(2, "big")
            self._in_flight.add(number)
            self._due.setdefault("puback", now + PUBACK_WAIT_MS)
        self._put(0x30 | qos << 1 | retain, _field(topic), packet_id, payload)
        return True

    def has_room(self) -> bool:
        """Whether one more QoS 1 publication may be in flight."""
        return len(self._in_flight) < INFLIGHT_MAX

    def handled(self, packet_id: int) -> None:
        """PUBACK (3.4): what came with this id has been dealt with."""
        if packet_id and self.state == CONNECTED:
            self._put(0x40, packet_id.to_bytes(2, "big"))

    def take(self) -> bytes:
        """The bytes to send now; b"" for none."""
        out = b"".join(self._out)
        self._out = []
        return out

    def _put(self, first: int, *parts: bytes) -> None:
        body = b"".join(parts)
        head = bytearray([first])
        rest = len(body)
        while rest > 0x7F:  # remaining length, 2.2.3
            head.append(rest & 0x7F | 0x80)
            rest >>= 7
        head.append(rest)
        self._out.append(bytes(head) + body)

    def _new_id(self) -> int:
        """1 to 65,535, and none that is in flight (2.3.1)."""
        number = self._last_id % 0xFFFF + 1
        while number in self._in_flight:
            number = number % 0xFFFF + 1
        self._last_id = number
        return number

    # -------------------------------------------------------------- time
    def deadline(self) -> int:
        if self._out:
            return 0
        return min(self._ping_at, *self._due.values()) if self._due else self._ping_at

    def tick(self, now: int) -> "list[Record]":
        """Ping when it is time. [Broken] when the broker owes us an answer for too long."""
        for word in sorted(self._due):
            if now >= self._due[word]:
                self.reset()
                return [Broken(word + "_timeout")]
        if now >= self._ping_at:
            self._ping_at = now + _PING_EVERY_MS
            self._due["pingresp"] = now + PING_WAIT_MS
            self._put(0xC0)
        return []

    # -------------------------------------------------------------- what the broker says
    def feed(self, now: int, data: bytes) -> "list[Record]":
        """What the bytes amount to, in order; a Broken is the last."""
        happened: list[Record] = []
        place = 0
        try:
            while place < len(data) and self.state != OFF:
                place = self._swallow(data, place)
                if self._shift == 28 and self._filled == self._length:
                    record = self._packet(now)
                    self._next_packet()
                    if record is not None:
                        happened.append(record)
        except ProtocolError as error:
            self.reset()
            happened.append(Broken(error.detail or error.code))
        return happened

    def _swallow(self, data: bytes, place: int) -> int:
        """Take one byte of the fixed header (2.2), or as much of the body as there is. What the buffer cannot
        hold is counted and dropped."""
        if self._shift == 28:
            size = min(len(data) - place, self._length - self._filled)
            kept = min(size, len(self._buffer) - self._filled)
            if kept > 0:
                self._view[self._filled : self._filled + kept] = memoryview(data)[place : place + kept]
            self._filled += size
            return place + size
        byte = data[place]
        if self._head < 0:
            self._head = byte
            return place + 1
        self._length |= (byte & 0x7F) << self._shift
        self._shift += 7
        if byte & 0x80 == 0:
            self._shift = 28
        elif self._shift == 28:
            raise ProtocolError("malformed", "bad_length")
        return place + 1

    def _packet(self, now: int) -> "Record | None":
        kind = self._head >> 4
        if kind == _PUBLISH and self.state == CONNECTED:
            return self._incoming()
        row = _ANSWERS.get(kind)
        if row is None or row[0] != self.state or self._head & 0x0F:  # 2.2.2: these have no flags
            raise ProtocolError("malformed", "unexpected_packet")
        if self._length != row[1]:
            raise ProtocolError("malformed", "bad_length")
        return row[2](self, now)

    def _number(self, place: int) -> int:
        return self._buffer[place] << 8 | self._buffer[place + 1]

    def _connack(self, now: int) -> Record:
        """3.2. A session the broker says it kept (flag 1) is none of ours, and harmless."""
        code = self._buffer[1]
        if self._buffer[0] > 1 or code >= len(_REFUSALS):
            raise ProtocolError("malformed", "bad_connack")
        if code:
            raise ProtocolError("not_allowed", _REFUSALS[code])
        self.state = CONNECTED
        self._due.pop("connack", None)
        self._ping_at = now + _PING_EVERY_MS
        return Connected()

    def _suback(self, _now: int) -> "Record | None":
        """3.9. Return code 0x80 is a refusal."""
        code = self._buffer[2]
        if self._number(0) != self._subscribe_id:
            self.ignored += 1
            return None
        if code > 1:
            raise ProtocolError("not_allowed", "subscription_refused" if code == 0x80 else "bad_suback")
        self._subscribe_id = 0
        self._due.pop("suback", None)
        return Subscribed()

    def _puback(self, now: int) -> None:
        number = self._number(0)
        if number not in self._in_flight:
            self.ignored += 1
            return
        self._in_flight.remove(number)
        if self._in_flight:
            self._due["puback"] = now + PUBACK_WAIT_MS
        else:
            self._due.pop("puback", None)

    def _pingresp(self, _now: int) -> None:
        self._due.pop("pingresp", None)

    def _incoming(self) -> Record:
        """PUBLISH (3.3). QoS 2 was not subscribed to; QoS 3 and DUP at QoS 0 do not exist (3.3.1)."""
        qos = self._head >> 1 & 3
        dup = self._head & 8 != 0
        if qos > 1 or (dup and not qos):
            raise ProtocolError("malformed", "bad_qos")
        start = 2 + (self._number(0) if self._length > 2 else 0)
        after = start + (2 if qos else 0)
        if start == 2 or after > self._length or after > len(self._buffer):
            raise ProtocolError("malformed", "bad_topic")
        packet_id = self._number(start) if qos else 0
        if qos and not packet_id:
            raise ProtocolError("malformed", "bad_packet_id")
        payload = None
        if self._length - after <= self._payload_max and self._length <= len(self._buffer):
            payload = bytes(self._view[after : self._length])
        return Incoming(bytes(self._view[2:start]), payload, self._head & 1 != 0, dup, packet_id)


# Packet type -> (the state it may come in, its length, what it does).
_ANSWERS: "dict[int, tuple[int, int, Any]]" = {
    _CONNACK: (CONNECTING, 2, Client._connack),
    _PUBACK: (CONNECTED, 2, Client._puback),
    _SUBACK: (CONNECTED, 3, Client._suback),
    _PINGRESP: (CONNECTED, 0, Client._pingresp),
}


def _field(value: "str | bytes") -> bytes:
    """A length-prefixed string or binary field (1.5.3)."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data

"""The two MQTT 5 packets that come by the thousand, PUBLISH and PUBACK, read and written directly (OASIS MQTT 5.0,
sections 2.1, 3.3, 3.4). Everything else in the stream is left for paho, untouched.

Bytes in, values out; no socket, no state but the unfinished end of the last piece.
"""

from dataclasses import dataclass, field

_PUBLISH, _PUBACK = 0x30, 0x40
_PUBLISH_QOS1 = 0x32
_DUP = 0x08
_FAILURE = 0x80  # reason codes from here on (section 2.4)
_SIZE_BYTES_MAX = 4


class MalformedError(Exception):
    """The broker's stream cannot be read on; the connection has to be given up."""


@dataclass(slots=True)
class Received:
    """A message for us. `mid` is 0 when it wants no acknowledgement."""

    topic: str
    payload: bytes
    retained: bool
    mid: int


@dataclass(slots=True)
class Split:
    messages: list[Received] = field(default_factory=list[Received])
    acknowledged: list[int] = field(default_factory=list[int])
    refused: list[int] = field(default_factory=list[int])  # reason codes of those that the broker did not want
    others: bytearray = field(default_factory=bytearray)


class Splitter:
    """`size_max`: the Maximum Packet Size that we announced; a larger one is the broker's fault."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._rest = b""

    def split(self, piece: bytes) -> Split:
        """Whole packets, sorted by what they are. Raises MalformedError."""
        found = Split()
        stream = self._rest + piece if self._rest else piece
        place, end = 0, len(stream)
        while place + 2 <= end:
            start, size = self._size(stream, place + 1, end)
            stop = start + size
            if size < 0 or stop > end:
                break
            kind = stream[place] & 0xF0
            if kind == _PUBLISH:
                found.messages.append(_message(stream, stream[place], start, stop))
            elif kind == _PUBACK:
                _note_puback(found, stream, start, stop)
            else:
                found.others += stream[place:stop]
            place = stop
        self._rest = stream[place:]
        return found

    def _size(self, stream: bytes, place: int, end: int) -> tuple[int, int]:
        """(where the packet's inside starts, its size); a size below 0: not all of it is there yet."""
        start, size = _varint(stream, place, end)
        if size > self._size_max:
            raise MalformedError("packet too large")
        return start, size


def _varint(stream: bytes, place: int, end: int) -> tuple[int, int]:
    value = stream[place]
    if value < 0x80:  # nearly always
        return place + 1, value
    value &= 0x7F
    for count in range(1, _SIZE_BYTES_MAX):
        if place + count >= end:
            return place, -1
        byte = stream[place + count]
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return place + count + 1, value
    raise MalformedError("length of more than four bytes")


def _message(stream: bytes, first: int, start: int, stop: int) -> Received:
    qos = first >> 1 & 3
    topic_at = start + 2
    topic_end = topic_at + (stream[start] << 8 | stream[start + 1]) if topic_at <= stop else stop + 1
    place = topic_end + 2 if qos else topic_end
    if qos > 1 or place >= stop:  # a byte of properties always follows
        raise MalformedError("PUBLISH")
    place, size = _varint(stream, place, stop)
    if size < 0 or place + size > stop:
        raise MalformedError("PUBLISH properties")
    try:
        topic = stream[topic_at:topic_end].decode()
    except UnicodeDecodeError:
        raise MalformedError("PUBLISH topic")
    mid = stream[topic_end] << 8 | stream[topic_end + 1] if qos else 0
    return Received(topic, stream[place + size : stop], bool(first & 1), mid)


def _note_puback(found: Split, stream: bytes, start: int, stop: int) -> None:
    if stop - start < 2:
        raise MalformedError("PUBACK")
    found.acknowledged.append(stream[start] << 8 | stream[start + 1])
    if stop - start > 2 and stream[start + 2] >= _FAILURE:
        found.refused.append(stream[start + 2])


def publish(topic: str, payload: bytes, mid: int) -> bytes:
    """QoS 1, not retained, no properties."""
    name = topic.encode()
    size = 2 + len(name) + 3 + len(payload)
    head = bytearray((_PUBLISH_QOS1,))
    while size >= 0x80:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return b"%b%b%b%b\x00%b" % (head, len(name).to_bytes(2, "big"), name, mid.to_bytes(2, "big"), payload)


def again(packet: bytes) -> bytes:
    """The same PUBLISH, sent once more on a new connection."""
    return bytes((packet[0] | _DUP,)) + packet[1:]


def puback(mid: int) -> bytes:
    return b"\x40\x02" + mid.to_bytes(2, "big")

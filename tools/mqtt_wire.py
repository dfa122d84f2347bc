"""MQTT 3.1.1 as a broker speaks it to a locker, for those who play one in memory; also in MicroPython.

Sections are those of the OASIS standard: 2.2 the fixed header, 3.3 PUBLISH.
"""

CONNECT, PUBLISH, SUBSCRIBE, PING = 1, 3, 8, 12
CONNACK, PINGRESP = b"\x20\x02\x00\x00", b"\xd0\x00"


class Packets:
    """Whole packets out of pieces."""

    def __init__(self) -> None:
        self._bytes = b""

    def feed(self, piece: bytes) -> "list[tuple[int, bytes]]":
        """(first byte, body) of each that is whole by now."""
        self._bytes += piece
        found: list[tuple[int, bytes]] = []
        while True:
            head, size = self._head()
            if not head or len(self._bytes) < head + size:
                return found
            found.append((self._bytes[0], self._bytes[head : head + size]))
            self._bytes = self._bytes[head + size :]

    def _head(self) -> "tuple[int, int]":
        """(size of the fixed header, remaining length); (0, 0) while it is not whole."""
        size = 0
        for at in range(1, min(5, len(self._bytes))):
            byte = self._bytes[at]
            size += (byte & 127) << 7 * (at - 1)
            if byte < 128:
                return at + 1, size
        return 0, 0


def suback(subscribe: bytes) -> bytes:
    """To the body of a SUBSCRIBE to one topic at QoS 1."""
    return b"\x90\x03" + subscribe[:2] + b"\x01"


def published(first: int, body: bytes) -> "tuple[str, bytes, bytes]":
    """(topic, payload, the PUBACK or b"") of a PUBLISH."""
    at = 2 + int.from_bytes(body[:2], "big")
    name = str(body[2:at], "utf-8")
    if not first & 6:
        return name, body[at:], b""
    return name, body[at + 2 :], b"\x40\x02" + body[at : at + 2]


def publish(topic: bytes, payload: bytes) -> bytes:
    """A PUBLISH at QoS 1 with packet id 1."""
    body = len(topic).to_bytes(2, "big") + topic + b"\x00\x01" + payload
    size, head = len(body), bytearray(b"\x32")
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + body

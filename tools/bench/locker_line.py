"""A locker's MQTT connection at its cheapest (OASIS MQTT 3.1.1): a socket, packets made beforehand, no library.

The load generator must cost less than what it loads; it speaks exactly what a locker speaks, QoS 1 both ways.
"""

import socket

from protocol import cose, messages, topics
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.messages import Message, Up

CONNACK, PUBLISH, PUBACK, SUBACK = 0x20, 0x30, 0x40, 0x90
_WAIT_S = 60
_READ_SIZE = 16_384


class LineError(Exception):
    """The broker refused, or the stream is not what it should be."""


class LockerLine:
    """Connected and subscribed when it is made. Afterwards the socket does not block."""

    def __init__(self, address: tuple[str, int], locker: str, key: bytes, generation: int = 1) -> None:
        self.locker = locker
        self._kid = bytes([generation])
        self._up_key = HmacKey(sub_key(key, "up"))
        self._up = topics.topic(locker, "up")
        self._state = topics.topic(locker, "state")
        self._rest = b""
        self.socket = socket.create_connection(address, _WAIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._ask(_connect(locker, sub_key(key, "mqtt").hex()), CONNACK)
            self._ask(_subscribe(topics.topic(locker, "down")), SUBACK)
        except BaseException:
            self.socket.close()
            raise
        self.socket.setblocking(False)

    def packet(self, seq: int, event: Message) -> bytes:
        """A sealed event, as a whole PUBLISH. Custody events go to `up`; those without a number to `state`."""
        inside = messages.encode(Up(1, seq, 1_000 + seq, None, event))
        sealed = cose.mac0(self._up_key, self._kid, inside)
        return _publish(self._up if seq else self._state, sealed, seq % 0xFFFF + 1)

    def read(self) -> tuple[list[bytes], bytes]:
        """The payloads of what came on `down`, and the PUBACKs to send for them."""
        try:
            stream = self._rest + self.socket.recv(_READ_SIZE)
        except BlockingIOError:
            return [], b""
        payloads: list[bytes] = []
        answers = b""
        place, end = 0, len(stream)
        while place + 2 <= end:
            size, start = stream[place + 1], place + 2
            if size & 0x80:
                if start >= end:
                    break
                size, start = size & 0x7F | stream[start] << 7, start + 1
            stop = start + size
            if stop > end:
                break
            if stream[place] & 0xF0 == PUBLISH:
                at = start + 2 + (stream[start] << 8 | stream[start + 1])
                answers += b"\x40\x02" + stream[at : at + 2]
                payloads.append(stream[at + 2 : stop])
            place = stop
        self._rest = stream[place:]
        return payloads, answers

    def send(self, packets: bytes) -> None:
        """A kilobyte at most is ever under way to the broker on this line, so it always fits."""
        if self.socket.send(packets) != len(packets):
            raise LineError("the broker does not read")

    def close(self) -> None:
        self.socket.close()

    def _ask(self, packet: bytes, wanted: int) -> None:
        """Before the stream begins: one packet out, one small one back."""
        self.socket.sendall(packet)
        answer = self.socket.recv(64)
        if not answer or answer[0] != wanted or answer[-1] >= 0x80 or (wanted == CONNACK and answer[-1]):
            raise LineError(f"{self.locker}: the broker answered {answer.hex()}")


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _sized(kind: int, body: bytes) -> bytes:
    size = len(body)
    head = bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])
    return bytes([kind]) + head + body


def _connect(locker: str, password: str) -> bytes:
    """Clean session, user and password, no keepalive."""
    return _sized(0x10, _text("MQTT") + b"\x04\xc2\x00\x00" + _text(locker) + _text(locker) + _text(password))


def _subscribe(topic: str) -> bytes:
    return _sized(0x82, b"\x00\x01" + _text(topic) + b"\x01")


def _publish(topic: str, payload: bytes, mid: int) -> bytes:
    return _sized(0x32, _text(topic) + mid.to_bytes(2, "big") + payload)

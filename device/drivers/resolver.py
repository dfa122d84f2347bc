"""Names to addresses without waiting: a DNS client (RFC 1035) for one A record at a time.

getaddrinfo() of a board blocks for as long as the name server is silent, which is longer than the watchdog
bears. What it answers is not trusted for more than where to dial: every message carries a MAC of its own.
"""

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

ASK_AGAIN_MS = 1_000
GIVE_UP_MS = 4_000
ANSWERS_MAX = 16
NAME_PARTS_MAX = 64  # a name that points at itself must end
_PORT = 53
_HEADER = 12
_A, _IN = 1, 1


def is_address(host: str) -> bool:
    """Whether it is an IPv4 address and needs no asking."""
    parts = host.split(".")
    return len(parts) == 4 and all([part.isdigit() and int(part) < 256 for part in parts])


def question(number: bytes, host: str) -> bytes:
    """The packet that asks for `host`; `number` (2 bytes) pairs the answer to it."""
    name = b"".join([bytes([len(part)]) + part.encode() for part in host.split(".") if part])
    return number + b"\x01\x00\x00\x01" + bytes(6) + name + bytes([0, 0, _A, 0, _IN])


def answer(packet: bytes, asked: bytes) -> str:
    """The first address in the answer to `asked`; "" when it has none, or is not the answer."""
    if len(packet) < len(asked) or packet[:2] != asked[:2] or packet[2] & 0x80 == 0 or packet[3] & 0x0F:
        return ""
    if packet[_HEADER : len(asked)] != asked[_HEADER:]:
        return ""
    place = len(asked)
    for _record in range(min(ANSWERS_MAX, packet[6] << 8 | packet[7])):
        place = _after_name(packet, place)
        head = packet[place : place + 10]
        if len(head) < 10:
            return ""
        size = head[8] << 8 | head[9]
        place += 10
        body = packet[place : place + size]
        if head[0] == 0 and head[1] == _A and size == 4 and len(body) == 4:
            return ".".join([str(byte) for byte in body])
        place += size
    return ""


def _after_name(packet: bytes, place: int) -> int:
    for _part in range(NAME_PARTS_MAX):
        if place >= len(packet):
            break
        size = packet[place]
        if size == 0:
            return place + 1
        if size >= 0xC0:  # a pointer to a name elsewhere, and the end of this one
            return place + 2
        place += size + 1
    return len(packet)


class Resolver:
    """ask(), then poll() every lap until it says something. `server`: the one to ask whatever the network names; an
    IPv4 address, or ""."""

    def __init__(self, port: int = _PORT, server: str = "") -> None:
        self.port = port
        self.server = server
        self._socket: Any = None
        self._server: Any = None
        self._asked = b""
        self._again_ms = 0
        self._until_ms = 0

    def ask(self, now_ms: int, host: str, server: str) -> None:
        """`server`: the name server's IPv4 address. Raises OSError when there is no network."""
        self.close()
        self._asked = question(os.urandom(2), host)
        self._server = socket.getaddrinfo(server, self.port, socket.AF_INET, socket.SOCK_DGRAM)[0][-1]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._again_ms = now_ms
        self._until_ms = now_ms + GIVE_UP_MS

    def poll(self, now_ms: int) -> "str | None":
        """The address; "" when there is none; None: not yet."""
        try:
            if now_ms >= self._again_ms:
                self._again_ms = now_ms + ASK_AGAIN_MS
                self._socket.sendto(self._asked, self._server)
            packet = self._socket.recv(512)
        except OSError:
            packet = b""  # nothing yet, or nobody there: asked again until time is up
        if packet:
            found = answer(packet, self._asked)
            if found or packet[:2] == self._asked[:2]:
                self.close()
                return found
        if now_ms >= self._until_ms:
            self.close()
            return ""
        return None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

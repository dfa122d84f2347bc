"""A tap on the wire between a locker and its broker, which can also speak in the broker's place; and a search for
secrets in everything that was said or kept."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from protocol import base45


class Tap:
    """A TCP relay to `broker` on a port of its own; `heard` is every byte of both directions."""

    _near: socket.socket | None = None

    def __init__(self, broker: tuple[str, int]) -> None:
        self._broker = broker
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self.heard = bytearray()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        self._listener.settimeout(0.1)
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                near, _peer = self._listener.accept()
                self._carry(near)

    def _carry(self, near: socket.socket) -> None:
        """One connection at a time: a locker has one."""
        self._near = near
        with near, socket.create_connection(self._broker) as far, selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            while not self._stopping.is_set():
                for key, _events in ready.select(0.1):
                    source = near if key.fileobj is near else far
                    chunk = source.recv(65_536)
                    if not chunk:
                        return
                    self.heard += chunk
                    key.data.sendall(chunk)

    def publish(self, name: str, payload: bytes) -> None:
        """To the locker, as if its broker had (MQTT 3.1.1, section 3.3; QoS 0)."""
        assert self._near is not None
        body = len(name).to_bytes(2, "big") + name.encode() + payload
        size = [len(body)] if len(body) < 128 else [len(body) & 0x7F | 0x80, len(body) >> 7]
        self._near.sendall(bytes([0x30, *size]) + body)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._listener.close()


def of_code(digits: str) -> list[bytes]:
    """How a typed code could be written down: as digits, in groups, as a number."""
    number = int(digits)
    width = (number.bit_length() + 7) // 8
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    spelt = [digits, *(sign.join(groups) for sign in " -.")]
    return [*(text.encode() for text in spelt), number.to_bytes(width, "big"), number.to_bytes(width, "little")]


def of_token(text: str) -> list[bytes]:
    """Its text, its bytes, and its signature alone."""
    raw = base45.decode(text)
    return [text.encode(), raw, raw[-64:], raw.hex().encode()]


def of_key(secret: bytes) -> list[bytes]:
    return [secret, secret.hex().encode(), secret.hex().upper().encode()]


def kept_files(folder: Path, without: Iterable[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """(name, content) of every file below, but those in which the secret has to be."""
    left_out = set(without)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in left_out:
            yield str(path.relative_to(folder)), path.read_bytes()


def found(secrets: Mapping[str, list[bytes]], places: Iterable[tuple[str, bytes]]) -> list[str]:
    """ "what in where", never the secret itself."""
    return [
        f"{what} in {place}"
        for place, content in places
        for what, forms in secrets.items()
        if any(form in content for form in forms)
    ]

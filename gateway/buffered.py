"""The socket under paho: one read and one write a lap, and only the packets that are paho's business reach it.

paho reads a packet in three calls, sends packet by packet and spends 60 µs on a message and its acknowledgements;
those two kinds go past it (gateway.frames). What it keeps is the session: CONNECT, SUBSCRIBE, PING, DISCONNECT.
"""

import contextlib
import socket
import ssl

from gateway.limits import READ_SIZE

_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class BufferedSocket:
    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._unsent = bytearray()
        self._for_paho = bytearray()
        self._ended = False

    # -------------------------------------------------------------- our side
    def read(self) -> bytes:
        """What has arrived, at most READ_SIZE of it; nothing is no news. Raises OSError."""
        try:
            piece = self._inner.recv(READ_SIZE)
        except _NOT_NOW:
            return b""
        self._ended = not piece
        return piece

    def leave_to_paho(self, packets: bytes | bytearray) -> None:
        self._for_paho += packets

    @property
    def has_news_for_paho(self) -> bool:
        return bool(self._for_paho) or self._ended

    @property
    def unsent(self) -> int:
        return len(self._unsent)

    def flush(self) -> None:
        """Send what the kernel takes now. Raises OSError when the connection is gone."""
        if not self._unsent:
            return
        try:
            sent = self._inner.send(self._unsent)
        except _NOT_NOW:
            return
        del self._unsent[:sent]

    def pending(self) -> bool:
        """Bytes that TLS has already taken from the kernel: no poll() will tell of them."""
        return isinstance(self._inner, ssl.SSLSocket) and self._inner.pending() > 0

    # -------------------------------------------------------------- paho's side
    def recv(self, size: int, /) -> bytes:
        if not self._for_paho:
            if self._ended:
                return b""
            raise BlockingIOError
        piece = bytes(self._for_paho[:size])
        del self._for_paho[:size]
        return piece

    def send(self, piece: bytes | bytearray, /) -> int:
        self._unsent += piece
        return len(piece)

    def fileno(self) -> int:
        return self._inner.fileno()

    def setblocking(self, flag: bool, /) -> None:
        self._inner.setblocking(flag)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.flush()  # a DISCONNECT may still be in here
        self._inner.close()

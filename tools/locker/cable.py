"""The network cable between a virtual locker and its broker: a TCP relay that can be cut.

`reset`: connections break at once and new ones are refused. `hole`: bytes go in and nothing ever comes out, as
behind a modem that lost its line; a connection that lived through that is dead when the line is back.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Any

CUTS = ("none", "reset", "hole")
_CHUNK = 4096
_LINGER_OFF = struct.pack("ii", 1, 0)  # close() then sends a reset


class Cable:
    def __init__(self, host: str, listen: int, broker: tuple[str, int]) -> None:
        self._host = host
        self._listen = listen
        self._broker = broker
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.cut = "none"

    @property
    def connected(self) -> bool:
        return len(self._writers) > 1 and self.cut == "none"

    async def start(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._carry, self._host, self._listen)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.break_all()

    async def set_cut(self, cut: str) -> None:
        was, self.cut = self.cut, cut
        if cut == "reset":
            await self.stop()
            return
        if was == "hole" and cut == "none":
            self.break_all()
        await self.start()

    def break_all(self) -> None:
        """Reset every connection, as when the locker loses its power (its side) or the cable is pulled."""
        for writer in list(self._writers):
            _reset(writer)
        self._writers.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._broker)
        except OSError:
            _reset(writer)
            self._writers.discard(writer)
            return
        self._writers.add(far_writer)
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        for end in (writer, far_writer):
            self._writers.discard(end)
            _reset(end)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until either side ends; then the other is ended too."""
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.cut == "none":
                    writer.write(data)
                    await writer.drain()
        if self.cut != "hole":
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
    writer.transport.abort()

"""The control socket: people's hands on a virtual locker, as lines of JSON.

{"id": 1, "do": "push", "compartment": 3} is answered {"id": 1, "ok": true} or {"id": 1, "ok": false, "error": …}.
After {"do": "watch"} the socket carries events as well, as lines without an id.
"""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

from tools.locker.cabinet import Cabinet
from tools.locker.physics import CabinetError

LINE_MAX = 16_384


class Control:
    def __init__(self, cabinet: Cabinet, path: Path) -> None:
        self._cabinet = cabinet
        self._path = path
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: dict[asyncio.StreamWriter, asyncio.Task[Any] | None] = {}

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=LINE_MAX)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)
        serving = [task for task in self._clients.values() if task is not None]
        for writer in list(self._clients):
            writer.transport.abort()
        await asyncio.gather(*serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(document: dict[str, Any]) -> None:
            writer.write(json.dumps(document).encode() + b"\n")

        self._clients[writer] = asyncio.current_task()
        try:
            with contextlib.suppress(OSError, ValueError):
                while line := await reader.readline():
                    # Each on its own: keys take a second, and a state may be asked for meanwhile.
                    task = asyncio.create_task(self._answer(line, say))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            self._cabinet.unwatch(say)
            self._clients.pop(writer, None)
            writer.close()

    async def _answer(self, line: bytes, say: Any) -> None:
        number: Any = None
        try:
            request: Any = json.loads(line)
            number = request.get("id")
            if request.get("do") == "watch":
                self._cabinet.watch(say)
                answer: dict[str, Any] = {}
            else:
                answer = await self._cabinet.do(request)
            say({"id": number, "ok": True, **answer})
        except CabinetError as error:
            say({"id": number, "ok": False, "error": str(error)})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            say({"id": number, "ok": False, "error": f"badly asked: {type(error).__name__} {error}"})

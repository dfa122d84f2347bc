"""What happens, told to every open page: one queue a page, filled from any thread, sent as server-sent events.

A page that cannot keep up is cut off; its browser dials again and is told how everything stands.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

PAGES_MAX = 16  # open at once; more would only be a forgotten script
QUEUE_MAX = 500  # news a slow page may lag behind
PULSE_S = 15.0  # a comment now and then, so that a dead connection is noticed
News = dict[str, Any]
Listener = Callable[[str, str, dict[str, Any]], None]  # locker, event, fields


class Feed:
    def __init__(self) -> None:
        self._pages: dict[asyncio.Queue[str | None], asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._closed = False

    def listen(self, listener: Listener) -> None:
        """Told of everything, in the thread that tells it."""
        self._listeners.append(listener)

    def tell(self, locker: str, event: str, **fields: Any) -> None:
        """Any thread."""
        text = f"data: {json.dumps({'locker': locker, 'event': event, **fields}, ensure_ascii=False)}\n\n"
        self._put(text)
        for listener in self._listeners:
            listener(locker, event, fields)

    def close(self) -> None:
        self._closed = True
        self._put(None)

    def _put(self, text: str | None) -> None:
        with self._lock:
            for queue, loop in list(self._pages.items()):
                try:
                    loop.call_soon_threadsafe(self._offer, queue, text)
                except RuntimeError:  # its loop has ended
                    del self._pages[queue]

    def _offer(self, queue: asyncio.Queue[str | None], text: str | None) -> None:
        if queue.qsize() < QUEUE_MAX or text is None:
            queue.put_nowait(text)
            return
        with self._lock:
            self._pages.pop(queue, None)
        queue.put_nowait(None)

    async def page(self, opening: Callable[[], list[News]]) -> AsyncIterator[str]:
        """Everything a new page must hear: how things stand, then what happens."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        with self._lock:
            if self._closed or len(self._pages) >= PAGES_MAX:
                return
            self._pages[queue] = asyncio.get_running_loop()
        try:
            for news in await asyncio.to_thread(opening):
                yield f"data: {json.dumps(news, ensure_ascii=False)}\n\n"
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), PULSE_S)
                except TimeoutError:
                    text = ": still here\n\n"
                if text is None:
                    return
                yield text
        finally:
            with self._lock:
                self._pages.pop(queue, None)

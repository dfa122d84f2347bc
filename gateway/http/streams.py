"""Event streams (server-sent events): many listeners, one look into the books a second for all of them together.

A stream is a generator in the server's event loop and holds no thread. It has at most one page in memory: who reads
slowly is not read ahead for, and goes on later from where it was.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway import limits, log
from gateway.asgi import RequestError
from gateway.domain.events import LoggedEvent
from gateway.domain.people import Principal
from gateway.http import answers
from gateway.http.routing import cursor_text
from gateway.services import events, people
from gateway.services.desk import Desk

MEDIA_TYPE = "text/event-stream"
_HELLO = b"retry: 3000\n"  # ms until a listener whose connection broke comes again
_HEARTBEAT = b": still here\n"


def _id_line(position: int) -> bytes:
    """Where to go on from: `Last-Event-ID` of the next request."""
    return f"id: {cursor_text(position)}\n".encode()


def _lines(event: LoggedEvent) -> bytes:
    return _id_line(event.id) + b"data: " + answers.Event.of(event).model_dump_json().encode() + b"\n\n"


class Stream:
    """One listener. `position`: the last event that it was given, or that is not its own."""

    def __init__(self, who: Principal, position: int) -> None:
        self.who = who
        self.position = position
        self.page: Sequence[LoggedEvent] = ()
        self.ended = False
        self.woken = asyncio.Event()


class Streams:
    """All that are open."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._open: set[Stream] = set()
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None
        self._hungry = asyncio.Event()

    # -------------------------------------------------------------- from any thread
    def open(self, who: Principal, after: int | None) -> Stream:
        """`after` None: what comes from now on. Raises RequestError, Refusal."""
        newest = events.newest(self._desk)
        # Restored books may end before what a listener has seen: it gets what comes, and not silence.
        made = Stream(who, newest if after is None else min(after, newest))
        with self._lock:
            if self._stopped:
                raise RequestError("unavailable", "The gateway is being ended.")
            own = Counter(one.who.credential for one in self._open)[who.credential]
            if own >= limits.STREAMS_OF_CREDENTIAL_MAX or len(self._open) >= limits.STREAMS_MAX:
                raise RequestError("too_many_streams", f"{limits.STREAMS_OF_CREDENTIAL_MAX} streams of a key at most.")
            self._open.add(made)
        return made

    def close(self, stream: Stream) -> None:
        with self._lock:
            self._open.discard(stream)

    def stop(self) -> None:
        """Every stream ends at once, as after its last event."""
        with self._lock:
            self._stopped = True
            loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._end, set(self._open))

    @property
    def count(self) -> int:
        return len(self._open)

    # -------------------------------------------------------------- in the server's loop
    async def lines(self, stream: Stream) -> AsyncIterator[bytes]:
        """What the listener gets. It ends when the gateway does, or the key is revoked."""
        self._look_on()
        began = time.monotonic()
        yield _HELLO + _id_line(stream.position) + b"\n"
        while not stream.ended and time.monotonic() - began < limits.STREAM_S_MAX:
            try:
                async with asyncio.timeout(limits.STREAM_HEARTBEAT_S):
                    await stream.woken.wait()
            except TimeoutError:
                yield _HEARTBEAT + _id_line(stream.position) + b"\n"
                continue
            stream.woken.clear()
            page, stream.page = stream.page, ()
            if page:
                yield b"".join(_lines(event) for event in page)
            if len(page) == limits.PAGE_SIZE_MAX:
                self._hungry.set()  # there is more: no need to wait for the next second

    def _look_on(self) -> None:
        if self._looking is None or self._looking.done():
            with self._lock:
                self._loop = asyncio.get_running_loop()
            self._looking = asyncio.create_task(self._look_again_and_again())
        if self._stopped:
            self._end(set(self._open))

    async def _look_again_and_again(self) -> None:
        while self._open and not self._stopped:
            # A copy: they are opened and closed in other threads.
            waiting = [stream for stream in tuple(self._open) if not stream.page and not stream.ended]
            try:
                if await run_in_threadpool(self._look, waiting):
                    self._hungry.set()
            except Exception as error:  # the outermost loop: the books may answer the next time
                log.event("streams_failed", error=type(error).__name__)
            for stream in waiting:
                if stream.page or stream.ended:
                    stream.woken.set()
            try:
                async with asyncio.timeout(limits.STREAM_LOOK_S):
                    await self._hungry.wait()
            except TimeoutError:
                continue
            self._hungry.clear()

    def _look(self, waiting: Sequence[Stream]) -> bool:
        """One view of the books for all; streams at the same place of the same tenant share a page. Whether somebody
        found nothing in a stretch of the log, and there is more of it."""
        pages: dict[tuple[str, str, int], tuple[list[LoggedEvent], int]] = {}
        with self._desk.store.reading():
            newest = events.newest(self._desk)
            good = {who: people.is_good(self._desk, who) for who in {one.who for one in waiting}}
            for stream in waiting:
                stream.ended = not good[stream.who]
                if stream.ended or stream.position >= newest:
                    continue
                place = (stream.who.role, stream.who.tenant, stream.position)
                if place not in pages:
                    pages[place] = events.list_events(self._desk, stream.who, stream.position)
                stream.page, stream.position = pages[place]
        return any(not stream.ended and not stream.page and stream.position < newest for stream in waiting)

    def _end(self, streams: set[Stream]) -> None:
        for stream in streams:
            stream.ended = True
            stream.woken.set()
        self._hungry.set()


class EventStream(StreamingResponse):
    """Gives its place back whatever ends it."""

    media_type = MEDIA_TYPE

    def __init__(self, streams: Streams, stream: Stream) -> None:
        super().__init__(streams.lines(stream), headers={"X-Accel-Buffering": "no"})
        self._streams = streams
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.close(self._stream)

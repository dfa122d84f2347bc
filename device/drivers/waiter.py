"""The one place where the loop sleeps: until a byte comes from somewhere, or the time is up."""

import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


class Waiter:
    """Who watches a stream has an attribute `flags`; wait() sets it to what poll() said."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._owners: list[tuple[Any, Any]] = []

    def watch(self, stream: "Any", flags: int, owner: "Any") -> None:
        self.unwatch(stream)
        self._poll.register(stream, flags)
        self._owners.append((stream, owner))

    def unwatch(self, stream: "Any") -> None:
        kept = [pair for pair in self._owners if pair[0] is not stream]
        if len(kept) < len(self._owners):
            self._poll.unregister(stream)
            self._owners = kept

    def wait(self, timeout_ms: int) -> None:
        for ready in self._poll.poll(timeout_ms):
            for stream, owner in self._owners:
                # MicroPython gives back the stream, CPython its number.
                if ready[0] is stream or ready[0] == stream.fileno():
                    owner.flags = ready[1]

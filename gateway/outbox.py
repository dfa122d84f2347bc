"""Publishes the orders that use cases have written down. The only way an order leaves the gateway.

A row is marked sent after it was handed over; should we die in between, it goes again with the same id, and
the locker acts on an id at most once. After a locker's birth the books offer its unfinished orders anew.
"""

import secrets
from collections.abc import Callable, Sequence

from gateway import log
from gateway.envelopes import Envelopes
from gateway.limits import OUTBOX_BATCH_MAX
from protocol.errors import ProtocolError
from protocol.messages import Down, Message

_ID_SIZE = 8
Due = Callable[[int], Sequence[tuple[str, Down]]]
Ahead = Callable[[Message], Sequence[Message]]
Sent = Callable[[Sequence[bytes]], None]
Publish = Callable[[str, bytes], None]


class Outbox:
    """`due(limit)`: the orders not yet handed over, oldest first; `sent(ids)`: they were. `ahead(order)`: what
    follows from an order and must be with the locker before it, every time it goes."""

    def __init__(self, envelopes: Envelopes, due: Due, sent: Sent, ahead: Ahead = lambda _order: ()) -> None:
        self._envelopes = envelopes
        self._due = due
        self._sent = sent
        self._ahead = ahead
        self._handed: list[bytes] = []

    def hand_over(self, publish: Publish) -> bool:
        """Publish what is due; True when there may be more."""
        rows = self._due(OUTBOX_BATCH_MAX)
        for locker, down in rows:
            try:
                for piece in self._ahead(down.command):  # never answered: whatever id, as long valid as the order
                    fresh = Down(secrets.token_bytes(_ID_SIZE), down.issued_s, down.ttl_s, piece)
                    publish(self._envelopes.topic(locker), self._envelopes.seal(locker, fresh))
                publish(self._envelopes.topic(locker), self._envelopes.seal(locker, down))
            except ProtocolError as error:  # provisioned no more: it runs out by itself
                log.event("command_not_sealed", locker=locker, command=down.id.hex(), error=error.code)
            else:
                log.event("command_sent", locker=locker, command=down.id.hex(), order=type(down.command).__name__)
            self._handed.append(down.id)
        return len(rows) == OUTBOX_BATCH_MAX

    def mark(self) -> None:
        """Once the bytes have left: note them as sent."""
        if self._handed:
            handed, self._handed = self._handed, []
            self._sent(handed)

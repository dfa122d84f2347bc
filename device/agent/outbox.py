"""The send cursor over the journal: which record goes to the gateway next.

A record stays on flash until the gateway's own Ack; a PUBACK moves nothing here. At most OUTBOX_WINDOW records
are ahead of the Ack. Fresh ones are sent from memory when all before them are sent, older ones are read back.
"""

from typing import TYPE_CHECKING

from protocol import cbor
from protocol.limits import ACK_WAIT_MS, OUTBOX_WINDOW, RESEND_PAUSE_MS

if TYPE_CHECKING:
    from typing import Any

NEVER = 0x7FFFFFFFFFFFFFFF


class Outbox:
    def __init__(self, last: int) -> None:
        self.last = last  # the newest on flash
        self.acked = 0  # as far as the gateway has spoken since this boot
        self.sent = 0
        self.begun = False  # the gateway has answered our birth on this connection
        self.hole = 0  # where the journal goes on behind records that it lost, and that the gateway lacks
        self.reading = False  # one ReadJournal is out
        self.due = NEVER  # an Ack is owed by then
        self._deaf_until = 0  # a second Resend for the same record is an echo of the first
        self._deaf_to: int = 0

    def stop(self) -> None:
        """The connection is gone: nothing is sent until the gateway has answered the next birth."""
        self.begun = False
        self.due = NEVER

    def saved(self, seq: int) -> bool:
        """Whether the record that has just been saved may be sent at once."""
        self.last = seq
        return self.begun and not self.reading and seq == self.sent + 1 and seq <= self.acked + OUTBOX_WINDOW

    def went(self, now: int, seq: int) -> None:
        """This record was handed to the broker."""
        self.sent = seq
        if self.due == NEVER:
            self.due = now + ACK_WAIT_MS

    def wanted(self) -> "tuple[int, int] | None":
        """(first, count) to read from the journal and send."""
        count = min(self.acked + OUTBOX_WINDOW, self.last) - self.sent
        if not self.begun or self.reading or count <= 0:
            return None
        return self.sent + 1, count

    def fetched(self, now: int, first: int, records: "list[bytes]") -> "list[tuple[int, bytes]]":
        """(seq, record) of those that may be sent now: none when the answer is to an older question."""
        self.reading = False
        if not self.begun or first != self.sent + 1:
            return []
        found = [(seq_of(record), record) for record in records]
        found = [pair for pair in found if pair[0] > self.sent]
        if found and (found[0][0] == first or first > self.acked + 1):
            return found
        # Flash has lost what it should hold: ask again later, not in a circle. A birth says what is behind the hole.
        if found:
            self.hole = found[0][0]
        self.sent = self.last
        self.due = now + ACK_WAIT_MS
        return []

    def acknowledged(self, now: int, seq: int) -> bool:
        """The gateway has committed all up to `seq`. False when it never got such a record from us."""
        if seq > self.last:
            return False
        if not self.begun:
            self.begun = True
            self.sent = self.acked
        if seq > self.acked:
            self.hole = 0
            self.acked = seq
            self.sent = max(self.sent, seq)
            self.due = now + ACK_WAIT_MS if self.sent > seq else NEVER
        return True

    def rewind(self, now: int, seq: int) -> bool:
        """The gateway lacks `seq` and all after it. False when there is no such record yet."""
        if not 1 <= seq <= self.last:
            return False
        if self.begun and seq == self._deaf_to and now < self._deaf_until:
            return True
        self._deaf_to = seq
        self._deaf_until = now + RESEND_PAUSE_MS
        self.begun = True
        self.hole = 0
        self.acked = self.sent = seq - 1
        self.due = NEVER
        return True

    def rejected(self, now: int, seq: int) -> None:
        """The gateway cannot take `seq` up: it is kept and offered again, at leisure."""
        self._deaf_to = seq
        self._deaf_until = self.due = now + ACK_WAIT_MS

    def tick(self, now: int) -> None:
        """No Ack for too long: what was sent since the last one is sent again."""
        if now >= self.due:
            self.sent = self.acked
            self.due = NEVER


def seq_of(record: bytes) -> int:
    """The number of a journal record (messages.Up: version, boot, seq, …)."""
    items: list[Any] = cbor.decode(record)
    return items[2]

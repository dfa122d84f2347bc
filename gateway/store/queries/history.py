"""The event log read backwards, and what was ordered of one door or about one parcel, in SQL.

The log has no index but its order, because one would cost every event more than it costs us to read a stretch of it:
every question here reads `limits.SCANNED_EVENTS_MAX` rows of it at the most, and says where it stopped.
"""

import sqlite3
from collections.abc import Iterable

from gateway.domain.events import LoggedEvent
from gateway.domain.ids import ParcelNumber
from gateway.domain.operations import Operation
from gateway.limits import SCANNED_EVENTS_MAX
from gateway.store.queries.commands import OPERATION
from gateway.store.queries.log import EVENT, event_of


class HistoryQueries:
    sql: sqlite3.Connection

    def _last_event(self) -> int:
        return int(self.sql.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0])

    def events_before(
        self, before: int | None, locker: str | None, limit: int
    ) -> tuple[list[LoggedEvent], int | None]:
        """Newest first, below id `before`; and where to go on (None: that was the beginning of the log)."""
        top = self._last_event() + 1 if before is None else before
        floor = max(0, top - SCANNED_EVENTS_MAX)
        own = "1" if locker is None else "e.locker = ?4"
        values = (floor, top, limit) if locker is None else (floor, top, limit, locker)
        rows = self.sql.execute(
            f"SELECT {EVENT} FROM events e WHERE e.id > ?1 AND e.id < ?2 AND {own} ORDER BY e.id DESC LIMIT ?3", values
        ).fetchall()
        following = rows[-1][0] if len(rows) == limit else floor + 1
        return [event_of(row) for row in rows], following if following > 1 else None

    def _first_since(self, when_s: int) -> int:
        """The first event taken at `when_s` or later: by halving, because the log is in order of time."""
        low, high = 0, self._last_event() + 1
        while low < high:
            middle = (low + high) // 2
            row = self.sql.execute(
                "SELECT id, taken_s FROM events WHERE id >= ? ORDER BY id LIMIT 1", (middle,)
            ).fetchone()
            if row is None or row[1] >= when_s:
                high = middle
            else:
                low = row[0] + 1
        return low

    def events_of_parcel(self, parcel: ParcelNumber, since_s: Iterable[int], limit: int) -> list[LoggedEvent]:
        """Oldest first; looked for from each of these moments on, when something happened to it."""
        found: dict[int, LoggedEvent] = {}
        for when_s in since_s:
            first = self._first_since(when_s)
            rows = self.sql.execute(
                f"SELECT {EVENT} FROM events e WHERE e.id >= ? AND e.id < ? AND e.parcel = ? ORDER BY e.id LIMIT ?",
                (first, first + SCANNED_EVENTS_MAX, parcel, limit),
            )
            found.update({row[0]: event_of(row) for row in rows})
        return [found[number] for number in sorted(found)][:limit]

    def operations_at(self, locker: str, compartment: int, limit: int) -> list[Operation]:
        """Newest first."""
        rows = self.sql.execute(
            f"SELECT {OPERATION} FROM operations WHERE locker = ? AND compartment = ? ORDER BY made_s DESC LIMIT ?",
            (locker, compartment, limit),
        )
        return [Operation(*row) for row in rows]

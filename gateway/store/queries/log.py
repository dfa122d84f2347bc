"""The event log, alarms and kept answers in SQL."""

import io
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import cbor2

from gateway.domain.events import Alarm, LoggedEvent
from gateway.domain.ids import ParcelNumber
from gateway.limits import SCANNED_EVENTS_MAX
from protocol.messages import EVENTS, Up

EVENT = "e.id, e.locker, e.boot, e.seq, e.type, e.t_wall_s, e.taken_s, e.fields, e.parcel"
_ALARM = "id, locker, compartment, kind, parcel, raised_s, cleared_s, owner, owned_s, snoozed_s"
_ADD_EVENT = (
    "INSERT INTO events (locker, boot, seq, type, t_mono_ms, t_wall_s, taken_s, fields, parcel)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def event_of(row: Sequence[Any]) -> LoggedEvent:
    names = EVENTS[row[4]].FIELDS
    values: list[Any] = cbor2.loads(row[7])
    fields = {
        name: value.hex() if isinstance(value, bytes) else value for name, value in zip(names, values, strict=True)
    }
    return LoggedEvent(row[0], row[1], row[2], row[3], row[4], row[5], row[6], fields, row[8])


class LogQueries:
    sql: sqlite3.Connection

    def add_events(self, taken: Iterable[tuple[str, Up, ParcelNumber | None]], now_s: int) -> None:
        buffer = io.BytesIO()
        encode = cbor2.CBOREncoder(buffer).encode  # one for all: a fifth of what dumps() costs

        def fields(values: list[Any]) -> bytes:
            buffer.seek(0)
            buffer.truncate()
            encode(values)
            return buffer.getvalue()

        rows = [
            (
                locker,
                up.boot,
                up.seq,
                up.event.TYPE,
                up.t_mono_ms,
                up.t_wall_s,
                now_s,
                fields(up.event.values()),
                parcel,
            )
            for locker, up, parcel in taken
        ]
        self.sql.executemany(_ADD_EVENT, rows)

    def events_page(self, role: str, tenant: str, after: int, limit: int) -> tuple[list[LoggedEvent], int]:
        """Oldest first, after event `after`, and where to go on. A carrier or merchant gets those of its own parcels:
        of a stretch of the log, so that a page may be short, or empty, with more to come.

        In the order of the log, so that who follows along pays for what is new and not for what was.
        """
        own = {"operator": "1", "courier": "p.carrier = ?4", "merchant": "p.merchant = ?4"}[role]
        source = "events e" if role == "operator" else "events e CROSS JOIN parcels p ON p.number = e.parcel"
        tenants = () if role == "operator" else (tenant,)
        oldest, newest = self._ends()
        last = min(max(after, oldest - 1) + SCANNED_EVENTS_MAX, newest)
        rows = self.sql.execute(
            f"SELECT {EVENT} FROM {source} WHERE e.id > ?1 AND e.id <= ?2 AND {own} ORDER BY e.id LIMIT ?3",
            (after, last, limit, *tenants),
        ).fetchall()
        return [event_of(row) for row in rows], rows[-1][0] if len(rows) == limit else max(after, last)

    def _ends(self) -> tuple[int, int]:
        """The ids of the oldest event and of the newest."""
        where = "SELECT coalesce((SELECT min(id) FROM events), 0), coalesce((SELECT max(id) FROM events), 0)"
        oldest, newest = self.sql.execute(where).fetchone()
        return int(oldest), int(newest)

    def newest_event(self) -> int:
        """0: there is none."""
        return self._ends()[1]

    # -------------------------------------------------------------- alarms
    def raise_alarm(self, locker: str, compartment: int, kind: str, parcel: int | None, now_s: int) -> None:
        """One open alarm of a kind for a compartment: a fault that repeats does not bury the others."""
        self.sql.execute(
            "INSERT OR IGNORE INTO alarms (locker, compartment, kind, parcel, raised_s) VALUES (?, ?, ?, ?, ?)",
            (locker, compartment, kind, parcel, now_s),
        )

    def clear_alarms(self, locker: str, compartment: int, kind: str | None, now_s: int) -> None:
        """`kind` None: all of this compartment's."""
        self.sql.execute(
            "UPDATE alarms SET cleared_s = ?1 WHERE locker = ?2 AND compartment = ?3 AND cleared_s IS NULL"
            " AND (?4 IS NULL OR kind = ?4)",
            (now_s, locker, compartment, kind),
        )

    def alarms(self, only_open: bool, limit: int) -> list[Alarm]:
        which = "cleared_s IS NULL" if only_open else "1"
        rows = self.sql.execute(f"SELECT {_ALARM} FROM alarms WHERE {which} ORDER BY id DESC LIMIT ?", (limit,))
        return [Alarm(*row) for row in rows]

    def alarm(self, number: int) -> Alarm | None:
        row = self.sql.execute(f"SELECT {_ALARM} FROM alarms WHERE id = ?", (number,)).fetchone()
        return None if row is None else Alarm(*row)

    def alarms_of(self, locker: str) -> list[Alarm]:
        """The open ones of a locker: one of a kind for a door, so there are few."""
        rows = self.sql.execute(
            f"SELECT {_ALARM} FROM alarms WHERE locker = ? AND cleared_s IS NULL ORDER BY id DESC", (locker,)
        )
        return [Alarm(*row) for row in rows]

    def keep_alarm(self, alarm: Alarm) -> None:
        self.sql.execute(
            "UPDATE alarms SET cleared_s = ?, owner = ?, owned_s = ?, snoozed_s = ? WHERE id = ?",
            (alarm.cleared_s, alarm.owner, alarm.owned_s, alarm.snoozed_s, alarm.id),
        )

    # -------------------------------------------------------------- answers kept for Idempotency-Key
    def find_answer(self, id32: bytes) -> tuple[bytes, bytes] | None:
        row = self.sql.execute("SELECT fingerprint, sealed FROM answers WHERE id = ?", (id32,)).fetchone()
        return None if row is None else (row[0], row[1])

    def keep_answer(self, id32: bytes, fingerprint: bytes, sealed: bytes, now_s: int) -> None:
        self.sql.execute(
            "INSERT INTO answers (id, fingerprint, sealed, kept_s) VALUES (?, ?, ?, ?)",
            (id32, fingerprint, sealed, now_s),
        )

    def drop_answers(self, before_s: int) -> None:
        self.sql.execute("DELETE FROM answers WHERE kept_s < ?", (before_s,))

"""Reports and their evidence in SQL. The words are personal; the rest is about a door."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from gateway.domain.events import LoggedEvent
from gateway.domain.ids import ParcelNumber, ReportNumber
from gateway.domain.reports import Report
from gateway.store.queries.log import EVENT, event_of

_REPORT = (
    "r.number, r.ticket, r.parcel, r.kind, r.found, r.locker, r.compartment, r.deposit, r.made_s, r.after_event,"
    " r.words, r.closed_s, r.closed_by, r.closing, r.owner"
)
_OWN = {"operator": "1", "courier": "p.carrier = ?", "merchant": "p.merchant = ?"}


def _report(row: Sequence[Any]) -> Report:
    return Report(*row)


class ReportQueries:
    sql: sqlite3.Connection

    def add_report(self, made: Report, left_s: int | None) -> Report:
        """With its ticket number."""
        ticket = self.sql.execute(
            "INSERT INTO reports (number, parcel, kind, found, locker, compartment, deposit, made_s, after_event,"
            " words, left_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING ticket",
            (
                made.number,
                made.parcel,
                made.kind,
                made.found,
                made.locker,
                made.compartment,
                made.deposit,
                made.made_s,
                made.after_event,
                made.words,
                left_s,
            ),
        ).fetchone()[0]
        found = self.report(made.number)
        assert found is not None and found.ticket == ticket
        return found

    def _reports(self, where: str, *values: object) -> list[Report]:
        return [_report(row) for row in self.sql.execute(f"SELECT {_REPORT} FROM reports r WHERE {where}", values)]

    def report(self, number: ReportNumber) -> Report | None:
        found = self._reports("number = ?", number)
        return found[0] if found else None

    def reports_of(self, parcel: ParcelNumber) -> list[Report]:
        """In the order they were made."""
        return self._reports("parcel = ? ORDER BY ticket", parcel)

    def close_report(self, number: ReportNumber, now_s: int, by: str, reason: str) -> None:
        self.sql.execute(
            "UPDATE reports SET closed_s = ?, closed_by = ?, closing = ? WHERE number = ?",
            (now_s, by, reason, number),
        )

    def own_report(self, number: ReportNumber, owner: str, now_s: int) -> None:
        self.sql.execute("UPDATE reports SET owner = ?, owned_s = ? WHERE number = ?", (owner, now_s, number))

    def another_open(self, closed: Report) -> bool:
        """Whether another report of this kind about this door is open: its alarm stays."""
        return bool(
            self._reports(
                "locker = ? AND compartment IS ? AND kind = ? AND closed_s IS NULL AND number <> ? LIMIT 1",
                closed.locker,
                closed.compartment,
                closed.kind,
                closed.number,
            )
        )

    def reports_page(
        self, role: str, tenant: str, only_open: bool, before: int | None, limit: int
    ) -> tuple[list[Report], int | None]:
        """Newest first, below ticket `before`; and where the next page begins."""
        tenants = () if role == "operator" else (tenant,)
        # Of many reports few are open: said outright, because the planner takes the order of the rows for cheap.
        where = " INDEXED BY reports_open" if only_open else ""
        rows = self.sql.execute(
            f"SELECT {_REPORT} FROM reports r{where} JOIN parcels p ON p.number = r.parcel WHERE {_OWN[role]}"
            + (" AND r.closed_s IS NULL" if only_open else "")
            + " AND (? IS NULL OR r.ticket < ?) ORDER BY r.ticket DESC LIMIT ?",
            (*tenants, before, before, limit + 1),
        ).fetchall()
        found = [_report(row) for row in rows[:limit]]
        return found, found[-1].ticket if len(rows) > limit else None

    # -------------------------------------------------------------- evidence
    def last_event_before(self, taken_s: int) -> int:
        """The id of the last event taken before then; 0: none. Ids follow time: halving finds it without an index."""
        low, high = 0, self.sql.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
        while low < high:
            middle = (low + high + 1) // 2
            row = self.sql.execute(
                "SELECT taken_s FROM events WHERE id <= ? ORDER BY id DESC LIMIT 1", (middle,)
            ).fetchone()
            if row is None or row[0] < taken_s:
                low = middle
            else:
                high = middle - 1
        return int(low)

    def evidence_of(self, report: Report, until_s: int, limit: int) -> list[LoggedEvent]:
        """What its locker said from then on about this parcel, or about this door and nobody's parcel. Of a report
        that was closed the log is read to that day, and not to its end."""
        rows = self.sql.execute(
            f"SELECT {EVENT} FROM events e WHERE e.id > ? AND e.id <= ? AND e.locker = ?"
            " AND (e.parcel IS NULL OR e.parcel = ?) ORDER BY e.id",
            (report.after_event, self.last_event_before(until_s + 1), report.locker, report.parcel),
        )
        found: list[LoggedEvent] = []
        for event in map(event_of, rows):
            if event.parcel is not None or event.fields.get("compartment") == report.compartment:
                found.append(event)
            if len(found) == limit:
                break
        return found

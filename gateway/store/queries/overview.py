"""The fleet at a glance and how it is used, in SQL: counts only, of no person and no single parcel."""

import sqlite3

from gateway.domain.overview import Alike
from gateway.store.queries.counts import CLOSED_TO_DEPOSITS


class OverviewQueries:
    sql: sqlite3.Connection

    def compartments_alike(self, locker: str | None) -> list[Alike]:
        """How many compartments stand alike: one row for each that differs, of one locker or of all."""
        rows = self.sql.execute(
            f"SELECT c.locker, c.size, c.door, c.holding, c.quarantined, {CLOSED_TO_DEPOSITS}, a.id IS NOT NULL,"
            " count(*) FROM compartments c LEFT JOIN allocations a"
            " ON a.locker = c.locker AND a.compartment = c.number AND a.ended_s IS NULL"
            " WHERE c.presence <> 'retired'"
            + ("" if locker is None else " AND c.locker = ?")
            + " GROUP BY 1, 2, 3, 4, 5, 6, 7",
            () if locker is None else (locker,),
        )
        return [
            Alike(row[0], row[1], row[2], row[3], bool(row[4]), bool(row[5]), bool(row[6]), row[7]) for row in rows
        ]

    def open_alarms_by_locker(self) -> dict[str, int]:
        return dict(self.sql.execute("SELECT locker, count(*) FROM alarms WHERE cleared_s IS NULL GROUP BY 1"))

    # -------------------------------------------------------------- use; `locker` None: of all
    def deposits_by_hour(self, since_s: int, locker: str | None) -> dict[tuple[int, int], int]:
        """(weekday, hour) by the clock of the place -> deposits since then. Monday is 0."""
        rows = self.sql.execute(
            "SELECT (strftime('%w', deposited_s, 'unixepoch', 'localtime') + 6) % 7,"
            " CAST(strftime('%H', deposited_s, 'unixepoch', 'localtime') AS INTEGER), count(*)"
            " FROM parcels WHERE deposited_s >= ?1 AND (?2 IS NULL OR locker = ?2) GROUP BY 1, 2",
            (since_s, locker),
        )
        return {(row[0], row[1]): row[2] for row in rows}

    def dwell_s(self, since_s: int, locker: str | None, shares: tuple[float, ...]) -> tuple[int, list[int]]:
        """How many parcels put in since then were collected; and how long the quickest such share of them waited."""
        where = (
            " FROM parcels WHERE deposited_s >= ?1 AND (?2 IS NULL OR locker = ?2)"
            " AND state = 'collected' AND ended_s >= deposited_s"
        )
        count = int(self.sql.execute(f"SELECT count(*){where}", (since_s, locker)).fetchone()[0])
        if not count:
            return 0, []
        place = f"SELECT ended_s - deposited_s{where} ORDER BY 1 LIMIT 1 OFFSET ?3"
        rows = [self.sql.execute(place, (since_s, locker, int((count - 1) * share))).fetchone() for share in shares]
        return count, [int(row[0]) for row in rows]

    def failures(self, since_s: int, locker: str | None) -> list[tuple[str, int]]:
        """Alarms raised since then by kind, the most frequent first."""
        rows = self.sql.execute(
            "SELECT kind, count(*) FROM alarms WHERE raised_s >= ?1 AND (?2 IS NULL OR locker = ?2)"
            " GROUP BY kind ORDER BY 2 DESC, 1",
            (since_s, locker),
        )
        return [(row[0], row[1]) for row in rows]

    # -------------------------------------------------------------- day by day; a day is one of the place's clock
    def stays(self, since_s: int, step_s: int, before_s: int, locker: str | None) -> list[tuple[int, int | None, int]]:
        """How many parcels were put in during which step after `since_s` and left during which (None: still there). A
        step below 0 was before. Of those put in after `before_s`: the index is by deposit."""
        rows = self.sql.execute(
            "SELECT (deposited_s - ?1 + ?2 * 1000000) / ?2 - 1000000,"
            " CASE WHEN ended_s IS NOT NULL THEN (ended_s - ?1 + ?2 * 1000000) / ?2 - 1000000 END, count(*)"
            " FROM parcels WHERE deposited_s >= ?3 AND (?4 IS NULL OR locker = ?4)"
            " AND (ended_s IS NULL OR ended_s >= ?1) GROUP BY 1, 2",
            (since_s, step_s, before_s, locker),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def dwell_by_day(self, since_s: int, locker: str | None) -> dict[str, tuple[int, int]]:
        """Day of the deposit -> how many of that day's parcels were collected, and how long half of them waited."""
        rows = self.sql.execute(
            "SELECT day, whole, waited FROM (SELECT day, waited, count(*) OVER (PARTITION BY day) AS whole,"
            " row_number() OVER (PARTITION BY day ORDER BY waited) AS place FROM"
            " (SELECT date(deposited_s, 'unixepoch', 'localtime') AS day, ended_s - deposited_s AS waited"
            " FROM parcels WHERE deposited_s >= ?1 AND (?2 IS NULL OR locker = ?2)"
            " AND state = 'collected' AND ended_s >= deposited_s)) WHERE place = (whole + 1) / 2",
            (since_s, locker),
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def failures_by_day(self, since_s: int, locker: str | None) -> dict[str, int]:
        """Alarms raised on each day."""
        rows = self.sql.execute(
            "SELECT date(raised_s, 'unixepoch', 'localtime'), count(*) FROM alarms"
            " WHERE raised_s >= ?1 AND (?2 IS NULL OR locker = ?2) GROUP BY 1",
            (since_s, locker),
        )
        return {row[0]: row[1] for row in rows}

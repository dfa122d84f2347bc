"""What is counted for the metrics, each by an index or over no more than the lockers there are."""

import sqlite3

from gateway.domain.compartments import Compartment

# As Compartment.closed_to_deposits says.
CLOSED_TO_DEPOSITS = "(c.out_of_service OR (c.leaving AND c.holding = 0 AND NOT c.quarantined))"
_KIND = f"c.locker, c.size, c.door, c.holding, c.quarantined, {CLOSED_TO_DEPOSITS}, a.id IS NOT NULL"


class CountQueries:
    sql: sqlite3.Connection

    def count_compartments(self) -> list[tuple[Compartment, bool, int]]:
        """One of each kind that has the same availability, whether it is allocated, and how many are like it."""
        rows = self.sql.execute(
            f"SELECT {_KIND}, count(*) FROM compartments c LEFT JOIN allocations a"
            " ON a.locker = c.locker AND a.compartment = c.number AND a.ended_s IS NULL"
            " WHERE c.presence <> 'retired' GROUP BY 1, 2, 3, 4, 5, 6, 7"
        )
        return [(_like(*row[:6]), bool(row[6]), row[7]) for row in rows]

    def count_lockers(self, seen_after_s: int) -> tuple[int, int]:
        """All, and those that were heard since then and have not said good-bye."""
        row = self.sql.execute(
            "SELECT count(*), coalesce(sum(online AND seen_s >= ?), 0) FROM lockers", (seen_after_s,)
        ).fetchone()
        return int(row[0]), int(row[1])

    def count_alarms(self) -> dict[str, int]:
        """Open ones by kind."""
        rows = self.sql.execute(
            "SELECT kind, count(*) FROM alarms WHERE cleared_s IS NULL GROUP BY kind ORDER BY kind"
        )
        return dict(rows.fetchall())

    def count_commands_waiting(self) -> int:
        return int(self.sql.execute("SELECT count(*) FROM commands WHERE state = 'waiting'").fetchone()[0])

    def count_webhooks_by_status(self) -> tuple[int, int, int]:
        """Active, failing, disabled; what was given up long ago is not asked for."""
        row = self.sql.execute(
            "SELECT coalesce(sum(disabled_s IS NULL AND failing_since_s IS NULL), 0),"
            " coalesce(sum(disabled_s IS NULL AND failing_since_s IS NOT NULL), 0),"
            " coalesce(sum(disabled_s IS NOT NULL), 0) FROM webhooks"
        ).fetchone()
        return int(row[0]), int(row[1]), int(row[2])

    def latest_lag_s(self, events: int) -> int | None:
        """The longest of the latest `events`: from when it happened, by its locker's clock, until it stood here."""
        row = self.sql.execute(
            "SELECT max(taken_s - t_wall_s) FROM (SELECT taken_s, t_wall_s FROM events ORDER BY id DESC LIMIT ?)",
            (events,),
        ).fetchone()
        return None if row[0] is None else max(0, int(row[0]))


def _like(  # noqa: PLR0917 - a row
    locker: str, size: str, door: str, holding: int, quarantined: int, out_of_service: int
) -> Compartment:
    return Compartment(
        locker=locker,
        number=0,
        module="",
        size=size,
        width_mm=0,
        height_mm=0,
        depth_mm=0,
        x_mm=0,
        bottom_mm=0,
        accessible=False,
        door=door,
        holding=holding,
        quarantined=bool(quarantined),
        out_of_service=bool(out_of_service),
    )

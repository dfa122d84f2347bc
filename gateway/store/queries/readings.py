"""What sensors said last, in SQL."""

import sqlite3
from collections.abc import Iterable

from gateway.domain.readings import Reading

_READING = "locker, name, value, told_s"


class ReadingQueries:
    sql: sqlite3.Connection

    def keep_readings(self, told: Iterable[Reading]) -> None:
        """Each in place of the one before, unless that was told later: a message may come late."""
        self.sql.executemany(
            f"INSERT INTO readings ({_READING}) VALUES (?, ?, ?, ?) ON CONFLICT (locker, name) DO UPDATE SET"
            " value = excluded.value, told_s = excluded.told_s WHERE excluded.told_s >= told_s",
            [(one.locker, one.name, one.value, one.told_s) for one in told],
        )

    def readings_of(self, locker: str) -> list[Reading]:
        rows = self.sql.execute(f"SELECT {_READING} FROM readings WHERE locker = ? ORDER BY name", (locker,))
        return [Reading(*row) for row in rows]

    def readings_since(self, told_s: int) -> list[Reading]:
        """Of all lockers, what was told since then."""
        rows = self.sql.execute(f"SELECT {_READING} FROM readings WHERE told_s >= ? ORDER BY name, locker", (told_s,))
        return [Reading(*row) for row in rows]

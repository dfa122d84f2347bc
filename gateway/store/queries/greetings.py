"""In which language lockers greet, in SQL."""

import sqlite3

from gateway.domain.greetings import Greeting


class GreetingQueries:
    sql: sqlite3.Connection

    def greeting_of(self, locker: str) -> Greeting | None:
        row = self.sql.execute("SELECT wanted, held FROM greetings WHERE locker = ?", (locker,)).fetchone()
        return None if row is None else Greeting(*row)

    def want_greeting(self, locker: str, language: str, again_s: int) -> None:
        self.sql.execute(
            "INSERT INTO greetings (locker, wanted, again_s) VALUES (?, ?, ?)"
            " ON CONFLICT (locker) DO UPDATE SET wanted = excluded.wanted, again_s = excluded.again_s",
            (locker, language, again_s),
        )

    def hold_greeting(self, locker: str, language: str | None) -> None:
        """What the locker has kept; None: nobody knows."""
        self.sql.execute("UPDATE greetings SET held = ? WHERE locker = ?", (language, locker))

    def greet_again(self, locker: str, again_s: int) -> None:
        self.sql.execute("UPDATE greetings SET again_s = ? WHERE locker = ?", (again_s, locker))

    def greetings_lacking(self, now_s: int, limit: int) -> list[tuple[str, str]]:
        """(locker, what is wanted) where it is time to order it anew."""
        return self.sql.execute(
            "SELECT locker, wanted FROM greetings WHERE held IS NOT wanted AND again_s <= ? ORDER BY again_s LIMIT ?",
            (now_s, limit),
        ).fetchall()

"""A parcel comes into a state: the one place through which every change passes, whatever use case made it.

In the same transaction it is counted, and written down for every webhook that is to be told.
"""

import sqlite3
from collections.abc import Callable

from gateway.domain.parcels import Parcel
from gateway.domain.webhooks import TYPE_OF, body_of, event_id, is_silent

_ADD = (
    "INSERT OR IGNORE INTO deliveries (webhook, event, parcel, body, since_s, due_s)"
    " SELECT ?1, ?2, ?3, ?4, ?5, CASE WHEN EXISTS (SELECT 1 FROM deliveries e WHERE e.webhook = ?1 AND e.parcel = ?3"
    " AND e.given_up_s IS NULL) THEN NULL ELSE ?5 END"
)
EVERYONE = "role = 'operator' OR (role = 'courier' AND tenant = ?1) OR (role = 'merchant' AND tenant = ?2)"
_ITS_MERCHANT = "role = 'merchant' AND tenant = ?2"


class ChangeQueries:
    sql: sqlite3.Connection
    clock: Callable[[], int]

    def tally(self, name: str, more: int) -> None:
        """Count `more`, which may be less."""
        self.sql.execute(
            "INSERT INTO tallies (name, count) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET count = count + ?2",
            (name, more),
        )

    def tallies(self) -> dict[str, int]:
        return dict(self.sql.execute("SELECT name, count FROM tallies").fetchall())

    # -------------------------------------------------------------- what a parcel goes through
    def _note_new(self, parcel: Parcel) -> None:
        self.tally(f"parcels_{parcel.state}", 1)
        if parcel.announced:  # what a locker took in by itself was expected by nobody
            self._tell(parcel, EVERYONE)

    def _note_announced(self, parcel: Parcel) -> None:
        """Its merchant hears of it for the first time, and what has become of it. One that nobody put in is expected
        by all from here on."""
        self._tell(parcel, EVERYONE if parcel.state == "expected" else _ITS_MERCHANT)

    def _note_change(self, parcel: Parcel) -> None:
        """Before it is written."""
        before, inside_s = self.sql.execute(
            "SELECT state, deposited_s FROM parcels WHERE number = ?", (parcel.number,)
        ).fetchone()
        if inside_s is None and parcel.deposited_s is not None:
            self.tally("deposits", 1)
        if before == parcel.state:
            return
        self.tally(f"parcels_{before}", -1)
        self.tally(f"parcels_{parcel.state}", 1)
        if parcel.state == "collected":
            self.tally("pickups", 1)
        if not is_silent(before, parcel.state):
            self._tell(parcel, EVERYONE)

    def _tell(self, parcel: Parcel, whom: str, word: str = "") -> None:
        """Of its state, or of `word`: each once in its life."""
        word = word or parcel.state
        if word not in TYPE_OF:
            return
        rows = self.sql.execute(
            f"SELECT number, types FROM webhooks WHERE disabled_s IS NULL AND ({whom})",
            (parcel.carrier, parcel.merchant),
        ).fetchall()
        kind = TYPE_OF[word]
        wanting = [number for number, types in rows if not types or kind in types.split()]
        if not wanting:
            return
        now = self.clock()
        body = body_of(parcel, now, word)
        self.sql.executemany(_ADD, [(number, event_id(parcel, word), parcel.number, body, now) for number in wanting])

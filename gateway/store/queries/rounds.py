"""A courier's round in SQL: what is under way of one carrier, by locker, and which doors are free.

Live parcels of a carrier are found by the index of live labels (parcel_of_label): it holds none that has ended, so a
round costs what is under way and not what ever was, and deposits pay for no index more.
"""

import json
import sqlite3
from collections.abc import Iterable

from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import Parcel, Reservation
from gateway.store.queries.parcels import PARCEL, RESERVATION, parcel_of

_LIVE = "parcels INDEXED BY parcel_of_label WHERE carrier = ? AND ended_s IS NULL"
# As domain.compartments.availability says "free".
_FREE = (
    "c.presence = 'present' AND c.door = 'closed' AND c.holding = 0 AND NOT c.quarantined AND NOT c.out_of_service"
    " AND NOT c.leaving"
    " AND NOT EXISTS"
    " (SELECT 1 FROM allocations a WHERE a.locker = c.locker AND a.compartment = c.number AND a.ended_s IS NULL)"
)


class RoundQueries:
    sql: sqlite3.Connection

    def round_counts(self, carrier: str) -> dict[str, dict[str, int]]:
        """Locker -> state -> parcels of this carrier that have not ended."""
        rows = self.sql.execute(f"SELECT locker, state, count(*) FROM {_LIVE} GROUP BY locker, state", (carrier,))
        counts: dict[str, dict[str, int]] = {}
        for locker, state, count in rows:
            counts.setdefault(locker, {})[state] = count
        return counts

    def parcels_on_round(self, carrier: str, locker: str, states: Iterable[str], limit: int) -> list[Parcel]:
        """By door, then by label; those without a door first."""
        rows = self.sql.execute(
            f"SELECT {PARCEL} FROM {_LIVE} AND locker = ? AND state IN (SELECT value FROM json_each(?))"
            " ORDER BY coalesce(compartment, 0), label LIMIT ?",
            (carrier, locker, json.dumps(list(states)), limit),
        )
        return [parcel_of(row) for row in rows]

    def reservations_at(self, locker: str) -> dict[ParcelNumber, Reservation]:
        """What is kept there for parcels that are still to come."""
        rows = self.sql.execute(
            f"SELECT {RESERVATION} FROM allocations WHERE locker = ? AND ended_s IS NULL AND until_s IS NOT NULL",
            (locker,),
        )
        return {row[0]: Reservation(*row) for row in rows}

    def free_doors(self, lockers: Iterable[str]) -> dict[str, dict[str, int]]:
        """Locker -> size -> doors that may be offered, were the locker alive."""
        rows = self.sql.execute(
            # CROSS JOIN: SQLite keeps this order, and looks each locker's doors up by the primary key.
            "SELECT c.locker, c.size, count(*) FROM json_each(?) AS l CROSS JOIN compartments c ON c.locker = l.value"
            f" WHERE {_FREE} GROUP BY c.locker, c.size",
            (json.dumps(list(lockers)),),
        )
        doors: dict[str, dict[str, int]] = {}
        for locker, size, count in rows:
            doors.setdefault(locker, {})[size] = count
        return doors

    # -------------------------------------------------------------- who put it in
    def badge_that_asked(self, locker: str, boot: int, request: int) -> bytes | None:
        """None: nobody asked for that door over the network, or long ago."""
        where = "SELECT badge FROM deposit_requests WHERE locker = ? AND boot = ? AND request = ?"
        row = self.sql.execute(where, (locker, boot, request)).fetchone()
        return None if row is None else row[0]

    def note_handover(self, parcel: ParcelNumber, badge: bytes | None, opened_s: int | None) -> None:
        """The latest counts: a parcel that was taken out again is put in anew."""
        self.sql.execute(
            "INSERT OR REPLACE INTO handovers (parcel, badge, opened_s) VALUES (?, ?, ?)", (parcel, badge, opened_s)
        )

    def handover_of(self, parcel: ParcelNumber) -> tuple[bytes | None, int | None]:
        """(badge, when its door was let open); None for what nobody has told."""
        row = self.sql.execute("SELECT badge, opened_s FROM handovers WHERE parcel = ?", (parcel,)).fetchone()
        return (None, None) if row is None else (row[0], row[1])

"""Erasures and exports in SQL: what is known of one parcel's recipient, and its end."""

import sqlite3
from typing import Any

from gateway.domain.ids import ParcelNumber
from gateway.domain.privacy import Contact, Erasure
from gateway.limits import RECIPIENT_WAITS_S

_ERASURE = "parcel, asked_s, erased_s, done_s"
# Small tables, rewritten as a whole: SQLite's secure_delete overwrites what it frees, but moving cells between pages
# leaves a copy in one of a thousand cases.
REWRITTEN = ("recipients", "delegations", "reports", "salts")
# What ended, or never came. Nothing that is still on its way to somebody is erased.
_READY = (
    "(p.ended_s IS NOT NULL OR (p.state = 'expected' AND p.expected_s <= ?))"
    " AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.parcel = p.number AND o.ended_s IS NULL)"
)
_ERASE = (
    "UPDATE acts SET parcel = NULL, reason = '' WHERE parcel = ?",
    "DELETE FROM recipients WHERE parcel = ?",
    "DELETE FROM letters WHERE parcel = ?",
    "DELETE FROM delegations WHERE parcel = ?",
    "UPDATE reports SET words = NULL, closing = NULL WHERE parcel = ?",
    "UPDATE parcels SET accessible = 0 WHERE number = ?",
    "UPDATE operations SET parcel = NULL, reason = '' WHERE parcel = ?",
    "DELETE FROM salts WHERE parcel = ?",
)
# Whom an answer to a recipient concerns: no staff is in it.
EXPORTED = {
    "parcels": (
        "number",
        "label, locker, size, carrier, merchant, accessible, heavy, state, expected_s, compartment, deposited_s,"
        " deadline_s, ended_s",
    ),
    "recipients": ("parcel", "name, mail, phone, ref, made_s"),
    "delegations": ("parcel", "name, made_s, expiry_s, used_s, revoked_s, ended_s"),
    "letters": ("parcel", "kind, channel, state, reason, made_s, sent_s, provider_id"),
    "reports": ("parcel", "ticket, kind, found, locker, compartment, made_s, words, closed_s, closing"),
    "extensions": ("parcel", "made_s"),
    "allocations": ("parcel", "locker, compartment, made_s, until_s, ended_s"),
    "operations": ("parcel", "kind, locker, compartment, state, reason, made_s, ended_s"),
    "acts": ("parcel", "kind, locker, compartment, reason, made_s"),
    "erasures": ("parcel", "asked_s, erased_s, done_s"),
}


class PrivacyQueries:
    sql: sqlite3.Connection

    # -------------------------------------------------------------- erasing
    def add_erasure(self, parcel: ParcelNumber, now_s: int) -> None:
        """One that is there already stays, unless something was told of the person since."""
        self.sql.execute(
            "INSERT INTO erasures (parcel, asked_s) VALUES (?1, ?2) ON CONFLICT (parcel) DO UPDATE"
            " SET erased_s = NULL, done_s = NULL WHERE erased_s IS NOT NULL"
            " AND EXISTS (SELECT 1 FROM recipients WHERE parcel = ?1)",
            (parcel, now_s),
        )

    def erasure(self, parcel: ParcelNumber) -> Erasure | None:
        row = self.sql.execute(f"SELECT {_ERASURE} FROM erasures WHERE parcel = ?", (parcel,)).fetchone()
        return None if row is None else Erasure(*row)

    def erasures_ready(self, now_s: int, limit: int) -> list[ParcelNumber]:
        rows = self.sql.execute(
            "SELECT e.parcel FROM erasures e JOIN parcels p ON p.number = e.parcel"
            f" WHERE e.erased_s IS NULL AND {_READY} LIMIT ?",
            (now_s - RECIPIENT_WAITS_S, limit),
        )
        return [ParcelNumber(row[0]) for row in rows.fetchall()]

    def erase_person(self, parcel: ParcelNumber, now_s: int) -> int:
        """No row leads from this parcel to anybody any more. How many acts lost their link to it."""
        linked = "SELECT count(*) FROM acts WHERE parcel = ? AND hash IS NOT NULL"
        unlinked = int(self.sql.execute(linked, (parcel,)).fetchone()[0])
        # In place first: what is left of it somewhere in the file is of no use without the salt.
        self.sql.execute("UPDATE salts SET salt = zeroblob(16) WHERE parcel = ?", (parcel,))
        for statement in _ERASE:
            self.sql.execute(statement, (parcel,))
        self.sql.execute("UPDATE erasures SET erased_s = ? WHERE parcel = ?", (now_s, parcel))
        return unlinked

    def erasures_unfinished(self, limit: int) -> list[ParcelNumber]:
        """Erased from the rows, and perhaps not from the files."""
        rows = self.sql.execute(
            "SELECT parcel FROM erasures WHERE erased_s IS NOT NULL AND done_s IS NULL LIMIT ?", (limit,)
        )
        return [ParcelNumber(row[0]) for row in rows.fetchall()]

    def finish_erasures(self, parcels: list[ParcelNumber], now_s: int) -> None:
        self.sql.executemany("UPDATE erasures SET done_s = ? WHERE parcel = ?", [(now_s, one) for one in parcels])

    def rewrite_personal(self) -> None:
        """Every page of the personal tables is freed, which overwrites it, and written anew. Not while foreign keys
        are checked: then rows are deleted one by one, and pages go on being used."""
        for table in REWRITTEN:
            self.sql.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM main.{table}")
            self.sql.execute(f"DELETE FROM main.{table}")
            self.sql.execute(f"INSERT INTO main.{table} SELECT * FROM temp.kept")
            self.sql.execute("DROP TABLE temp.kept")

    # -------------------------------------------------------------- looking
    def parcels_of_person(self, contact: Contact, limit: int) -> list[ParcelNumber]:
        """Newest first. Reads every recipient there is: an address can be written in many ways."""
        found: list[ParcelNumber] = []
        rows = self.sql.execute("SELECT parcel, mail, phone FROM recipients ORDER BY made_s DESC, parcel")
        for parcel, mail, phone in rows:
            if contact.fits(mail, phone):
                found.append(ParcelNumber(parcel))
            if len(found) == limit:
                break
        return found

    def all_of_person(self, parcel: ParcelNumber) -> dict[str, list[dict[str, Any]]]:
        """Table -> rows -> columns, as they are in the books."""
        found: dict[str, list[dict[str, Any]]] = {}
        for table, (key, columns) in EXPORTED.items():
            rows = self.sql.execute(f"SELECT {columns} FROM {table} WHERE {key} = ?", (parcel,)).fetchall()
            names = columns.split(", ")
            found[table] = [dict(zip(names, row, strict=True)) for row in rows]
        return found

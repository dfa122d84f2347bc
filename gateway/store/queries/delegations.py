"""Delegations in SQL: whom somebody sends to collect. The name is personal; a token is not here at all."""

import sqlite3

from gateway.domain.delegations import Delegation
from gateway.domain.ids import ParcelNumber

_DELEGATION = "id, parcel, name, made_s, expiry_s, used_s, revoked_s, ended_s, revocation"


class DelegationQueries:
    sql: sqlite3.Connection

    def add_delegation(self, made: Delegation) -> None:
        self.sql.execute(
            "INSERT INTO delegations (id, parcel, name, made_s, expiry_s) VALUES (?, ?, ?, ?, ?)",
            (made.id, made.parcel, made.name, made.made_s, made.expiry_s),
        )

    def delegation(self, id8: bytes) -> Delegation | None:
        row = self.sql.execute(f"SELECT {_DELEGATION} FROM delegations WHERE id = ?", (id8,)).fetchone()
        return None if row is None else Delegation(*row)

    def delegations_of(self, parcel: ParcelNumber) -> list[Delegation]:
        """In the order they were made."""
        rows = self.sql.execute(f"SELECT {_DELEGATION} FROM delegations WHERE parcel = ? ORDER BY position", (parcel,))
        return [Delegation(*row) for row in rows]

    def keep_delegation(self, changed: Delegation) -> None:
        self.sql.execute(
            "UPDATE delegations SET used_s = ?, revoked_s = ?, ended_s = ?, revocation = ? WHERE id = ?",
            (changed.used_s, changed.revoked_s, changed.ended_s, changed.revocation, changed.id),
        )

    def end_delegations(self, parcel: ParcelNumber, now_s: int) -> None:
        """Their deposit number is spent, or about to be."""
        self.sql.execute(
            "UPDATE delegations SET ended_s = ? WHERE parcel = ? AND revoked_s IS NULL AND ended_s IS NULL",
            (now_s, parcel),
        )

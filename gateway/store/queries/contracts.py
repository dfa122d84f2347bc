"""Contracts between merchants and carriers, and claims to a label, in SQL."""

import sqlite3

from gateway.domain.contracts import Claim, Contract, Pair
from gateway.domain.ids import ParcelNumber

_ASKED = "?1 IS NULL OR merchant = ?1"
_AND = "?2 IS NULL OR carrier = ?2"
# Word for word the condition of the index parcels_unvouched, and those of them that are still to come.
_WAITING = "NOT vouched AND ended_s IS NULL AND state IN ('expected', 'reserved')"


class ContractQueries:
    sql: sqlite3.Connection

    def add_contract(self, made: Contract) -> bool:
        """False: there was one already, which stays."""
        where = "INSERT INTO contracts (merchant, carrier, since_s) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        return self.sql.execute(where, (made.merchant, made.carrier, made.since_s)).rowcount == 1

    def contract(self, merchant: str, carrier: str) -> Contract | None:
        where = "SELECT merchant, carrier, since_s FROM contracts WHERE merchant = ? AND carrier = ?"
        row = self.sql.execute(where, (merchant, carrier)).fetchone()
        return None if row is None else Contract(*row)

    def end_contract(self, merchant: str, carrier: str) -> bool:
        """False: there was none."""
        where = "DELETE FROM contracts WHERE merchant = ? AND carrier = ?"
        return self.sql.execute(where, (merchant, carrier)).rowcount == 1

    def count_contracts(self) -> int:
        return int(self.sql.execute("SELECT count(*) FROM contracts").fetchone()[0])

    def pairs(self, merchant: str | None, carrier: str | None) -> list[Pair]:
        """Every contract, and whoever has announced parcels without one; None: of all. By merchant, then carrier."""
        rows = self.sql.execute(
            "SELECT merchant, carrier, max(since_s), sum(waiting) FROM ("
            f"SELECT merchant, carrier, since_s, 0 AS waiting FROM contracts WHERE ({_ASKED}) AND ({_AND})"
            f" UNION ALL SELECT merchant, carrier, NULL, 1 FROM parcels WHERE {_WAITING} AND ({_ASKED}) AND ({_AND})"
            ") GROUP BY merchant, carrier ORDER BY merchant, carrier",
            (merchant, carrier),
        )
        return [Pair(*row) for row in rows.fetchall()]

    # -------------------------------------------------------------- claims
    def add_claim(self, parcel: ParcelNumber, merchant: str, now_s: int) -> bool:
        """False: it was known."""
        where = "INSERT INTO claims (parcel, merchant, made_s) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        return self.sql.execute(where, (parcel, merchant, now_s)).rowcount == 1

    def claims(self, merchant: str | None, carrier: str | None, limit: int) -> list[Claim]:
        """Of parcels that have not ended, the newest first; None: of all."""
        rows = self.sql.execute(
            "SELECT p.number, p.label, p.carrier, p.locker, c.merchant, c.made_s, p.vouched AND p.announced"
            " FROM claims c JOIN parcels p ON p.number = c.parcel WHERE p.ended_s IS NULL"
            " AND (?1 IS NULL OR c.merchant = ?1) AND (?2 IS NULL OR p.carrier = ?2)"
            " ORDER BY c.made_s DESC, c.parcel, c.merchant LIMIT ?3",
            (merchant, carrier, limit),
        )
        return [Claim(*row[:-1], decided=bool(row[-1])) for row in rows.fetchall()]

    def contested_at(self, locker: str) -> bool:
        """Whether a parcel that is to come to this locker waits for its carrier's word."""
        where = (
            "SELECT 1 FROM claims c JOIN parcels p ON p.number = c.parcel"
            " WHERE p.locker = ? AND NOT p.vouched AND p.ended_s IS NULL"
        )
        return self.sql.execute(where, (locker,)).fetchone() is not None

"""Credentials and badges in SQL. A secret is here only as its SHA-256, a badge's token not at all."""

import sqlite3
from collections.abc import Sequence

from gateway.domain.ids import CredentialNumber
from gateway.domain.people import Badge, Credential

_CREDENTIAL = "number, role, tenant, scopes, name, made_s, revoked_s"
_BADGE = "id, carrier, holder, made_s, expiry_s, revoked_s, role, locker"
_TOLD = (
    ", (SELECT count(done_s) FROM token_revocations WHERE token = badges.id)"
    ", (SELECT count(*) FROM token_revocations WHERE token = badges.id)"
)


def _credential(row: Sequence[object]) -> Credential:
    fields = list(row)
    fields[3] = frozenset(str(fields[3]).split())
    return Credential(*fields)  # pyright: ignore[reportArgumentType]


class PeopleQueries:
    sql: sqlite3.Connection

    def add_credential(self, credential: Credential, digest: bytes) -> None:
        self.sql.execute(
            "INSERT INTO credentials (number, digest, role, tenant, scopes, name, made_s)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                credential.number,
                digest,
                credential.role,
                credential.tenant,
                " ".join(sorted(credential.scopes)),
                credential.name,
                credential.made_s,
            ),
        )

    def credential_of(self, digest: bytes) -> Credential | None:
        row = self.sql.execute(f"SELECT {_CREDENTIAL} FROM credentials WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else _credential(row)

    def credential(self, number: CredentialNumber) -> Credential | None:
        row = self.sql.execute(f"SELECT {_CREDENTIAL} FROM credentials WHERE number = ?", (number,)).fetchone()
        return None if row is None else _credential(row)

    def credentials(self) -> list[Credential]:
        return [_credential(row) for row in self.sql.execute(f"SELECT {_CREDENTIAL} FROM credentials ORDER BY made_s")]

    def keep_scopes(self, number: CredentialNumber, scopes: frozenset[str]) -> None:
        self.sql.execute("UPDATE credentials SET scopes = ? WHERE number = ?", (" ".join(sorted(scopes)), number))

    def revoke_credential(self, number: CredentialNumber, now_s: int) -> None:
        self.sql.execute(
            "UPDATE credentials SET revoked_s = ? WHERE number = ? AND revoked_s IS NULL", (now_s, number)
        )

    def add_badge(self, badge: Badge) -> None:
        self.sql.execute(
            f"INSERT INTO badges ({_BADGE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                badge.id,
                badge.carrier,
                badge.holder,
                badge.made_s,
                badge.expiry_s,
                badge.revoked_s,
                badge.role,
                badge.locker,
            ),
        )

    def badge(self, id8: bytes) -> Badge | None:
        row = self.sql.execute(f"SELECT {_BADGE}{_TOLD} FROM badges WHERE id = ?", (id8,)).fetchone()
        return None if row is None else Badge(*row)

    def badges(self, carrier: str | None) -> list[Badge]:
        rows = self.sql.execute(
            f"SELECT {_BADGE}{_TOLD} FROM badges WHERE ?1 IS NULL OR carrier = ?1 ORDER BY made_s, id", (carrier,)
        )
        return [Badge(*row) for row in rows]

    def revoke_badge(self, id8: bytes, now_s: int) -> None:
        self.sql.execute("UPDATE badges SET revoked_s = ? WHERE id = ? AND revoked_s IS NULL", (now_s, id8))

    def disown(self, owner: str) -> tuple[int, int]:
        """What this name looks after and is still open is nobody's; how many alarms and reports."""
        alarms = "UPDATE alarms SET owner = NULL, owned_s = NULL WHERE owner = ? AND cleared_s IS NULL"
        reports = "UPDATE reports SET owner = NULL, owned_s = NULL WHERE owner = ? AND closed_s IS NULL"
        return self.sql.execute(alarms, (owner,)).rowcount, self.sql.execute(reports, (owner,)).rowcount

    def revoked_badges(self, locker: str, now_s: int) -> list[Badge]:
        """Those that would still be good on this locker."""
        rows = self.sql.execute(
            f"SELECT {_BADGE} FROM badges WHERE revoked_s IS NOT NULL AND expiry_s > ? AND coalesce(locker, ?2) = ?2"
            " ORDER BY revoked_s, id",
            (now_s, locker),
        )
        return [Badge(*row) for row in rows]

    # -------------------------------------------------------------- what lockers have still to take back
    def add_revocation(self, token: bytes, locker: str, expiry_s: int) -> None:
        """Ordered now, whatever was said before."""
        self.sql.execute(
            "INSERT OR REPLACE INTO token_revocations (token, locker, expiry_s) VALUES (?, ?, ?)",
            (token, locker, expiry_s),
        )

    def end_revocation(self, token: bytes, locker: str, now_s: int) -> None:
        self.sql.execute(
            "UPDATE token_revocations SET done_s = coalesce(done_s, ?), retry_s = NULL WHERE token = ? AND locker = ?",
            (now_s, token, locker),
        )

    def retry_revocation(self, token: bytes, locker: str, retry_s: int) -> None:
        self.sql.execute(
            "UPDATE token_revocations SET retry_s = ? WHERE token = ? AND locker = ? AND done_s IS NULL",
            (retry_s, token, locker),
        )

    def revocations_due(self, now_s: int, limit: int) -> list[tuple[bytes, str, int]]:
        """(token, locker, expiry_s)"""
        rows = self.sql.execute(
            "SELECT token, locker, expiry_s FROM token_revocations WHERE retry_s <= ? ORDER BY retry_s LIMIT ?",
            (now_s, limit),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def drop_revocations(self, now_s: int) -> None:
        """What has expired opens nothing, revoked or not."""
        self.sql.execute("DELETE FROM token_revocations WHERE expiry_s <= ?", (now_s,))

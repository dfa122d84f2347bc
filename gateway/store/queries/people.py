"""Credentials and badges in SQL. A secret is here only as its SHA-256, a badge's token not at all."""

import sqlite3
from collections.abc import Sequence

from gateway.domain.ids import CredentialNumber
from gateway.domain.people import Badge, Credential

_CREDENTIAL = "number, role, tenant, scopes, name, made_s, revoked_s"
_BADGE = "id, carrier, holder, made_s, expiry_s, revoked_s"


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
            f"INSERT INTO badges ({_BADGE}) VALUES (?, ?, ?, ?, ?, ?)",
            (badge.id, badge.carrier, badge.holder, badge.made_s, badge.expiry_s, badge.revoked_s),
        )

    def badge(self, id8: bytes) -> Badge | None:
        row = self.sql.execute(f"SELECT {_BADGE} FROM badges WHERE id = ?", (id8,)).fetchone()
        return None if row is None else Badge(*row)

    def badges(self, carrier: str | None) -> list[Badge]:
        rows = self.sql.execute(
            f"SELECT {_BADGE} FROM badges WHERE ?1 IS NULL OR carrier = ?1 ORDER BY made_s, id", (carrier,)
        )
        return [Badge(*row) for row in rows]

    def revoke_badge(self, id8: bytes, now_s: int) -> None:
        self.sql.execute("UPDATE badges SET revoked_s = ? WHERE id = ? AND revoked_s IS NULL", (now_s, id8))

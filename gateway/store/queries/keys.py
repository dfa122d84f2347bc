"""Signing keys, the check of the master key, and which locker believes which key, in SQL."""

import json
import sqlite3
from collections.abc import Iterable

from gateway.domain.signing_keys import SigningKey
from protocol.messages import Trust

_KEY = "kid, public_key, state, introduced_by, introduction, signs_s, signed_s"
# Looked at every few seconds for a whole fleet: what nobody lacks and nobody has too much costs two look-ups a locker.
_BEHIND = f"""
SELECT l.id FROM lockers l WHERE l.generation > 0
  AND (EXISTS (SELECT 1 FROM json_each(?1) w WHERE NOT EXISTS (
         SELECT 1 FROM locker_keys k WHERE k.locker = l.id AND hex(k.kid) = w.value))
    OR EXISTS (SELECT 1 FROM json_each(?2) g JOIN locker_keys k ON k.locker = l.id AND hex(k.kid) = g.value))
  AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.locker = l.id AND c.type = {Trust.TYPE}
         AND (c.state IN ('waiting', 'sent') OR (c.state = 'refused' AND c.issued_s > ?3)))
ORDER BY l.id"""


def _hex(kids: Iterable[bytes]) -> str:
    return json.dumps([kid.hex().upper() for kid in kids])


class KeyQueries:
    sql: sqlite3.Connection

    # -------------------------------------------------------------- the gateway's keys
    def key_check(self, name: str) -> bytes | None:
        row = self.sql.execute("SELECT value FROM key_checks WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def keep_key_check(self, name: str, value: bytes) -> None:
        self.sql.execute("INSERT OR REPLACE INTO key_checks (name, value) VALUES (?, ?)", (name, value))

    def signing_keys(self) -> list[SigningKey]:
        """The current one first, those let go last."""
        rows = self.sql.execute(
            f"SELECT {_KEY} FROM signing_keys ORDER BY state != 'current', state IN ('dropped', 'lost'),"
            " signed_s DESC, kid"
        )
        return [SigningKey(*row) for row in rows]

    def keep_signing_keys(self, keys: Iterable[SigningKey]) -> None:
        """All of them: one state is never held by two, not even for a moment."""
        self.sql.execute("DELETE FROM signing_keys")
        self.sql.executemany(
            f"INSERT INTO signing_keys ({_KEY}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    key.kid,
                    key.public_key,
                    key.state,
                    key.introduced_by,
                    key.introduction,
                    key.signs_s,
                    key.signed_s,
                )
                for key in keys
            ],
        )

    def something_depends_on_keys(self) -> bool:
        """A provisioned locker or a badge: whoever starts with other keys cuts these off."""
        row = self.sql.execute(
            "SELECT EXISTS (SELECT 1 FROM lockers WHERE generation > 0) OR EXISTS (SELECT 1 FROM badges)"
        ).fetchone()
        return bool(row[0])

    # -------------------------------------------------------------- who believes what
    def believed(self) -> dict[str, frozenset[bytes]]:
        """Provisioned locker -> the keys it believes."""
        found: dict[str, set[bytes]] = {}
        rows = self.sql.execute(
            "SELECT l.id, k.kid FROM lockers l LEFT JOIN locker_keys k ON k.locker = l.id WHERE l.generation > 0"
            " ORDER BY l.id"
        )
        for locker, kid in rows:
            found.setdefault(locker, set()).update(() if kid is None else (kid,))
        return {locker: frozenset(kids) for locker, kids in found.items()}

    def believe(self, locker: str, kid: bytes, now_s: int) -> None:
        self.sql.execute(
            "INSERT OR IGNORE INTO locker_keys (locker, kid, since_s) VALUES (?, ?, ?)", (locker, kid, now_s)
        )

    def disbelieve(self, locker: str, kid: bytes | None = None) -> None:
        """`kid` None: it believes none any more."""
        self.sql.execute("DELETE FROM locker_keys WHERE locker = ?1 AND (?2 IS NULL OR kid = ?2)", (locker, kid))

    def lockers_behind(self, wanted: Iterable[bytes], let_go: Iterable[bytes], refused_after_s: int) -> list[str]:
        """Provisioned lockers that lack one of `wanted` or believe one of `let_go`, to whom no Trust is under way and
        who refused none after `refused_after_s`."""
        rows = self.sql.execute(_BEHIND, (_hex(wanted), _hex(let_go), refused_after_s))
        return [row[0] for row in rows]

    def supersede_trust(self, locker: str) -> None:
        """What is under way to this locker about signing keys means nothing any more."""
        self.sql.execute(
            f"UPDATE commands SET state = 'expired' WHERE locker = ? AND type = {Trust.TYPE}"
            " AND state IN ('waiting', 'sent')",
            (locker,),
        )

    # -------------------------------------------------------------- what a key has signed
    def badges_signed(self, from_s: int, until_s: int, now_s: int) -> int:
        """Good ones made in this time."""
        row = self.sql.execute(
            "SELECT count(*) FROM badges WHERE made_s BETWEEN ? AND ? AND expiry_s > ? AND revoked_s IS NULL",
            (from_s, until_s, now_s),
        ).fetchone()
        return int(row[0])

    def parcels_waiting(self, until_s: int) -> int:
        """Put in before `until_s` and not fetched yet: their QR code may have been read out in that time."""
        row = self.sql.execute(
            "SELECT count(*) FROM parcels WHERE state = 'deposited' AND deposited_s <= ?", (until_s,)
        ).fetchone()
        return int(row[0])

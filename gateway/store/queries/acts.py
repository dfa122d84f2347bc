"""What people did, and openings that wait for a second person, in SQL."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace

from gateway.domain.acts import Act, Opening
from gateway.domain.audit import Chain, Link, about_digest, actor_digest, link_hash
from gateway.domain.ids import NUMBER_MAX

_ACT = "id, kind, made_by, credential, locker, compartment, parcel, operation, reason, made_s"
_OPENING = (
    "number, locker, compartment, deposit, reason, made_by, credential, made_s, until_s, ended_s, confirmed_by,"
    " confirmed_credential, operation"
)
_SALT_SIZE = 16


class ActQueries:
    sql: sqlite3.Connection

    def add_act(self, act: Act, randomness: Callable[[int], bytes]) -> None:
        """Its id is given here, and its place in the chain. `randomness` is for new salts."""
        head_id, head_hash = self.sql.execute("SELECT head_id, head_hash FROM chain").fetchone()
        act = replace(act, id=head_id + 1)
        salt = self._salt("actor", act.by, act.made_s, randomness)
        actor = actor_digest(salt, act)
        if act.parcel is not None:
            salt = self._salt("parcel", act.parcel, act.made_s, randomness)
        about = about_digest(salt, act)
        linked = link_hash(head_hash, act, actor, about)
        self.sql.execute(
            f"INSERT INTO acts ({_ACT}, actor, about, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                act.id,
                act.kind,
                act.by,
                act.credential,
                act.locker,
                act.compartment,
                act.parcel,
                act.operation,
                act.reason,
                act.made_s,
                actor,
                about,
                linked,
            ),
        )
        self.sql.execute("UPDATE chain SET head_id = ?, head_hash = ?", (act.id, linked))

    def _salt(self, column: str, whose: str | int, now_s: int, randomness: Callable[[int], bytes]) -> bytes:
        row = self.sql.execute(f"SELECT salt FROM salts WHERE {column} = ?", (whose,)).fetchone()
        if row is not None:
            return row[0]
        salt = randomness(_SALT_SIZE)
        self.sql.execute(f"INSERT INTO salts ({column}, salt, made_s) VALUES (?, ?, ?)", (whose, salt, now_s))
        return salt

    def chain(self) -> Chain:
        return Chain(*self.sql.execute("SELECT after_id, after_hash, head_id, head_hash FROM chain").fetchone())

    def links_after(self, act: int, limit: int) -> list[Link]:
        """In the order of the chain."""
        columns = ", ".join(f"a.{name}" for name in _ACT.split(", "))
        rows = self.sql.execute(
            f"SELECT {columns}, a.actor, a.about, a.hash, s.salt, p.salt FROM acts a"
            " LEFT JOIN salts s ON s.actor = a.made_by LEFT JOIN salts p ON p.parcel = a.parcel"
            " WHERE a.id > ? ORDER BY a.id LIMIT ?",
            (act, limit),
        )
        return [Link(Act(*row[:10]), *row[10:]) for row in rows]

    def acts_before(self, before: int | None, locker: str | None, limit: int) -> list[Act]:
        """Newest first, below id `before`; of one locker, or of all there is."""
        own = "1" if locker is None else "locker = ?3"
        top = NUMBER_MAX if before is None else before
        values = (top, limit) if locker is None else (top, limit, locker)
        rows = self.sql.execute(f"SELECT {_ACT} FROM acts WHERE id < ?1 AND {own} ORDER BY id DESC LIMIT ?2", values)
        return [Act(*row) for row in rows]

    def acts_of_parcel(self, parcel: int, limit: int) -> list[Act]:
        """Newest first."""
        where = f"SELECT {_ACT} FROM acts WHERE parcel = ? ORDER BY id DESC LIMIT ?"
        return [Act(*row) for row in self.sql.execute(where, (parcel, limit))]

    # -------------------------------------------------------------- openings that wait for a second person
    def add_opening(self, opening: Opening) -> None:
        """Raises sqlite3.IntegrityError where one is live: the use case must have looked."""
        self.sql.execute(
            "INSERT INTO openings (number, locker, compartment, deposit, reason, made_by, credential, made_s, until_s)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                opening.number,
                opening.locker,
                opening.compartment,
                opening.deposit,
                opening.reason,
                opening.by,
                opening.credential,
                opening.made_s,
                opening.until_s,
            ),
        )

    def opening(self, number: int) -> Opening | None:
        row = self.sql.execute(f"SELECT {_OPENING} FROM openings WHERE number = ?", (number,)).fetchone()
        return None if row is None else Opening(*row)

    def live_opening(self, locker: str, compartment: int) -> Opening | None:
        row = self.sql.execute(
            f"SELECT {_OPENING} FROM openings WHERE locker = ? AND compartment = ? AND ended_s IS NULL",
            (locker, compartment),
        ).fetchone()
        return None if row is None else Opening(*row)

    def live_openings(self, now_s: int, limit: int) -> list[Opening]:
        """Those whose time is not up; oldest first."""
        rows = self.sql.execute(
            f"SELECT {_OPENING} FROM openings WHERE ended_s IS NULL AND until_s > ? ORDER BY made_s LIMIT ?",
            (now_s, limit),
        )
        return [Opening(*row) for row in rows]

    def end_opening(self, opening: Opening) -> None:
        self.sql.execute(
            "UPDATE openings SET ended_s = ?, confirmed_by = ?, confirmed_credential = ?, operation = ?"
            " WHERE number = ?",
            (
                opening.ended_s,
                opening.confirmed_by,
                opening.confirmed_credential,
                opening.operation,
                opening.number,
            ),
        )

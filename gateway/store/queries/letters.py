"""Letters in SQL: what is owed, what is due, what became of it. No personal field is written here."""

import sqlite3
from collections.abc import Sequence

from gateway.domain.ids import ParcelNumber
from gateway.domain.letters import Letter, News, Recipient
from gateway.store.queries.parcels import PARCEL, parcel_of

_LETTER = "id, parcel, kind, deposit, channel, made_s, due_s, tries, state, reason, sent_s, provider_id"
# Word for word the conditions of the indexes parcels_untold and parcels_to_remind.
_UNTOLD = (
    "announced AND state IN ('deposited', 'expired', 'collected')"
    " AND (told_state IS NOT state OR told_deposit IS NOT deposit)"
)
_TO_REMIND = "state = 'deposited' AND announced AND paused_s IS NULL AND NOT reminded AND deadline_s <= ?"


def _letter(row: Sequence[object]) -> Letter:
    return Letter(*row)  # pyright: ignore[reportArgumentType]


class LetterQueries:
    sql: sqlite3.Connection

    def somebody_is_to_be_told(self, remind_until_s: int) -> bool:
        where = f"SELECT 1 FROM parcels WHERE {_UNTOLD} LIMIT 1"
        if self.sql.execute(where).fetchone() is not None:
            return True
        where = f"SELECT 1 FROM parcels WHERE {_TO_REMIND} LIMIT 1"
        return self.sql.execute(where, (remind_until_s,)).fetchone() is not None

    def untold(self, limit: int) -> list[News]:
        rows = self.sql.execute(
            f"SELECT {PARCEL}, told_state, told_deposit FROM parcels WHERE {_UNTOLD} LIMIT ?", (limit,)
        )
        return [News(parcel_of(row[:-2]), *row[-2:]) for row in rows.fetchall()]

    def to_remind(self, deadline_until_s: int, limit: int) -> list[News]:
        rows = self.sql.execute(
            f"SELECT {PARCEL}, told_state, told_deposit FROM parcels WHERE {_TO_REMIND} ORDER BY deadline_s LIMIT ?",
            (deadline_until_s, limit),
        )
        return [News(parcel_of(row[:-2]), *row[-2:]) for row in rows.fetchall()]

    def mark_told(self, number: ParcelNumber) -> None:
        """Of how it stands."""
        self.sql.execute("UPDATE parcels SET told_state = state, told_deposit = deposit WHERE number = ?", (number,))

    def mark_reminded(self, number: ParcelNumber) -> None:
        self.sql.execute("UPDATE parcels SET reminded = 1 WHERE number = ?", (number,))

    def recipient_of(self, number: ParcelNumber) -> Recipient | None:
        row = self.sql.execute("SELECT name, mail, phone FROM recipients WHERE parcel = ?", (number,)).fetchone()
        return None if row is None else Recipient(*row)

    def add_letter(self, letter: Letter) -> None:
        """Its id is not used. One that is there already stays as it is."""
        self.sql.execute(
            "INSERT INTO letters (parcel, kind, deposit, channel, made_s, due_s, state, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                letter.parcel,
                letter.kind,
                letter.deposit,
                letter.channel,
                letter.made_s,
                letter.due_s,
                letter.state,
                letter.reason,
            ),
        )

    def letters_due(self, channel: str, now_s: int, limit: int) -> list[Letter]:
        rows = self.sql.execute(
            f"SELECT {_LETTER} FROM letters WHERE channel = ? AND state = 'waiting' AND due_s <= ?"
            " ORDER BY due_s, id LIMIT ?",
            (channel, now_s, limit),
        )
        return [_letter(row) for row in rows.fetchall()]

    def letters_of(self, number: ParcelNumber) -> list[Letter]:
        """In the order they were made."""
        rows = self.sql.execute(f"SELECT {_LETTER} FROM letters WHERE parcel = ? ORDER BY id", (number,))
        return [_letter(row) for row in rows.fetchall()]

    def keep_letter(self, letter: Letter) -> None:
        """One that waits."""
        self.sql.execute(
            "UPDATE letters SET made_s = ?, due_s = ?, tries = ?, state = ?, reason = ?, sent_s = ?, provider_id = ?"
            " WHERE id = ? AND state = 'waiting'",
            (
                letter.made_s,
                letter.due_s,
                letter.tries,
                letter.state,
                letter.reason,
                letter.sent_s,
                letter.provider_id,
                letter.id,
            ),
        )

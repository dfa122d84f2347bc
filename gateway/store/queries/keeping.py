"""What ends by time alone, in SQL: personal fields at their terms (gateway/domain/personal.py), in bounded batches.

The books stay whole without the person: which parcel lay where, when, and how many there were.
"""

import sqlite3
from dataclasses import dataclass

from gateway.domain.personal import TIMERS
from gateway.limits import KEEPING_BATCH_MAX, RECIPIENT_WAITS_S

ERASED_LABEL = "*"  # of a parcel whose label has ended


@dataclass(frozen=True)
class Rule:
    """`due`: the keys of what has ended, `?1`: by then, `?2`: so many. `ends`: what is done about each of them."""

    timer: str
    due: str
    ends: tuple[str, ...]


def _delete(table: str, key: str, due: str, timer: str = "trail") -> Rule:
    return Rule(timer, f"SELECT {key} FROM {table} WHERE {due} LIMIT ?2", (f"DELETE FROM {table} WHERE {key} = ?",))


_FORGET = ("DELETE FROM letters WHERE parcel = ?", "DELETE FROM recipients WHERE parcel = ?")
# Ids of the log are never given twice: its last row stays. Of the first rows only, because nothing is found by time,
# and of none while the very first one is not due. (With `> 0` a walk from the beginning is a search to SQLite.)
_FIRST_EVENTS = (
    "SELECT id FROM (SELECT e.id, e.taken_s FROM events e WHERE NOT EXISTS (SELECT 1 FROM reports r"
    " WHERE r.locker = e.locker AND r.after_event < e.id AND r.closed_s IS NULL) AND e.id > 0 ORDER BY e.id LIMIT ?2)"
    " WHERE taken_s <= ?1 AND id < (SELECT max(id) FROM events)"
    " AND (SELECT taken_s FROM events WHERE id > 0 ORDER BY id LIMIT 1) <= ?1"
)
_FIRST_COMMANDS = (
    "SELECT position FROM"
    " (SELECT position, issued_s, state FROM commands WHERE position > 0 ORDER BY position LIMIT ?2)"
    " WHERE issued_s <= ?1 AND state NOT IN ('waiting', 'sent') AND position < (SELECT max(position) FROM commands)"
    " AND (SELECT issued_s FROM commands WHERE position > 0 ORDER BY position LIMIT 1) <= ?1"
)
_NEVER_CAME = (
    "SELECT r.parcel FROM recipients r JOIN parcels p ON p.number = r.parcel"
    " WHERE r.ended_s IS NULL AND r.made_s <= ?1 AND +p.state = 'expected' LIMIT ?2"
)
_LABEL_NEVER_CAME = (
    "SELECT number FROM parcels WHERE state = 'expected' AND ended_s IS NULL AND expected_s <= ?1 LIMIT ?2"
)
# It ends with its label, which its carrier may use again. If a locker tells of its deposit after all it lives again,
# among others of its kind: so each has a mark of its own.
_END_NEVER_CAME = (
    f"UPDATE parcels SET label = '{ERASED_LABEL}' || position, accessible = 0,"
    f" ended_s = expected_s + {RECIPIENT_WAITS_S} WHERE number = ?"
)
RULES = (
    Rule("recipient", "SELECT parcel FROM recipients WHERE ended_s <= ?1 LIMIT ?2", _FORGET),
    Rule("never_came", _NEVER_CAME, _FORGET),
    Rule("never_came", _LABEL_NEVER_CAME, (_END_NEVER_CAME, "DELETE FROM claims WHERE parcel = ?")),
    _delete("delegations", "id", "left_s <= ?1", "recipient"),
    Rule(
        "recipient",
        "SELECT ticket FROM reports WHERE left_s <= ?1 AND words IS NOT NULL LIMIT ?2",
        ("UPDATE reports SET words = NULL WHERE ticket = ?",),
    ),
    Rule(
        "recipient",
        "SELECT number FROM parcels WHERE accessible AND ended_s <= ?1 LIMIT ?2",
        ("UPDATE parcels SET accessible = 0 WHERE number = ?",),
    ),
    Rule(
        "parcel",
        "SELECT number FROM parcels WHERE label <> '*' AND ended_s <= ?1 LIMIT ?2",
        (
            f"UPDATE parcels SET label = '{ERASED_LABEL}' WHERE number = ?",
            "DELETE FROM handovers WHERE parcel = ?",
            "DELETE FROM claims WHERE parcel = ?",
        ),
    ),
    Rule(
        "trail",
        "SELECT ticket FROM reports WHERE closed_s <= ?1 AND closed_by IS NOT NULL LIMIT ?2",
        ("UPDATE reports SET closed_by = NULL, closing = NULL, owner = NULL WHERE ticket = ?",),
    ),
    Rule("trail", _FIRST_EVENTS, ("DELETE FROM events WHERE id = ?",)),
    Rule("trail", _FIRST_COMMANDS, ("DELETE FROM commands WHERE position = ?",)),
    _delete("operations", "number", "ended_s <= ?1"),
    _delete("alarms", "id", "cleared_s <= ?1 AND id < (SELECT max(id) FROM alarms)"),
    _delete("openings", "number", "until_s <= ?1"),
    # None lasts longer than its rows are kept, so what was taken back has expired by then and no locker is told of it.
    _delete("badges", "id", "min(coalesce(revoked_s, expiry_s), expiry_s) <= ?1"),
    _delete("credentials", "number", "revoked_s <= ?1"),
    _delete("erasures", "parcel", "done_s <= ?1"),
    _delete(
        "salts",
        "id",
        "made_s <= ?1 AND NOT EXISTS (SELECT 1 FROM acts WHERE acts.parcel = salts.parcel)"
        " AND NOT EXISTS (SELECT 1 FROM acts WHERE acts.made_by = salts.actor)",
    ),
)


class KeepingQueries:
    sql: sqlite3.Connection

    def end_what_is_due(self, now_s: int) -> int:
        """One round of every rule; how many rows it ended."""
        ended = 0
        for rule in RULES:
            values = (now_s - TIMERS[rule.timer].kept_s, KEEPING_BATCH_MAX)
            keys = self.sql.execute(rule.due, values).fetchall()
            for statement in rule.ends if keys else ():
                self.sql.executemany(statement, keys)
            ended += len(keys)
        return ended + self._drop_acts(now_s - TIMERS["trail"].kept_s)

    def _drop_acts(self, before_s: int) -> int:
        """The first ones; the chain begins after them from then on. The last one stays: ids are never given twice."""
        rows = self.sql.execute(
            "SELECT id, hash FROM (SELECT id, hash, made_s FROM acts ORDER BY id LIMIT ?2)"
            " WHERE made_s <= ?1 AND id < (SELECT max(id) FROM acts)"
            " AND (SELECT made_s FROM acts ORDER BY id LIMIT 1) <= ?1",
            (before_s, KEEPING_BATCH_MAX),
        ).fetchall()
        if rows:
            last_id, last_hash = rows[-1]
            self.sql.execute("DELETE FROM acts WHERE id <= ?", (last_id,))
            self.sql.execute(
                "UPDATE chain SET after_id = ?1, after_hash = coalesce(?2, after_hash) WHERE after_id < ?1",
                (last_id, last_hash),
            )
        return len(rows)

"""Webhooks and what they have not taken yet, in SQL."""

import sqlite3
from collections.abc import Sequence

from gateway.domain.ids import WebhookNumber
from gateway.domain.webhooks import Delivery, Webhook

_COLUMNS = (
    "number, role, tenant, url, types, description, salt, made_s, old_salt, old_until_s, disabled_s,"
    " failing_since_s, failures, hold_until_s, delivered_s, failed_s, failure"
)
_COUNTED = (
    ", (SELECT count(*) FROM deliveries d WHERE d.webhook = webhooks.number AND d.given_up_s IS NULL)"
    ", (SELECT count(*) FROM deliveries d WHERE d.webhook = webhooks.number AND d.given_up_s IS NOT NULL)"
)
_DELIVERY = "d.position, d.webhook, d.event, d.parcel, d.body, d.since_s, d.tries"


def _webhook(row: Sequence[object]) -> Webhook:
    fields = list(row)
    fields[4] = frozenset(str(fields[4]).split())
    return Webhook(*fields)  # pyright: ignore[reportArgumentType]


class WebhookQueries:
    sql: sqlite3.Connection

    def add_webhook(self, made: Webhook) -> None:
        self.sql.execute(
            "INSERT INTO webhooks (number, role, tenant, url, types, description, salt, made_s)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                made.number,
                made.role,
                made.tenant,
                made.url,
                " ".join(sorted(made.types)),
                made.description,
                made.salt,
                made.made_s,
            ),
        )

    def webhook(self, number: WebhookNumber, counted: bool = True) -> Webhook | None:
        """`counted`: with how many events it has not taken."""
        columns = _COLUMNS + (_COUNTED if counted else "")
        row = self.sql.execute(f"SELECT {columns} FROM webhooks WHERE number = ?", (number,)).fetchone()
        return None if row is None else _webhook(row)

    def webhooks(self, role: str | None, tenant: str) -> list[Webhook]:
        """Of one tenant, oldest first. `role` None: everyone's."""
        rows = self.sql.execute(
            f"SELECT {_COLUMNS}{_COUNTED} FROM webhooks WHERE ?1 IS NULL OR (role = ?1 AND tenant = ?2)"
            " ORDER BY made_s, number",
            (role, tenant),
        )
        return [_webhook(row) for row in rows]

    def webhooks_ready(self, now_s: int) -> list[Webhook]:
        """Those to which something may be sent now; not counted what."""
        rows = self.sql.execute(
            f"SELECT {_COLUMNS} FROM webhooks WHERE disabled_s IS NULL AND hold_until_s <= ?", (now_s,)
        )
        return [_webhook(row) for row in rows]

    def count_webhooks(self) -> int:
        return int(self.sql.execute("SELECT count(*) FROM webhooks").fetchone()[0])

    def keep_webhook(self, changed: Webhook) -> None:
        """All but what it was made with."""
        self.sql.execute(
            "UPDATE webhooks SET salt = ?, old_salt = ?, old_until_s = ?, disabled_s = ?, failing_since_s = ?,"
            " failures = ?, hold_until_s = ?, delivered_s = ?, failed_s = ?, failure = ? WHERE number = ?",
            (
                changed.salt,
                changed.old_salt,
                changed.old_until_s,
                changed.disabled_s,
                changed.failing_since_s,
                changed.failures,
                changed.hold_until_s,
                changed.delivered_s,
                changed.failed_s,
                changed.failure,
                changed.number,
            ),
        )

    def remove_webhook(self, number: WebhookNumber) -> None:
        self.sql.execute("DELETE FROM deliveries WHERE webhook = ?", (number,))
        self.sql.execute("DELETE FROM webhooks WHERE number = ?", (number,))

    # -------------------------------------------------------------- what has not been taken yet
    def deliveries_due(self, webhook: WebhookNumber, now_s: int, limit: int) -> list[Delivery]:
        """Of each parcel the earliest only: what came later waits for it."""
        rows = self.sql.execute(
            f"SELECT {_DELIVERY} FROM deliveries d WHERE d.webhook = ?1 AND d.given_up_s IS NULL AND d.due_s <= ?2"
            " AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.webhook = ?1 AND e.parcel = d.parcel"
            " AND e.position < d.position AND e.given_up_s IS NULL) ORDER BY d.due_s, d.position LIMIT ?3",
            (webhook, now_s, limit),
        )
        return [Delivery(*row) for row in rows]

    def delivered(self, position: int) -> None:
        self.sql.execute("DELETE FROM deliveries WHERE position = ?", (position,))

    def try_again(self, position: int, tries: int, due_s: int) -> None:
        self.sql.execute("UPDATE deliveries SET tries = ?, due_s = ? WHERE position = ?", (tries, due_s, position))

    def give_up(self, position: int, now_s: int) -> None:
        self.sql.execute("UPDATE deliveries SET given_up_s = ? WHERE position = ?", (now_s, position))

    def give_all_up(self, webhook: WebhookNumber, now_s: int) -> None:
        self.sql.execute(
            "UPDATE deliveries SET given_up_s = ? WHERE webhook = ? AND given_up_s IS NULL", (now_s, webhook)
        )

    def take_up_again(self, webhook: WebhookNumber, now_s: int) -> None:
        """What waits and what was given up is as new."""
        self.sql.execute(
            "UPDATE deliveries SET given_up_s = NULL, tries = 0, since_s = ?1, due_s = ?1 WHERE webhook = ?2",
            (now_s, webhook),
        )

    def drop_given_up(self, before_s: int) -> None:
        self.sql.execute(
            "DELETE FROM deliveries WHERE webhook IN (SELECT number FROM webhooks) AND given_up_s < ?", (before_s,)
        )

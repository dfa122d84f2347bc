"""What webhooks are told, and what becomes of it: taken, tried again, given up.

Nothing is lost by a crash: a row goes only after its receiver said that it has it, so it may be told twice, under the
same id.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.domain.webhooks import Delivery, Webhook, hold_s, wait_s
from gateway.limits import WEBHOOK_AGE_S_MAX, WEBHOOK_GIVEN_UP_KEPT_S, WEBHOOK_RETRY_AFTER_S_MAX
from gateway.services.desk import Desk
from gateway.services.ports import Transaction

DELIVERED, FAILED, GIVEN_UP = "delivered", "failed", "given_up"
RESULTS = (DELIVERED, FAILED, GIVEN_UP)
GONE = "gone"  # 410: its receiver wants no more


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one try. `failure`: a word, "" when it was taken. `retry_after_s`: what the receiver asked for."""

    delivery: Delivery
    failure: str
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A webhook to which something may be sent, and with which secrets it is signed."""

    webhook: Webhook
    secrets: tuple[bytes, ...]


def ready(desk: Desk) -> list[Ready]:
    now = desk.clock()
    with desk.store.reading() as tx:
        found = tx.webhooks_ready(now)
    return [Ready(one, tuple(desk.keys.webhook_secret(salt) for salt in one.salts(now))) for one in found]


def due(desk: Desk, webhook: Webhook, limit: int) -> list[Delivery]:
    """Of each parcel the earliest only."""
    with desk.store.reading() as tx:
        return tx.deliveries_due(webhook.number, desk.clock(), limit)


def settle(desk: Desk, outcomes: Iterable[Outcome]) -> list[tuple[Outcome, str]]:
    """Commits before it returns; what became of each that still was of interest."""
    done: list[tuple[Outcome, str]] = []
    with desk.store.transaction() as tx:
        for outcome in outcomes:
            webhook = tx.webhook(outcome.delivery.webhook, counted=False)
            if webhook is None:
                continue  # deleted meanwhile
            result = _settle(desk, tx, webhook, outcome)
            tx.tally(f"deliveries_{result}", 1)
            done.append((outcome, result))
    return done


def _settle(desk: Desk, tx: Transaction, webhook: Webhook, outcome: Outcome) -> str:
    now = desk.clock()
    delivery = outcome.delivery
    if not outcome.failure:
        tx.delivered(delivery.position)
        tx.keep_webhook(replace(webhook, failing_since_s=None, failures=0, hold_until_s=0, delivered_s=now))
        return DELIVERED
    failed = _failed(webhook, outcome, now)
    if outcome.failure == GONE:
        tx.keep_webhook(replace(failed, disabled_s=now))
        tx.give_all_up(webhook.number, now)
        return GIVEN_UP
    tx.keep_webhook(failed)
    tries = delivery.tries + 1
    wait = wait_s(tries, desk.randomness(1)[0])
    if wait is None or now - delivery.since_s > WEBHOOK_AGE_S_MAX:
        tx.give_up(delivery.position, now)
        return GIVEN_UP
    tx.try_again(delivery.position, tries, now + wait)
    return FAILED


def _failed(webhook: Webhook, outcome: Outcome, now: int) -> Webhook:
    """Tries that were under way at the same time count as one failure."""
    failures = webhook.failures + (webhook.hold_until_s <= now)
    held = now + hold_s(failures)
    if outcome.retry_after_s is not None:
        held = max(held, now + min(outcome.retry_after_s, WEBHOOK_RETRY_AFTER_S_MAX))
    return replace(
        webhook,
        failing_since_s=now if webhook.failing_since_s is None else webhook.failing_since_s,
        failures=failures,
        hold_until_s=max(held, webhook.hold_until_s),
        failed_s=now,
        failure=outcome.failure,
    )


def forget_given_up(desk: Desk) -> None:
    with desk.store.transaction() as tx:
        tx.drop_given_up(desk.clock() - WEBHOOK_GIVEN_UP_KEPT_S)

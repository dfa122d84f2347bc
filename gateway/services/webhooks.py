"""Use cases about webhooks: make one, look, delete, change its secret, ask again for what it missed.

A tenant has its own and is told of its own parcels; the operator sees all of them. A secret is told once.
"""

from collections.abc import Sequence
from dataclasses import replace

from gateway.domain.destinations import UNREACHABLE, destination_of, reachable
from gateway.domain.errors import Refusal
from gateway.domain.ids import WebhookNumber
from gateway.domain.people import OPERATOR, Principal
from gateway.domain.webhooks import SALT_SIZE, Webhook, check_webhook, secret_text
from gateway.limits import WEBHOOK_OVERLAP_HOURS_MAX, WEBHOOKS_MAX, WEBHOOKS_OF_TENANT_MAX
from gateway.services.desk import Desk
from gateway.services.ports import Transaction

_SCOPE = "webhooks:write"


def make_webhook(  # noqa: PLR0917 - a use case takes what it takes
    desk: Desk, who: Principal, url: str, types: Sequence[str], description: str, addresses: Sequence[str]
) -> tuple[Webhook, str]:
    """`addresses`: where its host leads now. With its secret. Raises Refusal: not_allowed, bad_value, wrong_state."""
    who.must(_SCOPE)
    check_webhook(types, description)
    allow_private = desk.settings.webhooks_allow_private
    destination_of(url, allow_private)
    if not reachable(addresses, allow_private):
        raise Refusal("bad_value", UNREACHABLE)
    made = Webhook(
        number=WebhookNumber(desk.number()),
        role=who.role,
        tenant=who.tenant,
        url=url,
        types=frozenset(types),
        description=description,
        salt=desk.randomness(SALT_SIZE),
        made_s=desk.clock(),
    )
    with desk.store.transaction() as tx:
        own = tx.webhooks(who.role, who.tenant)
        if len(own) >= WEBHOOKS_OF_TENANT_MAX or tx.count_webhooks() >= WEBHOOKS_MAX:
            raise Refusal("wrong_state", f"{WEBHOOKS_OF_TENANT_MAX} webhooks at most", ("delete one first",))
        tx.add_webhook(made)
    return made, _secret(desk, made.salt)


def _secret(desk: Desk, salt: bytes) -> str:
    return secret_text(desk.keys.webhook_secret(salt))


def list_webhooks(desk: Desk, who: Principal) -> list[Webhook]:
    who.must(_SCOPE)
    with desk.store.reading() as tx:
        return tx.webhooks(None if who.role == OPERATOR else who.role, who.tenant)


def get_webhook(desk: Desk, who: Principal, number: WebhookNumber) -> Webhook:
    who.must(_SCOPE)
    with desk.store.reading() as tx:
        return _known(tx, who, number)


def delete_webhook(desk: Desk, who: Principal, number: WebhookNumber) -> None:
    """It is told nothing more, not even what waits."""
    who.must(_SCOPE)
    with desk.store.transaction() as tx:
        tx.remove_webhook(_known(tx, who, number).number)


def rotate_secret(desk: Desk, who: Principal, number: WebhookNumber, overlap_hours: int) -> tuple[Webhook, str]:
    """A new secret; the one before signs too for that long. With the new one. Raises Refusal: bad_value."""
    who.must(_SCOPE)
    if not 0 <= overlap_hours <= WEBHOOK_OVERLAP_HOURS_MAX:
        raise Refusal("bad_value", f"overlap_hours: 0 to {WEBHOOK_OVERLAP_HOURS_MAX}")
    with desk.store.transaction() as tx:
        known = _known(tx, who, number)
        changed = replace(
            known,
            salt=desk.randomness(SALT_SIZE),
            old_salt=known.salt if overlap_hours else None,
            old_until_s=desk.clock() + overlap_hours * 3_600 if overlap_hours else None,
        )
        tx.keep_webhook(changed)
    return changed, _secret(desk, changed.salt)


def deliver_again(desk: Desk, who: Principal, number: WebhookNumber) -> Webhook:
    """What was given up is new again, nothing is held back any more, and what was disabled is active."""
    who.must(_SCOPE)
    now = desk.clock()
    with desk.store.transaction() as tx:
        known = _known(tx, who, number)
        tx.keep_webhook(replace(known, disabled_s=None, failing_since_s=None, failures=0, hold_until_s=0))
        tx.take_up_again(known.number, now)
        return _known(tx, who, number)


def _known(tx: Transaction, who: Principal, number: WebhookNumber) -> Webhook:
    """Somebody else's is as unknown as none. Raises Refusal("unknown_webhook")."""
    found = tx.webhook(number)
    if found is None or not (who.role == OPERATOR or (found.role, found.tenant) == (who.role, who.tenant)):
        raise Refusal("unknown_webhook", "there is no such webhook", ("list your webhooks",))
    return found

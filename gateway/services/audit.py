"""Use cases about the log of acts as a chain: is it whole, and what is its head."""

from collections.abc import Iterator

from gateway.domain.audit import Check, Link, verify
from gateway.domain.people import Principal
from gateway.limits import AUDIT_BATCH
from gateway.services.desk import Desk, must_operate
from gateway.services.ports import Transaction


def check(desk: Desk, who: Principal) -> Check:
    """Of every act there is, in one view. Raises Refusal("not_allowed")."""
    must_operate(who, "events:read")
    with desk.store.reading() as tx:
        chain = tx.chain()
        return verify(chain, _links(tx, chain.after_id))


def _links(tx: Transaction, after: int) -> Iterator[Link]:
    while rows := tx.links_after(after, AUDIT_BATCH):
        yield from rows
        after = rows[-1].act.id


def head(desk: Desk) -> tuple[int, str]:
    """For the log, which the books cannot rewrite."""
    with desk.store.reading() as tx:
        chain = tx.chain()
    return chain.head_id, chain.head_hash.hex()

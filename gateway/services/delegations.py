"""Use cases about delegations: let somebody else collect, see whom one sent, take it back.

A token that is out is worth nothing from the moment the locker has answered RevokeToken, and not before.
"""

from dataclasses import replace

from gateway.domain.codes import delegate_token, has_scanner
from gateway.domain.compartments import Compartment
from gateway.domain.delegations import Delegation, check_delegate
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.operations import REISSUE, REVOKE_TOKEN, TAKE_BACK, Operation
from gateway.domain.parcels import NEXT_ACTIONS, Parcel
from gateway.domain.people import Principal
from gateway.limits import DELEGATIONS_MAX, DELEGATIONS_OPEN_MAX, EXTENSION_S
from gateway.services import reports
from gateway.services.batch import Batch
from gateway.services.desk import Desk, known_locker, known_parcel
from gateway.services.orders import begin_operation, order
from gateway.services.ports import Transaction
from gateway.services.reissues import running_for
from protocol.messages import PickupAuthorised, RevokeToken, Up


def delegate(desk: Desk, who: Principal, number: ParcelNumber, name: str, id8: bytes | None = None) -> Delegation:
    """The token is told this once. `id8`: of a form that may be sent twice; the second time it is the same delegation.
    Raises Refusal: not_allowed, bad_value, wrong_state, no_scanner."""
    who.must("codes:write")
    check_delegate(name)
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        before = None if id8 is None else tx.delegation(id8)
        if before is not None:
            return shown_again(desk, tx, parcel, before)
        _must_be_collectable(tx, parcel)
        assert parcel.deadline_s is not None
        id8 = id8 or desk.randomness(8)
        token = delegate_token(parcel, id8, desk.keys.kid, desk.keys.sign)
        made = Delegation(id8, parcel.number, name, desk.clock(), parcel.deadline_s, token=token)
        tx.add_delegation(made)
    return made


def shown_again(desk: Desk, tx: Transaction, parcel: Parcel, made: Delegation) -> Delegation:
    """With its token, worked out anew while it opens the door. Raises Refusal: unknown_delegation, wrong_state."""
    if made.parcel != parcel.number:
        raise Refusal("unknown_delegation", "this parcel has no such delegation", ("list them",))
    if made.state != "open" or not reports.to_fetch(tx, parcel):
        raise Refusal("wrong_state", f"this delegation is {made.state} and opens nothing", ("list them",))
    return replace(made, token=delegate_token(parcel, made.id, desk.keys.kid, desk.keys.sign))


def _must_be_collectable(tx: Transaction, parcel: Parcel) -> None:
    """By whoever shows a QR with its present number. Raises Refusal."""
    if not reports.to_fetch(tx, parcel):
        raise Refusal("wrong_state", f"a parcel that is {parcel.state} has no code", NEXT_ACTIONS[parcel.state])
    if not has_scanner(known_locker(tx, parcel.locker).code_digits):
        share = "let the recipient share the pickup code: it is typed at the locker"
        raise Refusal("no_scanner", "this locker has no scanner that could read a delegate's QR", (share,))
    if any(running_for(tx, parcel, kind) is not None for kind in (REISSUE, TAKE_BACK)):
        raise Refusal("wrong_state", "its code is being changed or taken back", ("wait for that operation's end",))
    made = tx.delegations_of(parcel.number)
    if sum(one.opens for one in made) >= DELEGATIONS_OPEN_MAX:
        raise Refusal("wrong_state", f"{DELEGATIONS_OPEN_MAX} delegations of it are open", ("take one back first",))
    if len(made) >= DELEGATIONS_MAX:
        raise Refusal("wrong_state", f"it has had {DELEGATIONS_MAX} delegations", ("share the pickup code instead",))


def list_delegations(desk: Desk, who: Principal, number: ParcelNumber) -> list[Delegation]:
    """In the order they were made, without their tokens."""
    who.must("codes:write")
    with desk.store.reading() as tx:
        return tx.delegations_of(known_parcel(tx, who, number).number)


def revoke_delegation(desk: Desk, who: Principal, number: ParcelNumber, id8: bytes) -> Operation:
    """Asked again: the same operation. Raises Refusal: not_allowed, unknown_delegation, wrong_state."""
    who.must("codes:write")
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        known = tx.delegation(id8)
        if known is None or known.parcel != parcel.number:
            raise Refusal("unknown_delegation", "this parcel has no such delegation", ("list them",))
        ordered = None if known.revocation is None else tx.operation(known.revocation)
        if ordered is not None:
            return ordered
        if not known.opens:
            raise Refusal("wrong_state", f"this delegation is {known.state} and opens nothing", ("list them",))
        assert parcel.compartment is not None
        operation = begin_operation(
            desk, tx, who, REVOKE_TOKEN, (parcel.locker, parcel.compartment), parcel, REVOKE_TOKEN
        )
        tx.keep_delegation(replace(known, revocation=operation.number))
        # A locker forgets a token once it has expired; its parcel may wait one extension longer.
        message = RevokeToken(known.id, known.expiry_s + EXTENSION_S)
        order(desk, tx, parcel.locker, message, operation=operation.number, parcel=parcel.number)
        return operation


# ------------------------------------------------------------------ what the locker says
def opened_by(batch: Batch, box: Compartment, parcel: Parcel, up: Up) -> None:
    """Whoever stood there had a delegate's token: which one, and may it have been?"""
    event = up.event
    assert isinstance(event, PickupAuthorised)
    if event.token is None:
        return
    known = batch.tx.delegation(event.token)
    if known is None or known.parcel != parcel.number:
        batch.alarm(box.locker, box.number, "pickup_by_an_unknown_delegate", parcel.number)
        return
    if known.revoked_s is not None and not event.reopen:
        batch.alarm(box.locker, box.number, "pickup_by_a_revoked_delegate", parcel.number)
    if known.used_s is None:
        batch.tx.keep_delegation(replace(known, used_s=batch.when_s(up)))


def revoked(batch: Batch, locker: str, token: bytes) -> Delegation | None:
    """The locker took this token back; None: it is no delegation for that locker."""
    known = batch.tx.delegation(token)
    parcel = None if known is None else batch.tx.parcel(known.parcel)
    if known is None or parcel is None or parcel.locker != locker:
        return None
    if known.revoked_s is None:
        batch.tx.keep_delegation(replace(known, revoked_s=batch.now))
    return known


def not_revoked(batch: Batch, token: bytes) -> None:
    """The locker did not take it back: it is as open as before, and can be revoked anew."""
    known = batch.tx.delegation(token)
    if known is not None and known.revoked_s is None:
        batch.tx.keep_delegation(replace(known, revocation=None))

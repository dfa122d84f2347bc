"""Announcing a parcel, and whose word counts where two announce the same label (gateway/domain/announcements.py).

Its carrier, or the operator, may always say whose a parcel is: what a merchant said before is confirmed or replaced.
Between two merchants nobody wins: no door opens until the carrier has said so. Whoever loses something is told.
"""

from dataclasses import replace

from gateway.domain.acts import LABEL_CONTESTED, LABEL_DECIDED
from gateway.domain.announcements import agrees, decides, said_so
from gateway.domain.contracts import CONTESTED, NO_CONTRACT, refusal
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import NewParcel, Parcel, check_parcel
from gateway.domain.people import COURIER, GATEWAY, MERCHANT, Principal
from gateway.services import acts, allocations, joins
from gateway.services.desk import Desk, known_locker, known_parcel
from gateway.services.ports import Transaction
from gateway.services.receipt_order import INSIDE, UNANNOUNCED
from gateway.services.withdrawals import spend_code, withdraw

ALARM = "label_contested"
DECIDE = ("name its recipient: your word replaces the merchant's", "or name the merchant, to confirm what it said")


def announce(desk: Desk, who: Principal, new: NewParcel) -> Parcel | Refusal:
    """One that its locker took in before it was announced is completed, by its carrier or the operator. A refusal that
    is returned has changed the books (a claim was noted) and must be committed; one that is raised has not. Raises
    Refusal: not_allowed, no_contract, bad_value, unknown_locker, already_exists."""
    who.must("parcels:write")
    new = _owned(who, new)
    check_parcel(new)
    with desk.store.transaction() as tx:
        known_locker(tx, new.locker)
        if who.role == MERCHANT and tx.contract(who.tenant, new.carrier) is None:
            raise refusal(NO_CONTRACT)
        known = tx.parcel_of_label(new.carrier, new.label)
        if known is None:
            return _expect(desk, tx, who, new)
        if who.role == MERCHANT and who.tenant != new.carrier:
            return _claim(desk, tx, who, known)
        if not known.announced and known.locker == new.locker:
            return _complete(desk, tx, known, new)
        if known.announced and not known.vouched and not said_so(who, known):
            return _decide(desk, tx, who, known, new)
        raise _known()


def _owned(who: Principal, new: NewParcel) -> NewParcel:
    """A carrier expects its own parcels; a merchant's are its own, whoever carries them."""
    if who.role == COURIER and new.carrier != who.tenant:
        raise Refusal("not_allowed", "this key announces parcels of its own carrier only")
    if who.role == MERCHANT:
        if new.merchant not in ("", who.tenant):
            raise Refusal("not_allowed", "this key announces parcels of its own merchant only")
        return replace(new, merchant=who.tenant)
    return new


def _known() -> Refusal:
    next_actions = ("look for it", "its carrier or the operator can announce it")
    return Refusal("already_exists", "this carrier has a parcel of this label under way", next_actions)


def _expect(desk: Desk, tx: Transaction, who: Principal, new: NewParcel) -> Parcel:
    parcel = Parcel(
        number=ParcelNumber(desk.number()),
        label=new.label,
        locker=new.locker,
        size=new.size,
        carrier=new.carrier,
        merchant=new.merchant,
        accessible=new.accessible,
        heavy=new.heavy,
        state="expected",
        expected_s=desk.clock(),
        vouched=who.role != MERCHANT,
    )
    tx.add_parcel(parcel, new)
    return parcel


# ------------------------------------------------------------------ a merchant, and a label that is known
def _claim(desk: Desk, tx: Transaction, who: Principal, known: Parcel) -> Refusal:
    """What its carrier said stays, and what lies in a locker unannounced is its carrier's to announce: a merchant who
    names its label must not become its recipient. What another merchant said is nobody's from now on."""
    if known.announced and known.merchant == who.tenant:
        raise _known()
    new = tx.add_claim(known.number, who.tenant, desk.clock())
    tx.note_contested(known)
    if new:
        acts.note(desk, tx, who, LABEL_CONTESTED, desk.clock(), parcel=known.number, reason=who.tenant)
    if known.vouched:
        return _known()
    if known.state in INSIDE:
        _shut(desk, tx, known)
    else:
        tx.raise_alarm(known.locker, 0, ALARM, known.number, desk.clock())
    return refusal(CONTESTED)


def _shut(desk: Desk, tx: Transaction, known: Parcel) -> None:
    """It lies there, and somebody may know its code who is not its recipient."""
    spend_code(desk, tx, withdraw(desk, tx, known))
    tx.raise_alarm(known.locker, known.compartment or 0, UNANNOUNCED, known.number, desk.clock())


# ------------------------------------------------------------------ its carrier, or the operator
def _decide(desk: Desk, tx: Transaction, who: Principal, known: Parcel, new: NewParcel) -> Parcel:
    """The same that its merchant said is confirmed. Another person, or another merchant, replaces it; what lies in its
    locker stays there. Raises Refusal: already_exists, label_contested."""
    if not decides(known, new):
        code = "label_contested" if known.standing == CONTESTED else "already_exists"
        raise Refusal(code, "a merchant has announced this label", DECIDE)
    acts.note(desk, tx, who, LABEL_DECIDED, desk.clock(), parcel=known.number, reason=known.merchant)
    if agrees(known, tx.announced_for(known.number), new):
        tx.vouch(known.number)
        decided = known_parcel(tx, GATEWAY, known.number)
    elif known.state in INSIDE:
        withdrawn = withdraw(desk, tx, known)
        _complete(desk, tx, withdrawn, new)
        spend_code(desk, tx, withdrawn)
        decided = known_parcel(tx, GATEWAY, known.number)
    else:
        decided = _replace(desk, tx, known, new)
    if not tx.contested_at(known.locker):
        tx.clear_alarms(known.locker, 0, ALARM, desk.clock())
    return decided


def _replace(desk: Desk, tx: Transaction, known: Parcel, new: NewParcel) -> Parcel:
    """A door that was kept for what its merchant said is given back."""
    released = allocations.release(desk, tx, withdraw(desk, tx, known))
    changed = replace(
        released,
        locker=new.locker,
        size=new.size,
        merchant=new.merchant,
        accessible=new.accessible,
        heavy=new.heavy,
        announced=True,
    )
    tx.keep_parcel(changed)
    tx.announce_parcel(changed, new)
    return known_parcel(tx, GATEWAY, known.number)


def _complete(desk: Desk, tx: Transaction, parcel: Parcel, new: NewParcel) -> Parcel:
    """Its courier was quicker than its announcement. Its days count from now: nobody could be told before."""
    changed = replace(parcel, merchant=new.merchant, accessible=new.accessible, heavy=new.heavy, announced=True)
    if changed.state == "deposited":
        changed = replace(changed, deadline_s=desk.clock() + desk.pickup_s_at(tx, changed.locker))
    tx.announce_parcel(changed, new)
    if changed.compartment is not None:
        tx.clear_alarms(changed.locker, changed.compartment, UNANNOUNCED, desk.clock())
    if changed.state == "deposited":
        tx.keep_parcel(changed)
        joins.join(desk, tx, changed)
    return known_parcel(tx, GATEWAY, parcel.number)

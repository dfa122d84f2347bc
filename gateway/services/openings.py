"""Use cases about opening a door from afar where a parcel may lie: two people have to want it, each with a key.

One asks and says why; the other, with another key, agrees within ten minutes; only then is the order written. An
empty compartment opens at once. `doors.open_compartment` stays what programs call (README, 2026-11-29).
"""

from dataclasses import replace

from gateway.domain.acts import OPENING_ASKED, OPENING_CONFIRMED, OPENING_WITHDRAWN, Opening
from gateway.domain.compartments import Compartment
from gateway.domain.errors import Refusal
from gateway.domain.ids import CredentialNumber
from gateway.domain.operations import Operation, check_reason
from gateway.domain.people import Principal
from gateway.limits import OPENING_WAITS_S, PAGE_SIZE
from gateway.services import acts, doors
from gateway.services.desk import Desk, known_compartment, must_operate
from gateway.services.ports import Transaction
from protocol.numbers import FREE

SCOPE = "doors:open"


def ask_to_open(desk: Desk, who: Principal, locker: str, number: int, reason: str) -> Operation | Opening:
    """The order, or where something lies inside what waits for a second person; asked again by the same key: the same.

    Raises Refusal: not_allowed, unknown_compartment, out_of_service, bad_value, wrong_state.
    """
    must_operate(who, SCOPE)
    with desk.store.transaction() as tx:
        box = known_compartment(tx, locker, number)
        if not may_hold(tx, box):
            return doors.open_compartment(desk, who, locker, number, reason)
        if box.out_of_service:
            raise Refusal("out_of_service", "this compartment is out of service", ("put it into service first",))
        check_reason(reason)
        waiting = tx.live_opening(locker, number)
        if waiting is not None and waiting.waits_at(desk.clock()):
            if waiting.credential == who.credential:
                return waiting
            raise Refusal("wrong_state", "somebody has asked for this door", ("confirm that, or withdraw it",))
        if waiting is not None:
            tx.end_opening(replace(waiting, ended_s=waiting.until_s))
        return _asked(desk, tx, who, box, reason)


def may_hold(tx: Transaction, box: Compartment) -> bool:
    """By the locker's word or by ours."""
    kept = tx.allocation_at(box.locker, box.number)
    return box.holding != FREE or (kept is not None and kept.until_s is None)


def _asked(desk: Desk, tx: Transaction, who: Principal, box: Compartment, reason: str) -> Opening:
    now = desk.clock()
    opening = Opening(
        number=desk.number(),
        locker=box.locker,
        compartment=box.number,
        deposit=box.deposit,
        reason=reason,
        by=who.name,
        credential=_key_of(who),
        made_s=now,
        until_s=now + OPENING_WAITS_S,
    )
    tx.add_opening(opening)
    acts.note(desk, tx, who, OPENING_ASKED, now, place=(box.locker, box.number), reason=reason)
    return opening


def confirm_opening(desk: Desk, who: Principal, number: int) -> Operation:
    """The second person's word: the order goes out. Said again by the same key: the same order.

    Raises Refusal: not_allowed, unknown_opening, same_person, too_late, wrong_state, out_of_service.
    """
    must_operate(who, SCOPE)
    with desk.store.transaction() as tx:
        opening = _known(tx, number)
        key = _key_of(who)
        if opening.operation is not None and opening.confirmed_credential == key:
            done = tx.operation(opening.operation)
            assert done is not None
            return done
        _check_second(tx, opening, key)
        if not opening.waits_at(desk.clock()):
            raise Refusal("too_late", "this request has ended", ("ask for the door anew",))
        box = known_compartment(tx, opening.locker, opening.compartment)
        if box.deposit != opening.deposit or not may_hold(tx, box):
            raise Refusal("wrong_state", "what lies there is not what was asked for", ("look, and ask anew",))
        place, reason, now = (opening.locker, opening.compartment), opening.reason, desk.clock()
        operation = doors.open_compartment(desk, who, *place, reason)
        order = operation.number
        confirmed = replace(opening, confirmed_by=who.name, confirmed_credential=key, operation=order, ended_s=now)
        tx.end_opening(confirmed)
        acts.note(desk, tx, who, OPENING_CONFIRMED, now, place=place, operation=order, reason=reason)
        return operation


def _check_second(tx: Transaction, opening: Opening, key: CredentialNumber) -> None:
    """Another key, and not one that the first person had made for it. Raises Refusal: same_person, too_late."""
    if key == opening.credential:
        raise Refusal("same_person", "whoever asks cannot confirm", ("let somebody with another key confirm",))
    first, second = tx.credential(opening.credential), tx.credential(key)
    if first is None or first.revoked_s is not None:
        raise Refusal("too_late", "the key that asked has been revoked", ("ask for the door anew",))
    if second is None or second.made_s >= opening.made_s:
        raise Refusal("same_person", "this key is younger than the request", ("use a key that was there before",))


def withdraw_opening(desk: Desk, who: Principal, number: int) -> Opening:
    """By whoever may open doors: a request too many does no harm, one too few costs a walk. Again: the same."""
    must_operate(who, SCOPE)
    with desk.store.transaction() as tx:
        opening = _known(tx, number)
        if opening.ended_s is not None:
            return opening
        ended = replace(opening, ended_s=desk.clock())
        tx.end_opening(ended)
        place = (opening.locker, opening.compartment)
        acts.note(desk, tx, who, OPENING_WITHDRAWN, desk.clock(), place=place, reason=opening.reason)
        return ended


def waiting_openings(desk: Desk, who: Principal) -> list[Opening]:
    must_operate(who, SCOPE)
    with desk.store.reading() as tx:
        return tx.live_openings(desk.clock(), PAGE_SIZE)


def _known(tx: Transaction, number: int) -> Opening:
    """Raises Refusal("unknown_opening")."""
    found = tx.opening(number)
    if found is None:
        raise Refusal("unknown_opening", "there is no such request", ("look at the door's page",))
    return found


def _key_of(who: Principal) -> CredentialNumber:
    """Raises Refusal("not_allowed")."""
    if who.credential is None:
        raise Refusal("not_allowed", "this is for people who have a key of their own")
    return who.credential

"""Use cases about erasing a recipient: asked for at any time, done once the parcel has left, told how far it is.

While a parcel is under way its recipient has to be told of it; so an erasure waits, and nothing else does. First the
rows go, in one transaction; within minutes what is left of them in the files is overwritten (`finish`).
"""

from gateway.domain.acts import ERASURE_ASKED, PERSON_ERASED
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.people import GATEWAY, Principal
from gateway.domain.privacy import Contact, Erasure
from gateway.limits import FOUND_OF_A_PERSON_MAX, KEEPING_BATCH_MAX
from gateway.services import acts
from gateway.services.desk import Desk, known_parcel, must_operate
from gateway.services.ports import Transaction

SCOPE = "privacy:write"


def erase(desk: Desk, who: Principal, number: ParcelNumber) -> Erasure:
    """Of the recipient of a parcel. Asked again: the same one. Raises Refusal: not_allowed, unknown_parcel."""
    must_operate(who, SCOPE)
    with desk.store.transaction() as tx:
        known_parcel(tx, who, number)
        return ask(desk, tx, who, number)


def erase_person(desk: Desk, who: Principal, contact: Contact) -> list[Erasure]:
    """Of every parcel with this address; none: nothing is known of it. Raises Refusal: not_allowed, bad_value."""
    must_operate(who, SCOPE)
    contact.check()
    with desk.store.transaction() as tx:
        return [ask(desk, tx, who, number) for number in found(tx, contact)]


def found(tx: Transaction, contact: Contact) -> list[ParcelNumber]:
    """Raises Refusal("bad_value") where there are too many: a sender's own address in every order is no person's."""
    numbers = tx.parcels_of_person(contact, FOUND_OF_A_PERSON_MAX + 1)
    if len(numbers) > FOUND_OF_A_PERSON_MAX:
        raise Refusal("bad_value", f"more than {FOUND_OF_A_PERSON_MAX} parcels have it", ("ask parcel by parcel",))
    return numbers


def ask(desk: Desk, tx: Transaction, who: Principal, number: ParcelNumber) -> Erasure:
    now = desk.clock()
    before = tx.erasure(number)
    tx.add_erasure(number, now)
    if before is None:
        acts.note(desk, tx, who, ERASURE_ASKED, now, parcel=number)
    _carry_out(desk, tx, now, number)
    made = tx.erasure(number)
    assert made is not None
    return made


def get_erasure(desk: Desk, who: Principal, number: ParcelNumber) -> Erasure:
    """Raises Refusal: not_allowed, unknown_erasure."""
    must_operate(who, SCOPE)
    with desk.store.reading() as tx:
        made = tx.erasure(number)
    if made is None:
        raise Refusal("unknown_erasure", "nobody asked for that", ("ask for it",))
    return made


def of_parcel(desk: Desk, who: Principal, number: ParcelNumber) -> Erasure | None:
    """None: nobody asked, or one may not know."""
    if SCOPE not in who.scopes:
        return None
    with desk.store.reading() as tx:
        return tx.erasure(number)


def carry_out(desk: Desk) -> int:
    """One round: those whose parcels have left by now; how many. Looks first without holding up anybody."""
    now = desk.clock()
    with desk.store.reading() as tx:
        if not tx.erasures_ready(now, 1):
            return 0
    with desk.store.transaction() as tx:
        return _carry_out(desk, tx, now)


def _carry_out(desk: Desk, tx: Transaction, now: int, only: ParcelNumber | None = None) -> int:
    ready = [number for number in tx.erasures_ready(now, KEEPING_BATCH_MAX) if only in (None, number)]
    for number in ready:
        unlinked = tx.erase_person(number, now)
        # Of whom is not told: how many acts it unlinked is, so that no other act can be hidden like that.
        acts.note(desk, tx, GATEWAY, PERSON_ERASED, now, reason=str(unlinked))
    return len(ready)


def unfinished(desk: Desk) -> bool:
    with desk.store.reading() as tx:
        return bool(tx.erasures_unfinished(1))


def finish(desk: Desk) -> bool:
    """Overwrites what was deleted in the files. False: somebody was reading; ask again."""
    with desk.store.reading() as tx:
        erased = tx.erasures_unfinished(KEEPING_BATCH_MAX)
    if not desk.store.scrub():
        return False
    if erased:
        with desk.store.transaction() as tx:
            tx.finish_erasures(erased, desk.clock())
    return True

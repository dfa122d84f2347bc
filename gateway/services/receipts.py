"""Use cases about deposit receipts: a courier's phone tells what its locker cannot say yet, so that the recipient need
not wait for the link. The same ends in the books as by the locker's events, whichever comes first, however often.
"""

import hmac
from collections.abc import Generator
from contextlib import contextmanager

from gateway.domain.compartments import Compartment
from gateway.domain.errors import Refusal
from gateway.domain.lockers import Locker
from gateway.domain.parcels import Parcel, can
from gateway.domain.people import COURIER, MERCHANT, Principal
from gateway.limits import RECEIPT_DEPOSITS_AHEAD_MAX, RECEIPT_GUESSES_MAX, RECEIPT_GUESSES_S
from gateway.services.batch import Batch
from gateway.services.desk import Desk, known_compartment, known_locker
from gateway.services.ports import Transaction
from gateway.services.receipt_order import INSIDE, overtake, seated
from gateway.services.told_alone import check_badge, parcel_of
from gateway.services.told_deposits import put_in
from protocol import receipts
from protocol.errors import ProtocolError
from protocol.hmac import HmacKey
from protocol.numbers import HELD, SIZES

_NO_BADGE = bytes(8)


def hand_in(desk: Desk, who: Principal, text: str) -> Parcel:
    """The text of the QR code. Raises Refusal: not_allowed, bad_value, bad_receipt, unknown_locker, wrong_state."""
    who.must("parcels:write")
    try:
        name = receipts.locker_of(text)
    except ProtocolError:
        raise Refusal("bad_value", f"receipt: begins with {receipts.PREFIX} and the locker's id")
    with desk.store.transaction() as tx:
        locker = known_locker(tx, name)
        key, kid = _key(desk, locker), bytes([locker.generation])
        try:
            receipt = receipts.open_receipt(key, kid, text)
        except ProtocolError:
            raise _not_ours()
        _own_carrier(who, receipt.carrier)
        return _booked(desk, tx, locker, receipt)


def hand_in_digits(  # noqa: PLR0917 - what a courier keys in
    desk: Desk, who: Principal, locker: str, label: str, size: str, digits: str
) -> Parcel:
    """Twelve digits, of the asker's own carrier; call it within guessing(). Raises Refusal as hand_in does."""
    who.must("parcels:write")
    if who.role != COURIER:
        raise Refusal("not_allowed", "the digits of a receipt are for its carrier", ("hand in the QR code's text",))
    if size not in SIZES:
        raise Refusal("bad_value", f"size: one of {', '.join(SIZES)}")
    compartment = _typed(digits)
    with desk.store.transaction() as tx:
        known = known_locker(tx, locker)
        box = known_compartment(tx, locker, compartment)
        receipt = _tried(_key(desk, known), box, who.tenant, label, size, digits)
        return _booked(desk, tx, known, receipt)


@contextmanager
def guessing(desk: Desk, who: Principal, digits: str) -> Generator[None]:
    """Digits can be tried, so each try is charged before it is looked at, and given back if it was right: many at
    once are no more than one after the other. A wrong check digit is a typing error, and free. In a transaction of
    its own, because a refusal takes back the one it is raised in. Raises Refusal: bad_value, rate_limited."""
    _typed(digits)
    now = desk.clock()
    with desk.store.transaction() as tx:
        left_s = tx.charge_guess(who.tenant, now, RECEIPT_GUESSES_S, RECEIPT_GUESSES_MAX)
    if left_s:
        raise Refusal(
            "rate_limited",
            f"{RECEIPT_GUESSES_MAX} receipts of this carrier were wrong: its next try is in {left_s} s",
            ("hand in the QR code's text", "wait for the locker: it tells by itself once it is back"),
        )
    try:
        yield
    except Refusal as refusal:
        if refusal.code != "bad_receipt":
            _give_back(desk, who)
        raise
    except BaseException:
        _give_back(desk, who)
        raise
    _give_back(desk, who)


def _give_back(desk: Desk, who: Principal) -> None:
    with desk.store.transaction() as tx:
        tx.give_guess_back(who.tenant)


def _typed(digits: str) -> int:
    try:
        return receipts.compartment_of(digits)
    except ProtocolError as error:
        why = "a digit is wrong" if error.code == "bad_check_digit" else f"{receipts.DIGITS} digits"
        raise Refusal("bad_value", f"digits: {why}", ("read them again from the locker's screen",))


def _key(desk: Desk, locker: Locker) -> HmacKey:
    if not locker.generation:
        raise Refusal("wrong_state", "this locker has no key, and its receipts prove nothing", ("provision it",))
    return desk.keys.hmac(locker.id, locker.generation, "receipt")


def _own_carrier(who: Principal, carrier: str) -> None:
    if who.role == MERCHANT or (who.role == COURIER and who.tenant != carrier):
        raise Refusal("not_allowed", "this key hands in receipts of its own carrier only")


def _not_ours() -> Refusal:
    return Refusal(
        "bad_receipt", "this locker did not say that", ("scan the QR code", "check the label, the size and the locker")
    )


def _tried(  # noqa: PLR0917 - what a courier keys in
    key: HmacKey, box: Compartment, carrier: str, label: str, size: str, digits: str
) -> receipts.Receipt:
    """The books may be some deposits behind. All numbers are worked out, so that time tells nothing."""
    found: receipts.Receipt | None = None
    for deposit in range(box.deposit, box.deposit + RECEIPT_DEPOSITS_AHEAD_MAX + 1):
        one = receipts.Receipt(box.number, deposit, _NO_BADGE, carrier, label, SIZES.index(size), None)
        if hmac.compare_digest(receipts.digits(key, one), digits):
            found = one
    if found is None:
        raise _not_ours()
    return found


def _booked(desk: Desk, tx: Transaction, locker: Locker, receipt: receipts.Receipt) -> Parcel:
    place = (locker.id, receipt.compartment)
    batch = Batch(desk, tx, [locker.id], [place])
    box = batch.box(*place)
    if box is None:
        raise Refusal("unknown_compartment", "this locker has no such compartment")
    known = tx.parcel_of_deposit(*place, receipt.deposit, receipt.carrier, receipt.label)
    if known is not None and not can(known.state, "deposit"):
        return known  # told before, by its locker or by this receipt, whatever has become of it
    if known is None and receipt.deposit <= box.deposit:
        raise Refusal("wrong_state", "the books know of a later deposit in this compartment", ("read the parcel",))
    parcel = parcel_of(batch, box, receipt.carrier, receipt.label, receipt.size)
    if not can(parcel.state, "deposit"):
        raise Refusal("wrong_state", f"a parcel of this label is {parcel.state} elsewhere", ("read the parcel",))
    there = seated(batch, box)
    if there is not None and there.number != parcel.number and there.state in INSIDE:
        overtake(batch, box, there)
    when_s = batch.now if receipt.t_wall_s is None else min(receipt.t_wall_s, batch.now)
    put_in(batch, box, parcel, receipt.deposit, when_s, by_receipt=True)
    box.holding, box.deposit = HELD, receipt.deposit
    batch.touch(box)
    tx.note_handover(parcel.number, None if receipt.badge == _NO_BADGE else receipt.badge, None)
    if receipt.badge != _NO_BADGE:
        check_badge(batch, box, parcel.number, receipt.badge, receipt.carrier, when_s)
    batch.keep()
    booked = tx.parcel(parcel.number)
    assert booked is not None
    return booked

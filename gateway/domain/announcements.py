"""An announcement beside what is known of its label: whether it says the same, and whether it says anybody at all."""

from gateway.domain.contracts import CONTESTED, NO_CONTRACT
from gateway.domain.parcels import NewParcel, Parcel
from gateway.domain.people import MERCHANT, Principal

Person = tuple[str | None, str | None, str | None, str | None]


def person_of(new: NewParcel) -> Person:
    """Name, mail address, telephone number, the sender's own number."""
    return new.recipient_name, new.recipient_mail, new.recipient_phone, new.recipient_ref


def said_so(who: Principal, known: Parcel) -> bool:
    """A merchant that is its own carrier sends its own announcement again, and nobody has said otherwise."""
    return who.role == MERCHANT and known.merchant == who.tenant and known.standing != CONTESTED


def decides(known: Parcel, new: NewParcel) -> bool:
    """Who names neither a person nor a merchant has not said whose it is, unless the word before is worth nothing."""
    return known.standing == NO_CONTRACT or bool(new.merchant) or any(person_of(new))


def agrees(known: Parcel, told: Person, new: NewParcel) -> bool:
    """It names the same person, or names this merchant and leaves the person to it. `told`: whom that one named."""
    if new.merchant not in ("", known.merchant) or new.locker != known.locker:
        return False
    return person_of(new) == told if any(person_of(new)) else new.merchant == known.merchant

"""Use cases of merchants: announce a parcel with a door kept for it, and take the rows of a list along."""

from collections.abc import Iterator
from dataclasses import replace

from gateway.domain.errors import Refusal
from gateway.domain.ids import DIGITS, ParcelNumber
from gateway.domain.parcels import NewParcel, Parcel
from gateway.domain.people import Principal
from gateway.domain.search import ParcelSearch
from gateway.limits import EXPORTED_MAX, GENERATED_LABEL_DIGITS, PAGE_SIZE_MAX
from gateway.services import announcements, parcels, searches
from gateway.services.desk import Desk, known_parcel


def place_order(desk: Desk, who: Principal, new: NewParcel) -> tuple[Parcel, bool] | Refusal:
    """The parcel, and whether a door is kept for it: where there is no room it is expected all the same, and gets a
    door when it is brought. Without a label it gets one. A refusal that is returned has noted a claim. Raises Refusal:
    as announcements.announce."""
    with desk.store.transaction():
        made = announcements.announce(desk, who, new if new.label else replace(new, label=_label(desk, who)))
        if isinstance(made, Refusal):
            return made
        try:
            with desk.store.transaction():
                parcels.reserve_compartment(desk, who, made.number)
        except Refusal as refusal:
            if refusal.code != "no_room":
                raise
            return made, False
        return parcels.get_parcel(desk, who, made.number), True


def _label(desk: Desk, who: Principal) -> str:
    """Short enough to be typed; capitals and digits, so that its QR is small."""
    number = int.from_bytes(desk.randomness(8), "big")
    digits = "".join(DIGITS[(number >> (5 * place)) & 31] for place in range(GENERATED_LABEL_DIGITS))
    return f"{who.tenant[:8]}-{digits}".upper()


def kept_until(desk: Desk, who: Principal, number: ParcelNumber) -> int | None:
    """Until when its door is kept. None: none is, or it lies there. Raises Refusal: not_allowed, unknown_parcel."""
    who.must("parcels:read")
    with desk.store.reading() as tx:
        known_parcel(tx, who, number)
        kept = tx.allocation_of(number)
        return None if kept is None else kept.until_s


def exported(desk: Desk, who: Principal) -> Iterator[Parcel]:
    """Newest first, as many as one file holds."""
    after: ParcelNumber | None = None
    for _ in range(EXPORTED_MAX // PAGE_SIZE_MAX):
        rows, after = searches.find_parcels(desk, who, ParcelSearch(), after, PAGE_SIZE_MAX)
        yield from rows
        if after is None:
            return

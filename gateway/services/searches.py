"""Looking for parcels, page by page."""

from dataclasses import replace

from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import Parcel
from gateway.domain.people import COURIER, MERCHANT, Principal
from gateway.domain.search import ParcelSearch
from gateway.limits import PAGE_SIZE
from gateway.services.desk import Desk


def find_parcels(
    desk: Desk, who: Principal, asked: ParcelSearch, after: ParcelNumber | None = None, limit: int = PAGE_SIZE
) -> tuple[list[Parcel], ParcelNumber | None]:
    """Your own that fit, and after which the next page goes on (None: that was all). Raises Refusal: not_allowed,
    bad_value."""
    who.must("parcels:read")
    asked.check()
    if who.role == COURIER:
        asked = replace(asked, carrier=who.tenant)
    if who.role == MERCHANT:
        asked = replace(asked, merchant=who.tenant)
    with desk.store.reading() as tx:
        if asked.number is not None:
            found = tx.parcel(asked.number)
            return ([found] if found is not None and who.may_see(found.carrier, found.merchant) else []), None
        rows = tx.find_parcels(asked, after, limit + 1)
    return rows[:limit], rows[limit - 1].number if len(rows) > limit else None

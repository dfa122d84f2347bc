"""Use cases about telling a person what is known (GDPR articles 15 and 20), and where."""

from dataclasses import dataclass
from typing import Any

from gateway.domain.acts import PERSON_EXPORTED
from gateway.domain.ids import ParcelNumber
from gateway.domain.instants import maybe_instant
from gateway.domain.people import Principal
from gateway.domain.personal import BASES, PERSONAL, STAFF, TIMERS
from gateway.domain.privacy import Contact
from gateway.services import acts
from gateway.services.desk import Desk, known_parcel, must_operate
from gateway.services.erasures import SCOPE, found

_DAY_S = 86_400
_MOMENT = "_s"  # how a column of Unix seconds ends


@dataclass(frozen=True)
class Export:
    """`known`: table -> rows, with times as RFC 3339. `purposes`: what for, why one may, how long."""

    parcel: ParcelNumber
    known: dict[str, list[dict[str, Any]]]
    purposes: list[dict[str, Any]]


def parcels_of(desk: Desk, who: Principal, contact: Contact) -> list[ParcelNumber]:
    """Those with this address, newest first. Raises Refusal: not_allowed, bad_value."""
    must_operate(who, SCOPE)
    contact.check()
    with desk.store.reading() as tx:
        return found(tx, contact)


def export(desk: Desk, who: Principal, number: ParcelNumber) -> Export:
    """Of a parcel's recipient. That it was shown is noted. Raises Refusal: not_allowed, unknown_parcel."""
    must_operate(who, SCOPE)
    with desk.store.transaction() as tx:
        known_parcel(tx, who, number)
        acts.note(desk, tx, who, PERSON_EXPORTED, desk.clock(), parcel=number)
        rows = tx.all_of_person(number)
    known = {table: [_readable(row) for row in found_rows] for table, found_rows in rows.items()}
    return Export(number, known, _purposes())


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name.removesuffix(_MOMENT) + "_at" if name.endswith(_MOMENT) else name: (
            maybe_instant(value) if name.endswith(_MOMENT) else value
        )
        for name, value in row.items()
    }


def _purposes() -> list[dict[str, Any]]:
    return [
        {
            "fields": [f"{each.table}.{column}" for column in each.columns],
            "purpose": each.en,
            "basis": BASES[each.basis][1],
            "kept_days": TIMERS[each.timer].kept_s // _DAY_S,
            "since": TIMERS[each.timer].en,
        }
        for each in PERSONAL
        if each.whose != STAFF
    ]

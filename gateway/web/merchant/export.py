"""/merchant/parcels.csv: one's parcels for a spreadsheet, without any personal field.

UTF-8 with its mark, semicolons, CRLF: what a French Excel opens by a double click, and LibreOffice too. A cell that
a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection).
"""

import csv
import io
from collections.abc import Iterable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.parcels import Parcel
from gateway.services.merchant_orders import exported
from gateway.web.pages import HEADERS
from gateway.web.sessions import Merchant
from gateway.web.showing import desk_of, words_of
from gateway.words import Words
from gateway.words.moments import here

router = APIRouter()
MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
COLUMNS = ("id", "label", "state", "locker", "door", "size", "carrier", "expected", "deposited", "deadline", "ended")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get("/merchant/parcels.csv")
def export(request: Request, who: Merchant) -> Response:
    text = written(exported(desk_of(request), who), words_of(request))
    name = f"{who.tenant}-{here(desk_of(request).clock()):%Y-%m-%d}.csv"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)


def written(parcels: Iterable[Parcel], words: Words) -> str:
    sheet = io.StringIO()
    rows = csv.writer(sheet, delimiter=";", lineterminator="\r\n")
    rows.writerow([words(f"merchant.column.{name}") for name in COLUMNS])
    rows.writerows([[_harmless(cell) for cell in _cells(parcel, words)] for parcel in parcels])
    return MARK + sheet.getvalue()


def _cells(parcel: Parcel, words: Words) -> tuple[str, ...]:
    return (
        parcel.id,
        parcel.label,
        words(f"parcel_state.{parcel.told_as}"),
        parcel.locker,
        str(parcel.compartment or ""),
        parcel.size,
        parcel.carrier,
        *(_when(when_s) for when_s in (parcel.expected_s, parcel.deposited_s, parcel.deadline_s, parcel.ended_s)),
    )


def _when(when_s: int | None) -> str:
    """By the clock of the place, as spreadsheets read it."""
    return "" if when_s is None else f"{here(when_s):%Y-%m-%d %H:%M}"


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) else cell

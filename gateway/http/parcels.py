"""/v1/parcels: expect one, follow it, keep a door for it, read its pickup code, take it back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from gateway import limits, slip
from gateway.domain.errors import Refusal
from gateway.domain.ids import parcel_number
from gateway.domain.people import Principal
from gateway.http import answers
from gateway.http.acting import Said, counter_of, once, show
from gateway.http.auth import Act, acts, desk_of, needs
from gateway.http.lockers import accepted
from gateway.http.routing import ACT, READ, Cursor, Limit, ParcelPath, cursor_position, cursor_text
from gateway.http.schemas import ParcelBody
from gateway.services import announcements, letters, parcels
from gateway.words import LANGUAGES

router = APIRouter(prefix="/v1/parcels", tags=["parcels"])
Reader = Annotated[Principal, Depends(needs("parcels:read"))]
CodeReader = Annotated[Principal, Depends(needs("codes:read"))]
Remover = Annotated[Principal, Depends(needs("parcels:write"))]
Language = Annotated[
    str, Query(pattern=f"^({'|'.join(LANGUAGES)})$", description="Of the page.", examples=list(LANGUAGES))
]
Writer = Annotated[Act, Depends(acts("parcels:write"))]


@router.post("", status_code=201, response_model=answers.Parcel, responses=ACT)
def expect_parcel(request: Request, act: Writer, body: ParcelBody) -> Response:
    """Announce a parcel, so that its label is known when a courier scans it. A merchant needs a contract with its
    carrier (`no_contract`). A label that another merchant has announced is handed to neither until the carrier
    announces it too, with its recipient or naming the merchant (`label_contested`): the carrier's word replaces a
    merchant's. Scope parcels:write."""
    desk = desk_of(request)

    def work() -> Said | Refusal:
        made = announcements.announce(desk, act.who, body.domain())
        if isinstance(made, Refusal):
            return made
        return Said(201, answers.Parcel.of(made), f"/v1/parcels/{made.id}")

    return once(request, act, work)


@router.get("", response_model=answers.ParcelPage, responses=READ)
def list_parcels(request: Request, who: Reader, limit: Limit = limits.PAGE_SIZE, cursor: Cursor = None) -> Response:
    """Your parcels, page by page. Scope parcels:read."""
    found, following = parcels.list_parcels(desk_of(request), who, cursor_position(cursor), limit)
    rows = [answers.Parcel.of(parcel) for parcel in found]
    return show(answers.ParcelPage(data=rows, next_cursor=cursor_text(following)))


@router.get("/{parcel}", response_model=answers.FollowedParcel, responses=READ)
def get_parcel(request: Request, who: Reader, parcel: ParcelPath) -> Response:
    """With what its recipient was told, and when. Scope parcels:read."""
    desk, number = desk_of(request), parcel_number(parcel)
    with desk.store.reading():
        found = parcels.get_parcel(desk, who, number)
        told = letters.letters_of(desk, who, number)
    return show(answers.FollowedParcel.followed(found, told))


@router.post("/{parcel}/reservation", status_code=201, response_model=answers.Reservation, responses=ACT)
def reserve_compartment(request: Request, act: Writer, parcel: ParcelPath) -> Response:
    """Keep a compartment for it: one parcel, one door, whoever asks at once. Scope parcels:write."""
    desk = desk_of(request)

    def work() -> Said:
        kept = parcels.reserve_compartment(desk, act.who, parcel_number(parcel))
        return Said(201, answers.Reservation.of(kept), f"/v1/parcels/{parcel}")

    return once(request, act, work)


@router.delete("/{parcel}/reservation", status_code=204, response_class=Response, responses=ACT)
def release_reservation(request: Request, who: Remover, parcel: ParcelPath) -> Response:
    """Give the kept compartment back. Scope parcels:write."""
    parcels.release_reservation(desk_of(request), who, parcel_number(parcel))
    counter_of(request).wake()
    return Response(status_code=204)


@router.get("/{parcel}/pickup", response_model=answers.Pickup, responses=READ | ACT)
def pickup_code(request: Request, who: CodeReader, parcel: ParcelPath) -> Response:
    """What the recipient types or shows, once the parcel is in. Scope codes:read."""
    return show(answers.Pickup.of(parcels.pickup_code(desk_of(request), who, parcel_number(parcel))))


@router.get("/{parcel}/slip", response_class=HTMLResponse, responses=READ | ACT)
def pickup_slip(request: Request, who: CodeReader, parcel: ParcelPath, language: Language = "fr") -> Response:
    """The same to print, on A6 or larger, for who has no phone: digits, QR, deadline. Scope codes:read."""
    pickup = parcels.pickup_code(desk_of(request), who, parcel_number(parcel))
    return HTMLResponse(slip.page(slip.Slip.of(pickup), language), headers=slip.HEADERS)


@router.post("/{parcel}/takeback", status_code=202, response_model=answers.Operation, responses=ACT)
def take_back(request: Request, act: Writer, parcel: ParcelPath) -> Response:
    """Revoke its code and open the door, for the courier who takes it back. Scope parcels:write."""
    desk = desk_of(request)
    return once(request, act, lambda: accepted(parcels.take_back(desk, act.who, parcel_number(parcel))))

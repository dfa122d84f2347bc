"""/merchant/parcels/{parcel}: one parcel of one's own, its label to print, and the acts on it."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway import qr
from gateway.domain.ids import parcel_number
from gateway.domain.parcels import can
from gateway.services import lockers, parcels
from gateway.services.merchant_orders import kept_until
from gateway.web import custody
from gateway.web.forms import Posted
from gateway.web.merchant.orders import parcel_path
from gateway.web.once import once
from gateway.web.operations import operation_path
from gateway.web.sessions import Merchant
from gateway.web.showing import asked, desk_of, instead, show

router = APIRouter()
PLACE = "/merchant/parcels/{parcel}"


@router.get(PLACE)
def parcel_page(request: Request, who: Merchant, parcel: str) -> Response:
    found = parcels.get_parcel(desk_of(request), who, parcel_number(parcel))
    may_write = "parcels:write" in who.scopes
    return show(
        request,
        "merchant/parcel.html",
        parcel=found,
        until_s=kept_until(desk_of(request), who, found.number),
        just_made=bool(asked(request, "made")),
        may_reserve=may_write and found.told_as == "expected" and found.held_back is None,
        may_release=may_write and can(found.state, "release"),
        may_take_back=may_write and can(found.state, "take_back"),
        may_see_code=found.state == "deposited" and "codes:read" in who.scopes,
        base=parcel_path(found.id),
    )


@router.get(PLACE + "/label")
def label_page(request: Request, who: Merchant, parcel: str) -> Response:
    """On A6, with the QR that a courier scans: the label's text and nothing else, and no name of anybody."""
    desk = desk_of(request)
    found = parcels.get_parcel(desk, who, parcel_number(parcel))
    locker = lockers.get_locker(desk, who, found.locker)
    picture = qr.svg(found.label, sized=False, paper=True)
    return show(request, "merchant/label.html", parcel=found, locker=locker, qr=picture, back=parcel_path(found.id))


@router.post(PLACE + "/reserve")
def reserve(request: Request, who: Merchant, form: Posted, parcel: str) -> Response:
    def work() -> str:
        parcels.reserve_compartment(desk_of(request), who, parcel_number(parcel))
        return parcel_path(parcel)

    return once(request, who, form, work)


@router.post(PLACE + "/release")
def release(request: Request, who: Merchant, form: Posted, parcel: str) -> Response:
    def work() -> str:
        parcels.release_reservation(desk_of(request), who, parcel_number(parcel))
        return parcel_path(parcel)

    return once(request, who, form, work)


@router.post(PLACE + "/take-back")
def take_back(request: Request, who: Merchant, form: Posted, parcel: str) -> Response:
    number = parcel_number(parcel)
    return once(request, who, form, lambda: operation_path(parcels.take_back(desk_of(request), who, number)))


@router.post(PLACE + "/code")
def show_code(request: Request, who: Merchant, _form: Posted, parcel: str) -> Response:
    return custody.code_page(request, who, parcel, parcel_path(parcel))


@router.get(PLACE + "/code")
def no_code(request: Request, _who: Merchant, parcel: str) -> Response:
    return instead(request, parcel_path(parcel))

"""/merchant: one's parcels, and a form to announce the next one."""

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.errors import Refusal
from gateway.domain.ids import parcel_id, parcel_number
from gateway.domain.parcels import STATES
from gateway.domain.people import Principal
from gateway.domain.search import ParcelSearch
from gateway.services import contracts, lockers, searches
from gateway.services.merchant_orders import place_order
from gateway.web.forms import Posted
from gateway.web.merchant.order_form import FIELDS, Order, read
from gateway.web.once import once
from gateway.web.sessions import Merchant
from gateway.web.showing import asked, desk_of, show

router = APIRouter()
PLACE = "/merchant"
NEW = "/merchant/new"
CLAIMED = f"{PLACE}?claimed=1#claims"


def parcel_path(parcel: str) -> str:
    return f"/merchant/parcels/{parcel}"


@router.get(PLACE)
def list_page(request: Request, who: Merchant) -> Response:
    said = {name: asked(request, name) for name in ("text", "state")}
    after = asked(request, "after")
    found, following = searches.find_parcels(
        desk_of(request), who, ParcelSearch(**said), parcel_number(after) if after else None
    )
    onward = None
    if following is not None:
        given = {name: value for name, value in said.items() if value}
        onward = f"{PLACE}?{urlencode({**given, 'after': parcel_id(following)})}"
    return show(
        request,
        "merchant/parcels.html",
        parcels=found,
        said=said,
        states=STATES,
        onward=onward,
        claims=contracts.claims(desk_of(request), who),
        just_claimed=bool(asked(request, "claimed")),
    )


@router.get(NEW)
def order_page(request: Request, who: Merchant) -> Response:
    return _form(request, who, Order(dict.fromkeys(FIELDS, ""), ()))


@router.post(NEW)
def place(request: Request, who: Merchant, form: Posted) -> Response:
    """With the fields of order_form.FIELDS. Leads to the parcel, which says whether a door is kept."""
    order = read(form)
    if order.wrong:
        return _form(request, who, order, 422)

    def work() -> str:
        made = place_order(desk_of(request), who, order.new_parcel(who.tenant))
        return CLAIMED if isinstance(made, Refusal) else f"{parcel_path(made[0].id)}?made=1"

    try:
        return once(request, who, form, work)
    except Refusal as refusal:
        if refusal.code != "no_contract":
            raise
        return _form(request, who, replace(order, wrong=("carrier",)), 403)


def _form(request: Request, who: Principal, order: Order, status: int = 200) -> Response:
    desk = desk_of(request)
    carriers = [pair.carrier for pair in contracts.pairs(desk, who) if pair.since_s is not None]
    return show(
        request,
        "merchant/order.html",
        status,
        order=order,
        lockers=lockers.list_lockers(desk, who),
        carriers=carriers,
        no_contract=status == 403,
    )

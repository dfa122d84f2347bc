"""A parcel's code on a page that prints as a slip: for whoever may read codes, and noted each time it is shown."""

from fastapi import Request
from fastapi.responses import Response

from gateway import qr
from gateway.domain.codes import groups_of, has_scanner, spelt
from gateway.domain.ids import parcel_number
from gateway.domain.people import Principal
from gateway.services import parcels
from gateway.web.showing import desk_of, show


def code_page(request: Request, who: Principal, parcel: str, back: str) -> Response:
    """Raises Refusal: not_allowed, unknown_parcel, wrong_state."""
    pickup = parcels.show_code(desk_of(request), who, parcel_number(parcel))
    return show(
        request,
        "code.html",
        pickup=pickup,
        groups=groups_of(pickup.code),
        heard=spelt(pickup.code),
        qr=qr.svg(pickup.token, sized=False) if has_scanner(len(pickup.code)) else None,
        back=back,
    )

"""A parcel's code on a page that prints as a slip: for whoever may read codes, and noted each time it is shown."""

from fastapi import Request
from fastapi.responses import Response

from gateway.domain.ids import parcel_number
from gateway.domain.people import Principal
from gateway.services import parcels
from gateway.web import qr
from gateway.web.showing import desk_of, show
from protocol.otp import CODE_DIGITS

_WITH_SCANNER = CODE_DIGITS[0]  # a locker of longer codes has no scanner, and a QR would mislead


def code_page(request: Request, who: Principal, parcel: str, back: str) -> Response:
    """Raises Refusal: not_allowed, unknown_parcel, wrong_state."""
    pickup = parcels.show_code(desk_of(request), who, parcel_number(parcel))
    size = len(pickup.code) // 4
    groups = [pickup.code[place : place + size] for place in range(0, len(pickup.code), size)]
    return show(
        request,
        "code.html",
        pickup=pickup,
        groups=groups,
        heard=", ".join(" ".join(group) for group in groups),
        qr=qr.svg(pickup.token) if len(pickup.code) == _WITH_SCANNER else None,
        back=back,
    )

"""What is known of a parcel's recipient, on that parcel's page: a copy to hand over, and its erasure."""

import json

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.ids import parcel_number
from gateway.services import erasures, exports
from gateway.web.forms import Posted
from gateway.web.once import once
from gateway.web.operator.parcels import PLACE
from gateway.web.pages import HEADERS
from gateway.web.sessions import Operator
from gateway.web.showing import desk_of

router = APIRouter()


@router.post(PLACE + "/{parcel}/erasure")
def erase(request: Request, who: Operator, form: Posted, parcel: str) -> Response:
    number = parcel_number(parcel)

    def work() -> str:
        erasures.erase(desk_of(request), who, number)
        return f"{PLACE}/{parcel}"

    return once(request, who, form, work)


@router.post(PLACE + "/{parcel}/copy")
def copy(request: Request, who: Operator, _form: Posted, parcel: str) -> Response:
    """A file of JSON, kept nowhere. A POST: that it was shown is noted."""
    known = exports.export(desk_of(request), who, parcel_number(parcel))
    text = json.dumps(
        {"parcel": parcel, "known": known.known, "purposes": known.purposes}, ensure_ascii=False, indent=2
    )
    name = {"Content-Disposition": f'attachment; filename="{parcel}.json"'}
    return Response(text, media_type="application/json", headers=HEADERS | name)

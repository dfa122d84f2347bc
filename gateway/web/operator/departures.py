"""/operator/departures: somebody who worked here leaves: their access ends at once, their name with the log."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.limits import TRAIL_KEPT_S
from gateway.services import departures
from gateway.web.forms import Posted
from gateway.web.once import once
from gateway.web.sessions import Operator
from gateway.web.showing import asked, desk_of, show

router = APIRouter()
PLACE = "/operator/departures"
_DAY_S = 86_400


@router.get(PLACE)
def departures_page(request: Request, who: Operator) -> Response:
    everybody = departures.everybody(desk_of(request), who)
    return show(
        request,
        "operator/departures.html",
        here=[one for one in everybody if one.left_s is None and not one.has_key(who.credential)],
        gone=sorted((one for one in everybody if one.left_s is not None), key=lambda one: -(one.left_s or 0)),
        kept_days=TRAIL_KEPT_S // _DAY_S,
        done=asked(request, "done"),
    )


@router.post(PLACE)
def leave(request: Request, who: Operator, form: Posted) -> Response:
    """With `person`: tenant, a stroke, name; a tenant has no stroke in it."""
    tenant, _, name = form["person"].partition("/")

    def work() -> str:
        departures.leave(desk_of(request), who, name, tenant)
        return PLACE + "?done=1"

    return once(request, who, form, work)

"""/operator: every locker at a glance, trouble first, and what waits for a second person."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.people import Principal
from gateway.limits import FLEET_ROWS_MAX
from gateway.services import fleet, openings
from gateway.web.charts import parts
from gateway.web.sessions import Operator
from gateway.web.showing import desk_of, show

router = APIRouter()


@router.get("/operator")
def fleet_page(request: Request, who: Operator) -> Response:
    return _show(request, who, "operator/fleet.html")


@router.get("/operator/fleet")
def glances(request: Request, who: Operator) -> Response:
    """A part of that page, fetched anew by its script."""
    return _show(request, who, "operator/glances.html")


def _show(request: Request, who: Principal, template: str) -> Response:
    desk = desk_of(request)
    found = fleet.glances(desk, who)
    waiting = openings.waiting_openings(desk, who) if openings.SCOPE in who.scopes else []
    return show(
        request,
        template,
        glances=found[:FLEET_ROWS_MAX],
        more=len(found) > FLEET_ROWS_MAX,
        alarms=sum(glance.alarms for glance in found),
        openings=waiting,
        parts=parts,
    )

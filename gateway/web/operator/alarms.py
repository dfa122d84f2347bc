"""/operator/alarms: what a person has to look at, what it means, what to do, and who does it."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from gateway.domain.ids import NUMBER_MAX
from gateway.limits import SNOOZE_HOURS
from gateway.services import alarms
from gateway.web.forms import Posted
from gateway.web.once import once
from gateway.web.sessions import Operator
from gateway.web.showing import desk_of, show

router = APIRouter()
PLACE = "/operator/alarms"
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]


@router.get(PLACE)
def alarms_page(request: Request, who: Operator) -> Response:
    desk = desk_of(request)
    return show(
        request,
        "operator/alarms.html",
        alarms=alarms.open_alarms(desk, who),
        closed=alarms.closed_alarms(desk, who),
        hours=SNOOZE_HOURS,
    )


@router.get(PLACE + "/open")
def open_ones(request: Request, who: Operator) -> Response:
    """A part of that page, fetched anew by its script."""
    found = alarms.open_alarms(desk_of(request), who)
    return show(request, "operator/open_alarms.html", alarms=found, hours=SNOOZE_HOURS)


def _listed(number: int) -> str:
    return f"{PLACE}#alarm-{number}"


@router.post(PLACE + "/{number}/owner")
def look_after(request: Request, who: Operator, form: Posted, number: Number) -> Response:
    return once(request, who, form, lambda: _listed(alarms.look_after(desk_of(request), who, number).id))


@router.post(PLACE + "/{number}/snooze")
def snooze(request: Request, who: Operator, form: Posted, number: Number) -> Response:
    """With `hours`."""
    hours = int(form["hours"]) if form["hours"] in map(str, SNOOZE_HOURS) else 0
    return once(request, who, form, lambda: _listed(alarms.snooze(desk_of(request), who, number, hours).id))


@router.post(PLACE + "/{number}/settle")
def settle(request: Request, who: Operator, form: Posted, number: Number) -> Response:
    return once(request, who, form, lambda: _listed(alarms.settle(desk_of(request), who, number).id))

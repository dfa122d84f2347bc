"""/operator/badges: couriers' and technicians' badges: who has one, make one, take one back."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway import qr
from gateway.domain.ids import id_bytes
from gateway.domain.people import COURIER, TECHNICIAN, Badge, Principal
from gateway.services import lockers, people
from gateway.web.forms import Form, Posted
from gateway.web.once import once, shown_once
from gateway.web.sessions import Operator
from gateway.web.showing import asked, desk_of, show

router = APIRouter()
PLACE = "/operator/badges"


@router.get(PLACE)
def badges_page(request: Request, who: Operator) -> Response:
    desk = desk_of(request)
    now = desk.clock()
    found = people.list_badges(desk, who)
    return show(
        request,
        "operator/badges.html",
        badges=sorted(found, key=lambda badge: (not badge.good_at(now), -badge.made_s)),
        lockers=lockers.list_lockers(desk, who),
        roles=(COURIER, TECHNICIAN),
        again=asked(request, "again"),
    )


@router.post(PLACE)
def make_badge(request: Request, who: Operator, form: Posted) -> Response:
    """With `role`, `holder`, `days`, and `carrier` or `locker`."""

    def work() -> Callable[[], Response]:
        made = _made(request, who, form)
        assert made.token is not None
        picture = qr.svg(made.token, sized=False)
        return lambda: show(request, "operator/badge.html", badge=made, qr=picture)

    return shown_once(request, who, form, PLACE + "?again=1", work)


def _made(request: Request, who: Principal, form: Form) -> Badge:
    desk, holder = desk_of(request), form["holder"]
    days = int(form["days"]) if form["days"].isascii() and form["days"].isdecimal() and len(form["days"]) < 5 else 0
    if form["role"] == TECHNICIAN:
        return people.issue_technician(desk, who, holder, days, form["locker"] or None)
    return people.issue_badge(desk, who, form["carrier"], holder, days)


@router.post(PLACE + "/{badge}/revoke")
def revoke_badge(request: Request, who: Operator, form: Posted, badge: str) -> Response:
    id8 = id_bytes(badge, "unknown_badge")

    def work() -> str:
        people.revoke_badge(desk_of(request), who, id8)
        return PLACE

    return once(request, who, form, work)

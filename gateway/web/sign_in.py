"""The way in and out: a key of the API, or a courier's badge. And the first page, which says where to go."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from gateway.domain.errors import Refusal
from gateway.domain.people import COURIER, MERCHANT, OPERATOR
from gateway.limits import SECRET_SIZE_MAX
from gateway.services import people
from gateway.services.desk import Desk
from gateway.web import sessions
from gateway.web.desk import desk_of
from gateway.web.forms import Posted, from_our_pages
from gateway.web.pages import render, see
from protocol.limits import TOKEN_SIZE_MAX

PLACES = {OPERATOR: "/operator", COURIER: "/courier", MERCHANT: "/merchant"}  # where each role works

router = APIRouter()


@router.get("/")
def home(request: Request) -> Response:
    who = sessions.principal_of(desk_of(request), request.cookies.get(sessions.COOKIE, ""))
    request.state.who = who
    return render(request, "home.html", {"place": PLACES[who.role] if who is not None else None})


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    return render(request, "sign_in.html", {"next": sessions.onward_of(request.query_params.get("next", "/"))})


@router.post("/sign-in")
def sign_in(request: Request, form: Posted) -> Response:
    """With `key`: a key of the API, or the text of a courier's badge."""
    onward = sessions.onward_of(form["next"] or "/")
    try:
        with sessions.trying(request):
            return _known(desk_of(request), form["key"], onward)
    except Refusal:
        return render(request, "sign_in.html", {"next": onward, "refused": True}, 401)


def _known(desk: Desk, key: str, onward: str) -> Response:
    """Raises Refusal("unauthenticated")."""
    if not 0 < len(key) <= max(SECRET_SIZE_MAX, TOKEN_SIZE_MAX) or not key.isascii():
        raise Refusal("unauthenticated", "no key looks like this")
    if _is_badge(key):
        badge = people.badge_shown(desk, key)
        return sessions.sign_in(desk, sessions.BADGE, badge.id, _start(onward, COURIER), badge.expiry_s)
    who = people.authenticate(desk, key)
    assert who.credential is not None
    return sessions.sign_in(desk, sessions.CREDENTIAL, who.credential.to_bytes(8, "big"), _start(onward, who.role))


def _is_badge(key: str) -> bool:
    """A badge is Base45 in capitals; a key of ours has small letters."""
    return key == key.upper()


def _start(onward: str, role: str) -> str:
    return PLACES[role] if onward == "/" else onward


@router.post("/sign-out", dependencies=[Depends(from_our_pages)])
def sign_out() -> Response:
    return sessions.sign_out()


@router.get("/sign-out")
def sign_out_page() -> Response:
    return see("/")

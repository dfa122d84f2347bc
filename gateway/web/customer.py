"""/p/{secret}: the recipient's page, and what can be done there. A GET changes nothing: messengers look at links.

Every act is a form that answers 303: loaded again, nothing happens twice. What was refused is said on the page.
"""

from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from gateway import qr, slip
from gateway.asgi import RequestError
from gateway.domain import links
from gateway.domain.codes import halves_of, spelt
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber, id_bytes
from gateway.limits import REPORT_WORDS_SIZE_MAX
from gateway.services import customer, delegations, extensions, reach
from gateway.services.customer import RECIPIENT, Situation
from gateway.web import pages
from gateway.web.desk import acted, desk_of
from gateway.web.forms import Posted, from_our_pages
from gateway.web.whereabouts import pointing_at, where

ONCE_SIZE_MAX = 64
POLLED = ("coming", "waiting", "being_taken", "disputed", "expired")  # what may change while somebody looks at it
# What the page says after an act -> its tone.
SAID = {
    **dict.fromkeys(("extended", "low", "low_undone", "new_code", "revoking", "reported"), "good"),
    **dict.fromkeys(("full", "changed", "low_none", "no_scanner"), "warn"),
    **dict.fromkeys(("name", "kind"), "bad"),
}
UNSEEN_BY_SEARCH = {"X-Robots-Tag": "noindex, nofollow"}

OURS = [Depends(from_our_pages)]  # of an act without fields

router = APIRouter()
Found = TypeVar("Found")


def known(request: Request, look: Callable[[bytes], Found]) -> Found:
    """What a link leads to; `look` gets our key. Raises Refusal("unknown_page"), RequestError("rate_limited")."""
    try:
        return look(desk_of(request).keys.derived(links.PURPOSE))
    except Refusal:
        if not request.app.state.strangers.may_try():
            raise RequestError("rate_limited", "Too many links that lead nowhere.")
        raise


def _parcel(request: Request, secret: str) -> ParcelNumber:
    desk = desk_of(request)
    return known(request, lambda key: links.parcel_of(key, secret, lambda number: customer.handed(desk, number)))


Link = Annotated[ParcelNumber, Depends(_parcel)]


def show(request: Request, template: str, values: Mapping[str, Any]) -> Response:
    answer = pages.render(request, template, values)
    answer.headers.update(UNSEEN_BY_SEARCH)
    return answer


# ------------------------------------------------------------------ looking
@router.get("/p/{secret}")
def page(request: Request, secret: str, parcel: Link) -> Response:
    now = customer.situation_of(desk_of(request), parcel)
    said = request.query_params.get("said", "")
    values = {
        "here": f"/p/{secret}",
        "now": now,
        "said": said if said in SAID else "",
        "tone": SAID.get(said, ""),
        "polled": now.shown in POLLED,
        "once": token_hex(16),
        **_door(request, now),
        **_code(now),
    }
    return show(request, "parcel.html", values)


def _door(request: Request, now: Situation) -> dict[str, Any]:
    number = None if now.box is None or now.shown == "coming" else now.box.number
    words = pages.language_of(request)
    return {
        "door": number,
        "where": None if number is None else where(now.boxes, number, words),
        "drawing": None if number is None else pointing_at(now.boxes, number),
        "doors": {box.number: words("parcel.where.a_door", door=box.number) for box in now.boxes},
    }


def _code(now: Situation) -> dict[str, Any]:
    if now.pickup is None:
        return {"halves": (), "heard": "", "qr": None}
    return {
        "halves": halves_of(now.pickup.code),
        "heard": spelt(now.pickup.code),
        "qr": qr.svg(now.pickup.token, sized=False) if now.has_scanner else None,
    }


@router.get("/p/{secret}/state")
def state(request: Request, parcel: Link) -> Response:
    """For the script of the page: has anything changed?"""
    now = customer.situation_of(desk_of(request), parcel)
    return JSONResponse({"version": now.version}, headers=UNSEEN_BY_SEARCH)


@router.get("/p/{secret}/qr")
def qr_page(request: Request, secret: str, parcel: Link) -> Response:
    """The QR alone, on white, as large as the screen."""
    now = customer.situation_of(desk_of(request), parcel)
    if now.pickup is None or not now.has_scanner:
        return pages.see(f"/p/{secret}")
    values = {"here": f"/p/{secret}", "now": now, "qr": qr.svg(now.pickup.token, sized=False)}
    return show(request, "parcel_qr.html", values)


@router.get("/p/{secret}/slip")
def slip_page(request: Request, secret: str, parcel: Link) -> Response:
    now = customer.situation_of(desk_of(request), parcel)
    if now.pickup is None:
        return pages.see(f"/p/{secret}")
    text = slip.page(slip.Slip.of(now.pickup), pages.language_of(request).code)
    return HTMLResponse(text, headers=slip.HEADERS | UNSEEN_BY_SEARCH)


@router.get("/p/{secret}/{act}")
def back(secret: str, act: str, parcel: Link) -> Response:  # noqa: ARG001 - a wrong link leads nowhere here too
    """The address of an act, opened again: back to the page."""
    return pages.see(f"/p/{secret}")


# ------------------------------------------------------------------ acting
def _act(request: Request, secret: str, said: str, refused: Mapping[str, str], work: Callable[[], object]) -> Response:
    """Back to the page, which says `said`, or what `refused` has for a refusal's code."""
    try:
        work()
    except Refusal as refusal:
        if refusal.code == "unknown_page":
            raise
        said = refused.get(refusal.code, "changed")
    else:
        acted(request)
    return pages.see(f"/p/{secret}?said={said}#said")


@router.post("/p/{secret}/extension", dependencies=OURS)
def extend(request: Request, secret: str, parcel: Link) -> Response:
    desk = desk_of(request)
    return _act(request, secret, "extended", {"no_room": "full"}, lambda: extensions.extend(desk, RECIPIENT, parcel))


@router.post("/p/{secret}/low")
def need_low(request: Request, secret: str, parcel: Link, form: Posted) -> Response:
    """With `needed`: "yes", or anything else for "any door"."""
    desk, needed = desk_of(request), form["needed"] == "yes"
    said, refused = ("low" if needed else "low_undone"), {"no_room": "low_none"}
    return _act(request, secret, said, refused, lambda: reach.need_low(desk, RECIPIENT, parcel, needed))


@router.post("/p/{secret}/code", dependencies=OURS)
def new_code(request: Request, secret: str, parcel: Link) -> Response:
    return _act(request, secret, "new_code", {}, lambda: customer.new_code(desk_of(request), parcel))


@router.post("/p/{secret}/report")
def report(request: Request, secret: str, parcel: Link, form: Posted) -> Response:
    """With `kind`, and `words`, which are cut rather than lost with their report."""
    desk = desk_of(request)
    printable = "".join(letter for letter in " ".join(form["words"].split()) if letter.isprintable())
    words = printable[:REPORT_WORDS_SIZE_MAX]
    refused = {"bad_value": "kind"}
    return _act(request, secret, "reported", refused, lambda: customer.report(desk, parcel, form["kind"], words))


@router.post("/p/{secret}/erasure", dependencies=OURS)
def erase(request: Request, secret: str, parcel: Link) -> Response:
    """Once the parcel has left. The page ends with it, so that it is done is said here."""
    try:
        customer.forget(desk_of(request), parcel)
    except Refusal as refusal:
        if refusal.code == "unknown_page":
            raise
        return pages.see(f"/p/{secret}?said=changed#said")
    acted(request)
    return show(request, "erased.html", {})


@router.post("/p/{secret}/delegations")
def delegate(request: Request, secret: str, parcel: Link, form: Posted) -> Response:
    """With `name`, and `once` of this form: sent twice, it is one delegation. The QR and the link are shown here."""
    desk = desk_of(request)
    key = desk.keys.derived(links.PURPOSE)
    once = form["once"][:ONCE_SIZE_MAX] or token_hex(16)
    refused = {"bad_value": "name", "no_scanner": "no_scanner"}
    try:
        made = delegations.delegate(desk, RECIPIENT, parcel, form["name"], links.form_id(key, parcel, once))
    except Refusal as refusal:
        return pages.see(f"/p/{secret}?said={refused.get(refusal.code, 'changed')}#said")
    assert made.token is not None
    base = desk.settings.public_url or str(request.base_url).rstrip("/")
    values = {
        "here": f"/p/{secret}",
        "made": made,
        "qr": qr.svg(made.token, sized=False),
        "link": f"{base}/d/{links.delegate_secret(key, made.id)}",
    }
    return show(request, "delegated.html", values)


@router.post("/p/{secret}/delegations/{delegation}", dependencies=OURS)
def revoke(request: Request, secret: str, parcel: Link, delegation: str) -> Response:
    desk, id8 = desk_of(request), id_bytes(delegation, "unknown_delegation")
    return _act(request, secret, "revoking", {}, lambda: delegations.revoke_delegation(desk, RECIPIENT, parcel, id8))


# ------------------------------------------------------------------ whom the recipient sends
@router.get("/d/{secret}")
def errand(request: Request, secret: str) -> Response:
    desk = desk_of(request)
    found = known(request, lambda key: customer.errand_of(desk, links.delegation_of(key, secret)))
    assert found.delegation.token is not None and found.parcel.compartment is not None
    number, words = found.parcel.compartment, pages.language_of(request)
    values = {
        "now": found,
        "door": number,
        "where": where(found.boxes, number, words),
        "drawing": pointing_at(found.boxes, number),
        "doors": {box.number: words("parcel.where.a_door", door=box.number) for box in found.boxes},
        "qr": qr.svg(found.delegation.token, sized=False),
    }
    return show(request, "errand.html", values)

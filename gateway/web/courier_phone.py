"""What makes the courier's pages an app on a phone: the badge to show, the manifest, the service worker.

The badge's text is stored nowhere here: the courier brings it, and gets it back as a QR. Without a cookie these
answers are the same for everyone, so that a phone may keep them.
"""

import json

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway import qr
from gateway.domain.errors import Refusal
from gateway.domain.people import Badge
from gateway.limits import SESSION_S
from gateway.services import people
from gateway.web import assets, pages, sessions
from gateway.web.courier_page import show
from gateway.web.desk import desk_of
from gateway.web.forms import Posted
from protocol.limits import TOKEN_SIZE_MAX

SCOPE = "/courier"
WORKER = "courier_worker.js"
KEPT_ASSETS = (
    "consigne.css",
    "courier.css",
    "courier.js",
    "courier_receipts.js",
    "leaving.js",
    "icon.svg",
    "apple-touch-icon.png",
)
KEPT_PAGES = ("/courier/badge", "/courier/offline")

router = APIRouter(prefix=SCOPE)


@router.get("/badge")
def badge_page(request: Request) -> Response:
    """For everyone: a link `/courier/badge#TEXT` brings a badge to a phone, and what is behind # never comes here."""
    _note_who(request)
    return show(request, "courier_badge.html", {"badge": None, "refused": False})


@router.post("/badge")
def draw_badge(request: Request, form: Posted) -> Response:
    """With `badge`, its text. Whoever is not signed in yet, is then: the badge is a way in as good as any."""
    desk, text = desk_of(request), form["badge"]
    _note_who(request)
    try:
        with sessions.trying(request):
            badge = _shown(request, text)
    except Refusal:
        return show(request, "courier_badge.html", {"badge": None, "refused": True}, 401)
    new = getattr(request.state, "who", None) is None
    if new:
        request.state.who = people.principal_of_badge(desk, badge.id)
    answer = show(request, "courier_badge.html", {"badge": badge, "refused": False, "qr": qr.svg(text, sized=False)})
    if new:
        sessions.let_in(answer, desk, sessions.BADGE, badge.id, badge.expiry_s)
    return answer


def _shown(request: Request, text: str) -> Badge:
    """Raises Refusal("unauthenticated")."""
    if not 0 < len(text) <= TOKEN_SIZE_MAX * 2 or not text.isascii():
        raise Refusal("unauthenticated", "no badge looks like this")
    return people.badge_shown(desk_of(request), text)


def _note_who(request: Request) -> None:
    """Who is signed in, if anyone: for the top of the page."""
    request.state.who = sessions.principal_of(desk_of(request), request.cookies.get(sessions.COOKIE, ""))


@router.get("/offline")
def offline_page(request: Request) -> Response:
    return show(request, "courier_offline.html", {})


@router.get("/manifest.webmanifest")
def manifest(request: Request) -> Response:
    """W3C Web Application Manifest."""
    language = pages.language_of(request)
    icon = {"src": assets.address("icon.svg"), "sizes": "any", "type": "image/svg+xml"}
    document = {
        "id": SCOPE,
        "name": language("courier.app"),
        "short_name": language("courier.app_short"),
        "lang": language.code,
        "start_url": SCOPE,
        "scope": SCOPE,
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#143632",
        "icons": [icon | {"purpose": "any"}, icon | {"purpose": "maskable"}],
    }
    headers = {"Cache-Control": "no-cache", "Content-Language": language.code}
    text = json.dumps(document, ensure_ascii=False)
    return Response(text, media_type="application/manifest+json", headers=headers)


@router.get("/sw.js")
def service_worker(request: Request) -> Response:
    """The script, told which release it belongs to and what to keep. Its policy is the one that its requests obey."""
    language = pages.language_of(request).code
    shell = [assets.address(name) for name in KEPT_ASSETS] + [f"{page}?lang={language}" for page in KEPT_PAGES]
    release = "-".join([language, *(assets.ASSETS[name].version for name in (WORKER, *KEPT_ASSETS))])
    told = {"release": release, "shell": shell, "offline": f"/courier/offline?lang={language}", "kept_s": SESSION_S}
    text = f"const TOLD = {json.dumps(told)};\n".encode() + assets.ASSETS[WORKER].content
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": pages.POLICY, "Service-Worker-Allowed": SCOPE}
    return Response(text, media_type="text/javascript; charset=utf-8", headers=headers)

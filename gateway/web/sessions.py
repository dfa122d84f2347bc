"""Who is signed in: a cookie that names a key or a badge until a time, under a MAC. Nothing is stored for it.

    kind (1 byte) || id (8 bytes) || until, Unix seconds (8 bytes) || first 16 bytes of HMAC-SHA-256, in base64url

The key or badge is looked up anew for every page: one that was revoked is signed out at once.
"""

import base64
import hmac
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import Response

from gateway import limits
from gateway.asgi import RequestError, address_of
from gateway.domain.errors import Refusal
from gateway.domain.ids import CredentialNumber
from gateway.domain.people import COURIER, MERCHANT, OPERATOR, Principal
from gateway.rates import Gate
from gateway.services import people
from gateway.services.desk import Desk
from gateway.web.desk import desk_of
from gateway.web.pages import see

COOKIE = "consigne"
PURPOSE = "sessions"  # of the gateway's derived key
CREDENTIAL, BADGE = b"c", b"b"
_MAC_SIZE = 16
_SIZE = 1 + 8 + 8 + _MAC_SIZE


class SignedOutError(Exception):
    """Nobody is signed in: the way to the page leads over the sign-in."""


def _mac(desk: Desk, body: bytes) -> bytes:
    return hmac.digest(desk.keys.derived(PURPOSE), body, "sha256")[:_MAC_SIZE]


def seal(desk: Desk, kind: bytes, id8: bytes, until_s: int) -> str:
    body = kind + id8 + until_s.to_bytes(8, "big")
    return base64.urlsafe_b64encode(body + _mac(desk, body)).decode()


def principal_of(desk: Desk, cookie: str) -> Principal | None:
    """None: signed out, too old, revoked, or not made by us."""
    try:
        raw = base64.b64decode(cookie.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        return None
    body, mac = raw[:-_MAC_SIZE], raw[-_MAC_SIZE:]
    if len(raw) != _SIZE or not hmac.compare_digest(mac, _mac(desk, body)):
        return None
    kind, id8, until_s = body[:1], body[1:9], int.from_bytes(body[9:], "big")
    if desk.clock() >= until_s:
        return None
    if kind == BADGE:
        return people.principal_of_badge(desk, id8)
    return people.principal_of_credential(desk, CredentialNumber(int.from_bytes(id8, "big")))


def who_asks(request: Request) -> Principal:
    """A dependency of every page that is not for everyone. Raises SignedOutError."""
    who = principal_of(desk_of(request), request.cookies.get(COOKIE, ""))
    if who is None:
        raise SignedOutError
    request.state.who = who
    return who


SignedIn = Annotated[Principal, Depends(who_asks)]


def _with_role(role: str) -> Callable[[Principal], Principal]:
    def of_that_role(who: SignedIn) -> Principal:
        if who.role != role:
            raise Refusal("not_allowed", f"this page is for the role {role}")
        return who

    return of_that_role


# The parameter of a page for one role. Raises SignedOutError, Refusal("not_allowed").
Operator = Annotated[Principal, Depends(_with_role(OPERATOR))]
Courier = Annotated[Principal, Depends(_with_role(COURIER))]
Merchant = Annotated[Principal, Depends(_with_role(MERCHANT))]


def sign_in(desk: Desk, kind: bytes, id8: bytes, onward: str, until_s: int | None = None) -> Response:
    """Sets the cookie and goes on. 24 hours: longer than anyone works, and WCAG 2.2.1 has no quarrel with it."""
    answer = see(onward)
    let_in(answer, desk, kind, id8, until_s)
    return answer


def let_in(answer: Response, desk: Desk, kind: bytes, id8: bytes, until_s: int | None = None) -> None:
    """Sets the cookie on `answer`."""
    until = min(desk.clock() + limits.SESSION_S, until_s or 2**62)
    secure = desk.settings.public_url.startswith("https:")
    answer.set_cookie(
        COOKIE, seal(desk, kind, id8, until), until - desk.clock(), httponly=True, samesite="lax", secure=secure
    )


@contextmanager
def trying(request: Request) -> Generator[None]:
    """Around a look at a key or badge that was typed: charged to where it comes from, because checking a signature
    costs more than guessing one, and given back if it was good. Raises RequestError("rate_limited")."""
    gate: Gate = request.app.state.gate
    name = gate.name_of(address_of(request.scope))
    charge = gate.strangers.take(name)
    if charge.wait_s:
        raise RequestError("rate_limited", "Too many tries from there.", charge.retry_s)
    yield
    gate.strangers.give_back(name)


def sign_out() -> Response:
    answer = see("/")
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer


def way_in(request: Request) -> Response:
    """To the sign-in, and back to this page afterwards; after a POST, to its start."""
    onward = request.url.path if request.method == "GET" else "/"
    return see(f"/sign-in?next={quote(onward)}")


def onward_of(asked: str) -> str:
    """Only to a page of ours: a link to the sign-in must not send anybody elsewhere."""
    plain = asked.startswith("/") and not asked.startswith("//") and "\\" not in asked and asked.isprintable()
    return asked if plain and len(asked) <= limits.PATH_SIZE_MAX else "/"

"""A page: a template filled in, in the reader's language, under a strict content security policy.

Whatever comes from outside is escaped by the templates. A page asks nothing of another host, runs only scripts of
its own and cannot be framed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import words
from gateway.domain.errors import Refusal
from gateway.web import assets
from gateway.words import Words, moments

TEMPLATES = Path(__file__).with_name("templates")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
LANGUAGE_COOKIE = "lang"
LANGUAGE_KEPT_S = 365 * 86_400
SEE_OTHER = 303  # after a POST: reloading the page that follows acts on nothing
_IN_ADDRESSES = "%/?#[]@:!$&'()*+,;="  # RFC 3986 2.2, and what is written as %XX already
STATUS = {
    "malformed": 400,
    "unauthenticated": 401,
    "not_allowed": 403,
    "no_contract": 403,
    "method_not_allowed": 405,
    "timeout": 408,
    "too_large": 413,
    "unsupported_media_type": 415,
    "bad_value": 422,
    "bad_receipt": 422,
    "rate_limited": 429,
    "internal": 500,
    "unavailable": 503,
}  # else 404 for what is unknown, and 409 for what cannot be now
# Who gets lost elsewhere has a message's link.
OF_WHO_WORKS = ("/operator/", "/merchant/", "/courier/", "/operations/")

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def language_of(request: Request) -> Words:
    """As asked on the page, as asked before, as the browser says, or French."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in words.LANGUAGES:
            return words.LANGUAGES[chosen]
    return words.accepted(request.headers.get("accept-language", ""))


def render(request: Request, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
    """The template with `values`; beside them `t` (the words), `who` (or None), `path`, `asset`, and times as
    `moment`, `soon` and `stamp` say them."""
    language = language_of(request)

    def moment(seconds: int) -> str:
        return moments.moment(moments.here(seconds), language)

    def soon(seconds: int) -> str:
        return moments.soon(moments.here(seconds), language)

    def stamp(seconds: int) -> str:
        return moments.stamp(moments.here(seconds), language)

    text = _environment.get_template(template).render(
        t=language,
        languages=words.LANGUAGES,
        path=request.url.path,
        who=getattr(request.state, "who", None),
        asset=assets.address,
        moment=moment,
        soon=soon,
        stamp=stamp,
        **values,
    )
    answer = HTMLResponse(text, status, HEADERS | {"Content-Language": language.code, "Vary": "Cookie"})
    if request.query_params.get("lang") in words.LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, language.code, LANGUAGE_KEPT_S, samesite="lax", httponly=True)
    return answer


def see(path: str) -> Response:
    """Look there next. `path` is one of ours; what no header can hold is written as %XX, and writes no other one."""
    assert path.startswith("/") and not path.startswith("//")
    return Response(status_code=SEE_OTHER, headers={"Location": quote(path, safe=_IN_ADDRESSES), **HEADERS})


def status_of(code: str) -> int:
    return STATUS.get(code, 404 if code.startswith("unknown_") else 409)


def problem(request: Request, code: str, request_id: str) -> Response:
    """What went wrong in the reader's words, and what to do next; never what was sent."""
    language = language_of(request)
    known = code if language.has(f"problem.{code}.title") else "other"
    if code == "unknown_page" and request.url.path.startswith(OF_WHO_WORKS):
        known = "unknown_address"
    values = {"known": known, "code": code, "request_id": request_id}
    return render(request, "problem.html", values, status_of(code))


def refusal(request: Request, failure: Refusal) -> Response:
    return problem(request, failure.code, request.state.request_id)

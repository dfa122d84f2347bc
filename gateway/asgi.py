"""The envelope around every request: its id, size and type limits, the headers of every answer, one log line.

Plain ASGI, outermost: whatever fails inside is answered here in the manner of the app, and only its kind and place
are logged, because an exception's text may hold what the caller sent.
"""

import asyncio
import hashlib
import secrets
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import limits, log
from gateway.rates import Admission, Gate

SECURITY_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
UNCOUNTED = ("/health",)  # a supervisor asks in a loop, and it costs less than a refusal
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")

# How an app says that a request was refused: scope, request id, code, detail -> the answer.
Refuse = Callable[[Scope, str, str, str], Response]


class RequestError(Exception):
    """The request is refused before any route sees it."""

    def __init__(self, code: str, detail: str, retry_s: int = 0) -> None:
        """`retry_s`: worth trying again after so many seconds; 0: not said."""
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.retry_s = retry_s


class HungUpError(Exception):
    """The caller went away while it was sending."""


def header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return ""


async def _gather(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUpError
        body += message.get("body", b"")
        if len(body) > limits.HTTP_BODY_SIZE_MAX:
            raise RequestError("too_large", f"A body may hold {limits.HTTP_BODY_SIZE_MAX} bytes.")
        if not message.get("more_body", False):
            return bytes(body)


async def read_body(scope: Scope, receive: Receive, takes: str) -> bytes:
    """The whole body within its limits. Raises RequestError, HungUpError."""
    declared = header(scope, b"content-length")
    if declared.isdecimal() and int(declared[:20]) > limits.HTTP_BODY_SIZE_MAX:
        raise RequestError("too_large", f"A body may hold {limits.HTTP_BODY_SIZE_MAX} bytes.")
    try:
        async with asyncio.timeout(limits.HTTP_BODY_WAIT_S):
            body = await _gather(receive)
    except TimeoutError:
        raise RequestError("timeout", "The body did not arrive in time.")
    if body and scope["method"] in METHODS_WITH_BODY:
        kind = header(scope, b"content-type").split(";")[0].strip().lower()
        if kind != takes:
            raise RequestError("unsupported_media_type", f"A body is {takes}.")
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def place_of(failure: BaseException) -> str:
    """file:line where it was raised; never the text."""
    frames = traceback.extract_tb(failure.__traceback__)
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""


class _Answering:
    """Sends on, adding the headers of every answer and remembering its status."""

    def __init__(self, send: Send, request_id: str, admission: Admission | None) -> None:
        self.status = 0
        self._send = send
        self._admission = admission
        self._extra = (*SECURITY_HEADERS, (b"x-request-id", request_id.encode()))

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            named = {name for name, _ in message["headers"]}
            counted = self._admission.charge.headers() if self._admission is not None else ()
            added = [pair for pair in (*self._extra, *counted) if pair[0] not in named]
            message = {**message, "headers": [*message["headers"], *added]}
        await self._send(message)


class Requests:
    """How many were answered, by method, route's template and status: no more rows than there are of these. Counted
    in the server's loop."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def note(self, method: str, route: str, status: int) -> None:
        self._counts[method if method in METHODS else "other", route, status] += 1

    def counts(self) -> list[tuple[tuple[str, str, int], int]]:
        return sorted(self._counts.copy().items())


def address_of(scope: Scope) -> str:
    """Where it comes from; behind a proxy on this machine, as that says (uvicorn reads X-Forwarded-For)."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _admitted(admission: Admission | None) -> None:
    """Raises RequestError("rate_limited")."""
    if admission is not None and admission.charge.wait_s:
        retry_s = admission.charge.retry_s
        raise RequestError("rate_limited", f"Too many requests at once: send it again in {retry_s} s.", retry_s)


class Envelope:
    """`takes`: the media type of every body; `refuse`: the app's way to say no; `requests` counts them; `gate`, if
    there is one, holds back whoever asks too often."""

    def __init__(self, app: ASGIApp, takes: str, refuse: Refuse, requests: Requests, gate: Gate | None = None) -> None:
        self.app = app
        self.requests = requests
        self._gate = gate
        self._takes = takes
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()
        request_id = secrets.token_hex(8)
        admission = self._admission(scope)
        answering = _Answering(send, request_id, admission)
        state: dict[str, Any] = scope.setdefault("state", {})
        state |= {"request_id": request_id, "admission": admission}
        try:
            _admitted(admission)
            body = await read_body(scope, receive, self._takes)
            state["body_digest"] = hashlib.sha256(body).digest()
            await self.app(scope, _replay(body, receive), answering)
        except HungUpError:
            answering.status = 499
        except RequestError as refused:
            await self._refuse(scope, request_id, refused.code, refused.detail)(scope, receive, answering)
        except Exception as failure:  # the outermost loop: answered, logged, counted
            log.event("http_failed", request=request_id, kind=type(failure).__name__, place=place_of(failure))
            if not answering.status:
                detail = "The gateway failed. A retry with the same key acts at most once."
                await self._refuse(scope, request_id, "internal", detail)(scope, receive, answering)
        # The route's template, because paths and queries hold ids.
        route = getattr(scope.get("route"), "path", "-")
        self.requests.note(scope["method"], route, answering.status)
        _log(scope, request_id, route, answering.status, time.monotonic() - began)

    def _admission(self, scope: Scope) -> Admission | None:
        if self._gate is None or scope["path"] in UNCOUNTED:
            return None
        return self._gate.admit(address_of(scope), header(scope, b"authorization"))


def _log(scope: Scope, request_id: str, route: str, status: int, seconds: float) -> None:
    """One line per request."""
    log.event(
        "http_request",
        request=request_id,
        method=scope["method"],
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
    )

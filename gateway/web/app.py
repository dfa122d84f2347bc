"""All pages in one app, beside the API's: the same use cases, said to people.

A handler is three steps: who asks (sessions), do it (services), show it (pages). No rule about parcels lives here.
"""

import asyncio
import re
from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.asgi import Envelope, RequestError, Requests
from gateway.domain.errors import Refusal
from gateway.rates import Gate
from gateway.services.desk import Desk
from gateway.web import (
    assets,
    courier,
    courier_phone,
    courier_receipts,
    customer,
    forms,
    merchant,
    operations,
    operator,
    pages,
    sessions,
    sign_in,
)
from gateway.web.sessions import SignedOutError
from gateway.web.strangers import Strangers

ROUTERS = (
    assets.router,
    sign_in.router,
    customer.router,
    courier.router,
    courier_receipts.router,
    courier_phone.router,
    operations.router,
    *operator.ROUTERS,
    *merchant.ROUTERS,
)
# What is not a page: the API, of this and of any later version, and what machines read.
API = re.compile(r"/v[0-9]+(/|$)|/(openapi\.json|health|ready|metrics)$")
CODE_OF_STATUS = {404: "unknown_page", 405: "method_not_allowed", 422: "bad_value"}


def create_pages(
    desk: Desk, wake: Callable[[], None], requests: Requests | None = None, gate: Gate | None = None
) -> FastAPI:
    """`wake` is called after every commit of an act; `requests`: where they are counted with the API's, whose `gate`
    holds back who tries keys."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.desk = desk
    app.state.wake = wake
    app.state.strangers = Strangers(desk.clock)
    app.state.gate = gate or Gate()
    for router in ROUTERS:
        app.router.routes.extend(router.routes)  # as they are; include_router would make each of them anew
    for failure, handler in HANDLERS.items():
        app.add_exception_handler(failure, handler)
    app.add_middleware(Envelope, takes=forms.MEDIA_TYPE, refuse=_refuse, requests=requests or Requests())
    return app


def beside(api: ASGIApp, all_pages: ASGIApp) -> ASGIApp:
    """One address for both."""

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] != "http" or API.match(scope["path"]) is not None
        await (api if is_api else all_pages)(scope, receive, send)

    return either


def _refuse(scope: Scope, request_id: str, code: str, _detail: str) -> Response:
    return pages.problem(Request(scope), code, request_id)


async def _refusal(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, Refusal)
    return await asyncio.to_thread(pages.refusal, request, failure)


async def _request_error(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, RequestError)
    answer = pages.problem(request, failure.code, request.state.request_id)
    if failure.retry_s:
        answer.headers["Retry-After"] = str(failure.retry_s)
    return answer


async def _signed_out(request: Request, _failure: Exception) -> Response:
    return sessions.way_in(request)


async def _broken_schema(request: Request, _failure: Exception) -> Response:
    return pages.problem(request, "bad_value", request.state.request_id)


async def _framework(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)
    code = CODE_OF_STATUS.get(failure.status_code, "malformed")
    answer = pages.problem(request, code, request.state.request_id)
    answer.headers.update(failure.headers or {})
    return answer


HANDLERS = {
    Refusal: _refusal,
    RequestError: _request_error,
    RequestValidationError: _broken_schema,
    SignedOutError: _signed_out,
    HTTPException: _framework,
}

"""The HTTP API: routes over use cases, and every failure in one shape.

A route is three steps: may they (auth), do it (services), say it (answers). No rule about parcels lives here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Scope

from gateway.asgi import Envelope, RequestError
from gateway.domain.errors import Refusal
from gateway.http import (
    codes,
    contracts,
    departures,
    events,
    greetings,
    idempotency,
    keys,
    lockers,
    metrics,
    parcels,
    people,
    privacy,
    problems,
    receipts,
    reports,
    sites,
    webhooks,
)
from gateway.http.acting import JSON, Counter
from gateway.http.auth import KEY_NAME
from gateway.http.problems import FieldError
from gateway.http.streams import Streams
from gateway.rates import Gate
from gateway.services.desk import Desk

VERSION = "1.0.0"
ERRORS_NAMED_MAX = 20  # a body of nothing but mistakes must not make an answer as large as itself
FIELD_SIZE_MAX = 100
PROBLEM_SIZE_MAX = 200
ROUTERS = (
    lockers.router,
    sites.router,
    greetings.router,
    parcels.router,
    receipts.router,
    codes.router,
    reports.router,
    people.router,
    contracts.router,
    departures.router,
    keys.router,
    events.router,
    webhooks.router,
    privacy.router,
    metrics.router,
)
DESCRIPTION = (
    "Smart parcel lockers that towns run themselves. Times are RFC 3339 in UTC, sizes S, M or L and millimetres. "
    "Every refusal is a problem (RFC 9457) with a stable `code` and `next_actions`."
)


def create_app(
    desk: Desk, wake: Callable[[], None], ready: Callable[[], bool] = lambda: True, gate: Gate | None = None
) -> FastAPI:
    """`wake` is called after every commit of an act; `ready` says whether the broker can be reached; `gate` is shared
    with the pages."""
    app = FastAPI(
        title="Consigne",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = desk
    counter = Counter(desk, wake, ready, Streams(desk))
    app.state.counter = counter
    app.state.scrapes = metrics.Scrapes()
    for router in ROUTERS:
        app.router.routes.extend(router.routes)  # as they are; include_router would make each of them anew
    for failure, handler in HANDLERS.items():
        app.add_exception_handler(failure, handler)
    app.add_middleware(Envelope, takes=JSON, refuse=_refuse, requests=counter.requests, gate=gate or Gate())
    app.openapi = lambda: openapi_document(app)
    return app


# ------------------------------------------------------------------ failures
def _refuse(_scope: Scope, request_id: str, code: str, detail: str) -> Response:
    return problems.answer(problems.problem(request_id, code, detail))


def _say(request: Request, code: str, detail: str, **more: Any) -> Response:
    return problems.answer(problems.problem(request.state.request_id, code, detail, **more))


async def _refusal(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, Refusal)
    return _say(request, failure.code, failure.detail, next_actions=failure.next_actions)


async def _refused(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, RequestError)
    return _say(request, failure.code, failure.detail)


async def _broken_schema(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, RequestValidationError)
    found: Sequence[Mapping[str, Any]] = failure.errors()
    if any(error["type"] == "json_invalid" for error in found):
        return _say(request, "malformed", "The body is not JSON.")
    named = [field_error(error) for error in found[:ERRORS_NAMED_MAX]]
    return _say(request, "bad_value", f"{len(found)} field(s) break the schema.", errors=named)


def field_error(error: Mapping[str, Any]) -> FieldError:
    """Where and what, without the value that was sent; a name that was sent is cut and made printable."""
    place = ".".join(str(part) for part in error["loc"])[:FIELD_SIZE_MAX]
    printable = "".join(letter if letter.isprintable() else "?" for letter in place)
    return FieldError(field=printable, problem=str(error["msg"])[:PROBLEM_SIZE_MAX])


async def _framework(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)
    code = problems.CODE_OF_STATUS.get(failure.status_code, "malformed" if failure.status_code < 500 else "internal")
    detail = DETAILS.get(code, "The request cannot be served.")
    headers = {"Allow": ", ".join(methods_of(request))} if failure.status_code == 405 else failure.headers
    return problems.answer(problems.problem(request.state.request_id, code, detail), headers)


def methods_of(request: Request) -> list[str]:
    """Of this address. The framework names those of the first route that fits and forgets the others; a route that
    fits only because a word of this address looks like an id (`/v1/keys/{kid}`, `/v1/keys/rotation`) is another."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, Route)]
    fitting = [route for route in routes if route.path_regex.match(request.url.path)]
    return sorted({method for route in fitting if route.path == fitting[0].path for method in route.methods or ()})


DETAILS = {
    "not_found": "There is nothing at this address.",
    "method_not_allowed": "This address does not take that method.",
    "malformed": "The body cannot be read as JSON.",
}
HANDLERS = {
    Refusal: _refusal,
    RequestError: _refused,
    RequestValidationError: _broken_schema,
    HTTPException: _framework,
}


# ------------------------------------------------------------------ the contract
def openapi_document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
        )
        components = document.setdefault("components", {})
        schema = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components.setdefault("schemas", {}).update(schema.pop("$defs", {}), Problem=schema)
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"bearer": []}]
        _require_keys(document)
        app.openapi_schema = document
    return app.openapi_schema


def _require_keys(document: dict[str, Any]) -> None:
    """An act without its key is refused in words of ours, so to the framework it is optional; to callers it is not."""
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == KEY_NAME:
                    parameter |= {"required": True, "schema": {"type": "string", **idempotency.KEY_SCHEMA}}

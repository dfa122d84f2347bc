"""The page's server, on loopback only: static files, one stream of news, and a few acts.

The operator's key stays here. A page from elsewhere can neither call it (Host and Origin are checked) nor
frame it, and nothing is loaded from anywhere else.
"""

import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Request
from fastapi import Path as UrlPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field

from gateway.slip import HEADERS as SLIP_HEADERS
from tools.client import Failed, Gateway
from tools.demo.feed import Feed, News
from tools.demo.game import CARRIERS
from tools.demo.guide import FORM, Guide, routes
from tools.demo.watcher import Watcher
from tools.locker.client import CabinetError

STATIC = Path(__file__).with_name("static")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # a form of ours says where it was
    "Cache-Control": "no-store",
}
BODY_MAX = 16_384


class BadgeBody(BaseModel):
    carrier: Annotated[str, Field(max_length=32)]


class ParcelBody(BaseModel):
    locker: str
    size: Literal["S", "M", "L"]
    carrier: Annotated[str, Field(max_length=32)]
    accessible: bool = False


class TextBody(BaseModel):
    text: Annotated[str, Field(min_length=1, max_length=1024)]


class LoginBody(BaseModel):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class TechnicianBody(BaseModel):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


ParcelId = Annotated[str, UrlPath(pattern=r"^par_[0-9a-z]{13}$")]
Number = Annotated[int, UrlPath(ge=1, le=400)]


class Page:
    """What the routes share."""

    def __init__(self, api: Gateway, watchers: dict[str, Watcher], feed: Feed, guide: Guide) -> None:
        self.api = api
        self.watchers = watchers
        self.feed = feed
        self.guide = guide
        self.game = guide.game

    def watcher(self, locker: str) -> Watcher:
        if locker not in self.watchers:
            raise HTTPException(404, "no such locker")
        return self.watchers[locker]

    def opening(self) -> list[News]:
        standing = [news for one in self.watchers.values() for news in (one.books(), one.standing())]
        return [*standing, *self.guide.tours.news()]


@contextmanager
def _said_plainly() -> Generator[None]:
    """What the parts refuse becomes one line for the person at the page."""
    try:
        yield
    except Failed as failed:
        raise HTTPException(409, f"{failed.text}. {failed.remedy}".strip(" ."))
    except (CabinetError, TimeoutError, OSError) as problem:
        raise HTTPException(409, str(problem) or type(problem).__name__)
    except (KeyError, ValueError):
        raise HTTPException(422, "no such order")


def create_page(page: Page) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    _guard(app, page.guide.pages_port)
    _reading(app, page)
    _acting(app, page)
    _codes(app, page)
    app.include_router(routes(page.guide, STATIC))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def _guard(app: FastAPI, pages_port: int) -> None:
    headers = HEADERS | {"Content-Security-Policy": POLICY + _pages(pages_port)}
    mimetypes.add_type("text/javascript", ".js")  # some systems' tables say otherwise, and nosniff is on

    async def check(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
        host = request.headers.get("host", "")
        strangers = host.rpartition(":")[0] not in ("127.0.0.1", "localhost")
        origin = request.headers.get("origin")
        if strangers or (origin is not None and origin != f"http://{host}"):
            return JSONResponse({"error": "this page answers to its own address only"}, 403)
        if request.method == "POST" and not _small(request):
            return JSONResponse({"error": "a small application/json body, please"}, 415)
        answer = await follow(request)
        for name, value in headers.items():
            answer.headers.setdefault(name, value)  # a slip brings a policy of its own
        return answer

    async def refused(_request: Request, problem: Exception) -> Response:
        if isinstance(problem, HTTPException):
            return JSONResponse({"error": problem.detail}, problem.status_code)
        return JSONResponse({"error": "no such order"}, 422)

    app.middleware("http")(check)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, refused)


def _pages(port: int) -> str:
    """What the frame may show, and where the form of /sign-in leads: browsers hold a redirect to the policy too."""
    ours = f"'self' http://127.0.0.1:{port} http://localhost:{port}"
    return f"; frame-src {ours}; form-action {ours}"


def _small(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    kind = request.headers.get("content-type", "")
    wanted = FORM if request.url.path == "/sign-in" else "application/json"
    return kind.startswith(wanted) and length.isdigit() and int(length) <= BODY_MAX


def _reading(app: FastAPI, page: Page) -> None:
    @app.get("/api/stage")
    def stage() -> dict[str, Any]:
        return {
            "lockers": [
                {
                    "id": name,
                    "name": one.locker.hardware["name"],
                    "hardware": one.locker.hardware,
                    "console": one.serial.past,
                }
                for name, one in page.watchers.items()
            ],
            "carriers": [{"id": slug, "name": name} for slug, name in CARRIERS],
            "hand": page.game.hand,
        }

    @app.get("/api/feed")
    async def feed() -> StreamingResponse:
        stream: AsyncIterator[str] = page.feed.page(page.opening)
        return StreamingResponse(stream, media_type="text/event-stream")

    @app.get("/api/parcels")
    def parcels() -> dict[str, Any]:
        with _said_plainly():
            return {"parcels": page.game.parcels()}

    @app.get("/api/parcels/{parcel}/slip")
    def slip(parcel: ParcelId, language: Literal["fr", "en"] = "fr") -> HTMLResponse:
        with _said_plainly():
            return HTMLResponse(page.game.slip(parcel, language), headers=SLIP_HEADERS)


def _codes(app: FastAPI, page: Page) -> None:
    @app.post("/api/parcels/{parcel}/neighbour")
    def neighbour(parcel: ParcelId) -> dict[str, Any]:
        with _said_plainly():
            return page.game.send_neighbour(parcel)

    @app.post("/api/parcels/{parcel}/code")
    def code(parcel: ParcelId) -> dict[str, Any]:
        with _said_plainly():
            return page.game.replace_code(parcel)

    @app.post("/api/technicians")
    def technician(body: TechnicianBody) -> dict[str, Any]:
        with _said_plainly():
            return page.game.technician_badge(body.name)


def _acting(app: FastAPI, page: Page) -> None:
    @app.post("/api/badges")
    def badges(body: BadgeBody) -> dict[str, Any]:
        with _said_plainly():
            return page.game.get_badge(body.carrier)

    @app.post("/api/parcels")
    def new_parcel(body: ParcelBody) -> dict[str, Any]:
        page.watcher(body.locker)
        with _said_plainly():
            return page.game.new_parcel(body.locker, body.size, body.carrier, body.accessible)

    @app.post("/api/lockers/{locker}/do")
    def do(locker: str, order: dict[str, Any]) -> dict[str, Any]:
        watcher = page.watcher(locker)
        with _said_plainly():
            watcher.order(order)
        return {}

    _at_the_console(app, page)
    _ordering(app, page)


def _at_the_console(app: FastAPI, page: Page) -> None:
    @app.post("/api/lockers/{locker}/console")
    def console(locker: str, body: TextBody) -> dict[str, Any]:
        watcher = page.watcher(locker)
        with _said_plainly():
            watcher.serial.type(body.text)
        return {}

    @app.post("/api/lockers/{locker}/login")
    def login(locker: str, body: LoginBody) -> dict[str, Any]:
        watcher = page.watcher(locker)
        path = f"/v1/lockers/{locker}/console-answers"

        def answer(challenge: str) -> str:
            return str(page.api.post(path, {"challenge": challenge, "name": body.name})["answer"])

        with _said_plainly():
            granted = watcher.serial.log_in(body.name, answer)
        if granted:
            page.guide.tours.note("console:login")
        return {"ok": granted}


def _ordering(app: FastAPI, page: Page) -> None:
    orders: dict[str, tuple[str, dict[str, Any]]] = {
        "open": ("open", {"reason": "demo"}),
        "out": ("service", {"out": True, "reason": "demo"}),
        "back": ("service", {"out": False, "reason": "demo"}),
        "release": ("release", {"reason": "demo"}),
    }

    @app.post("/api/lockers/{locker}/compartments/{number}/{what}")
    def operate(locker: str, number: Number, what: Literal["open", "out", "back", "release"]) -> dict[str, Any]:
        page.watcher(locker)
        leaf, body = orders[what]
        with _said_plainly():
            return page.api.post(f"/v1/lockers/{locker}/compartments/{number}/{leaf}", body)

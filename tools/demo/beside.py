"""The gateway's pages once more, at a port of our own, for the frame beside the locker's front.

The gateway lets nobody frame its pages, and says that none may open them (COOP), rightly. Here both headers name the
demonstration's page instead; everything else is passed on as it is. Loopback only.
"""

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

WAIT_S = 30.0
BODY_MAX = 64 * 1024
# RFC 9110 7.6.1: of one connection; and those that are written anew.
OF_A_CONNECTION = {b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer"}
WRITTEN_ANEW = OF_A_CONNECTION | {b"content-length", b"accept-encoding", b"cross-origin-opener-policy"}
NOBODY = "frame-ancestors 'none'"


class Beside:
    """`port`: ours; `page_port`: that of the page which may frame."""

    def __init__(self, gateway_port: int, port: int, page_port: int) -> None:
        self._gateway_port = gateway_port
        self._port = port
        self._page_port = page_port
        self._out = httpx.AsyncHTTPTransport()  # not a client: that would keep everybody's cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        host = request.headers.get("host", "")
        if host not in (f"127.0.0.1:{self._port}", f"localhost:{self._port}"):
            return PlainTextResponse("this page answers to its own address only", 403)
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > BODY_MAX:
            return PlainTextResponse("too large", 413)
        url = request.url.replace(scheme="http", hostname="127.0.0.1", port=self._gateway_port)
        headers = [(name, value) for name, value in request.headers.raw if name not in WRITTEN_ANEW]
        timeout = {"timeout": httpx.Timeout(WAIT_S).as_dict()}
        asked = httpx.Request(
            request.method, str(url), headers=headers, content=await request.body(), extensions=timeout
        )
        try:
            got = await self._out.handle_async_request(asked)
            content = await got.aread()
            await got.aclose()
        except httpx.HTTPError as problem:
            return PlainTextResponse(f"the gateway does not answer: {type(problem).__name__}", 502)
        answer = Response(content, got.status_code)
        kept = [(name.lower(), value) for name, value in got.headers.raw if name.lower() not in WRITTEN_ANEW]
        answer.raw_headers = [*kept, (b"content-length", str(len(content)).encode())]
        self._let_frame(answer)
        return answer

    def _let_frame(self, answer: Response) -> None:
        policy = answer.headers.get("content-security-policy")
        if policy:
            page = f"http://127.0.0.1:{self._page_port} http://localhost:{self._page_port}"
            answer.headers["content-security-policy"] = policy.replace(NOBODY, f"frame-ancestors {page}")


def by_port(port: int, there: ASGIApp, here: ASGIApp) -> ASGIApp:
    """Two apps of one server: `there` for what comes in at `port`."""

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server") or ("", 0)
        await (there if scope["type"] == "http" and server[1] == port else here)(scope, receive, send)

    return either

"""A small client of the gateway's HTTP API for the tools: one call, one answer or one Failed with its remedy.

The secret is read from the environment or a file, never from a flag, and is never printed.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from gateway.config import data_folder

URL_DEFAULT = "http://127.0.0.1:8420"
WAIT_S = 30.0
AGAIN_S_MAX = 120.0  # in all, for a gateway that says when to come again; then its refusal counts
AGAIN = (409, 429, 503)  # with Retry-After: nothing was done yet, and the same request may be good later
PAGES_MAX = 10_000  # a gateway that always answers another cursor must not hold us for ever
Json = dict[str, Any]

# Exit codes of every command; `consigne --help` prints them.
OK, REFUSED, USAGE, UNREACHABLE, UNAUTHENTICATED, UNFINISHED = range(6)
INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


class Failed(Exception):  # noqa: N818 — it reads as what happened
    """What went wrong, what to do, and the exit code that says so."""

    def __init__(self, text: str, remedy: str = "", exit_code: int = REFUSED, code: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy
        self.exit_code = exit_code
        self.code = code


def read_secret(environment: Mapping[str, str], data: Path) -> str:
    """CONSIGNE_KEY, else the file CONSIGNE_KEY_FILE names, else the operator key of a gateway on this machine."""
    if environment.get("CONSIGNE_KEY"):
        return environment["CONSIGNE_KEY"].strip()
    named = environment.get("CONSIGNE_KEY_FILE")
    path = Path(named) if named else data / "operator.key"
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise Failed(
            f"cannot read the gateway key file {path}: {type(problem).__name__}",
            "set CONSIGNE_KEY_FILE to the file that holds your key (the gateway prints its operator_key_file)",
            UNAUTHENTICATED,
        )


@dataclass
class Gateway:
    """`with Gateway.connect(url, secret) as gateway:`"""

    http: httpx.Client
    waiting: Callable[[int], None] = lambda _seconds: None  # told of each pause that the gateway asks for

    @staticmethod
    def connect(url: str, secret: str) -> "Gateway":
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        try:
            return Gateway(httpx.Client(base_url=url, headers=headers, timeout=WAIT_S, trust_env=False))
        except (httpx.InvalidURL, ValueError):
            raise Failed(f"not an address: {url}", "use http://HOST:PORT", USAGE)

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **query: str | int) -> Json:
        return _read(self._send("GET", path, query=query))

    def page(self, path: str, **query: str) -> str:
        """A document that is no JSON."""
        answer = self._send("GET", path, query=query)
        if answer.headers.get("content-type", "").startswith("text/html") and answer.is_success:
            return answer.text
        _read(answer)
        raise Failed("that address does not answer with a page", "check CONSIGNE_URL", UNREACHABLE)

    def post(self, path: str, body: Json) -> Json:
        """An act. Sent with a fresh Idempotency-Key, and once more with the same key when the line breaks."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        try:
            return _read(self._send("POST", path, body, headers=headers))
        except Failed as failed:
            if failed.exit_code != UNREACHABLE:
                raise
        return _read(self._send("POST", path, body, headers=headers))

    def put(self, path: str, body: Json) -> Json:
        """In place of what was there: the same twice is the same."""
        return _read(self._send("PUT", path, body))

    def delete(self, path: str) -> Json:
        return _read(self._send("DELETE", path))

    def pages(self, path: str, **query: str | int) -> Iterator[Json]:
        """Every row of a list, page after page."""
        cursor: dict[str, str | int] = {}
        for _ in range(PAGES_MAX):
            page = self.get(path, **query, **cursor)
            yield from page["data"]
            if not page.get("next_cursor"):
                return
            cursor = {"cursor": page["next_cursor"]}

    def _send(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Sent again, unchanged, as long as the gateway says when (Retry-After), within AGAIN_S_MAX."""
        until = time.monotonic() + AGAIN_S_MAX
        while True:
            answer = self._send_once(method, path, body, query, headers)
            pause_s = _pause_s(answer)
            if pause_s is None or time.monotonic() + pause_s > until:
                return answer
            self.waiting(pause_s)
            time.sleep(pause_s)

    def _send_once(
        self,
        method: str,
        path: str,
        body: Json | None,
        query: Mapping[str, str | int] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        try:
            return self.http.request(method, path, json=body, params=query, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise Failed(
                f"cannot reach the gateway at {self.http.base_url}: {type(problem).__name__}",
                "start it with `consigne gateway`, or set CONSIGNE_URL to its address",
                UNREACHABLE,
            )


def _pause_s(answer: httpx.Response) -> int | None:
    """None: do not send it again."""
    said = answer.headers.get("retry-after", "")
    digits = said if len(said) < 6 and said.isascii() and said.isdecimal() else ""
    return int(digits) if answer.status_code in AGAIN and digits else None


def _read(answer: httpx.Response) -> Json:
    try:
        document: Any = answer.json() if answer.content else {}
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Failed("that address does not answer as a gateway", "check CONSIGNE_URL", UNREACHABLE)
    fields = cast(Json, document)
    if answer.is_success:
        return fields
    wrong = "; ".join(f"{error['field']}: {error['problem']}" for error in fields.get("errors", []))
    text = f"{fields.get('code', answer.status_code)}: {fields.get('detail', answer.reason_phrase)}"
    exit_code = UNAUTHENTICATED if answer.status_code in (401, 403) else REFUSED
    remedy = " ".join(fields.get("next_actions", []))
    raise Failed(f"{text} ({wrong})" if wrong else text, remedy, exit_code, str(fields.get("code", "")))


def gateway_url(environment: Mapping[str, str] = os.environ) -> str:
    return environment.get("CONSIGNE_URL", URL_DEFAULT)


def connect_here(environment: Mapping[str, str] = os.environ) -> Gateway:
    """The gateway and the key that the environment names, else those of this machine. Raises Failed."""
    return Gateway.connect(gateway_url(environment), read_secret(environment, data_folder(environment)))

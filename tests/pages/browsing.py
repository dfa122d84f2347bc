"""One person before one screen: how wide it is, which language, and all that went wrong while the page was open."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

PICTURES = Path(__file__).resolve().parents[2] / "build" / "pages"
LANGUAGES = ("fr", "en")
LOCALES = {"fr": "fr-FR", "en": "en-GB"}
WAIT_MS = 60_000  # for whatever a page is waited for, on a busy machine
LEFT = "net::ERR_ABORTED"  # a stream that ends because its page was left


@dataclass(frozen=True)
class Screen:
    name: str
    width: int
    height: int
    dots: int = 1  # a CSS pixel
    touch: bool = False


SCREENS = (
    Screen("phone", 390, 844, dots=2, touch=True),
    Screen("small", 320, 640, dots=2, touch=True),
    Screen("desktop", 1280, 800),
)


@dataclass(frozen=True)
class View:
    screen: Screen
    language: str

    def __str__(self) -> str:
        return f"{self.screen.name}-{self.language}"


VIEWS = tuple(View(screen, language) for screen in SCREENS for language in LANGUAGES)
# For what does not depend on the width: the narrowest and the widest, and each language once.
TWO_VIEWS = (View(SCREENS[1], "fr"), View(SCREENS[2], "en"))


@dataclass
class Visit:
    """A fresh browser profile with this view. What it hears must not be, unless it was expected."""

    context: BrowserContext
    view: View
    test: str
    origin: str = ""
    heard: list[str] = field(default_factory=list[str])
    _expected: list[str] = field(default_factory=list[str])

    @staticmethod
    def begin(browser: Browser, view: View, test: str) -> "Visit":
        screen = view.screen
        context = browser.new_context(
            viewport={"width": screen.width, "height": screen.height},
            device_scale_factor=screen.dots,
            has_touch=screen.touch,
            is_mobile=screen.touch,
            locale=LOCALES[view.language],
            timezone_id="Europe/Paris",
        )
        context.set_default_timeout(WAIT_MS)
        visit = Visit(context, view, test)
        context.on("console", visit._console)
        context.on("weberror", lambda error: visit.heard.append(f"script: {error.error}"))
        context.on("request", visit._request)
        context.on("requestfailed", visit._failed)
        context.on("response", visit._response)
        return visit

    def open(self, url: str, authorization: str | None = None) -> Page:
        """A new page at `url`, loaded. `authorization`: that header, sent with every request from now on."""
        parts = urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        if authorization:
            self.context.set_extra_http_headers({"Authorization": authorization})
        page = self.context.new_page()
        page.goto(url)
        return page

    def expect(self, pattern: str) -> None:
        """What matches `pattern` (a regular expression) will go wrong, and must: the test is about it."""
        self._expected.append(pattern)

    def faults(self) -> list[str]:
        """What went wrong and was not expected, and what was expected and did not."""
        wrong = [one for one in self.heard if not any(re.search(pattern, one) for pattern in self._expected)]
        absent = [one for one in self._expected if not any(re.search(one, heard) for heard in self.heard)]
        return [*wrong, *(f"expected, and never heard: {one}" for one in absent)]

    def picture(self, page: Page, name: str = "") -> Path:
        """The whole page as build/pages/<test>-<width>-<language>.png; `name`: when a test takes several."""
        stem = "-".join([self.test, *([name] if name else []), str(self.view.screen.width), self.view.language])
        path = PICTURES / f"{stem}.png"
        page.screenshot(path=path, full_page=True)
        return path

    def _console(self, message: ConsoleMessage) -> None:
        """Broken rules of the Content-Security-Policy are told here too."""
        if message.type == "error":
            self.heard.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.heard.append(f"another origin: {request.method} {request.url[:200]}")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT:
            self.heard.append(f"failed: {request.method} {request.url[:200]}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.heard.append(f"status {response.status}: {response.request.method} {response.url[:200]}")

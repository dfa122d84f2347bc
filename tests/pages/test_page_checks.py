"""The checks of pages see what is wrong: each fault of this bad page is found, and a good one has none."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browsing import SCREENS, View, Visit
from page_checks import axe, fits, keyboard_order
from serving import serving

GOOD = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Good</title>
<link rel="icon" href="data:,"><main><h1>Good</h1><a href="#a" id="a">First</a> <label>Word <input></label>
<button aria-label="Third">3</button></main>"""
BAD = """<!doctype html><html><meta name="viewport" content="width=device-width"><title>Bad</title>
<link rel="icon" href="data:,"><main><h1 style="color:#999">Bad</h1><p style="color: #aaa">pale</p>
<img src="http://elsewhere.example/x.png"><img src="/gone.png" alt="gone">
<p id="wide" style="width: 400px">wide</p><input id="nameless"><script src="/bad.js"></script></main>"""
PAGES = {
    "/good": (GOOD, "text/html", ""),
    "/bad": (BAD, "text/html", ""),
    "/policy": (BAD, "text/html", "default-src 'self'"),
    "/bad.js": ("throw new Error('a bad script')", "text/javascript", ""),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body, kind, policy = PAGES.get(self.path, ("", "", ""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
        """Says nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def view() -> View:
    return View(next(screen for screen in SCREENS if screen.width == 320), "en")


def test_a_good_page_passes_every_check(site: str, visit: Visit) -> None:
    page = visit.open(f"{site}/good")
    axe(page)
    fits(page)
    assert keyboard_order(page) == ["a First", "input Word", "button Third"]


def test_what_is_wrong_with_a_page_is_told_in_words(site: str, visit: Visit) -> None:
    page = visit.open(f"{site}/bad")
    with pytest.raises(AssertionError) as found:
        axe(page)
    for rule in ("color-contrast", "html-has-lang", "image-alt", "label", "nameless", "contrast of 2"):
        assert rule in str(found.value), rule
    with pytest.raises(AssertionError, match=r'<p id="wide" class=""> ends at 4\d\d of 320 px'):
        fits(page)
    for fault in (r"another origin: GET http://elsewhere", r"failed: .*elsewhere", r"status 404: GET .*/gone.png"):
        visit.expect(fault)
    for fault in (r"script: a bad script", r"console: .*404", r"console: .*ERR_NAME_NOT_RESOLVED"):
        visit.expect(fault)


def test_a_broken_rule_of_the_pages_policy_is_a_fault_and_axe_runs_under_it(site: str, visit: Visit) -> None:
    page = visit.open(f"{site}/policy")
    with pytest.raises(AssertionError, match="html-has-lang"):
        axe(page)
    for fault in (r"console: .*Content Security Policy.*style-src", r"console: .*(img-src|elsewhere)"):
        visit.expect(fault)
    for fault in ("another origin", "failed: ", "status 404", "console: .*404", "a bad script"):
        visit.expect(fault)


def test_what_was_expected_and_never_came_is_a_fault_too(site: str, visit: Visit) -> None:
    visit.open(f"{site}/good")
    visit.expect("status 403")
    assert visit.faults() == ["expected, and never heard: status 403"]
    page = visit.context.new_page()
    with page.expect_console_message():
        page.evaluate("console.error('status 403')")

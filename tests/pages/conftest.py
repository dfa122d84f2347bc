"""A real browser for the pages: one a file, a fresh profile a test, three screens in both languages."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import VIEWS, WAIT_MS, View, Visit
from http_town import Town, town
from playwright.sync_api import Browser, expect, sync_playwright

from gateway.packages import os_release
from tools.chromium import Chromium, ChromiumError, find
from tools.chromium_npm import find_node

# Nothing but this machine has a name: a page that asks for another host gets no answer from anybody.
ARGUMENTS = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-gpu"]

expect.set_options(timeout=WAIT_MS)


def _chromium() -> Chromium:
    try:
        return find()
    except ChromiumError as error:
        why = " ".join(str(error).splitlines())
        if os.environ.get("CI") and os_release().get("ID") == "debian":
            pytest.fail(why)  # a machine that can have one, and that others rely on
        pytest.skip(why)


# One a file (half a second), not one a session: Playwright keeps an event loop running in this thread while it lives,
# and tests of other folders start theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = _chromium()
    # The one that Playwright brings wants libatomic, which a bare Debian lacks.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(find_node()))
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=found.binary,
            env={**found.environment},
            args=ARGUMENTS,
            timeout=WAIT_MS,
        )
        yield running
        running.close()


@pytest.fixture(params=VIEWS, ids=str)
def view(request: pytest.FixtureRequest) -> View:
    return request.param


@pytest.fixture
def visit(browser: Browser, view: View, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Opens pages; the test fails when one of them complained, failed to load something or asked elsewhere."""
    one = Visit.begin(browser, view, request.node.originalname)
    try:
        yield one
        faults = one.faults()
    finally:
        one.context.close()
    assert not faults, "\n".join(["the browser tells of:", *faults])


@pytest.fixture
def meet(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[[View], Visit]]:
    """Somebody with a browser of their own; several may be about. Fails when a page of any of them complained."""
    met: list[Visit] = []

    def somebody(view: View) -> Visit:
        met.append(Visit.begin(browser, view, request.module.__name__.removeprefix("test_")))
        return met[-1]

    try:
        yield somebody
        faults = [fault for one in met for fault in one.faults()]
    finally:
        for one in met:
            one.context.close()
    assert not faults, "\n".join(["a browser tells of:", *faults])


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    """A gateway with real books behind a real server; its locker says what the test says."""
    with town(tmp_path) as made:
        yield made

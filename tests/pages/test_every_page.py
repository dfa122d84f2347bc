"""Every page that a role can reach by links, for people with any eyes, hands and screens: axe-core finds nothing,
nothing scrolls sideways, the browser complains of nothing, and no page of ours is left out."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from browsing import TWO_VIEWS, Visit
from fastapi.routing import APIRoute
from http_town import Town
from page_checks import axe, fits
from playwright.sync_api import Page
from whole_town import LOCKER, SECOND, Roles, build

from gateway.web.app import create_pages

PAGES_MAX = 80  # of one role: a link that leads to ever new pages ends the walk
# What stands in a path for one of many.
_ONE = re.compile(
    rf"(?<=/)(par_\w+|cred_\w+|op_\w+|rep_\w+|[0-9a-f]{{8,16}}|\d+|[\w=-]{{32}}|{LOCKER}|{SECOND})(?=[/.]|$)"
)
# Reached by an act or read by a script, each looked at in a test of its own.
NOT_BY_LINK = {
    "/assets/*", "/sign-out", "/courier/sw.js", "/courier/manifest.webmanifest", "/courier/offline", "/d/*",
    "/p/*/state", "/p/*/*", "/operator/lockers/*/front", "/operations/*", "/operations/*/state",
    "/courier/operations/*", "/courier/proofs/*.json", "/courier/lockers", "/operator/parcels/*/code",
    "/merchant/parcels/*/code", "/merchant/parcels.csv", "/operator/alarms/open", "/operator/fleet",
}  # fmt: skip


def pattern(path: str) -> str:
    return _ONE.sub("*", path)


def routes(here: Town) -> set[str]:
    """Of all pages, as patterns."""
    app = create_pages(here.desk, lambda: None)
    return {re.sub(r"\{[^}]+\}", "*", route.path) for route in _routes(app.routes) if "GET" in (route.methods or ())}


def _routes(found: "list[object]") -> Iterator[APIRoute]:
    for route in found:
        if isinstance(route, APIRoute):
            yield route


def links(page: Page) -> list[str]:
    """Paths on this page that lead on within it, in order."""
    found: list[str] = page.eval_on_selector_all(
        "a[href]", "all => all.map(one => new URL(one.getAttribute('href'), document.baseURI).href)"
    )
    here = urlsplit(page.url)
    paths = [urlsplit(one) for one in found]
    return [one.path for one in paths if one.netloc == here.netloc]


def walk(visit: Visit, start: str) -> set[str]:
    """One page of each pattern, from `start` on; the patterns that were seen."""
    page = visit.context.pages[-1] if visit.context.pages else visit.context.new_page()
    waiting, seen = [start], set[str]()
    while waiting and len(seen) < PAGES_MAX:
        path = waiting.pop(0)
        if pattern(path) in seen or pattern(path) in NOT_BY_LINK:
            continue
        seen.add(pattern(path))
        page.goto(visit.origin + path)
        assert page.evaluate("document.documentElement.lang") == visit.view.language
        fits(page)
        axe(page)
        visit.picture(page, pattern(path).strip("/").replace("/", "-").replace("*", "x") or "home")
        waiting += links(page)
    return seen


def signed_in(visit: Visit, here: Town, secret: str) -> None:
    page = visit.open(f"{here.url}/sign-in?lang={visit.view.language}")
    page.locator("#key").fill(secret)
    page.locator("main form button").click()
    page.wait_for_url(lambda url: "sign-in" not in url)


@pytest.fixture
def roles(here: Town) -> Roles:
    return build(here)


@pytest.mark.parametrize("view", TWO_VIEWS, ids=str)
@pytest.mark.parametrize("role", ["operator", "courier", "merchant"])
def test_every_page_of_a_role_is_for_everyone(here: Town, roles: Roles, visit: Visit, role: str) -> None:
    signed_in(visit, here, getattr(roles, role))
    seen = walk(visit, f"/{role}")
    ours = {pattern for pattern in routes(here) if pattern.startswith(f"/{role}")} - NOT_BY_LINK
    assert ours and seen >= ours


@pytest.mark.parametrize("view", TWO_VIEWS, ids=str)
def test_every_page_of_a_recipient_is_for_everyone(here: Town, roles: Roles, visit: Visit) -> None:
    visit.open(f"{here.url}/?lang={visit.view.language}")
    seen = walk(visit, "/") | walk(visit, f"/p/{roles.recipient}")
    assert seen >= {"/", "/sign-in", "/p/*", "/p/*/qr", "/p/*/slip"}

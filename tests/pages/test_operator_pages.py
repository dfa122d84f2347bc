"""The operator's and a merchant's pages in a browser: they fit, axe finds nothing, and a front tells what changed."""

import re
from urllib.parse import urlsplit

import pytest
from browsing import TWO_VIEWS, Visit
from http_town import Town, deposited
from page_checks import axe, fits
from playwright.sync_api import Page, expect

from gateway.domain.people import GATEWAY, SCOPES_OF
from gateway.services import people
from protocol.messages import DoorFaulted
from protocol.numbers import DOOR_STATES

JAMMED = DoorFaulted(1, DOOR_STATES.index("jammed"), True)
OPERATORS = (
    "/operator",
    "/operator/lockers/mairie-1",
    "/operator/lockers/mairie-1/compartments/1",
    "/operator/alarms",
    "/operator/parcels",
    "/operator/people",
    "/operator/badges",
    "/operator/signing-keys",
    "/operator/use",
    "/operator/log",
    "/operator/log/acts",
)
pytestmark = pytest.mark.parametrize("view", TWO_VIEWS, ids=str)


def signed_in(here: Town, visit: Visit, role: str, tenant: str = "") -> Page:
    own = (tenant,) if role == "merchant" else ()
    _, secret = people.issue_credential(here.desk, GATEWAY, role, tenant, SCOPES_OF[role], role, own)
    page = visit.open(f"{here.url}/sign-in")
    page.locator("#key").fill(secret)
    page.locator("main button").click()
    page.wait_for_url(f"**/{role}")
    return page


def test_every_page_of_the_operator_fits_and_can_be_used_by_everybody(here: Town, visit: Visit) -> None:
    parcel = deposited(here)
    here.says("mairie-1", JAMMED)
    page = signed_in(here, visit, "operator")
    for path in (*OPERATORS, f"/operator/parcels/{parcel}"):
        page.goto(here.url + path)
        fits(page)
        axe(page)


def test_a_merchant_announces_a_parcel_and_prints_its_label(here: Town, visit: Visit) -> None:
    deposited(here)
    page = signed_in(here, visit, "merchant", "bookshop")
    for path in ("/merchant", "/merchant/new"):
        page.goto(here.url + path)
        fits(page)
        axe(page)
    page.locator("main form button").click()
    page.wait_for_url("**/merchant/parcels/**")
    place = urlsplit(page.url).path
    for path in (place, place + "/label"):
        page.goto(here.url + path)
        fits(page)
        axe(page)


def test_a_front_tells_what_changed_and_keeps_the_focus_where_it_was(here: Town, visit: Visit) -> None:
    deposited(here)
    page = signed_in(here, visit, "operator")
    page.goto(f"{here.url}/operator/lockers/mairie-1")
    door = page.locator(".doors a").first
    door.focus()
    here.says("mairie-1", JAMMED)
    expect(page.locator("[data-live-said]")).to_have_text(re.compile("quarant"))
    expect(door).to_be_focused()


def test_an_alarm_comes_by_itself_and_takes_neither_a_choice_nor_the_focus_away(here: Town, visit: Visit) -> None:
    deposited(here)
    here.says("mairie-1", JAMMED)
    page = signed_in(here, visit, "operator")
    page.goto(f"{here.url}/operator/alarms")
    hours, settle = page.locator("select[name=hours]"), page.locator("form[action$=settle] button")
    with page.expect_response("**/alarms/open"):
        pass  # the first look
    chosen = hours.locator("option").last.get_attribute("value")
    assert chosen
    hours.select_option(chosen)
    hours.focus()
    here.says("mairie-1", DoorFaulted(1, DOOR_STATES.index("left_open"), False))
    with page.expect_response("**/alarms/open"):
        pass
    with page.expect_response("**/alarms/open"):
        pass
    assert hours.input_value() == chosen and page.locator("article.alarm").count() == 1
    settle.focus()
    expect(page.locator("article.alarm")).to_have_count(2)
    assert page.evaluate("document.activeElement.form.action").endswith("/settle"), "where it was"

"""A courier's phone in a real browser: what is pressed, an opening followed by itself, a day without network."""

from typing import Any
from urllib.parse import quote

import pytest
from browsing import TWO_VIEWS, Visit
from courier_town import expect, expired, opens
from http_town import Town, open_locker
from page_checks import axe, fits
from playwright.sync_api import Page

from gateway.domain.ids import parcel_number
from gateway.domain.people import GATEWAY
from gateway.services import people
from protocol import receipts
from protocol.messages import DoorClosed

GLOVE_PX = 56
_TARGETS = "a, button, input:not([type=hidden], [type=radio]), select, summary, label.choice"
_SMALL = """([targets, least]) => {
  const shown = (one) => one.offsetParent && one.className !== "skip";
  const pressed = [...document.querySelectorAll(targets)].filter(shown);
  const boxes = pressed.map((one) => [one, one.getBoundingClientRect()]);
  const small = boxes.filter(([, box]) => box.height < least || box.width < least);
  return small.map(([one, box]) => `${one.localName} ${one.textContent.trim()}: ${box.width} x ${box.height}`);
}"""


def with_badge(here: Town, visit: Visit) -> Page:
    """By the link that a carrier's office sends."""
    token = people.issue_badge(here.desk, GATEWAY, "colibri", "c-17", 300).token
    assert token is not None
    page = visit.open(f"{here.url}/courier/badge#{quote(token, safe='')}")
    page.wait_for_selector("#badge .qr svg")
    assert token not in page.url and "#" not in page.url
    return page


def seen(page: Page, visit: Visit, name: str) -> None:
    fits(page)
    axe(page)
    assert page.evaluate(_SMALL, [_TARGETS, GLOVE_PX]) == [], "for gloves"
    visit.picture(page, name)


def test_every_page_is_for_gloves_and_for_everyone(here: Town, visit: Visit) -> None:
    open_locker(here, count=4)
    back = expired(here, "8R00429170FR", 1)
    inside = expect(here, "CX009988776FR")
    here.deposit("mairie-1", 2, 1, parcel_number(inside))
    for label in ("6A12345678901", "6A12345678902", "6A12345678903"):
        expect(here, label)
    page = with_badge(here, visit)
    seen(page, visit, "badge")
    for name in ("", "/receipts", "/offline", "/lockers/mairie-1", f"/proofs/{inside}"):
        page.goto(f"{here.url}/courier{name}")
        seen(page, visit, name.split("/")[1] if name else "round")
    page.goto(f"{here.url}/courier/lockers/mairie-1")
    page.click("form[action$='/reservations'] button")
    page.wait_for_url("**said=tried")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    seen(page, visit, "tried")
    page.click(f"form[action$='{back}/take-back'] button")
    page.wait_for_url("**/operations/**")
    seen(page, visit, "ordered")


@pytest.mark.parametrize("view", TWO_VIEWS, ids=str)
def test_an_opening_is_followed_to_its_end_by_itself(here: Town, visit: Visit) -> None:
    open_locker(here)
    parcel = expired(here, "OLD", 1)
    page = with_badge(here, visit)
    page.goto(f"{here.url}/courier/lockers/mairie-1")
    page.click(f"form[action$='{parcel}/take-back'] button")
    page.wait_for_selector("#follow[data-running]")
    opens(here, 1)
    page.wait_for_selector("#follow .steps li:nth-child(2).past")
    here.says("mairie-1", DoorClosed(1))
    page.wait_for_selector("#follow:not([data-running]) .notice.good")


def digits(here: Town, label: str) -> str:
    key = here.desk.keys.hmac("mairie-1", 1, "receipt")
    return receipts.digits(key, receipts.Receipt(2, 1, b"badge--8", "colibri", label, 1, None))


def kept_receipts(page: Page) -> Any:
    return page.evaluate("JSON.parse(localStorage.getItem('consigne.receipts') || '[]').length")


@pytest.mark.parametrize("view", TWO_VIEWS, ids=str)
def test_a_receipt_outlives_a_day_without_network_and_is_sent_once(here: Town, visit: Visit) -> None:
    open_locker(here)
    expect(here, "A-1")
    visit.expect("ERR_INTERNET_DISCONNECTED")
    page = with_badge(here, visit)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.goto(f"{here.url}/courier")
    page.goto(f"{here.url}/courier/receipts")
    assert page.is_hidden("#kept")
    visit.context.set_offline(True)
    page.goto(f"{here.url}/courier")
    assert page.is_visible("#kept"), "as it was seen last, and it says so"
    page.goto(f"{here.url}/courier/receipts")
    page.fill("#label", "A-1")
    good = digits(here, "A-1")
    page.fill("#digits", good[:-1] + str((int(good[-1]) + 1) % 10))
    page.click("#receipt-form > button")
    assert page.is_visible("#typing-problem") and kept_receipts(page) == 0, "told while it can be read again"
    page.fill("#digits", good)
    page.click("#receipt-form > button")
    page.wait_for_selector("#waiting li")
    page.reload()
    page.wait_for_selector("#waiting li")
    assert kept_receipts(page) == 1
    visit.context.set_offline(False)
    page.wait_for_selector("#sent .notice.good")
    assert kept_receipts(page) == 0 and page.is_hidden("#waiting")
    with here.desk.store.reading() as tx:
        parcel = tx.parcel_of_label("colibri", "A-1")
    assert parcel is not None and (parcel.state, parcel.compartment) == ("deposited", 2)


@pytest.mark.parametrize("view", TWO_VIEWS, ids=str)
def test_signing_out_leaves_nothing_of_the_courier_in_the_phone(here: Town, visit: Visit) -> None:
    open_locker(here)
    visit.expect("ERR_INTERNET_DISCONNECTED")
    page = with_badge(here, visit)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.goto(f"{here.url}/courier")
    assert page.evaluate("caches.has('courier-pages')")
    page.click("form[action='/sign-out'] button")
    page.wait_for_url(f"{here.url}/")
    assert not page.evaluate("caches.has('courier-pages')")
    assert page.evaluate("localStorage.getItem('consigne.badge')") is None
    visit.context.set_offline(True)
    page.goto(f"{here.url}/courier")
    assert page.locator("form[action='/sign-out']").count() == 0, "only the page that says there is no network"

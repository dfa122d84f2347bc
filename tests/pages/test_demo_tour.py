"""The demonstration's start page and its guided tours, as a newcomer meets them, narrow and wide."""

import re
from collections.abc import Iterator

import pytest
from browsing import TWO_VIEWS, Visit
from demo_process import running_demo
from page_checks import axe, fits
from playwright.sync_api import Frame, Page

pytestmark = pytest.mark.parametrize("view", TWO_VIEWS, ids=str)
# Role -> the first step of its tour.
OTHERS = {"operator": "sign_in", "technician": "badge", "merchant": "sign_in"}


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running.url


def begun(demo_url: str, visit: Visit, role: str) -> Page:
    """By the card on the start page; anew, whoever was on this tour before."""
    remembered = f"if (location.protocol === 'http:') localStorage.setItem('language', '{visit.view.language}')"
    visit.context.add_init_script(remembered)
    page = visit.open(demo_url)
    page.locator("#choices .count", has_text=re.compile("6")).first.wait_for()
    fits(page)
    axe(page)
    page.locator(f"a[href='/tour/{role}']").click()
    begin_anew(page)
    return page


def begin_anew(page: Page) -> None:
    """What is done before the answer to it would be forgotten."""
    page.locator("#light.on").wait_for()
    with page.expect_response(lambda answer: answer.request.method == "POST" and "/api/tours/" in answer.url):
        page.locator("#tour .foot button").click()
    page.locator("#tour li.done").first.wait_for(state="detached")


def press(page: Page, step: str) -> None:
    """The first thing that this step offers."""
    page.locator(f"[data-step={step}] .row").locator("button, a").first.click()


def ticked(page: Page, step: str) -> None:
    page.locator(f"[data-step={step}].done").wait_for()


def shown(page: Page) -> Frame:
    frame = page.frame(name="consigne-pages")
    assert frame is not None
    return frame


def deposits(page: Page) -> None:
    """With the badge first, and the pages later: in another order than it is told."""
    press(page, "badge")
    ticked(page, "badge")
    press(page, "keep")
    shown(page).locator("form[action$='/reservations'] button").click()
    ticked(page, "keep")
    press(page, "label")
    ticked(page, "label")
    press(page, "put_in")
    ticked(page, "put_in")
    press(page, "proof")
    shown(page).wait_for_url("**/courier/proofs/**")
    ticked(page, "sign_in")  # whoever kept a door had signed in
    page.locator("#tour .over").wait_for()


def collects(page: Page) -> None:
    press(page, "brought")
    ticked(page, "brought")
    press(page, "letter")
    shown(page).locator(".letter .act").first.click()
    shown(page).locator("#code").wait_for()
    ticked(page, "page")
    press(page, "code")
    ticked(page, "code")
    press(page, "take")
    page.locator("#tour .over").wait_for()


def test_a_newcomer_deposits_as_a_courier_and_collects_as_a_recipient(demo_url: str, visit: Visit) -> None:
    visit.expect(r"another origin: \w+ http://127\.0\.0\.1:\d+/")  # the gateway's pages, in the frame
    page = begun(demo_url, visit, "courier")
    deposits(page)
    fits(page)
    axe(page)
    visit.picture(page, "courier")
    page.locator("#tour .foot a").click()
    page.locator("a[href='/tour/recipient']").click()
    begin_anew(page)
    collects(page)
    fits(page)
    axe(page)
    visit.picture(page, "recipient")
    page.reload()
    page.locator("#tour .over").wait_for()  # what is done stays done
    page.goto(f"{demo_url}/mailbox")
    page.locator(".letter").first.wait_for()
    fits(page)
    axe(page)
    visit.picture(page, "mailbox")


def test_each_of_the_others_is_led_to_the_first_step(demo_url: str, visit: Visit) -> None:
    visit.expect(r"another origin: \w+ http://127\.0\.0\.1:\d+/")
    page = begun(demo_url, visit, "merchant")
    for role, step in OTHERS.items():
        page.goto(f"{demo_url}/tour/{role}")
        begin_anew(page)
        press(page, step)
        ticked(page, step)
        fits(page)
        axe(page)
        visit.picture(page, role)
    announces_for_another_locker(page)


def announces_for_another_locker(page: Page) -> None:
    """The first in the merchant's list is not the one shown: the tour leads there, and the door opens."""
    press(page, "order")
    shown(page).locator("#mail").fill("lou@example.org")
    shown(page).locator("main form button").click()
    ticked(page, "order")
    assert page.locator("#lockers [aria-checked=true]", has_text="Mairie").is_visible()
    press(page, "badge")
    page.locator("#lockers [aria-checked=true]", has_text="Gare").wait_for()
    page.locator("#light.on").wait_for()
    press(page, "badge")
    ticked(page, "badge")
    press(page, "put_in")
    page.locator("[data-step=put_in] button").nth(1).click()
    ticked(page, "told")

"""An operator's day at the desk, on a real stack: a door jams and its alarm comes by itself, one is opened from afar
by two people, one is taken out of service, and a badge is taken back."""

import time
from collections.abc import Callable, Iterator

import pytest
from browsing import View, Visit
from playwright.sync_api import Page, expect
from real_town import OPERATOR, PHONE, RealTown, read_qr, real_town, seen, sign_in
from scene import Scene

Meet = Callable[[View], Visit]
SECOND = View(PHONE, "en")  # the colleague has a phone at hand


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTown]:
    with real_town(tmp_path_factory.mktemp("town")) as running:
        yield running


def at_desk(town: RealTown, visit: Visit, name: str = "desk-1") -> Page:
    return sign_in(visit, town, town.key("operator", name=name))


def door_page(page: Page, town: RealTown, number: int) -> None:
    page.goto(f"{town.stack.url}/operator/lockers/mairie-1/compartments/{number}")


def ordered(page: Page) -> None:
    """The order's page follows it by itself to its end."""
    expect(page.locator("[data-over]")).to_contain_text("Done")


def at_rest(scene: Scene) -> None:
    scene.cabinet.keys("*")
    scene.cabinet.wait_for_screen("Bienvenue")


def test_the_alarm_of_a_jammed_door_comes_by_itself_and_is_looked_after_and_settled(
    town: RealTown, meet: Meet
) -> None:
    desk, scene, hands = meet(OPERATOR), town.at(), town.at().part()
    page = at_desk(town, desk)
    page.get_by_role("link", name="Alarms", exact=True).click()
    expect(page.get_by_text("No open alarm: nothing to do.")).to_be_visible()
    hands.label, hands.parcel = town.announce()
    jammed = town.stack.api.post(f"/v1/parcels/{hands.parcel}/reservation", {})["compartment"]
    scene.cabinet.jam(jammed)
    hands.show_badge()
    hands.scan_label()
    assert hands.compartment != jammed
    hands.close_door()
    hands.deposited()
    hands.courier_leaves()
    hands.close()
    alarm = page.locator("article.alarm", has_text=f"Door {jammed}")
    expect(alarm).to_be_visible()
    title = alarm.locator("h3").inner_text()
    expect(page.locator("[data-live-said]")).to_have_text(title)
    seen(desk, page, "alarm")
    alarm.get_by_role("button", name="I’ll take care of it").click()
    expect(alarm).to_contain_text("desk-1 is taking care of it.")
    alarm.get_by_role("link", name=f"Door {jammed}").click()
    expect(page.locator(".heading .state")).to_contain_text("quarantined")
    seen(desk, page, "jammed-door")
    scene.cabinet.jam(jammed, on=False)  # somebody went there and looked
    page.get_by_label("Reason").last.fill("freed, looked inside")
    page.get_by_role("button", name="I saw it empty").click()
    ordered(page)
    page.get_by_role("link", name=f"Back to door {jammed}").click()
    expect(page.locator(".heading .state")).to_contain_text("free")
    page.get_by_role("link", name="Alarms", exact=True).click()
    expect(page.get_by_text("No open alarm: nothing to do.")).to_be_visible()
    seen(desk, page, "settled")


def test_a_door_with_a_parcel_opens_from_afar_only_when_a_second_person_wants_it_too(
    town: RealTown, meet: Meet
) -> None:
    desk, second, scene = meet(OPERATOR), meet(SECOND), town.at()
    page, theirs = at_desk(town, desk), at_desk(town, second, "desk-2")
    made_s = int(time.time())
    hands = scene.deposit()
    town.stack.wait_for("the next second: the key is older than the request", lambda: time.time() >= made_s + 1)
    before = scene.pulses()
    door_page(page, town, hands.compartment)
    page.get_by_label("Reason").first.fill("parcel too high")
    page.get_by_role("button", name="Ask to open").click()
    expect(page.get_by_text("A second person has to sign in")).to_be_visible()
    expect(page.get_by_role("button", name="Confirm and open")).to_have_count(0)
    assert scene.pulses() == before
    waits = theirs.get_by_role("link", name=f"Door {hands.compartment}")
    expect(waits).to_be_visible()  # the page of all lockers tells by itself
    seen(second, theirs, "waits-for-a-second")
    waits.click()
    expect(theirs.get_by_role("button", name="Confirm and open")).to_be_visible()
    seen(second, theirs, "confirm")
    theirs.get_by_role("button", name="Confirm and open").click()
    hands.door("open")
    expect(theirs.locator("[data-live]")).to_contain_text("Done")
    seen(second, theirs, "opened")
    hands.close_door()
    assert town.parcel(hands.parcel)["state"] == "deposited", "opened is not collected"
    hands.close()


def test_a_door_is_taken_out_of_service_and_comes_back(town: RealTown, meet: Meet) -> None:
    desk, scene = meet(OPERATOR), town.at()
    page = at_desk(town, desk)
    door_page(page, town, 14)
    page.locator("details", has=page.locator("#service-reason")).locator("summary").click()
    page.locator("#service-reason").fill("hinge")
    page.get_by_role("button", name="Take out of service").click()
    ordered(page)
    page.goto(f"{town.stack.url}/operator/lockers/mairie-1")
    expect(page.locator(".doors a[data-says='14']")).to_contain_text("out of service")
    seen(desk, page, "out-of-service")
    door_page(page, town, 14)
    page.locator("#service-reason").fill("mended")
    page.get_by_role("button", name="Put back into service").click()
    ordered(page)
    page.goto(f"{town.stack.url}/operator/lockers/mairie-1")
    expect(page.locator(".doors a[data-says='14']")).to_contain_text("free")
    scene.assert_books_exact()


def test_a_badge_that_is_taken_back_on_the_page_is_refused_at_the_locker(town: RealTown, meet: Meet) -> None:
    desk, scene = meet(OPERATOR), town.at()
    page = at_desk(town, desk)
    page.goto(f"{town.stack.url}/operator/badges")
    page.get_by_label("Staff number").fill("livreur-9")
    page.get_by_label("Carrier").fill("colis-bleu")
    page.get_by_role("button", name="Make a badge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The badge, shown this once")
    seen(desk, page, "badge")
    qr = read_qr(page.locator(".qr"))
    at_rest(scene)
    scene.cabinet.scan(qr)
    scene.cabinet.wait_for_screen("Bonjour colis-bleu")
    page.get_by_role("link", name="Badges").last.click()
    since = scene.last_seq()
    page.get_by_role("button", name="Take back livreur-9").click()
    scene.wait_event("TokenRevoked", since)
    scene.cabinet.wait_for_screen("Bienvenue")  # also whoever stands there with it
    scene.cabinet.scan(qr)
    scene.cabinet.wait_for_screen("QR non valable")
    expect(page.locator("tr", has_text="livreur-9")).to_contain_text("taken back")
    page.reload()
    expect(page.locator("tr", has_text="livreur-9")).to_contain_text("1 of 1")
    seen(desk, page, "badge-taken-back")

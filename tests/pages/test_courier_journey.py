"""A courier's day with a phone in one hand: real pages, a real broker and gateway, real MicroPython lockers.

Doors jam, boxes are too small, a locker is full, the network goes in the middle of it.
"""

import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from browsing import View, Visit
from playwright.sync_api import Page, expect
from real_town import COURIER, RealTown, read_qr, real_town, seen
from scene import Scene

from tools.demo.journey import Play

WAIT_S = 60
Meet = Callable[[View], Visit]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTown]:
    with real_town(tmp_path_factory.mktemp("town"), ("mairie-1", "gare-1")) as running:
        yield running


def with_badge(town: RealTown, courier: Visit) -> tuple[Page, str]:
    """By the link from the carrier's office; and the QR as the locker's scanner reads it off the phone."""
    page = courier.open(f"{town.stack.url}/courier/badge#{quote(town.badge()['token'], safe='')}")
    page.wait_for_selector("#badge .qr svg")
    return page, read_qr(page.locator("#badge .qr"))


def shows_badge(scene: Scene, qr: str) -> None:
    scene.cabinet.scan(qr)
    scene.cabinet.wait_for_screen("Bonjour")


def leaves(scene: Scene) -> None:
    scene.cabinet.keys("*")
    scene.cabinet.wait_for_screen("Bienvenue")


def row(page: Page, label: str) -> str:
    """What the page says of a parcel."""
    return page.locator("li", has_text=label).inner_text()


def listed(page: Page, label: str, section: str) -> str:
    """As soon as the gateway has heard of it: the locker's screen is quicker."""
    item = page.locator(f"section[aria-labelledby={section}] li", has_text=label)
    until = time.monotonic() + WAIT_S
    page.reload()
    while not item.count() and time.monotonic() < until:
        page.reload()
    return item.inner_text()


def opened(scene: Scene, door: int, since: int) -> bool:
    """The books may still be behind with the doors before it."""
    later = [event for event in scene.events() if event["seq"] > since and event["type"] == "DoorOpened"]
    return door in [event["fields"]["compartment"] for event in later]


def deposits(scene: Scene, label: str) -> Play:
    """Scanned, put in, closed; the locker says so."""
    hands = scene.part()
    hands.label = label
    hands.scan_label()
    hands.close_door()
    scene.cabinet.wait_for_screen(f"{hands.compartment} : déposé")
    hands.close()
    return hands


def test_a_door_jams_a_box_is_too_small_and_each_parcel_is_in_another_door_that_the_page_names(
    town: RealTown, meet: Meet
) -> None:
    scene, courier = town.at(), meet(COURIER)
    (jams, jammed_parcel), (grows, grown_parcel) = town.announce(), town.announce()
    page, qr = with_badge(town, courier)
    seen(courier, page, "badge")
    page.get_by_role("link", name="Tournée", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tournée du jour")
    seen(courier, page, "round")
    page.get_by_role("link", name="Aller à Mairie").click()
    page.get_by_role("button", name="Garder une porte pour chacun (2)").click()
    expect(page.get_by_role("status")).to_have_text("C’est fait : chaque colis a sa porte.")
    seen(courier, page, "doors-kept")
    kept = town.parcel(jammed_parcel)["compartment"]
    assert f"porte {kept}" in row(page, jams)
    assert re.search(r"gardée jusqu’au \d+(er)? \w+ à", row(page, jams)), "the day, not the hour alone"
    shows_badge(scene, qr)
    scene.cabinet.jam(kept)
    hands = deposits(scene, jams)  # the screen said that it jams, and the next door opened
    assert hands.compartment != kept
    assert f"porte {hands.compartment}" in listed(page, jams, "lying")
    scene.cabinet.keys("C")  # it went into the wrong box: once more
    scene.cabinet.wait_for_door(hands.compartment, "open")
    hands = scene.part()
    hands.compartment = town.parcel(jammed_parcel)["compartment"]
    hands.close_door()
    hands.label, hands.compartment = grows, 0
    since = scene.last_seq()
    hands.scan_label()
    small, hands.compartment = hands.compartment, 0
    # The locker has seen it too, as by the time that a hand is at the keypad.
    scene.stack.wait_for("the locker's word", lambda: opened(scene, small, since))
    scene.cabinet.keys("B")
    hands.compartment = int(hands.door("open")["compartment"])
    scene.cabinet.push(small)
    hands.close_door()
    hands.close()
    scene.cabinet.wait_for_screen("déposé")
    leaves(scene)
    town.wait_state(grown_parcel, "deposited")
    assert hands.compartment != small and f"porte {hands.compartment}" in listed(page, grows, "lying")
    expect(page.locator("#to-deposit")).to_have_text("À déposer (0)")
    seen(courier, page, "done")
    page.get_by_role("link", name="Preuve de remise").first.click()
    expect(page.get_by_text("livreur-7")).to_be_visible()
    seen(courier, page, "proof")
    scene.cabinet.jam(kept, on=False)
    scene.assert_books_exact()


def test_a_full_locker_is_said_at_both_screens_and_the_parcel_goes_to_another_or_waits(
    town: RealTown, meet: Meet
) -> None:
    scene, courier = town.at(), meet(COURIER)
    for _door in range(2):  # the two large ones are kept for somebody else
        _, other = town.announce("L", carrier="colibri")
        town.stack.api.post(f"/v1/parcels/{other}/reservation", {})
    (goes, moved_parcel), (stays, waiting_parcel) = town.announce("L"), town.announce("L")
    page, qr = with_badge(town, courier)
    shows_badge(scene, qr)
    scene.cabinet.scan(goes)
    scene.cabinet.wait_for_screen("Plus de place")
    leaves(scene)
    page.goto(f"{town.stack.url}/courier/lockers/mairie-1")
    page.get_by_role("button", name="Garder une porte pour chacun (2)").click()
    expect(page.get_by_role("status")).to_contain_text("Sans porte : 2 colis")
    assert "prochaine tournée" in row(page, stays)
    seen(courier, page, "full")
    page.locator("li", has_text=goes).get_by_role("button", name="Le déposer à Gare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gare")
    seen(courier, page, "moved")
    gare = town.at("gare-1")
    shows_badge(gare, qr)
    hands = deposits(gare, goes)
    leaves(gare)
    town.wait_state(moved_parcel, "deposited")
    assert f"porte {hands.compartment}" in listed(page, goes, "lying")
    page.goto(f"{town.stack.url}/courier/lockers/mairie-1")
    assert "pas encore de porte" in row(page, stays), "it waits in the list for the next round"
    assert town.parcel(waiting_parcel)["state"] == "expected"


def test_the_network_goes_in_mid_work_and_the_receipt_waits_in_the_phone_until_it_is_back(
    town: RealTown, meet: Meet
) -> None:
    scene, courier = town.at(), meet(COURIER)
    courier.expect("ERR_INTERNET_DISCONNECTED")
    label, parcel = town.announce()
    page, qr = with_badge(town, courier)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.goto(f"{town.stack.url}/courier/receipts")
    shows_badge(scene, qr)
    scene.cabinet.cable("reset")
    scene.stack.wait_for("the board's notice", lambda: scene.cabinet.state()["link"] == "down")
    courier.context.set_offline(True)
    scene.cabinet.scan(label)
    scene.cabinet.wait_for_screen("Taille ?")
    hands = scene.part()
    scene.cabinet.keys("1")
    hands.compartment = int(hands.door("open")["compartment"])
    hands.close_door()
    hands.close()
    digits = scene.cabinet.wait_for_screen("Reçu")[2].strip()
    page.fill("#label", label)
    page.get_by_label("Consigne").select_option("mairie-1")
    page.get_by_text("S", exact=True).click()
    page.fill("#digits", digits)
    page.get_by_role("button", name="Remettre le reçu").click()
    expect(page.locator("#waiting li")).to_contain_text("attend le réseau")
    seen(courier, page, "receipt-waits")
    assert town.parcel(parcel)["state"] == "expected"
    courier.context.set_offline(False)
    expect(page.locator("#sent .notice.good")).to_contain_text(f"{label} : déposé, porte {hands.compartment}")
    seen(courier, page, "receipt-sent")
    assert town.parcel(parcel)["state"] == "deposited"
    scene.cabinet.cable("none")
    leaves(scene)
    scene.knock()
    scene.wait_event("OfflineDepositAuthorised", 0)
    scene.stack.wait_for("the locker's own word", lambda: scene.types_since(0).count("Deposited") == 3)
    assert town.parcel(parcel)["compartment"] == hands.compartment
    scene.assert_books_exact()
    page.goto(f"{town.stack.url}/courier/lockers/mairie-1")
    assert f"porte {hands.compartment}" in listed(page, label, "lying")

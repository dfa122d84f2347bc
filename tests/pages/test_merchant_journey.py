"""A shop's parcel on a real stack: ordered and labelled there, put in by a courier, fetched, and told all along."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import View, Visit
from playwright.sync_api import Page, expect
from real_town import CARRIER, MERCHANT, SHOP, RealTown, read_qr, real_town, seen, sign_in

Meet = Callable[[View], Visit]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTown]:
    with real_town(tmp_path_factory.mktemp("town")) as running:
        yield running


def row(page: Page, town: RealTown, label: str) -> str:
    page.goto(f"{town.stack.url}/merchant")
    return page.locator("tr", has_text=label).inner_text()


def exported(page: Page) -> list[dict[str, str]]:
    """As a spreadsheet would open it."""
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    text = Path(started.value.path()).read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def test_a_shop_orders_labels_and_follows_its_parcel_until_it_is_fetched(town: RealTown, meet: Meet) -> None:
    shop, hands = meet(MERCHANT), town.at().part()
    page = sign_in(shop, town, town.key("merchant", SHOP))
    page.get_by_role("link", name="Nouveau colis").click()
    page.get_by_label("Consigne").select_option("mairie-1")
    shop.expect("422")  # what is typed here is no carrier's slug
    page.get_by_label("Qui l’apporte").fill("Colis Bleu")
    page.locator("main form button").click()
    expect(page.get_by_role("alert")).to_have_text("Un champ n’est pas bon : il est marqué.")
    seen(shop, page, "mistake")
    page.get_by_label("Qui l’apporte").fill(CARRIER)
    page.locator("main form button").click()
    expect(page.get_by_role("status")).to_contain_text("est gardée pour ce colis")
    seen(shop, page, "ordered")
    page.get_by_role("link", name="Étiquette à imprimer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Étiquette")
    seen(shop, page, "label")
    label = read_qr(page.locator(".qr"))
    hands.show_badge()
    hands.label = label
    hands.scan_label()
    hands.close_door()
    (found,) = [one for one in town.stack.api.pages("/v1/parcels") if one["label"] == label]
    hands.parcel = found["id"]
    hands.deposited()
    hands.courier_leaves()
    assert f"porte {hands.compartment}" in row(page, town, label)
    seen(shop, page, "deposited")
    hands.type_code()
    hands.close_door()
    hands.collected()
    assert "retiré" in row(page, town, label)
    seen(shop, page, "collected")
    (line,) = exported(page)
    assert label in line.values() and str(hands.compartment) in line.values()
    page.locator("tr", has_text=label).get_by_role("link").click()
    expect(page.locator(".heading .state")).to_contain_text("retiré")
    seen(shop, page, "one-parcel")
    hands.close()

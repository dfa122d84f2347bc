"""Contracts on the operator's page, and what a merchant sees of them and of labels that another announced."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from http_town import Town, key, open_locker, parcel_body, town
from pages_town import Browser, browser

ORDER = {"locker": "mairie-1", "size": "M", "carrier": "colibri", "label": "6A1"}
PAGE = "/operator/contracts"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made, count=2)
        yield made


def order(somebody: Browser) -> str:
    """Where it leads."""
    return somebody.act("/merchant/new", "/merchant/new", **ORDER)


def test_an_operator_makes_a_contract_and_ends_it_and_sees_what_gets_no_door(here: Town) -> None:
    operator, shop = browser(here), browser(here, "merchant", "bookshop")
    refused = shop.send(shop.get("/merchant/new").form("/merchant/new"), **ORDER)
    assert refused.status_code == 403 and 'id="carrier-wrong"' in refused.text and 'value="6A1"' in refused.text
    form = operator.get(PAGE).form(PAGE)
    for _ in range(2):
        done = operator.send(form, merchant="bookshop", carrier="colibri")
        assert done.headers["location"] == f"{PAGE}?done=made"
    assert "Your contracts: bookshop, colibri." in shop.get("/merchant/new?lang=en").text
    parcel = order(shop).partition("?")[0]
    assert operator.act(PAGE, "/bookshop/colibri/end") == f"{PAGE}?done=ended"
    assert "no contract" in operator.get(PAGE + "?lang=en").text
    assert "you have no contract with its carrier any more" in shop.get(parcel + "?lang=en").text
    (again,) = [form for form in operator.get(PAGE).forms if form.fields.get("carrier") == "colibri"]
    assert operator.send(again).status_code == 303
    assert "no contract" not in shop.get(parcel).text


def test_a_name_that_cannot_be_is_said_and_nothing_is_made(here: Town) -> None:
    operator = browser(here)
    answer = operator.send(operator.get(PAGE).form(PAGE), merchant="Not A Slug", carrier="colibri")
    assert answer.status_code == 422 and 'role="alert"' in answer.text and 'value="Not A Slug"' in answer.text
    assert "Not A Slug" not in operator.get(PAGE).text


def test_a_merchant_is_told_of_a_label_that_another_announced_and_so_is_the_other(here: Town) -> None:
    for shop in ("bookshop", "bakery"):
        here.caller("merchant", shop, carriers=("colibri",))
    first, second = (browser(here, "merchant", shop) for shop in ("bookshop", "bakery"))
    parcel = order(first).partition("?")[0]
    assert order(second) == "/merchant?claimed=1#claims"
    told = second.get("/merchant?claimed=1&lang=en").text
    assert "nothing was announced" in told and "6A1" in told and "handed to nobody" in told
    assert "no door: announced twice" in first.get("/merchant?lang=en").text
    assert "another merchant has announced the same number" in first.get(parcel + "?lang=en").text
    new = parcel_body("6A1", merchant="bakery", recipient={"mail": "anne@exemple.fr"})
    assert here.caller("courier", "colibri").post("/v1/parcels", json=new, headers=key()).status_code == 201
    for somebody in (first, second):
        assert "the carrier has said whose it is" in somebody.get("/merchant?lang=en").text


def test_a_new_merchants_key_comes_with_its_contracts(here: Town) -> None:
    operator = browser(here)
    form = operator.get("/operator/people").form("/operator/people")
    made = operator.send(form, role="merchant", tenant="fleurs", name="till", carriers="colibri, fleurs")
    assert made.status_code == 200
    pairs = here.caller().get("/v1/contracts").json()["data"]
    assert [(pair["merchant"], pair["carrier"]) for pair in pairs] == [("fleurs", "colibri"), ("fleurs", "fleurs")]

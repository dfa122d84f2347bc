"""How a door is announced to its recipient: by number, by place in words, by what the locker then shows and sounds;
and a low door is called one. In the text, for who sees no drawing; and nothing is promised that no locker has."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_town import Town, compartment, key, locker_body, town
from parcel_page import Read, Recipient, deposited

from gateway.words import LANGUAGES

# Two columns of three doors; number -> (x, bottom, accessible), in millimetres.
DOORS = {1: (0, 200, False), 2: (0, 600, True), 3: (0, 1_500, False)}
DOORS |= {4: (450, 200, False), 5: (450, 600, True), 6: (450, 1_500, False)}
PLACES = {
    "fr": {2: "colonne 1 sur 2 depuis la gauche, 2e porte depuis le haut, à 0,", 3: "1re porte depuis le haut, à 1,"},
    "en": {2: "column 1 of 2 from the left, 2nd door from the top, ", 3: "1st door from the top, "},
}
LAMPS = re.compile(r"voyant|lampe|clignot|lights? up|lamp|blink|flash", re.IGNORECASE)
pytestmark = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    boxes: list[dict[str, Any]] = [
        {**compartment(number, "M"), "x_mm": x, "bottom_mm": bottom, "accessible": low}
        for number, (x, bottom, low) in DOORS.items()
    ]
    with town(tmp_path) as made:
        operator = made.caller()
        body = {**locker_body(), "modules": [{"name": "A", "compartments": boxes}]}
        assert operator.post("/v1/lockers", json=body, headers=key()).status_code == 201
        assert operator.post("/v1/lockers/mairie-1/provisioning", headers=key()).status_code == 201
        made.birth("mairie-1", len(DOORS))
        yield made


def lies_in(here: Town, number: int, language: str) -> Recipient:
    one = deposited(here, f"label-{number}", accessible=DOORS[number][2])
    one.language = language
    door = here.caller().get(f"/v1/parcels/{one.id}").json()["compartment"]
    assert DOORS[door][2] == DOORS[number][2], "as low as it was asked for"
    return one


def spoken(read: Read) -> str:
    """What is read aloud: the text, and the names of the drawings."""
    named = [attributes["aria-label"] for attributes in read.of("svg") if "aria-label" in attributes]
    return " ".join([read.text, *named])


def announces(read: Read, door: int, language: str) -> None:
    words = LANGUAGES[language]
    said = spoken(read)
    assert " ".join(words("parcel.opens", door=door).split()) in said, "what the locker shows and sounds"
    assert str(door) in read.text and not LAMPS.search(said)


def test_every_page_that_opens_a_door_says_which_and_how_it_tells(here: Town, language: str) -> None:
    one = lies_in(here, 2, language)
    door = here.caller().get(f"/v1/parcels/{one.id}").json()["compartment"]
    page = one.page()
    announces(page, door, language)
    announces(one.page("/qr"), door, language)
    link = Read(one.post("delegations", name="Lou").text).of("input")[0]["value"]
    errand = Read(one.client.get("/d/" + link.rsplit("/", 1)[1], headers={"Accept-Language": language}).text)
    announces(errand, door, language)
    for read in (page, errand):
        said = spoken(read)
        assert said.count(PLACES[language][2].replace("1", str(1 if door < 4 else 2), 1)) >= 2, "in text and drawing"


def test_a_low_door_is_called_one_and_a_high_one_offers_help(here: Town, language: str) -> None:
    words = LANGUAGES[language]
    low, high = lies_in(here, 2, language).page(), lies_in(here, 3, language).page()
    assert words("parcel.where.low") in low.text and words("parcel.low.title") not in low.text
    assert words("parcel.where.low") not in high.text and words("parcel.low.title") in high.text


def test_no_word_for_recipients_promises_a_light_that_no_locker_has(language: str) -> None:
    told = {
        name: text for name, text in LANGUAGES[language].texts.items() if name.startswith(("parcel", "letter", "sms"))
    }
    assert len(told) > 50 and not [name for name, text in told.items() if LAMPS.search(text)]

"""The slip as people see it: on phones and on a desk, in both languages, and its QR read from the screen."""

import pytest
import zxingcpp
from browsing import TWO_VIEWS, Visit
from http_town import Town, deposited
from page_checks import axe, fits, keyboard_order
from PIL import Image

from protocol import tokens

WORDS = {"fr": "Votre code", "en": "Your code"}


def opens(here: Town, text: str) -> tuple[str | None, int | None, int | None]:
    """Which locker, door and deposit, as a locker reads it; each slip is signed under an id of its own."""
    token = tokens.open_token(text, here.desk.keys.trusted)
    return token.locker, token.compartment, token.deposit


def test_a_slip_is_read_by_people_and_by_a_scanner(here: Town, visit: Visit) -> None:
    parcel = deposited(here)
    operator = here.caller()
    pickup = operator.get(f"/v1/parcels/{parcel}/pickup").json()
    page = visit.open(
        f"{here.url}/v1/parcels/{parcel}/slip?language={visit.view.language}", operator.headers["Authorization"]
    )
    assert page.get_by_role("heading", name=WORDS[visit.view.language]).is_visible()
    fits(page)
    axe(page)
    assert keyboard_order(page) == [], "there is nothing to operate on a slip"
    with Image.open(visit.picture(page)) as picture:
        (seen,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    assert opens(here, seen.text) == opens(here, pickup["token"]) == ("mairie-1", 1, 1)


@pytest.mark.parametrize("view", TWO_VIEWS, ids=str)
def test_a_slip_for_a_locker_without_a_scanner_fits_with_its_longer_code(here: Town, visit: Visit) -> None:
    parcel = deposited(here, code_digits=16, name="Médiathèque Simone-Veil, entrée de la rue des Vignerons")
    operator = here.caller()
    page = visit.open(
        f"{here.url}/v1/parcels/{parcel}/slip?language={visit.view.language}", operator.headers["Authorization"]
    )
    fits(page)
    axe(page)
    visit.picture(page)

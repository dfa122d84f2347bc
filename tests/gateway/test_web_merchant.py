"""A merchant's pages: one form makes an order with a door and a label; and nobody sees another's parcels."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import resvg_py
import zxingcpp
from http_town import Town, key, open_locker, parcel_body, town
from pages_town import Browser, Read, browser
from PIL import Image

from gateway.domain.ids import parcel_number
from gateway.domain.parcels import Parcel
from gateway.domain.people import GATEWAY
from gateway.services import commands, expiry, parcels
from gateway.web.merchant.export import MARK, written
from gateway.words import LANGUAGES
from protocol.messages import Open

ORDER = {"locker": "mairie-1", "size": "M", "carrier": "", "label": ""}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made, count=2)
        yield made


def bookshop(here: Town) -> Browser:
    return browser(here, "merchant", "bookshop")


def order(somebody: Browser, **fields: str) -> str:
    """A parcel's address."""
    place = somebody.act("/merchant/new", "/merchant/new", **{**ORDER, **fields})
    return place.partition("?")[0]


def parcel_of(here: Town, place: str) -> Parcel:
    return parcels.get_parcel(here.desk, GATEWAY, parcel_number(place.rsplit("/", maxsplit=1)[-1]))


def test_an_order_makes_a_parcel_with_a_door_and_a_label_of_its_own(here: Town) -> None:
    somebody = bookshop(here)
    place = order(somebody, name="Mme Dupont", mail="d@example.org", phone="+33 3 22 00 00 00")
    made = parcel_of(here, place)
    assert (made.merchant, made.carrier, made.state, made.size) == ("bookshop", "bookshop", "reserved", "M")
    assert re.fullmatch("BOOKSHOP-[0-9A-Z]{10}", made.label)
    read = somebody.get(place + "?made=1&lang=en")
    assert f"Door {made.compartment} is kept" in read.text and made.label in read.text
    assert "Dupont" not in here.logged() and "example.org" not in here.logged()


def test_a_form_sent_twice_makes_one_parcel(here: Town) -> None:
    somebody = bookshop(here)
    form = somebody.get("/merchant/new").form("/merchant/new")
    first, again = somebody.send(form, **ORDER), somebody.send(form, **ORDER)
    assert first.headers["location"] == again.headers["location"]
    assert len(list_of(somebody)) == 1


def list_of(somebody: Browser, query: str = "") -> list[str]:
    return [link for link in somebody.get(f"/merchant{query}").links if link.startswith("/merchant/parcels/par_")]


def test_without_room_the_parcel_is_announced_all_the_same_and_told_so(here: Town) -> None:
    somebody = bookshop(here)
    places = [order(somebody) for _ in range(3)]
    assert [parcel_of(here, place).state for place in places] == ["reserved", "reserved", "expected"]
    assert "No door of this size is free" in somebody.get(places[2] + "?lang=en").text
    form = somebody.get(places[2]).form("/reserve")
    assert somebody.send(form).status_code == 409
    somebody.act(places[0], "/release")
    assert somebody.act(places[2], "/reserve") == places[2]
    assert [parcel_of(here, place).state for place in places] == ["expected", "reserved", "reserved"]


@pytest.mark.parametrize(
    "fields",
    [
        {"label": "x" * 65},
        {"label": "colis é"},
        {"size": "XXL"},
        {"locker": ""},
        {"carrier": "Not A Slug"},
        {"mail": "nobody"},
        {"mail": "a@" + "." * 60_000 + " x"},  # held the whole gateway for minutes, by anybody's key
        {"phone": "call me"},
        {"name": "x" * 81},
    ],
)
def test_a_field_that_is_wrong_is_marked_and_the_others_are_kept(here: Town, fields: dict[str, str]) -> None:
    somebody = bookshop(here)
    form = somebody.get("/merchant/new").form("/merchant/new")
    answer = somebody.send(form, **{**ORDER, "name": "Anna", **fields})
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    (name,) = fields
    assert f'id="{name}-wrong"' in answer.text
    assert name == "name" or 'value="Anna"' in answer.text
    assert list_of(somebody) == []


def test_a_label_in_use_or_a_locker_that_is_not_there_is_refused_and_nothing_is_made(here: Town) -> None:
    somebody = bookshop(here)
    order(somebody, label="ABC-1")
    form = somebody.get("/merchant/new").form("/merchant/new")
    assert somebody.send(form, **{**ORDER, "label": "ABC-1"}).status_code == 409
    assert somebody.send(form, **{**ORDER, "locker": "nowhere"}).status_code == 404
    assert len(list_of(somebody)) == 1


def test_the_label_to_print_holds_what_a_scanner_reads_and_no_name(here: Town) -> None:
    somebody = bookshop(here)
    place = order(somebody, label="ABC-1", name="Mme Dupont")
    answer = somebody.client.get(place + "/label")
    read = Read(answer.text)
    assert "ABC-1" in read.text and "<svg" in answer.text and not read.refused
    assert "Dupont" not in read.text
    assert scanned(answer.text) == "ABC-1"


def scanned(page: str) -> str:
    """The page's own drawing, read by a scanner that knows nothing of ours."""
    drawing = re.search(r"<svg[^>]*>.*?</svg>", page.split('class="qr"')[1], re.DOTALL)
    assert drawing is not None
    svg = drawing.group(0).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"', 1)
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg))
    return zxingcpp.read_barcodes(Image.open(io.BytesIO(png)), formats=zxingcpp.BarcodeFormat.QRCode)[0].text


def test_a_merchant_sees_own_parcels_only(here: Town) -> None:
    mine = bookshop(here)
    place = order(mine, label="ABC-1")
    other = browser(here, "merchant", "bakery")
    assert list_of(other) == [] and list_of(other, "?text=ABC-1") == []
    assert "ABC-1" not in other.client.get("/merchant/parcels.csv").text
    for path in (place, place + "/label"):
        assert other.client.get(path).status_code == 404
    form = mine.get(place).form("/release")
    assert other.client.post(form.action, data=form.fields).status_code == 404
    assert other.client.post(place + "/code", data={}).status_code == 404
    assert list_of(mine, "?text=ABC") == [place] and list_of(mine, "?state=expired") == []


@pytest.mark.parametrize("role", ["operator", "courier"])
def test_nobody_else_is_let_onto_a_merchants_pages(here: Town, role: str) -> None:
    place = order(bookshop(here))
    other = browser(here, role, "" if role == "operator" else "colibri")
    for path in ("/merchant", "/merchant/new", "/merchant/parcels.csv", place, place + "/label"):
        assert other.client.get(path).status_code == 403, path


def test_every_page_is_there_in_both_languages_and_within_the_policy(here: Town) -> None:
    somebody = bookshop(here)
    place = order(somebody)
    made = parcel_of(here, place)
    assert made.compartment is not None
    here.deposit("mairie-1", made.compartment, 1, made.number)
    operation = somebody.act(place, "/take-back")
    for path in ("/", "/merchant", "/merchant/new", place, place + "/label", operation, operation + "/state"):
        french, english = (somebody.get(f"{path}?lang={code}") for code in ("fr", "en"))
        assert french.text != english.text, path
        for read in (french, english):
            assert not read.refused and set(read.labelled) <= set(read.ids), path


def test_what_nobody_fetched_is_taken_back(here: Town) -> None:
    somebody = bookshop(here)
    place = order(somebody)
    made = parcel_of(here, place)
    assert made.compartment is not None
    here.deposit("mairie-1", made.compartment, 1, made.number)
    here.now[0] = (parcel_of(here, place).deadline_s or 0) + 1
    with here.desk.store.transaction() as tx:  # heard of all along
        tx.sql.execute("UPDATE lockers SET seen_s = ?", (here.now[0],))  # pyright: ignore
    expiry.expire_due(here.desk)
    somebody = bookshop(here)
    assert "take it back" in somebody.get("/merchant?lang=en").text
    form = somebody.get(place).form("/take-back")
    first, again = somebody.send(form), somebody.send(form)
    assert first.headers["location"] == again.headers["location"]
    opened = [down.command for _, down in commands.due_commands(here.desk, 50) if isinstance(down.command, Open)]
    assert opened == [Open(made.compartment, "take_back")]


def test_the_code_of_an_own_parcel_is_shown_when_asked_for(here: Town) -> None:
    somebody = bookshop(here)
    place = order(somebody)
    made = parcel_of(here, place)
    assert made.compartment is not None
    here.deposit("mairie-1", made.compartment, 1, made.number)
    pickup = parcels.pickup_code(here.desk, GATEWAY, made.number)
    assert pickup.code not in somebody.get(place).text.replace(" ", "")
    answer = somebody.send(somebody.get(place).form("/code"))
    assert answer.status_code == 200 and pickup.code in Read(answer.text).text.replace(" ", "")


def test_the_export_opens_in_a_spreadsheet_and_runs_nothing(here: Town) -> None:
    somebody = bookshop(here)
    for label in ("=1+1", "+33", "-2", "@x", 'a;b"c'):
        order(somebody, label=label, name="Mme Dupont")
    answer = somebody.client.get("/merchant/parcels.csv")
    text = answer.content.decode()
    assert text.startswith(MARK) and answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "bookshop-" in answer.headers["content-disposition"] and "Dupont" not in text
    rows = list(csv.DictReader(io.StringIO(text[1:]), delimiter=";"))
    assert [row["numero"] for row in rows] == ['a;b"c', "'@x", "'-2", "'+33", "'=1+1"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_an_export_holds_every_parcel_and_is_said_in_the_readers_language(here: Town) -> None:
    caller = here.caller("merchant", "bookshop", carriers=("colibri",))
    for number in range(250):
        caller.post("/v1/parcels", json=parcel_body(f"L{number}", merchant="bookshop"), headers=key())
    text = bookshop(here).client.get("/merchant/parcels.csv?lang=en").text
    assert text.count("\r\n") == 251 and "expected" in text
    assert written([], LANGUAGES["en"]).strip(MARK).startswith("id;number;state")

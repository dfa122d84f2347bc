"""A recipient's way from the letter to the open door, on a real stack: by themselves, by somebody sent, too late, and
with something wrong. The letter comes through a real mail server, and the locker is a real MicroPython one."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from browsing import View, Visit
from letters_town import FROM, Postbox, codes_in, postbox, words_of
from patience import WAIT_S
from playwright.sync_api import Page, expect
from real_town import CARRIER, COURIER, OPERATOR, RECIPIENT, RealTown, looked_again, read_qr, real_town, seen, sign_in
from scene import Scene

from tools.demo.journey import Play

Meet = Callable[[View], Visit]
NEIGHBOUR = RECIPIENT
DAY_S = 86_400


@dataclass
class Waiting:
    """A parcel behind its door, and what its recipient was written."""

    town: RealTown
    hands: Play
    link: str
    code: str

    @property
    def parcel(self) -> str:
        return self.hands.parcel

    @property
    def door(self) -> int:
        return self.hands.compartment


@pytest.fixture(scope="module")
def box() -> Iterator[Postbox]:
    with postbox() as started:
        yield started


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, box: Postbox) -> Iterator[RealTown]:
    flags = ("--smtp", f"smtp://127.0.0.1:{box.port}", "--mail-from", FROM)
    with real_town(tmp_path_factory.mktemp("town"), flags=flags) as running:
        yield running


def arrival(box: Postbox) -> str:
    """The letter with the code, or "" until it is there: the receipt of an earlier parcel may come before it."""
    return next((words for words in map(words_of, list(box.got)) if codes_in(words)), "")


@pytest.fixture
def waiting(town: RealTown, box: Postbox) -> Iterator[Waiting]:
    box.got.clear()
    hands = town.at().part()
    hands.label, hands.parcel = town.announce(recipient={"name": "Anne Lefèvre", "mail": "anne@exemple.example"})
    hands.show_badge()
    hands.scan_label()
    hands.close_door()
    hands.deposited()
    hands.courier_leaves()
    letter = town.stack.wait_for("the letter", lambda: arrival(box))
    (link,) = {word for word in letter.split() if "/p/" in word}
    (code,) = codes_in(letter)
    yield Waiting(town, hands, link, code)
    hands.close()


def at_door(waiting: Waiting) -> None:
    """Taken out, and the door closed."""
    waiting.hands.door("open")
    waiting.hands.close_door()
    waiting.hands.collected()


def refused(scene: Scene, code: str, what: str) -> None:
    """Typed, it opens nothing, and the screen says why."""
    at_rest(scene)
    before = scene.pulses()
    scene.cabinet.keys(code)
    scene.cabinet.wait_for_screen(what)
    assert scene.pulses() == before


def at_rest(scene: Scene) -> None:
    scene.cabinet.keys("*")
    scene.cabinet.wait_for_screen("Bienvenue")


def unfold(page: Page, title: str) -> None:
    page.locator("summary", has_text=title).click()


def test_from_the_letters_link_to_a_door_that_opens_by_the_code_and_a_page_that_says_collected(
    waiting: Waiting, meet: Meet
) -> None:
    anne = meet(RECIPIENT)
    page = anne.open(waiting.link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre colis vous attend")
    expect(page.locator(".doornumber")).to_have_text(str(waiting.door))
    seen(anne, page, "waits")
    code = "".join(filter(str.isdigit, page.locator("#code").inner_text()))
    assert code == waiting.code, "the page says what the letter said"
    waiting.town.cabinet().keys(code)
    at_door(waiting)
    looked_again(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Colis retiré")
    expect(page.locator("#news")).to_contain_text("Cette page a changé. Colis retiré")
    expect(page.locator("#code")).to_have_count(0)
    seen(anne, page, "collected")


def test_somebody_who_is_sent_opens_the_door_once_with_a_qr_of_their_own_and_the_page_names_them(
    waiting: Waiting, meet: Meet
) -> None:
    anne, bertin, scene = meet(RECIPIENT), meet(NEIGHBOUR), waiting.town.at()
    page = anne.open(waiting.link)
    unfold(page, "Quelqu’un d’autre y va pour moi")
    page.get_by_label("Son nom").fill("Mme Bertin")
    page.get_by_role("button", name="Faire son QR").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Le QR de Mme Bertin")
    seen(anne, page, "sends")
    theirs = bertin.open(page.locator("#link").input_value())
    seen(bertin, theirs, "errand")
    qr = read_qr(theirs.locator(".qr"))
    scene.cabinet.scan(qr)
    at_door(waiting)
    page.goto(waiting.link)
    expect(page.locator(".lead")).to_contain_text("par Mme Bertin, à qui vous l’aviez confié")
    expect(page.get_by_text("Le QR de cette personne, et lui seul")).to_be_visible()
    seen(anne, page, "collected-by-somebody")
    refused(scene, waiting.code, "Ce code a déjà")
    at_rest(scene)
    scene.cabinet.scan(qr)  # they forgot something
    scene.cabinet.wait_for_door(waiting.door, "open")
    waiting.hands.close_door()


def test_who_comes_too_late_reads_it_on_the_page_and_the_courier_takes_the_parcel_back(
    waiting: Waiting, meet: Meet
) -> None:
    anne, courier, town = meet(RECIPIENT), meet(COURIER), waiting.town
    page, since = anne.open(waiting.link), town.at().last_seq()
    with closing(sqlite3.connect(town.stack.data / "consigne.db", WAIT_S)) as books, books:  # its days are over
        books.execute("UPDATE parcels SET deadline_s = deadline_s - ? WHERE deposited_s > 0", (8 * DAY_S,))
    town.wait_state(waiting.parcel, "expired")
    looked_again(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Le délai est passé")
    seen(anne, page, "expired")
    town.at().wait_event("CommandDone", since)  # the locker knows that the code is over
    refused(town.at(), waiting.code, "Code non valable")
    round_ = sign_in(courier, town, town.key("courier", CARRIER))
    round_.get_by_role("link", name="Aller à Mairie").click()
    expect(round_.get_by_role("heading", level=1)).to_have_text("Mairie")
    seen(courier, round_, "to-take-back")
    round_.get_by_role("button", name=f"Reprendre : ouvrir la porte {waiting.door}").click()
    waiting.hands.door("open")
    expect(round_.locator("#follow .now")).to_contain_text(f"La porte {waiting.door} est ouverte")
    seen(courier, round_, "door-open")
    waiting.hands.close_door()
    expect(round_.locator("#follow .now")).to_contain_text("Colis repris")
    seen(courier, round_, "taken-back")
    looked_again(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Colis sorti de la consigne")


def test_a_report_stops_the_days_keeps_others_from_the_door_and_calls_the_operator(
    waiting: Waiting, meet: Meet
) -> None:
    anne, operator, town = meet(RECIPIENT), meet(OPERATOR), waiting.town
    page = anne.open(waiting.link)
    unfold(page, "Signaler un problème")
    page.get_by_label("La porte ne s’ouvre pas").check()
    page.get_by_label("En quelques mots").fill("Rien ne bouge.")
    seen(anne, page, "reports")
    page.get_by_role("button", name="Envoyer le signalement").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Une personne s’occupe de votre colis")
    expect(page.locator("#said strong")).to_contain_text("La porte ne s’ouvre pas")
    expect(page.get_by_text("Le délai ne court plus")).to_be_visible()
    seen(anne, page, "reported")
    assert town.parcel(waiting.parcel)["state"] == "disputed"
    desk = sign_in(operator, town, town.key("operator"))
    desk.goto(f"{town.stack.url}/operator/alarms")
    expect(desk.locator("article.alarm", has_text=f"door {waiting.door}")).to_be_visible()
    seen(operator, desk, "reported-at-the-desk")
    desk.goto(f"{town.stack.url}/operator/lockers/mairie-1/compartments/{waiting.door}")
    expect(desk.locator(".heading .state")).to_contain_text("quarantine")
    town.cabinet().keys(waiting.code)  # it did after all
    at_door(waiting)
    looked_again(page)  # the answer to the report has the focus, so the page keeps it and says that there is news
    page.locator("#news").get_by_role("link", name="Recharger la page").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Colis retiré")
    expect(page.locator("#reports-title")).to_be_visible()
    seen(anne, page, "collected-and-reported")

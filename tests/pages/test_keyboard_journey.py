"""What a recipient and a courier must be able to do, done without a mouse and without touching the screen: Tab to what
its name says, Enter or Space. The focus can be seen on the way."""

from collections.abc import Callable

from browsing import SCREENS, View, Visit
from courier_town import expect as announced
from courier_town import expired, opens_ordered
from http_town import Town, deposited, open_locker
from playwright.sync_api import Page, expect

from gateway.domain.ids import parcel_number
from gateway.domain.links import PURPOSE, link_secret
from gateway.domain.people import GATEWAY
from gateway.services import people
from protocol.messages import Open

Meet = Callable[[View], Visit]
DESK = View(SCREENS[2], "fr")
TABS_MAX = 60
_AT = """() => {
  const at = document.activeElement;
  const outlined = getComputedStyle(at).outlineStyle !== "none" || at.matches("svg a");
  const named = at.labels?.[0]?.innerText || at.innerText || at.value || "";
  return [named.trim().replace(/\\s+/g, " "), outlined, at.localName];
}"""


def tab_to(page: Page, name: str) -> None:
    """Forward, until the focus is on what is named so; it can be seen wherever it stops."""
    page.wait_for_load_state()  # a page's script may put the focus somewhere first
    passed: list[str] = []
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        words, outlined, kind = page.evaluate(_AT)
        if kind == "body":  # round the end of the page
            continue
        assert outlined, f"nobody sees that the focus is on: {words}"
        passed.append(words)
        if words.startswith(name) and kind != "svg":
            return
    raise AssertionError(f"Tab does not come to {name}: {passed}")


def press(page: Page, name: str, key: str = "Enter") -> None:
    tab_to(page, name)
    page.keyboard.press(key)


def says(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_a_recipient_sends_somebody_takes_it_back_and_reports_with_the_keyboard_alone(here: Town, meet: Meet) -> None:
    number = parcel_number(deposited(here))
    anne = meet(DESK)
    page = anne.open(f"{here.url}/p/{link_secret(here.desk.keys.derived(PURPOSE), number)}")
    press(page, "QR en plein écran")
    page.wait_for_url("**/qr")
    page.go_back()
    press(page, "Quelqu’un d’autre y va pour moi")
    tab_to(page, "Son nom")
    page.keyboard.type("Mme Bertin")
    press(page, "Faire son QR")
    says(page, "Le QR de Mme Bertin")
    press(page, "Retour au colis")
    says(page, "Votre colis vous attend")
    press(page, "Reprendre")
    expect(page.locator("#said")).to_be_focused()
    expect(page.locator("#said")).to_contain_text("C’est demandé")
    press(page, "Signaler un problème")
    tab_to(page, "La porte était vide")
    page.keyboard.press("ArrowDown")
    tab_to(page, "En quelques mots")
    page.keyboard.type("Le carton est ouvert.")
    press(page, "Envoyer le signalement")
    says(page, "Une personne s’occupe de votre colis")
    expect(page.locator("#said")).to_contain_text("Le colis est abîmé")


def test_a_courier_signs_in_adds_a_parcel_keeps_a_door_and_takes_one_back_with_the_keyboard_alone(
    here: Town, meet: Meet
) -> None:
    open_locker(here)
    expired(here, "OLD", 1)
    announced(here, "6A1")
    badge = people.issue_badge(here.desk, GATEWAY, "colibri", "c-17", 300)
    page = meet(DESK).open(f"{here.url}/sign-in")
    tab_to(page, "Clé ou badge")
    page.keyboard.type(str(badge.token))
    page.keyboard.press("Enter")
    page.wait_for_url("**/courier")
    press(page, "Aller à Mairie")
    says(page, "Mairie")
    tab_to(page, "Étiquette du colis")
    page.keyboard.type("6A2")
    tab_to(page, "S")
    page.keyboard.press("Space")
    press(page, "Ajouter à la liste")
    expect(page.get_by_role("status")).to_have_text("Le colis est dans la liste.")
    press(page, "Garder une porte pour chacun (2)")
    expect(page.get_by_role("status")).to_contain_text("chaque colis a sa porte")
    press(page, "Trop petit ? Changer la taille")
    press(page, "L")
    expect(page.get_by_role("status")).to_contain_text("aucune porte libre")
    press(page, "Reprendre : ouvrir la porte 1")
    page.wait_for_url("**/operations/**")
    says(page, "Reprise, porte 1")
    (order,) = opens_ordered(here)
    assert isinstance(order.command, Open) and order.command.compartment == 1

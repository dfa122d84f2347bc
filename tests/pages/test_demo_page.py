"""The demonstration's page on every screen: axe-core finds nothing, nothing is cut off, Tab comes by everything."""

from collections.abc import Iterator

import pytest
from browsing import TWO_VIEWS, Visit
from demo_process import running_demo
from page_checks import axe, fits, keyboard_order
from playwright.sync_api import Page

# What is operated from the first to the last, in the order in which one would play.
STOPS = {
    "fr": [
        "a Aller aux rôles",
        *("radio Mairie 14 portes", "radio Gare 48 portes", "button English", "button Porte 1, fermée, libre"),
        *("select Lecteur de codes : que montrez-vous ?", "button Présenter", "button 1", "button # valider"),
        *("input branché", "tab Livreur", "button Obtenir un badge", "button Coller l’étiquette"),
    ],
    "en": [
        "a Skip to the roles",
        *("radio Mairie 14 doors", "radio Gare 48 doors", "button Français", "button Door 1, closed, free"),
        *("select Scanner: what do you show?", "button Show", "button 1", "button # confirm"),
        *("input plugged", "tab Courier", "button Get a badge", "button Print the label"),
    ],
}


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running.url


def shown(demo_url: str, visit: Visit) -> Page:
    """The page in the language of the visit, its lockers drawn and online."""
    remembered = f"if (location.protocol === 'http:') localStorage.setItem('language', '{visit.view.language}')"
    visit.context.add_init_script(remembered)
    page = visit.open(f"{demo_url}/play")
    page.locator("#front .place").first.wait_for()
    page.locator("#light.on").wait_for()
    return page


def test_the_demo_page_has_nothing_that_axe_objects_to_and_fits(demo_url: str, visit: Visit) -> None:
    page = shown(demo_url, visit)
    for name in ("courier", "customer", "technician"):
        page.locator(f"#tab-{name}").press("Enter")
        fits(page)
        axe(page)
    visit.picture(page)


@pytest.mark.parametrize("view", TWO_VIEWS, ids=str)
def test_tab_comes_by_everything_on_the_demo_page_in_the_order_that_it_is_read(demo_url: str, visit: Visit) -> None:
    order = keyboard_order(shown(demo_url, visit))
    stops = STOPS[visit.view.language]
    assert order[0] == stops[0] and [one for one in order if one in stops] == stops

"""A recipient's page on the running system: what it shows opens the real locker's door, also after one day more."""

import re
from collections.abc import Iterator

import httpx
import pytest
from scene import Scene

from gateway.domain import ids, links
from gateway.keys import Keys
from tools.demo.journey import Play
from tools.demo.stack import Stack
from tools.locker.cabinets import CABINETS


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Parcels wait for a day, so that one day more can be asked for at once."""
    with Stack(tmp_path_factory.mktemp("stack"), flags=("--pickup-days", "1")) as running:
        running.add_locker(CABINETS["mairie-1"]("mairie-1"))
        running.wait_online()
        Scene(running, "mairie-1").wait_event("Booted", 0)
        yield running


@pytest.fixture
def scene(stack: Stack) -> Scene:
    return Scene(stack, "mairie-1")


@pytest.fixture
def browser(stack: Stack) -> Iterator[httpx.Client]:
    headers = {"Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=stack.url, headers=headers, trust_env=False, timeout=60) as client:
        yield client


def link(stack: Stack, part: Play) -> str:
    """As a letter would have it."""
    keys = Keys.load(stack.data / "keys", {}, make=False)
    return f"/p/{links.link_secret(keys.derived(links.PURPOSE), ids.parcel_number(part.parcel))}"


def digits(browser: httpx.Client, path: str) -> str:
    return "".join(re.findall(r'<span class="half">([\d ]+)</span>', browser.get(path).text)).replace(" ", "")


def extended(browser: httpx.Client, scene: Scene, part: Play) -> None:
    """Its deadline is a day later."""
    api, path = scene.stack.api, f"/v1/parcels/{part.parcel}"
    before = api.get(path)["deadline"]
    answer = browser.post(f"{link(scene.stack, part)}/extension")
    assert answer.headers["location"].endswith("?said=extended#said")
    assert api.get(path)["deadline"] > before


def test_after_one_day_more_the_code_of_before_still_opens(scene: Scene, browser: httpx.Client) -> None:
    part = scene.deposit()
    path = link(scene.stack, part)
    code = digits(browser, path)
    extended(browser, scene, part)
    scene.cabinet.keys(code)
    part.door("open")
    part.close_door()
    part.collected()
    assert "Colis retir" in browser.get(path).text
    part.close()


def test_after_one_day_more_the_qr_of_before_and_a_fresh_one_open(scene: Scene, browser: httpx.Client) -> None:
    for fresh in (False, True):
        part = scene.deposit()
        pickup = f"/v1/parcels/{part.parcel}/pickup"
        token = scene.stack.api.get(pickup)["token"]
        extended(browser, scene, part)
        scene.cabinet.scan(scene.stack.api.get(pickup)["token"] if fresh else token)
        part.door("open")
        part.close_door()
        part.collected()
        part.close()

"""A town that runs: broker, gateway and MicroPython lockers, and people who have keys, badges and a browser each.

Nothing is played here but hands: what a page shows is read off its picture and shown to a locker's scanner, or typed.
"""

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import zxingcpp
from browsing import PICTURES, SCREENS, View, Visit
from page_checks import fits
from PIL import Image
from playwright.sync_api import Locator, Page
from scene import Scene

from gateway.domain.people import SCOPES_OF
from tools.demo.stack import Stack
from tools.locker.cabinets import CABINETS
from tools.locker.client import CabinetClient

CARRIER, SHOP = "colis-bleu", "fleurs"
PHONE, SMALL, DESK = SCREENS
COURIER, RECIPIENT, OPERATOR, MERCHANT = View(SMALL, "fr"), View(PHONE, "fr"), View(DESK, "en"), View(DESK, "fr")
_HEIGHTS = {320: 640, 390: 844, 1280: 800}
ANSWER_S = 60.0
Json = dict[str, Any]


@dataclass
class RealTown:
    stack: Stack

    def at(self, locker: str = "mairie-1") -> Scene:
        return Scene(self.stack, locker)

    def cabinet(self, locker: str = "mairie-1") -> CabinetClient:
        return self.stack.lockers[locker].cabinet

    def key(self, role: str, tenant: str | None = None, name: str = "guichet") -> str:
        """The secret by which somebody signs in."""
        wanted = {"role": role, "tenant": tenant, "scopes": sorted(SCOPES_OF[role]), "name": name}
        if role == "merchant":
            wanted |= {"carriers": [tenant, CARRIER]}
        return str(self.stack.api.post("/v1/credentials", wanted)["secret"])

    def badge(self, holder: str = "livreur-7") -> Json:
        return self.stack.api.post("/v1/badges", {"carrier": CARRIER, "holder": holder, "days": 30})

    def announce(self, size: str = "S", locker: str = "mairie-1", **more: Any) -> tuple[str, str]:
        """(label, parcel's id)."""
        label = f"CB{secrets.token_hex(4).upper()}FR"
        wanted = {"label": label, "locker": locker, "size": size, "carrier": CARRIER, **more}
        return label, str(self.stack.api.post("/v1/parcels", wanted)["id"])

    def parcel(self, parcel: str) -> Json:
        return self.stack.api.get(f"/v1/parcels/{parcel}")

    def wait_state(self, parcel: str, state: str) -> Json:
        self.stack.wait_for(f"parcel {state}", lambda: self.parcel(parcel)["state"] == state, ANSWER_S)
        return self.parcel(parcel)


@contextlib.contextmanager
def real_town(folder: Path, lockers: Sequence[str] = ("mairie-1",), flags: Sequence[str] = ()) -> Iterator[RealTown]:
    with Stack(folder, flags=flags) as running:
        for locker in lockers:
            running.add_locker(CABINETS[locker](locker))
        running.wait_online()
        for locker in lockers:
            Scene(running, locker).wait_event("Booted", 0)
        yield RealTown(running)


# ------------------------------------------------------------------ people at their pages
def sign_in(visit: Visit, town: RealTown, secret: str) -> Page:
    page = visit.open(f"{town.stack.url}/sign-in")
    page.locator("#key").fill(secret)
    page.locator("main form button").click()
    page.wait_for_url(lambda url: "sign-in" not in url)
    return page


def seen(visit: Visit, page: Page, name: str) -> None:
    """The page as it is, on a phone and on a desk: nothing sticks out, and a picture of each in build/pages."""
    before = page.viewport_size
    assert before is not None
    narrow = min(before["width"], PHONE.width)
    for width in (narrow, DESK.width):
        page.set_viewport_size({"width": width, "height": _HEIGHTS[width]})
        fits(page)
        stem = f"{visit.test}-{name}-{width}-{visit.view.language}"
        page.screenshot(path=PICTURES / f"{stem}.png", full_page=True, scale="css", animations="disabled")
    page.set_viewport_size(before)


def read_qr(picture: Locator) -> str:
    """What a scanner sees of it on the screen."""
    with Image.open(BytesIO(picture.screenshot())) as image:
        (found,) = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text


def looked_again(page: Page) -> None:
    """The phone comes out of the pocket: the page looks at once whether anything has changed."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

"""A town with something of everything, for whoever walks through all pages: doors in every state, parcels on their
way, waiting and late, alarms, badges and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from http_town import RECIPIENT, Town, key, parcel_body

from gateway.domain import ids
from gateway.domain.guarantees import Guarantee
from gateway.domain.links import PURPOSE, link_secret
from gateway.domain.lockers import Configuration
from gateway.domain.parcels import NewParcel
from gateway.domain.people import GATEWAY, MERCHANT, SCOPES, SCOPES_OF, Principal
from gateway.services import announcements, contracts, expiry, lockers, people, reports
from protocol.messages import DoorFaulted
from protocol.numbers import DOOR_STATES

LOCKER, SECOND = "gare-1", "mairie-2"
COLUMNS = (
    ("A", 0, (("S", 200), ("M", 350), ("S", 200), ("L", 600))),
    ("B", 460, (("M", 350), ("M", 350), ("L", 600))),
)
WIDTH_MM, DEPTH_MM, FIRST_MM = 440, 500, 200
PICKUP_S = 7 * 86_400


def _shops(here: Town) -> None:
    """Two that announce one label, and one without its contract."""
    pain, fleurs = (Principal(MERCHANT, name, SCOPES_OF[MERCHANT], name) for name in ("pain", "fleurs"))
    for shop in (pain, fleurs):
        contracts.make(here.desk, GATEWAY, shop.tenant, "colibri")
        announcements.announce(here.desk, shop, NewParcel("TWICE-1", LOCKER, "S", "colibri"))
    contracts.make(here.desk, GATEWAY, "fleurs", "martinet")
    announcements.announce(here.desk, fleurs, NewParcel("ALONE-1", LOCKER, "S", "martinet"))
    contracts.end(here.desk, GATEWAY, "fleurs", "martinet")


@dataclass(frozen=True)
class Roles:
    """The secrets by which each role signs in, and the personal link of a parcel that waits."""

    operator: str
    courier: str
    merchant: str
    recipient: str


def _modules() -> list[dict[str, Any]]:
    number, modules = 0, list[dict[str, Any]]()
    for name, x_mm, column in COLUMNS:
        boxes, bottom = list[dict[str, Any]](), FIRST_MM
        for size, height in column:
            number += 1
            box = {"number": number, "size": size, "width_mm": WIDTH_MM, "height_mm": height, "depth_mm": DEPTH_MM}
            boxes.append({**box, "x_mm": x_mm, "bottom_mm": bottom, "accessible": 400 <= bottom <= 1_000})
            bottom += height + 10
        modules.append({"name": name, "compartments": boxes})
    return modules


def _post(caller: httpx.Client, path: str, body: Mapping[str, Any] | None = None) -> Any:
    answer = caller.post(path, json=body, headers=key())
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def _parcel(caller: httpx.Client, label: str, size: str = "M", **more: Any) -> str:
    new = {**parcel_body(label, size=size, recipient=RECIPIENT, merchant="fleurs", **more), "locker": LOCKER}
    return str(_post(caller, "/v1/parcels", new)["id"])


def _put_in(here: Town, caller: httpx.Client, label: str, size: str = "M") -> ids.ParcelNumber:
    parcel = _parcel(caller, label, size)
    box = _post(caller, f"/v1/parcels/{parcel}/reservation")["compartment"]
    here.deposit(LOCKER, box, 1, ids.parcel_number(parcel))
    return ids.parcel_number(parcel)


def _more(here: Town, caller: httpx.Client, collected: ids.ParcelNumber) -> None:
    """A place on the map, a share of the doors, and what a recipient said afterwards."""
    place = {"latitude": 49.5641, "longitude": 3.6199, "address": "Place de la Gare", "hours": {"fr": "24 h/24"}}
    assert caller.put(f"/v1/lockers/{LOCKER}/site", json=place).status_code == 200
    _post(caller, "/v1/lockers", {"id": SECOND, "name": "Mairie, sous les arcades", "modules": _modules()})
    shares = (Guarantee("colibri", 20),)
    lockers.configure_locker(here.desk, GATEWAY, LOCKER, Configuration("Gare, côté place", None, shares))
    reports.report(here.desk, GATEWAY, collected, "damaged", "Le carton est déchiré, le contenu aussi.")


def build(here: Town) -> Roles:
    caller = here.caller()
    _post(
        caller, "/v1/lockers", {"id": LOCKER, "name": "Gare, côté place du Général-de-Gaulle", "modules": _modules()}
    )
    _post(caller, f"/v1/lockers/{LOCKER}/provisioning")
    here.birth(LOCKER, 7)
    late = _put_in(here, caller, "LATE-1", "S")
    here.now[0] += PICKUP_S
    expiry.expire_due(here.desk)
    here.birth(LOCKER, 7)
    waiting = _put_in(here, caller, "WAITS-1")
    gone = _put_in(here, caller, "GONE-1", "L")
    with here.desk.store.reading() as tx:
        found = tx.parcel(gone)
        assert found is not None and found.compartment is not None and tx.parcel(late) is not None
    here.collect(LOCKER, found.compartment, 1)
    here.says(LOCKER, DoorFaulted(5, DOOR_STATES.index("jammed"), True))
    _parcel(caller, "COMES-1", "S")
    _post(caller, f"/v1/parcels/{_parcel(caller, 'KEPT-1', 'L')}/reservation")
    _more(here, caller, gone)
    people.issue_badge(here.desk, GATEWAY, "colibri", "c-17", 30)
    _shops(here)
    return Roles(
        people.issue_credential(here.desk, GATEWAY, "operator", "", SCOPES, "mairie")[1],
        people.issue_credential(here.desk, GATEWAY, "courier", "colibri", SCOPES_OF["courier"], "colibri")[1],
        people.issue_credential(
            here.desk, GATEWAY, "merchant", "fleurs", SCOPES_OF["merchant"], "fleurs", ["colibri"]
        )[1],
        link_secret(here.desk.keys.derived(PURPOSE), waiting),
    )

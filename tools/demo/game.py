"""What the players hold: badges, labels and parcels, asked for from the gateway as a carrier's system would.

Codes and tokens are worked out by the gateway each time they are shown, and kept nowhere else.
"""

import io
import itertools
import random
import threading
from datetime import datetime
from typing import Any

import segno

from tools.client import Failed, Gateway

CARRIERS = (("colis-bleu", "Colis Bleu"), ("cyclo-livraison", "Cyclo Livraison"), ("la-tournee", "La Tournée"))
RECIPIENTS = (
    "Mme Lenoir",
    "M. Kaya",
    "Inès B.",
    "Atelier Rouvray",
    "M. et Mme Petit",
    "Librairie du Pont",
    "Yanis D.",
)
PARCELS_SHOWN = 30
Json = dict[str, Any]


def picture(text: str) -> Json:
    """A QR code as one SVG path of strokes, one unit a module, with its quiet zone."""
    code = segno.make_qr(text, error="m")
    out = io.BytesIO()
    code.save(out, kind="svg", xmldecl=False, svgns=False, border=2, omitsize=True, nl=False)
    path = out.getvalue().decode().partition(' d="')[2].partition('"')[0]
    return {"size": code.symbol_size(border=2)[0], "path": path}


class Game:
    def __init__(self, api: Gateway) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._serial = itertools.count(1)
        self.hand: list[Json] = []
        self._names: dict[str, str] = {}  # parcel id -> who it is for, on this page only

    def get_badge(self, carrier: str) -> Json:
        """Raises KeyError for a carrier that is none."""
        name = dict(CARRIERS)[carrier]
        badge = self._api.post("/v1/badges", {"carrier": carrier, "holder": "livreur-7", "days": 30})
        return self._keep(
            {
                "kind": "badge",
                "carrier": carrier,
                "carrier_name": name,
                "text": badge["token"],
                "expires_at": badge["expires_at"],
            }
        )

    def new_parcel(self, locker: str, size: str, carrier: str, accessible: bool) -> Json:
        label = f"CB{datetime.now():%d%H%M%S}{next(self._serial):02d}FR"
        name = random.choice(RECIPIENTS)
        wanted = {"label": label, "locker": locker, "size": size, "carrier": carrier, "accessible": accessible}
        parcel = self._api.post("/v1/parcels", {**wanted, "recipient": {"name": name}})
        self._names[parcel["id"]] = name
        return self._keep({"kind": "label", "text": label, "locker": locker, "size": size, "parcel": parcel["id"]})

    def parcels(self) -> list[Json]:
        """Newest first; those that wait in a locker with their code and its QR picture."""
        rows = list(self._api.pages("/v1/parcels", limit=200))[-PARCELS_SHOWN:]
        return [self._parcel(row) for row in reversed(rows)]

    def _parcel(self, row: Json) -> Json:
        shown = {key: row[key] for key in ("id", "label", "locker", "size", "state", "compartment")}
        shown["recipient"] = self._names.get(row["id"])
        if row["state"] == "deposited":
            try:
                pickup = self._api.get(f"/v1/parcels/{row['id']}/pickup")
            except Failed:  # collected since
                return shown
            code = "".join(filter(str.isdigit, pickup["code"]))
            shown["pickup"] = {"code": code, "text": pickup["token"], "qr": picture(pickup["token"])}
        return shown

    def _keep(self, item: Json) -> Json:
        item["qr"] = picture(item["text"])
        with self._lock:
            self.hand.append(item)
        return item

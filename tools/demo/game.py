"""What the players hold: badges, labels and parcels, asked for from the gateway as a carrier's system would.

Codes and tokens are worked out by the gateway each time they are shown, and kept nowhere else.
"""

import io
import itertools
import random
import threading
import time
from datetime import datetime
from typing import Any

import segno

from tools.client import Failed, Gateway

CARRIERS = (("colis-bleu", "Colis Bleu"), ("cyclo-livraison", "Cyclo Livraison"), ("la-tournee", "La Tournée"))
SHOPS = {"fleurs-du-pont": "Fleurs du Pont"}  # bring parcels by themselves, with a badge of their own
RECIPIENTS = (
    "Mme Lenoir",
    "M. Kaya",
    "Inès B.",
    "Atelier Rouvray",
    "M. et Mme Petit",
    "Librairie du Pont",
    "Yanis D.",
)
NEIGHBOURS = ("Mme Bertin", "M. Haddad", "Lou, du 3e")
PARCELS_SHOWN = 30
REISSUE_WAIT_S = 10.0
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
        name = (dict(CARRIERS) | SHOPS)[carrier]
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
        number = random.randrange(len(RECIPIENTS))
        name = RECIPIENTS[number]
        wanted = {"label": label, "locker": locker, "size": size, "carrier": carrier, "accessible": accessible}
        one = {
            "recipient": {"name": name, "mail": f"client-{number}@example.org"},
            "recipient_ref": f"client-{number}",
        }  # who gets two, opens both with one code
        parcel = self._api.post("/v1/parcels", {**wanted, **one})
        self._names[parcel["id"]] = name
        return self._keep({"kind": "label", "text": label, "locker": locker, "size": size, "parcel": parcel["id"]})

    def take_label(self, row: Json) -> None:
        """Of a parcel that somebody announced on the merchant's pages."""
        label = {"kind": "label", "text": row["label"], "locker": row["locker"], "size": row["size"]}
        self._keep({**label, "parcel": row["id"], "merchant": row["merchant"]})

    def send_neighbour(self, parcel: str) -> Json:
        """Somebody else may fetch it, once."""
        name = random.choice(NEIGHBOURS)
        made = self._api.post(f"/v1/parcels/{parcel}/delegations", {"name": name})
        return self._keep({"kind": "delegate", "name": name, "text": made["token"], "parcel": parcel})

    def replace_code(self, parcel: str) -> Json:
        """Ends when the locker has the new code. Raises TimeoutError when it is not online."""
        operation = self._api.post(f"/v1/parcels/{parcel}/reissue", {})
        until = time.monotonic() + REISSUE_WAIT_S
        while operation["state"] == "waiting":
            if time.monotonic() > until:
                raise TimeoutError("the old code is good until the locker is online again")
            time.sleep(0.05)
            operation = self._api.get(f"/v1/operations/{operation['id']}")
        return {"state": operation["state"]}

    def slip(self, parcel: str, language: str) -> str:
        return self._api.page(f"/v1/parcels/{parcel}/slip", language=language)

    def technician_badge(self, name: str) -> Json:
        badge = self._api.post("/v1/badges", {"role": "technician", "holder": name, "days": 1})
        return self._keep({"kind": "technician", "name": name, "text": badge["token"]})

    def parcels(self) -> list[Json]:
        """Newest first; those that wait in a locker with their code and its QR picture."""
        rows = itertools.islice(self._api.pages("/v1/parcels", limit=PARCELS_SHOWN), PARCELS_SHOWN)
        return [self._parcel(row) for row in rows]

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

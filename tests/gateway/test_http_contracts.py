"""Whose word about a label counts: a merchant's only under a contract, the carrier's always, and nobody's in silence.

Over real HTTP; the locker is played by what it would say.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_town import Town, key, open_locker, parcel_body, town

from gateway.domain import ids

ANNE, MALLORY = {"mail": "anne@exemple.fr"}, {"mail": "mallory@exemple.fr"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def announce(caller: httpx.Client, label: str = "6A1", **more: Any) -> httpx.Response:
    return caller.post("/v1/parcels", json=parcel_body(label, **more), headers=key())


# ------------------------------------------------------------------ the attack
def test_a_merchant_without_a_contract_cannot_name_the_recipient_of_a_carriers_parcel(here: Town) -> None:
    mallory, colibri = here.caller("merchant", "mallory"), here.caller("courier", "colibri")
    attack = announce(mallory, recipient=MALLORY)
    assert (attack.status_code, attack.json()["code"]) == (403, "no_contract")
    assert "mallory" not in attack.text and attack.json()["next_actions"]
    parcel = announce(colibri, recipient=ANNE)
    assert parcel.status_code == 201
    here.deposit("mairie-1", 1, 1, ids.parcel_number(parcel.json()["id"]))
    assert mallory.get("/v1/parcels").json()["data"] == []
    assert mallory.get(f"/v1/parcels/{parcel.json()['id']}/pickup").status_code == 404

"""Whose word about a label counts: a merchant's only under a contract, the carrier's always, and nobody's in silence.

Over real HTTP; the locker is played by what it would say.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_town import Town, key, open_locker, parcel_body, town

from gateway.domain import ids, links
from gateway.domain.people import GATEWAY
from gateway.services import commands, expiry, people
from gateway.services.alarms import open_alarms
from protocol.errors import CODES, number_of
from protocol.messages import Assign, CommandDone, Decline, DepositRequested, Reissue
from protocol.numbers import FIRST

ANNE, MALLORY = {"mail": "anne@exemple.fr"}, {"mail": "mallory@exemple.fr"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def announce(caller: httpx.Client, label: str = "6A1", **more: Any) -> httpx.Response:
    return caller.post("/v1/parcels", json=parcel_body(label, **more), headers=key())


def put_in(here: Town, announced: httpx.Response) -> str:
    """Into compartment 1, by its courier."""
    parcel = str(announced.json()["id"])
    here.deposit("mairie-1", 1, 1, ids.parcel_number(parcel))
    return parcel


def asked(here: Town, request: int = 1, label: str = "6A1") -> str:
    """What a courier of colibri who scans it is answered."""
    badge = people.issue_badge(here.desk, GATEWAY, "colibri", "c-7", 30)
    here.told("mairie-1", DepositRequested(request, badge.id, "colibri", label, FIRST))
    orders = [down.command for _, down in commands.due_commands(here.desk, 50)]
    answer = [order for order in orders if isinstance(order, Assign | Decline)][-1]
    return "Assign" if isinstance(answer, Assign) else CODES[answer.code]


def ordered(here: Town) -> list[str]:
    return [type(down.command).__name__ for _, down in commands.due_commands(here.desk, 50)]


def reissued(here: Town, box: int, deposit: int, code: str = "ok") -> None:
    """The locker gives what lies there the next number, or says why not."""
    (down,) = [down for _, down in commands.due_commands(here.desk, 50) if isinstance(down.command, Reissue)]
    here.says("mairie-1", CommandDone(down.id, down.issued_s, number_of(code), Reissue.TYPE, box, deposit + 1))


def recipients(here: Town) -> list[str]:
    with here.desk.store.reading() as tx:
        numbers = [parcel.number for parcel in tx.parcels_page(None, None, None, 9)[0]]
        return [mail for number in numbers if (mail := tx.announced_for(number)[1]) is not None]


def alarms(here: Town) -> list[str]:
    return [alarm.kind for alarm in open_alarms(here.desk, GATEWAY)]


def page_link(here: Town, parcel: str) -> str:
    with here.desk.store.reading() as tx:
        found = tx.parcel(ids.parcel_number(parcel))
    assert found is not None
    return f"/p/{links.link_secret(here.desk.keys.derived(links.PURPOSE), found.number, found.handed)}"


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


def test_what_a_merchant_without_a_contract_announced_before_gets_no_door_and_its_carriers_word_replaces_it(
    here: Town,
) -> None:
    mallory = here.caller("merchant", "mallory", carriers=("colibri",))
    attack = announce(mallory, recipient=MALLORY).json()["id"]
    announce(mallory, "6A2")
    ended = here.caller().delete("/v1/contracts/mallory/colibri")
    assert (ended.status_code, ended.json()) == (
        200,
        {"merchant": "mallory", "carrier": "colibri", "since": None, "waiting": 2},
    )
    refused = mallory.post(f"/v1/parcels/{attack}/reservation", headers=key())
    assert (refused.status_code, refused.json()["code"]) == (403, "no_contract")
    assert mallory.get(f"/v1/parcels/{attack}").json()["held_back"] == "no_contract"
    assert asked(here) == "unknown_label"
    parcel = announce(here.caller("courier", "colibri"), recipient=ANNE)
    assert parcel.status_code == 201 and parcel.json()["held_back"] is None
    assert asked(here, 2) == "Assign" and recipients(here) == ["anne@exemple.fr"]
    assert mallory.get(f"/v1/parcels/{attack}").status_code == 404
    claim = mallory.get("/v1/claims").json()["data"]
    assert [(one["label"], one["decided"]) for one in claim] == [("6A1", True)]
    assert announce(here.caller("courier", "colibri"), "6A2").status_code == 201, "its word alone, with no recipient"


# ------------------------------------------------------------------ contracts
def test_a_contract_is_made_and_ended_by_the_operator_once_however_often_it_is_said(here: Town) -> None:
    operator, fleurs = here.caller(), here.caller("merchant", "fleurs")
    pair = {"merchant": "fleurs", "carrier": "colibri"}
    for _ in range(2):
        made = operator.post("/v1/contracts", json=pair, headers=key())
        assert (made.status_code, made.json()["waiting"], made.json()["since"]) == (201, 0, "2027-01-15T08:00:00Z")
    assert announce(fleurs).status_code == 201
    for caller in (operator, fleurs, here.caller("courier", "colibri")):
        assert [one["waiting"] for one in caller.get("/v1/contracts").json()["data"]] == [1]
    assert here.caller("courier", "martinet").get("/v1/contracts").json()["data"] == []
    for caller in (fleurs, here.caller("courier", "colibri")):
        assert caller.post("/v1/contracts", json=pair, headers=key()).status_code == 403
        assert caller.delete("/v1/contracts/fleurs/colibri").status_code == 403
    answers = [operator.delete("/v1/contracts/fleurs/colibri") for _ in range(2)]
    assert answers[0].json() == answers[1].json() == {**pair, "since": None, "waiting": 1}
    with here.desk.store.reading() as tx:
        acts = [(act.kind, act.reason) for act in tx.acts_before(None, None, 9) if act.kind.startswith("contract")]
    assert acts == [("contract_ended", "fleurs/colibri"), ("contract_made", "fleurs/colibri")]
    assert operator.delete("/v1/contracts/fleurs/Colibri!").status_code == 422


def test_a_contract_that_is_made_again_gives_what_was_announced_its_door_back(here: Town) -> None:
    fleurs = here.caller("merchant", "fleurs", carriers=("colibri",))
    parcel = announce(fleurs, recipient=ANNE).json()["id"]
    here.caller().delete("/v1/contracts/fleurs/colibri")
    assert asked(here) == "unknown_label"
    here.caller().post("/v1/contracts", json={"merchant": "fleurs", "carrier": "colibri"}, headers=key())
    assert fleurs.get(f"/v1/parcels/{parcel}").json()["held_back"] is None
    assert asked(here, 2) == "Assign"


def test_what_lies_in_a_locker_when_a_contract_ends_stays_its_recipients(here: Town) -> None:
    fleurs = here.caller("merchant", "fleurs", carriers=("colibri",))
    parcel = put_in(here, announce(fleurs, recipient=ANNE))
    code = fleurs.get(f"/v1/parcels/{parcel}/pickup").json()["code"]
    here.caller().delete("/v1/contracts/fleurs/colibri")
    assert fleurs.get(f"/v1/parcels/{parcel}/pickup").json()["code"] == code
    assert recipients(here) == ["anne@exemple.fr"]


def test_a_door_that_was_open_when_the_contract_ended_closes_on_a_parcel_that_is_nobodys_yet(here: Town) -> None:
    fleurs = here.caller("merchant", "fleurs", carriers=("colibri",))
    parcel = announce(fleurs, recipient=MALLORY).json()["id"]
    assert asked(here) == "Assign"
    here.caller().delete("/v1/contracts/fleurs/colibri")
    here.deposit("mairie-1", 1, 1, ids.parcel_number(parcel))
    assert fleurs.get(f"/v1/parcels/{parcel}/pickup").status_code == 404
    assert (recipients(here), alarms(here)) == ([], ["deposit_unannounced"])
    own = announce(here.caller("courier", "colibri"), recipient=ANNE)
    assert own.json()["id"] == parcel and own.json()["state"] == "deposited"
    assert (recipients(here), alarms(here)) == (["anne@exemple.fr"], [])


def test_a_new_merchant_has_the_contracts_that_the_operator_names_and_no_other_role_has_any(here: Town) -> None:
    body = {"role": "merchant", "tenant": "fleurs", "scopes": ["parcels:write"], "name": "till"}
    operator = here.caller()
    made = operator.post("/v1/credentials", json={**body, "carriers": ["colibri", "fleurs"]}, headers=key())
    assert announce(here.with_secret(made.json()["secret"])).status_code == 201
    assert [one["carrier"] for one in operator.get("/v1/contracts").json()["data"]] == ["colibri", "fleurs"]
    other = operator.post("/v1/credentials", json={**body, "tenant": "pain"}, headers=key()).json()["secret"]
    assert announce(here.with_secret(other), "6A2").json()["code"] == "no_contract"
    wrong = {**body, "role": "courier", "carriers": ["colibri"]}
    assert operator.post("/v1/credentials", json=wrong, headers=key()).status_code == 422


# ------------------------------------------------------------------ two merchants, one label
def test_two_merchants_with_one_label_get_no_door_until_its_carrier_says_whose_it_is(here: Town) -> None:
    fleurs, pain = (here.caller("merchant", name, carriers=("colibri",)) for name in ("fleurs", "pain"))
    first = announce(fleurs, recipient=MALLORY).json()["id"]
    again = key()
    second, twice = (pain.post("/v1/parcels", json=parcel_body("6A1", recipient=ANNE), headers=again) for _ in "12")
    assert (second.status_code, second.json()["code"]) == (409, "label_contested")
    assert (twice.json(), twice.headers["idempotency-replayed"]) == (second.json(), "true")
    assert "fleurs" not in second.text and second.json()["next_actions"]
    assert fleurs.get(f"/v1/parcels/{first}").json()["held_back"] == "contested"
    assert fleurs.post(f"/v1/parcels/{first}/reservation", headers=key()).json()["code"] == "label_contested"
    assert (asked(here), alarms(here)) == ("unknown_label", ["label_contested"])
    colibri = here.caller("courier", "colibri")
    assert [(one["merchant"], one["decided"]) for one in colibri.get("/v1/claims").json()["data"]] == [("pain", False)]
    silent = announce(colibri)
    assert (silent.status_code, silent.json()["code"]) == (409, "label_contested")
    assert announce(colibri, merchant="pain", recipient=ANNE).status_code == 201
    assert (asked(here, 2), alarms(here), recipients(here)) == ("Assign", [], ["anne@exemple.fr"])
    assert fleurs.get("/v1/parcels").json()["data"] == [] and len(pain.get("/v1/parcels").json()["data"]) == 1
    assert [one["decided"] for one in fleurs.get("/v1/claims").json()["data"]] == [True]


def test_a_claim_of_a_merchant_whose_contract_has_ended_holds_nothing_back(here: Town) -> None:
    fleurs, pain = (here.caller("merchant", name, carriers=("colibri",)) for name in ("fleurs", "pain"))
    first = announce(fleurs, recipient=ANNE).json()["id"]
    announce(pain)
    here.caller().delete("/v1/contracts/pain/colibri")
    assert fleurs.get(f"/v1/parcels/{first}").json()["held_back"] is None
    assert asked(here) == "Assign"


def test_a_label_that_another_merchant_announces_once_it_lies_there_opens_for_neither(here: Town) -> None:
    fleurs, pain = (here.caller("merchant", name, carriers=("colibri",)) for name in ("fleurs", "pain"))
    parcel = put_in(here, announce(fleurs, recipient=MALLORY))
    link = page_link(here, parcel)
    assert here.with_secret(None).get(link).status_code == 200
    assert announce(pain, recipient=ANNE).json()["code"] == "label_contested"
    for caller in (fleurs, pain):
        assert caller.get(f"/v1/parcels/{parcel}/pickup").status_code == 404
    assert here.with_secret(None).get(link).status_code == 404
    assert (recipients(here), alarms(here), ordered(here)) == ([], ["deposit_unannounced"], ["Reissue"])
    assert announce(here.caller("courier", "colibri"), recipient=ANNE).status_code == 201
    assert (recipients(here), alarms(here)) == (["anne@exemple.fr"], [])
    assert here.with_secret(None).get(link).status_code == 404
    assert here.with_secret(None).get(page_link(here, parcel)).status_code == 200


def test_a_new_code_that_the_locker_refuses_is_ordered_again_until_the_old_one_opens_nothing(here: Town) -> None:
    fleurs, pain = (here.caller("merchant", name, carriers=("colibri",)) for name in ("fleurs", "pain"))
    put_in(here, announce(fleurs, recipient=MALLORY))
    announce(pain, recipient=ANNE)
    reissued(here, 1, 1, "wrong_state")
    for wait_s, orders in ((1, []), (600, ["Reissue"]), (1_200, ["Reissue"])):
        here.now[0] += wait_s
        here.birth("mairie-1", 3)
        expiry.expire_due(here.desk)
        assert [order for order in ordered(here) if order == "Reissue"] == orders


# ------------------------------------------------------------------ a merchant and its carrier, one label
def test_the_carriers_word_comes_after_a_merchants_and_replaces_it_also_in_the_locker(here: Town) -> None:
    fleurs, colibri = here.caller("merchant", "fleurs", carriers=("colibri",)), here.caller("courier", "colibri")
    parcel = put_in(here, announce(fleurs, recipient=MALLORY))
    before = fleurs.get(f"/v1/parcels/{parcel}/pickup").json()["code"]
    assert announce(colibri).json()["code"] == "already_exists"
    assert announce(colibri, recipient=ANNE).json()["id"] == parcel
    assert fleurs.get(f"/v1/parcels/{parcel}/pickup").status_code == 404
    assert (recipients(here), ordered(here)) == (["anne@exemple.fr"], ["Reissue"])
    reissued(here, 1, 1)
    assert colibri.get(f"/v1/parcels/{parcel}/pickup").json()["code"] != before
    assert announce(colibri, recipient=ANNE).json()["code"] == "already_exists"


def test_the_carriers_word_comes_first_and_a_merchant_changes_nothing(here: Town) -> None:
    fleurs, colibri = here.caller("merchant", "fleurs", carriers=("colibri",)), here.caller("courier", "colibri")
    announce(colibri, recipient=ANNE)
    assert announce(fleurs, recipient=MALLORY).json()["code"] == "already_exists"
    assert (asked(here), recipients(here)) == ("Assign", ["anne@exemple.fr"])
    assert [one["merchant"] for one in colibri.get("/v1/claims").json()["data"]] == ["fleurs"]


@pytest.mark.parametrize(
    "said", [{"recipient": ANNE}, {"merchant": "fleurs"}, {"merchant": "fleurs", "recipient": ANNE}]
)
def test_a_carrier_that_says_what_its_merchant_said_confirms_it_and_no_code_changes(
    here: Town, said: dict[str, Any]
) -> None:
    fleurs, colibri = here.caller("merchant", "fleurs", carriers=("colibri",)), here.caller("courier", "colibri")
    parcel = put_in(here, announce(fleurs, recipient=ANNE))
    assert announce(colibri, **said).json()["merchant"] == "fleurs"
    assert (recipients(here), ordered(here)) == (["anne@exemple.fr"], [])
    pain = here.caller("merchant", "pain", carriers=("colibri",))
    assert announce(pain, recipient=MALLORY).json()["code"] == "already_exists"
    assert fleurs.get(f"/v1/parcels/{parcel}/pickup").status_code == 200


def test_two_merchants_at_once_never_both_get_it(here: Town) -> None:
    callers = [here.caller("merchant", f"shop-{number}", carriers=("colibri",)) for number in range(4)]
    with ThreadPoolExecutor(len(callers)) as pool:
        said = sorted(answer.status_code for answer in pool.map(announce, callers))
    assert said == [201, 409, 409, 409]
    assert asked(here) == "unknown_label"

"""/v1/webhooks: the secret is told once and kept nowhere, and a tenant's webhooks are its own."""

import base64
from pathlib import Path

import httpx
import pytest
from http_town import Town, key, open_locker, parcel_body, town

from gateway.limits import WEBHOOK_LOOK_UPS_AT_ONCE_MAX, WEBHOOKS_OF_TENANT_MAX

URL = "https://1.1.1.1/hooks"  # an address: no name service is needed, and nothing is ever sent there


@pytest.fixture
def here(tmp_path: Path):
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def make(caller: httpx.Client, url: str = URL, **more: object) -> httpx.Response:
    return caller.post("/v1/webhooks", json={"url": url, **more}, headers=key())


def test_a_webhook_is_made_read_and_deleted(here: Town) -> None:
    colibri = here.caller("courier", "colibri")
    made = make(colibri, types=["parcel.deposited"], description="warehouse")
    assert made.status_code == 201 and made.headers["location"] == f"/v1/webhooks/{made.json()['id']}"
    seen = colibri.get(made.headers["location"]).json()
    assert {**seen, "secret": made.json()["secret"]} == made.json()
    assert (seen["types"], seen["status"], seen["tenant"]) == (["parcel.deposited"], "active", "colibri")
    assert [one["id"] for one in colibri.get("/v1/webhooks").json()["data"]] == [seen["id"]]
    assert colibri.delete(made.headers["location"]).status_code == 204
    assert colibri.get(made.headers["location"]).json()["code"] == "unknown_webhook"
    assert colibri.get("/v1/webhooks").json()["data"] == []


def test_name_servers_that_never_answer_hold_up_so_many_threads_and_no_more(here: Town) -> None:
    """Whoever may make webhooks could name hosts of a server of theirs until every thread waited for it."""
    colibri, places = here.caller("courier", "colibri"), here.counter.look_ups
    for _ in range(WEBHOOK_LOOK_UPS_AT_ONCE_MAX):  # as many wait already
        assert places.acquire(blocking=False)
    refused = make(colibri)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert refused.headers["retry-after"] == "1"
    places.release()
    assert [make(colibri).status_code for _ in range(3)] == [201] * 3, "each gives its place back"


def test_its_secret_is_told_once_and_again_to_the_same_act_only(here: Town, tmp_path: Path) -> None:
    colibri = here.caller("courier", "colibri")
    same = key()
    first = colibri.post("/v1/webhooks", json={"url": URL}, headers=same)
    again = colibri.post("/v1/webhooks", json={"url": URL}, headers=same)
    assert again.json() == first.json() and again.headers["idempotency-replayed"] == "true"
    secret = first.json()["secret"]
    raw = base64.b64decode(secret.removeprefix("whsec_"))
    assert secret.startswith("whsec_") and 24 <= len(raw) <= 64
    assert secret not in colibri.get("/v1/webhooks").text
    assert make(colibri).json()["secret"] != secret
    turned = colibri.post(f"{first.headers['location']}/rotation", json={}, headers=key()).json()
    assert turned["secret"] != secret and turned["former_secret_until"]
    here.desk.store.close()
    for path in tmp_path.rglob("consigne.db*"):
        for hidden in (raw, secret.encode(), turned["secret"].encode()):
            assert hidden not in path.read_bytes(), path
    assert "whsec_" not in here.logged() and "1.1.1.1" not in here.logged()


def test_everyone_has_their_own_and_the_operator_sees_all(here: Town) -> None:
    colibri, rival = here.caller("courier", "colibri"), here.caller("courier", "rival")
    namesake, operator = here.caller("merchant", "colibri"), here.caller()
    mine = make(colibri).headers["location"]
    for stranger in (rival, namesake):
        assert stranger.get("/v1/webhooks").json()["data"] == []
        for answer in (
            stranger.get(mine),
            stranger.delete(mine),
            stranger.post(f"{mine}/rotation", json={}, headers=key()),
            stranger.post(f"{mine}/redelivery", headers=key()),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_webhook")
    assert operator.get(mine).status_code == 200 and len(operator.get("/v1/webhooks").json()["data"]) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://169.254.169.254/latest",
        "https://2130706433/",
        "https://a..b/",
        "https://u:p@1.1.1.1/",
        "https://1.1.1.1:25/",
        "http://1.1.1.1/",
        "ftp://1.1.1.1/",
    ],
)
def test_a_url_that_leads_where_it_should_not_is_refused_when_it_is_made(here: Town, url: str) -> None:
    colibri = here.caller("courier", "colibri")
    answer = make(colibri, url)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_value")
    assert colibri.get("/v1/webhooks").json()["data"] == []


def test_what_exists_inside_cannot_be_told_from_what_does_not(here: Town) -> None:
    colibri = here.caller("courier", "colibri")
    inside, nowhere = make(colibri, "https://localhost/").json(), make(colibri, "https://a..b/").json()
    assert {**inside, "instance": ""} == {**nowhere, "instance": ""}


@pytest.mark.parametrize("body", [{"types": []}, {"types": ["parcel.stolen"]}, {"description": "a\nb"}, {"more": 1}])
def test_what_is_said_of_a_webhook_has_limits(here: Town, body: dict) -> None:
    assert make(here.caller(), **body).json()["code"] == "bad_value"


def test_a_tenant_has_so_many_and_no_more(here: Town) -> None:
    colibri = here.caller("courier", "colibri")
    for _ in range(WEBHOOKS_OF_TENANT_MAX):
        last = make(colibri)
        assert last.status_code == 201
    refused = make(colibri)
    assert (refused.status_code, refused.json()["next_actions"]) == (409, ["delete one first"])
    assert make(here.caller("courier", "rival")).status_code == 201
    assert colibri.delete(last.headers["location"]).status_code == 204
    assert make(colibri).status_code == 201


def test_what_waits_is_counted_and_an_act_wakes_whoever_delivers(here: Town) -> None:
    colibri = here.caller("courier", "colibri")
    made = make(colibri).headers["location"]
    before = len(here.wakes)
    assert colibri.post("/v1/parcels", json=parcel_body("a"), headers=key()).status_code == 201
    assert len(here.wakes) == before + 1
    assert colibri.get(made).json()["waiting"] == 1


@pytest.mark.parametrize(("hours", "status"), [(0, 201), (168, 201), (169, 422), (-1, 422)])
def test_a_former_secret_signs_on_for_a_week_at_the_most(here: Town, hours: int, status: int) -> None:
    colibri = here.caller("courier", "colibri")
    made = make(colibri).headers["location"]
    answer = colibri.post(f"{made}/rotation", json={"overlap_hours": hours}, headers=key())
    assert answer.status_code == status
    if not hours:
        assert answer.json()["former_secret_until"] is None

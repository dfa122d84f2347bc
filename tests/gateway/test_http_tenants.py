"""A tenant sees its own and nothing else; a key does what its scopes say and nothing else."""

import pytest
from http_town import Town, key, open_locker, parcel_body, town

from gateway.domain import ids
from gateway.domain.people import SCOPES, SCOPES_OF

NEEDED = [
    ("GET", "/v1/lockers", "lockers:read"),
    ("GET", "/v1/lockers/{locker}", "lockers:read"),
    ("GET", "/v1/lockers/{locker}/compartments", "lockers:read"),
    ("POST", "/v1/lockers", "lockers:write"),
    ("POST", "/v1/lockers/{locker}/provisioning", "lockers:write"),
    ("POST", "/v1/lockers/{locker}/console-answers", "doors:open"),
    ("POST", "/v1/lockers/{locker}/compartments/{number}/service", "lockers:write"),
    ("POST", "/v1/lockers/{locker}/compartments/{number}/open", "doors:open"),
    ("POST", "/v1/lockers/{locker}/compartments/{number}/release", "lockers:write"),
    ("GET", "/v1/lockers/{locker}/site", "lockers:read"),
    ("PUT", "/v1/lockers/{locker}/site", "lockers:write"),
    ("GET", "/v1/reports", "parcels:read"),
    ("GET", "/v1/reports/{report}", "parcels:read"),
    ("POST", "/v1/reports/{report}/closing", "parcels:write"),
    ("GET", "/v1/parcels", "parcels:read"),
    ("GET", "/v1/parcels/{parcel}", "parcels:read"),
    ("GET", "/v1/parcels/{parcel}/pickup", "codes:read"),
    ("GET", "/v1/parcels/{parcel}/slip", "codes:read"),
    ("POST", "/v1/parcels", "parcels:write"),
    ("POST", "/v1/receipts", "parcels:write"),
    ("POST", "/v1/parcels/{parcel}/reservation", "parcels:write"),
    ("DELETE", "/v1/parcels/{parcel}/reservation", "parcels:write"),
    ("POST", "/v1/parcels/{parcel}/takeback", "parcels:write"),
    ("POST", "/v1/parcels/{parcel}/reissue", "codes:write"),
    ("POST", "/v1/parcels/{parcel}/delegations", "codes:write"),
    ("GET", "/v1/parcels/{parcel}/delegations", "codes:write"),
    ("DELETE", "/v1/parcels/{parcel}/delegations/{delegation}", "codes:write"),
    ("POST", "/v1/badges", "badges:write"),
    ("DELETE", "/v1/badges/{badge}", "badges:write"),
    ("GET", "/v1/badges", "badges:write"),
    ("POST", "/v1/credentials", "credentials:write"),
    ("GET", "/v1/credentials", "credentials:write"),
    ("DELETE", "/v1/credentials/{credential}", "credentials:write"),
    ("GET", "/v1/events", "events:read"),
    ("GET", "/v1/events/stream", "events:read"),
    ("GET", "/v1/keys", "keys:write"),
    ("POST", "/v1/keys/rotation", "keys:write"),
    ("POST", "/v1/keys/promotion", "keys:write"),
    ("DELETE", "/v1/keys/{kid}", "keys:write"),
    ("POST", "/v1/webhooks", "webhooks:write"),
    ("GET", "/v1/webhooks", "webhooks:write"),
    ("GET", "/v1/webhooks/{webhook}", "webhooks:write"),
    ("DELETE", "/v1/webhooks/{webhook}", "webhooks:write"),
    ("POST", "/v1/webhooks/{webhook}/rotation", "webhooks:write"),
    ("POST", "/v1/webhooks/{webhook}/redelivery", "webhooks:write"),
    ("POST", "/v1/privacy/erasures", "privacy:write"),
    ("GET", "/v1/privacy/erasures/{parcel}", "privacy:write"),
    ("POST", "/v1/privacy/lookups", "privacy:write"),
    ("GET", "/v1/privacy/parcels/{parcel}", "privacy:write"),
    ("GET", "/v1/privacy/audit", "events:read"),
]
MADE = ("/v1/lockers", "/v1/parcels", "/v1/badges", "/v1/credentials", "/v1/receipts", "/v1/webhooks")
BODIES = {
    "/v1/lockers/{locker}/site": {"address": "1 place du Marché"},
    "/v1/reports/{report}/closing": {"reason": "looked: empty"},
    "/v1/parcels/{parcel}/delegations": {"name": "a neighbour"},
    "/v1/lockers/{locker}/console-answers": {"challenge": "00" * 8, "name": "anne"},
    "/v1/lockers/{locker}/compartments/{number}/service": {"out": True, "reason": "test"},
    "/v1/lockers/{locker}/compartments/{number}/open": {"reason": "test"},
    "/v1/lockers/{locker}/compartments/{number}/release": {"reason": "test"},
    "/v1/keys/promotion": {},
    "/v1/webhooks/{webhook}/rotation": {},
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory):
    with town(tmp_path_factory.mktemp("town")) as made:
        open_locker(made, count=4)
        open_locker(made, "for-acts")
        yield made


def fill(path: str, **ids_of: str) -> str:
    values = {
        "locker": "for-acts",
        "number": "1",
        "badge": "00" * 8,
        "delegation": "00" * 8,
        "report": "rep_0000000000001",
        "credential": "cred_0000000000001",
        "kid": "0" * 8,
        "webhook": "wh_0000000000001",
    }
    return path.format(**{**values, "parcel": "par_0000000000001", **ids_of})


def test_every_route_is_in_the_table_of_scopes(here: Town) -> None:
    document = here.with_secret(None).get("/openapi.json").json()
    routes = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith("/v1/")
    }
    assert routes == {(method, path) for method, path, _ in NEEDED} | {("GET", "/v1/operations/{operation}")}


@pytest.mark.parametrize(("method", "path", "scope"), NEEDED)
def test_a_key_without_the_scope_is_refused(here: Town, method: str, path: str, scope: str) -> None:
    without = here.caller(scopes=SCOPES - {scope})
    answer = without.request(method, fill(path), json=BODIES.get(path), headers=key())
    if method == "POST" and path in MADE:
        answer = without.request(method, fill(path), json={}, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert scope in answer.json()["detail"]


def test_a_key_with_only_that_scope_is_let_in(here: Town) -> None:
    for method, path, scope in NEEDED:
        only = here.caller(scopes=frozenset({scope}))
        with only.stream(method, fill(path), json=BODIES.get(path), headers=key()) as answer:  # one never ends
            assert answer.status_code not in (401, 403), (method, path)


def test_a_parcel_of_another_tenant_does_not_exist(here: Town) -> None:
    colibri = here.caller("courier", "colibri")
    foreigners = [
        here.caller("courier", "martinet"),
        here.caller("merchant", "colibri"),
        here.caller("merchant", "fleurs"),
    ]
    made = colibri.post("/v1/parcels", json=parcel_body("secret-label-1"), headers=key()).json()
    parcel = made["id"]
    assert colibri.post(f"/v1/parcels/{parcel}/reservation", headers=key()).status_code == 201
    box = colibri.get(f"/v1/parcels/{parcel}").json()["compartment"]
    here.deposit("mairie-1", box, 1, ids.parcel_number(parcel))
    assert colibri.get(f"/v1/parcels/{parcel}/pickup").status_code == 200
    for foreign in foreigners:
        for method, path, scope in NEEDED:
            if "{parcel}" not in path or scope == "privacy:write":  # of operators alone, whatever the parcel
                continue
            body = BODIES.get(path) if method == "POST" else None
            answer = foreign.request(method, fill(path, parcel=parcel), json=body, headers=key())
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_parcel"), (method, path)
            absent = foreign.request(method, fill(path), json=body, headers=key())
            assert {**answer.json(), "instance": ""} == {**absent.json(), "instance": ""}
        assert foreign.get("/v1/parcels").json()["data"] == []
        for path in ("/v1/lockers/mairie-1/compartments", "/v1/events", "/v1/lockers/mairie-1"):
            said = foreign.get(path).text
            assert parcel not in said and "secret-label-1" not in said, path
    assert colibri.get(f"/v1/parcels/{parcel}").json()["state"] == "deposited"


def test_a_delegation_of_another_tenant_does_not_exist(here: Town) -> None:
    colibri, martinet = here.caller("courier", "colibri"), here.caller("courier", "martinet")
    parcel = colibri.post("/v1/parcels", json=parcel_body("secret-label-3"), headers=key()).json()["id"]
    own = martinet.post("/v1/parcels", json=parcel_body("own", carrier="martinet"), headers=key()).json()["id"]
    box = colibri.post(f"/v1/parcels/{parcel}/reservation", headers=key()).json()["compartment"]
    here.deposit("mairie-1", box, 1, ids.parcel_number(parcel))
    made = colibri.post(f"/v1/parcels/{parcel}/delegations", json={"name": "Anna"}, headers=key()).json()["id"]
    for path, code in ((parcel, "unknown_parcel"), (own, "unknown_delegation")):
        answer = martinet.delete(f"/v1/parcels/{path}/delegations/{made}")
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    operation = colibri.delete(f"/v1/parcels/{parcel}/delegations/{made}")
    assert operation.status_code == 202
    stranger = martinet.get(operation.headers["location"])
    assert (stranger.status_code, stranger.json()["code"]) == (404, "unknown_operation")


def test_an_operation_of_another_tenant_does_not_exist(here: Town) -> None:
    colibri, martinet = here.caller("courier", "colibri"), here.caller("courier", "martinet")
    parcel = colibri.post("/v1/parcels", json=parcel_body("secret-label-2"), headers=key()).json()["id"]
    box = colibri.post(f"/v1/parcels/{parcel}/reservation", headers=key()).json()["compartment"]
    here.deposit("mairie-1", box, 1, ids.parcel_number(parcel))
    operation = colibri.post(f"/v1/parcels/{parcel}/takeback", headers=key())
    assert operation.status_code == 202, operation.text
    where = operation.headers["location"]
    assert colibri.get(where).json()["kind"] == "take_back"
    assert (martinet.get(where).status_code, martinet.get(where).json()["code"]) == (404, "unknown_operation")


def test_a_tenant_cannot_act_in_anothers_name(here: Town) -> None:
    colibri = here.caller("courier", "colibri")
    for body in (parcel_body("theirs", carrier="martinet"),):
        answer = colibri.post("/v1/parcels", json=body, headers=key())
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    badge = colibri.post("/v1/badges", json={"carrier": "martinet", "holder": "x"}, headers=key())
    assert (badge.status_code, badge.json()["code"]) == (403, "not_allowed")


def test_a_badge_of_another_carrier_cannot_be_revoked(here: Town) -> None:
    colibri, martinet = here.caller("courier", "colibri"), here.caller("courier", "martinet")
    badge = colibri.post("/v1/badges", json={"carrier": "colibri", "holder": "staff-1"}, headers=key()).json()["id"]
    assert martinet.delete(f"/v1/badges/{badge}").status_code == 404
    assert colibri.delete(f"/v1/badges/{badge}").status_code == 204


def test_a_technicians_badge_needs_a_scope_that_only_an_operator_has(here: Town) -> None:
    body = {"role": "technician", "holder": "anne-3", "days": 7}
    for caller in (here.caller("courier", "colibri"), here.caller(scopes=SCOPES - {"technicians:write"})):
        answer = caller.post("/v1/badges", json=body, headers=key())
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
        assert "technicians:write" in answer.json()["detail"]
    made = here.caller().post("/v1/badges", json=body, headers=key()).json()
    assert made["id"] not in here.caller("courier", "colibri").get("/v1/badges").text
    assert here.caller("courier", "colibri").delete(f"/v1/badges/{made['id']}").status_code == 404
    assert here.caller(scopes=SCOPES - {"technicians:write"}).delete(f"/v1/badges/{made['id']}").status_code == 403
    assert here.caller().delete(f"/v1/badges/{made['id']}").status_code == 204
    assert all("technicians:write" not in SCOPES_OF[role] for role in ("courier", "merchant"))


def test_a_role_cannot_be_given_more_than_it_may_have(here: Town) -> None:
    body = {"role": "courier", "tenant": "colibri", "scopes": ["doors:open"], "name": "too much"}
    answer = here.caller().post("/v1/credentials", json=body, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_value")
    assert "doors:open" not in SCOPES_OF["courier"]


def test_a_credential_made_over_the_api_opens_it(here: Town) -> None:
    body = {"role": "merchant", "tenant": "fleurs", "scopes": ["parcels:read"], "name": "till"}
    made = here.caller().post("/v1/credentials", json=body, headers=key()).json()
    merchant = here.with_secret(made["secret"])
    assert merchant.get("/v1/parcels").status_code == 200
    assert merchant.get("/v1/lockers").status_code == 403

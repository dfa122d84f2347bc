"""A tenant sees its own and nothing else; a key does what its scopes say and nothing else.

Every test over "every route" takes them from the OpenAPI document: a new route is tried, or fails until the tables
here say what to try.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from http_town import Town, key, open_locker, parcel_body, town

from gateway.domain import ids
from gateway.domain.people import GATEWAY, SCOPES, SCOPES_OF
from gateway.services import reports

# What belongs to one tenant -> what a stranger is told, and an id that nobody has.
OWNED = {
    "parcel": ("unknown_parcel", "par_0000000000001"),
    "operation": ("unknown_operation", "op_0000000000001"),
    "delegation": ("unknown_delegation", "00" * 8),
    "badge": ("unknown_badge", "00" * 8),
    "webhook": ("unknown_webhook", "wh_0000000000001"),
    "report": ("unknown_report", "rep_0000000000001"),
}
# What is everybody's, or the operator's alone.
SHARED = {"locker": "for-acts", "number": "1", "credential": "cred_0000000000001", "kid": "0" * 8}
SHARED |= {"merchant": "nobody", "carrier": "nobody"}  # of a contract, which an operator ends
# A good body for each route with an id of a tenant, where it needs one: its 404 must come from the id.
BODIES = {
    "/v1/reports/{report}/closing": {"reason": "looked: empty"},
    "/v1/parcels/{parcel}/delegations": {"name": "a neighbour"},
    "/v1/webhooks/{webhook}/rotation": {},
}
# What a tenant makes: a body in another's name, or None where it can name nobody.
IN_ANOTHERS_NAME = {
    "/v1/parcels": parcel_body("theirs", carrier="colibri", merchant="colibri"),
    "/v1/badges": {"carrier": "colibri", "holder": "x"},
    "/v1/receipts": None,  # its carrier is whoever hands it in (test_services_receipts.py)
    "/v1/webhooks": None,
}
EVERY_KEY = {("GET", "/v1/operations/{operation}")}  # no scope: one's own
EVERYONE = {("GET", "/health"), ("GET", "/ready")}
ENDLESS = "/v1/events/stream"  # test_http_streams.py reads it, as a foreigner too


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    scope: str | None

    @property
    def named(self) -> list[str]:
        """The path's parameters."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def owned(self) -> list[str]:
        return [name for name in self.named if name in OWNED]

    def fill(self, given: dict[str, str]) -> str:
        absent = {name: nobody for name, (_, nobody) in OWNED.items()}
        return self.path.format(**{**SHARED, **absent, **given})

    def ask(self, caller: httpx.Client, given: dict[str, str]) -> httpx.Response:
        body = BODIES.get(self.path) if self.method == "POST" else None
        return caller.request(self.method, self.fill(given), json=body, headers=key())


@dataclass(frozen=True)
class Theirs:
    """All that colibri has, by the name of the path's parameter, and words that stand in it."""

    caller: httpx.Client
    ids: dict[str, str]
    words: tuple[str, ...]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory):
    with town(tmp_path_factory.mktemp("town")) as made:
        open_locker(made, count=4)
        open_locker(made, "for-acts")
        yield made


@pytest.fixture(scope="module")
def routes(here: Town) -> list[Route]:
    """Each with the scope that its description names."""
    paths = here.with_secret(None).get("/openapi.json").json()["paths"]
    found: list[Route] = []
    for path, methods in paths.items():
        for method, operation in methods.items():
            said = re.search(r"Scope\s+([a-z]+:[a-z]+)", operation.get("description", ""))
            found.append(Route(method.upper(), path, said and said.group(1)))
    return found


@pytest.fixture(scope="module")
def foreigners(here: Town) -> dict[str, httpx.Client]:
    tenants = {"martinet": "courier", "colibri": "merchant", "fleurs": "merchant"}
    return {f"{role} {tenant}": here.caller(role, tenant) for tenant, role in tenants.items()}


@pytest.fixture(scope="module")
def theirs(here: Town) -> Theirs:
    colibri = here.caller("courier", "colibri")
    new = parcel_body("secret-label-1", recipient={"name": "Anne Lefèvre"})
    parcel = colibri.post("/v1/parcels", json=new, headers=key()).json()["id"]
    box = colibri.post(f"/v1/parcels/{parcel}/reservation", headers=key()).json()["compartment"]
    here.deposit("mairie-1", box, 1, ids.parcel_number(parcel))
    delegation = colibri.post(f"/v1/parcels/{parcel}/delegations", json={"name": "Odile"}, headers=key()).json()
    operation = colibri.post(f"/v1/parcels/{parcel}/reissue", headers=key()).json()["id"]
    badge = colibri.post("/v1/badges", json={"carrier": "colibri", "holder": "secret-7"}, headers=key()).json()
    hook = colibri.post("/v1/webhooks", json={"url": "https://1.1.1.1/secret"}, headers=key()).json()
    code = colibri.get(f"/v1/parcels/{parcel}/pickup").json()["code"]
    report = reports.report(here.desk, GATEWAY, ids.parcel_number(parcel), "damaged", "secret words")
    made = {"parcel": parcel, "operation": operation, "delegation": delegation["id"], "badge": badge["id"]}
    made |= {"webhook": hook["id"], "report": report.id}
    return Theirs(colibri, made, (*made.values(), "secret", "Anne", "Odile", code))


def tenants_routes(routes: list[Route], role: str) -> Iterator[Route]:
    """Those that a key of this role can have the scope for."""
    yield from (route for route in routes if route.scope is None or route.scope in SCOPES_OF[role])


# ------------------------------------------------------------------ scopes
def test_every_route_says_which_scope_it_needs_or_that_it_needs_none(routes: list[Route]) -> None:
    silent = {(route.method, route.path) for route in routes if route.scope is None}
    assert silent == EVERY_KEY | EVERYONE
    assert {route.scope for route in routes} - {None} <= SCOPES


def test_a_key_without_the_scope_is_refused(here: Town, routes: list[Route]) -> None:
    without = {scope: here.caller(scopes=SCOPES - {scope}) for scope in SCOPES}
    for route in routes:
        if route.scope is not None:
            answer = without[route.scope].request(route.method, route.fill({}), json={}, headers=key())
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), route
            assert route.scope in answer.json()["detail"]


def test_a_key_with_only_that_scope_is_let_in(here: Town, routes: list[Route]) -> None:
    only = {scope: here.caller(scopes=frozenset({scope})) for scope in SCOPES}
    for route in routes:
        if route.scope is not None:
            caller = only[route.scope]
            with caller.stream(route.method, route.fill({}), json={}, headers=key()) as answer:  # one never ends
                assert answer.status_code not in (401, 403), route


def test_without_a_key_nothing_is_let_in(here: Town, routes: list[Route]) -> None:
    nobody = here.with_secret(None)
    for route in routes:
        if (route.method, route.path) not in EVERYONE:
            answer = nobody.request(route.method, route.fill({}), json={}, headers=key())
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), route


# ------------------------------------------------------------------ what is another tenant's
def test_every_id_in_a_path_is_somebodys_or_everybodys(routes: list[Route]) -> None:
    named = {name for route in routes for name in route.named}
    assert named == set(OWNED) | set(SHARED), "say in OWNED or SHARED whose it is"
    for role in ("courier", "merchant"):
        for route in tenants_routes(routes, role):
            assert not {"credential", "kid", "merchant", "carrier"} & set(route.named), (
                f"{route} is for operators alone"
            )


def test_every_route_with_an_id_of_another_tenant_answers_as_if_there_was_none(
    routes: list[Route], theirs: Theirs, foreigners: dict[str, httpx.Client]
) -> None:
    tried: set[Route] = set()
    for name, foreign in foreigners.items():
        for route in tenants_routes(routes, name.split()[0]):
            if not route.owned:
                continue
            tried.add(route)
            answer, absent = route.ask(foreign, theirs.ids), route.ask(foreign, {})
            code = OWNED[route.owned[0]][0]
            assert (answer.status_code, answer.json()["code"]) == (404, code), (name, route, answer.text)
            assert {**answer.json(), "instance": ""} == {**absent.json(), "instance": ""}, (name, route)
    tenants = SCOPES_OF["courier"] | SCOPES_OF["merchant"]
    assert tried == {route for route in routes if route.owned and (route.scope is None or route.scope in tenants)}
    parcel = theirs.caller.get(f"/v1/parcels/{theirs.ids['parcel']}").json()
    assert parcel["state"] == "disputed", "as its recipient's report has left it"
    assert theirs.caller.get("/v1/badges").json()["data"][0]["revoked_at"] is None
    assert [hook["id"] for hook in theirs.caller.get("/v1/webhooks").json()["data"]] == [theirs.ids["webhook"]]


def test_nothing_that_can_be_read_without_an_id_shows_what_is_another_tenants(
    here: Town, routes: list[Route], theirs: Theirs, foreigners: dict[str, httpx.Client]
) -> None:
    for name, foreign in foreigners.items():
        for route in tenants_routes(routes, name.split()[0]):
            if route.method != "GET" or route.owned or route.path == ENDLESS:
                continue
            for locker in ("mairie-1", "for-acts"):
                answer = foreign.get(route.fill({"locker": locker}))
                shown = [word for word in theirs.words if word in answer.text]
                assert not shown, (name, route)
                allowed = (
                    (200, 403) if route.path in ("/metrics", "/v1/privacy/audit") else (200,)
                )  # for operators alone
                assert answer.status_code in (*allowed, 503), (name, route, answer.text)
    seen = here.caller().get("/v1/parcels").text + theirs.caller.get("/v1/webhooks").text
    assert all(word in seen for word in (theirs.ids["parcel"], theirs.ids["webhook"], "secret")), "there is some"


def test_a_tenant_cannot_make_anything_in_anothers_name(
    routes: list[Route], foreigners: dict[str, httpx.Client]
) -> None:
    for name, foreign in foreigners.items():
        role, tenant = name.split()
        for route in tenants_routes(routes, role):
            if route.method != "POST" or route.named:
                continue
            body = IN_ANOTHERS_NAME[route.path]  # a route that is not in the table: what could it be made to say?
            if body is None or tenant == "colibri":
                continue
            answer = foreign.post(route.path, json=body, headers=key())
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (name, route)


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

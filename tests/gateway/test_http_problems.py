"""What the API says to those who ask wrongly: one shape, a code, the field, the next step."""

import socket

import httpx
import pytest
from http_town import Town, key, locker_body, open_locker, parcel_body, town

from gateway import limits
from protocol.limits import LABEL_SIZE_MAX

PROBLEM_FIELDS = {"type", "title", "status", "code", "detail", "instance", "next_actions"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory):
    with town(tmp_path_factory.mktemp("town")) as made:
        open_locker(made)
        yield made


def problem(answer: httpx.Response, status: int, code: str) -> dict:
    said = answer.json()
    assert (answer.status_code, said.get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(said) - {"errors"} == PROBLEM_FIELDS
    assert said["status"] == status and said["type"].endswith(code) and said["detail"]
    assert said["next_actions"] and all(said["next_actions"])
    assert said["instance"].endswith(answer.headers["x-request-id"])
    return said


BROKEN_PARCELS = [
    ("body.label", parcel_body("")),
    ("body.label", parcel_body("x" * (LABEL_SIZE_MAX + 1))),
    ("body.label", parcel_body("tab\tin it")),
    ("body.label", parcel_body("écrit")),
    ("body.label", parcel_body(12)),
    ("body.size", parcel_body("a", size="XL")),
    ("body.size", parcel_body("a", size=None)),
    ("body.locker", parcel_body("a", locker="Mairie 1")),
    ("body.locker", parcel_body("a", locker="../x")),
    ("body.carrier", parcel_body("a", carrier="")),
    ("body.heavy", parcel_body("a", heavy="yes")),
    ("body.heavy", parcel_body("a", heavy=1)),
    ("body.colour", parcel_body("a", colour="red")),
    ("body.recipient.mail", parcel_body("a", recipient={"mail": "nobody"})),
    ("body.recipient.name", parcel_body("a", recipient={"name": "a\u0000b"})),
    ("body.recipient.name", parcel_body("a", recipient={"name": "x" * 5000})),
    ("body.recipient.phone", parcel_body("a", recipient={"phone": "call me"})),
    ("body.recipient.birthday", parcel_body("a", recipient={"birthday": "1970-01-01"})),
    ("body", [1, 2]),
    ("body", "text"),
]


@pytest.mark.parametrize(("field", "body"), BROKEN_PARCELS, ids=lambda value: str(value)[:40])
def test_a_body_that_breaks_the_schema_is_told_which_field(here: Town, field: str, body: object) -> None:
    said = problem(here.caller().post("/v1/parcels", json=body, headers=key()), 422, "bad_value")
    assert field in [error["field"] for error in said["errors"]]
    assert all(error["problem"] for error in said["errors"])


def test_a_problem_never_repeats_what_was_sent(here: Town) -> None:
    body = parcel_body("a", recipient={"mail": "canary@", "name": "canary\u0007", "phone": "canary"})
    said = here.caller().post("/v1/parcels", json=body, headers=key())
    assert said.status_code == 422 and "canary" not in said.text


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(id="-no"),
        lambda body: body.update(modules=[]),
        lambda body: body["modules"][0].update(compartments=[]),
        lambda body: body["modules"][0]["compartments"][0].update(number=0),
        lambda body: body["modules"][0]["compartments"][0].update(number=2),
        lambda body: body["modules"][0]["compartments"][0].update(width_mm=limits.MM_MAX + 1),
        lambda body: body.update(code_digits=13),
        lambda body: body.update(modules=body["modules"] * 2),
    ],
)
def test_a_locker_that_cannot_be_built_is_refused(here: Town, change) -> None:
    body = locker_body("gare-9")
    change(body)
    problem(here.caller().post("/v1/lockers", json=body, headers=key()), 422, "bad_value")


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b'{"label": }', b"[" * 100_000, b'{"a":1}x', b'"\\ud800"'])
def test_a_body_that_is_no_json_is_refused(here: Town, raw: bytes) -> None:
    headers = {**key(), "Content-Type": "application/json"}
    answer = here.caller().post("/v1/parcels", content=raw, headers=headers)
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code, answer.json()["code"])


def test_a_lone_surrogate_in_a_field_or_its_name_is_refused(here: Town) -> None:
    headers = {**key(), "Content-Type": "application/json"}
    for raw in (b'{"label":"\\ud800"}', b'{"\\ud800":1}'):
        problem(here.caller().post("/v1/parcels", content=raw, headers=headers), 422, "bad_value")


def test_a_body_of_another_type_is_refused(here: Town) -> None:
    caller = here.caller()
    problem(caller.post("/v1/parcels", data={"label": "a"}, headers=key()), 415, "unsupported_media_type")
    problem(caller.post("/v1/parcels", content=b"{}", headers=key()), 415, "unsupported_media_type")


def test_a_body_that_is_too_large_is_refused_unread(here: Town) -> None:
    big = b" " * (limits.HTTP_BODY_SIZE_MAX + 1)
    headers = {**key(), "Content-Type": "application/json"}
    problem(here.caller().post("/v1/parcels", content=big, headers=headers), 413, "too_large")


def test_a_body_that_grows_too_large_in_chunks_is_refused(here: Town) -> None:
    chunks = (b" " * 65_536 for _ in range(limits.HTTP_BODY_SIZE_MAX // 65_536 + 1))
    headers = {**key(), "Content-Type": "application/json"}
    problem(here.caller().post("/v1/parcels", content=chunks, headers=headers), 413, "too_large")


def test_a_declared_length_of_absurd_size_is_refused(here: Town) -> None:
    host, port = here.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as raw:
        raw.sendall(b"POST /v1/parcels HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert b" 413 " in raw.recv(65_536).split(b"\r\n")[0]


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v2/lockers", "/v1/lockers/", "/v1/parcels/a/b/c"])
def test_an_address_that_is_none_is_not_found(here: Town, path: str) -> None:
    problem(here.caller().get(path), 404, "not_found")


def test_a_method_that_an_address_does_not_take_is_refused_with_those_it_does(here: Town) -> None:
    answer = here.caller().put("/v1/parcels", json={}, headers=key())
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/lockers/nowhere", "unknown_locker"),
        ("/v1/lockers/NO_WAY", "unknown_locker"),
        ("/v1/lockers/nowhere/compartments", "unknown_locker"),
        ("/v1/parcels/par_0000000000001", "unknown_parcel"),
        ("/v1/parcels/par_0000000000001/pickup", "unknown_parcel"),
        ("/v1/parcels/1", "unknown_parcel"),
        ("/v1/parcels/par_zzzzzzzzzzzzz", "unknown_parcel"),
        ("/v1/operations/op_0000000000001", "unknown_operation"),
        ("/v1/operations/%00", "unknown_operation"),
    ],
)
def test_an_id_that_nobody_has_is_unknown(here: Town, path: str, code: str) -> None:
    problem(here.caller().get(path), 404, code)


def test_an_act_on_what_is_unknown_is_refused(here: Town) -> None:
    caller = here.caller()
    reason = {"reason": "test"}
    problem(caller.post("/v1/lockers/nowhere/compartments/1/open", json=reason, headers=key()), 404, "unknown_locker")
    path = "/v1/lockers/mairie-1/compartments"
    problem(caller.post(f"{path}/9/open", json=reason, headers=key()), 404, "unknown_compartment")
    for wrong in ("0", "-1", "x", "401", "1" * 40):
        problem(caller.post(f"{path}/{wrong}/open", json=reason, headers=key()), 422, "bad_value")
    problem(caller.post("/v1/parcels/par_0000000000001/reservation", headers=key()), 404, "unknown_parcel")
    problem(caller.delete("/v1/parcels/par_0000000000001/reservation"), 404, "unknown_parcel")
    problem(caller.delete("/v1/badges/00"), 404, "unknown_badge")
    problem(caller.delete("/v1/badges/0123456789abcdef"), 404, "unknown_badge")
    problem(caller.post("/v1/parcels", json=parcel_body("a", locker="nowhere"), headers=key()), 404, "unknown_locker")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=!", "cursor=c", "cursor=" + "c" * 65])
def test_a_wrong_query_is_refused(here: Town, query: str) -> None:
    problem(here.caller().get(f"/v1/parcels?{query}"), 422, "bad_value")


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Basic abc", "Bearer wrong", "Bearer " + "x" * 5000, "bearer é".encode("latin-1")],
)
def test_without_a_good_secret_nothing_is_answered(here: Town, header: str | bytes | None) -> None:
    stranger = here.with_secret(None)
    headers = {} if header is None else {"Authorization": header}
    answer = stranger.get("/v1/lockers", headers=headers)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_failure_of_ours_is_a_problem_that_gives_nothing_away(here: Town) -> None:
    caller = here.caller()
    store = here.desk.store
    object.__setattr__(here.desk, "store", None)
    try:
        answer = caller.get("/v1/lockers")
    finally:
        object.__setattr__(here.desk, "store", store)
    said = problem(answer, 500, "internal")
    assert "Traceback" not in answer.text and "NoneType" not in answer.text
    logged = here.logged()
    assert "http_failed" in logged and said["instance"].rsplit(":", 1)[1] in logged


def test_health_and_readiness_need_no_key(here: Town) -> None:
    stranger = here.with_secret(None)
    assert stranger.get("/health").json() == {"status": "ok"}
    assert stranger.get("/ready").json() == {"status": "ready", "broker": True}


def test_every_answer_has_its_security_headers(here: Town) -> None:
    for path in ("/health", "/nowhere", "/openapi.json", "/v1/lockers"):
        headers = here.with_secret(None).get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-request-id"]

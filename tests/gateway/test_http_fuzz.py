"""Whatever is sent, nothing fails on our side: a body, a path or a query of any kind is answered below 500."""

import json
from urllib.parse import quote

import httpx
import pytest
from http_town import compartment, key, locker_body, open_locker, parcel_body, town
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
GOOD = {
    "/v1/lockers": locker_body("fuzzed"),
    "/v1/parcels": parcel_body(
        "fuzzed", recipient={"name": "n", "mail": "a@b.fr", "phone": "+33 3 22"}, merchant="m", recipient_ref="r"
    ),
    "/v1/lockers/mairie-1/provisioning": {},
    "/v1/lockers/mairie-1/compartments/1/open": {"reason": "r"},
    "/v1/lockers/mairie-1/compartments/1/service": {"out": False, "reason": "r"},
    "/v1/lockers/mairie-1/compartments/1/release": {"reason": "r"},
    "/v1/lockers/mairie-1/console-answers": {"challenge": "00" * 8, "name": "n"},
    "/v1/keys/rotation": {},
    "/v1/keys/promotion": {"force": False},
    "/v1/parcels/par_0000000000001/reissue": {"reason": "r"},
    "/v1/parcels/par_0000000000001/delegations": {"name": "n"},
    "/v1/webhooks": {"url": "https://1.1.1.1/hooks", "types": ["parcel.expired"], "description": "d"},
    "/v1/webhooks/wh_0000000000001/rotation": {"overlap_hours": 1},
    "/v1/reports/rep_0000000000001/closing": {"reason": "r"},
    "/v1/badges": {"carrier": "c", "holder": "h", "days": 3},
    "/v1/credentials": {"role": "courier", "tenant": "c", "scopes": ["parcels:read"], "name": "n"},
}
EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory):
    with town(tmp_path_factory.mktemp("town")) as made:
        yield open_locker(made)


def answered(operator: httpx.Client, path: str, raw: bytes) -> None:
    headers = {**key(), "Content-Type": "application/json"}
    answer = operator.post(path, content=raw, headers=headers)
    assert answer.status_code < 500, (path, raw, answer.text)
    if answer.status_code >= 400:
        assert answer.json()["code"] and answer.json()["next_actions"], answer.text


@EXAMPLES
@given(path=st.sampled_from(sorted(GOOD)), body=ANYTHING)
def test_a_body_of_any_kind_is_answered(operator: httpx.Client, path: str, body: object) -> None:
    answered(operator, path, json.dumps(body).encode())


@EXAMPLES
@given(path=st.sampled_from(sorted(GOOD)), data=st.data())
def test_a_good_body_with_one_field_changed_is_answered(
    operator: httpx.Client, path: str, data: st.DataObject
) -> None:
    body = json.loads(json.dumps(GOOD[path]))
    place = body
    while isinstance(place, dict | list) and place:
        where = data.draw(
            st.sampled_from(sorted(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1)
        )
        if not isinstance(place[where], dict | list) or data.draw(st.booleans()):
            place[where] = data.draw(ANYTHING)
            break
        place = place[where]
    answered(operator, path, json.dumps(body).encode())


@EXAMPLES
@given(path=st.sampled_from(sorted(GOOD)), raw=st.binary(max_size=200))
def test_bytes_of_any_kind_are_answered(operator: httpx.Client, path: str, raw: bytes) -> None:
    answered(operator, path, raw)


@EXAMPLES
@given(
    path=st.sampled_from(
        [
            "/v1/parcels/{}",
            "/v1/operations/{}",
            "/v1/reports/{}",
            "/v1/lockers/{}",
            "/v1/parcels/{}/pickup",
            "/v1/parcels/{}/slip",
            "/v1/lockers/{}/compartments",
        ]
    ),
    text=st.text(max_size=80),
)
def test_an_id_of_any_kind_is_answered(operator: httpx.Client, path: str, text: str) -> None:
    word = quote(text.encode("utf-8", "surrogatepass"), safe="")
    answer = operator.get(path.format(word))
    assert answer.status_code < 500 and answer.headers["content-type"]


@EXAMPLES
@given(cursor=st.text(max_size=70), limit=st.text(max_size=8) | st.integers())
def test_a_query_of_any_kind_is_answered(operator: httpx.Client, cursor: str, limit: object) -> None:
    for path in ("/v1/parcels", "/v1/events", "/v1/reports"):
        answer = operator.get(path, params={"cursor": cursor.encode("utf-8", "replace"), "limit": str(limit)})
        assert answer.status_code < 500


def test_the_largest_locker_can_be_described(operator: httpx.Client) -> None:
    modules = [
        {"name": f"M{row}", "compartments": [compartment(row * 20 + n) for n in range(1, 21)]} for row in range(20)
    ]
    body = {"id": "largest", "name": "x" * 80, "modules": modules}
    answer = operator.post("/v1/lockers", json=body, headers=key())
    assert answer.status_code == 201, answer.text

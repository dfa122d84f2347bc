"""The OpenAPI document is valid 3.1, names every route, and says of each how it refuses."""

import json

import pytest
from http_town import Town, key, open_locker, parcel_body, town
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource

from gateway.domain import ids

PUBLIC = ("/health", "/ready")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory):
    with town(tmp_path_factory.mktemp("town")) as made:
        open_locker(made)
        yield made


@pytest.fixture(scope="module")
def document(here: Town) -> dict:
    return here.with_secret(None).get("/openapi.json").json()


def operations(document: dict):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_document_is_valid_openapi_3_1(document: dict) -> None:
    assert document["openapi"].startswith("3.1")
    wrong = [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert not wrong


def test_every_schema_in_it_is_valid_json_schema(document: dict) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(document: dict) -> None:
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
        assert name in document["components"]["schemas"]


def test_every_route_names_its_problems_in_the_one_shape(document: dict) -> None:
    for path, method, operation in operations(document):
        if path in PUBLIC:
            assert operation["security"] == []
            continue
        said = operation["responses"]
        needed = {"401", "403", "404", "422", "429", "500"} | ({"400", "409"} if method == "post" else set())
        assert needed <= set(said), (path, method)
        for status, answer in said.items():
            if int(status) >= 400:
                shape = answer["content"]["application/problem+json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/Problem"}, (path, method, status)


def test_every_act_asks_for_its_key(document: dict) -> None:
    for path, method, operation in operations(document):
        names = [parameter["name"] for parameter in operation.get("parameters", [])]
        assert ("Idempotency-Key" in names) == (method == "post"), (path, method)


def test_every_field_that_is_taken_has_a_limit(document: dict) -> None:
    """Strings have a length or a list of values, numbers an end, lists a size; nothing unknown is taken."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if not name.endswith("Body"):
            continue
        assert schema["additionalProperties"] is False, name
        for field, shape in schema["properties"].items():
            for one in shape.get("anyOf", [shape]):
                kind = one.get("type")
                limited = kind not in ("string", "integer", "array") or (
                    {"maxLength", "maximum", "maxItems", "enum", "const"} & set(one)
                    or one.get("pattern", "").endswith("{16}$")
                )
                assert limited, (name, field, one)


def test_answers_are_as_the_document_says(here: Town, document: dict) -> None:
    registry = Registry().with_resource(
        "urn:api", Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema", **document})
    )
    operator = here.caller()
    made = operator.post("/v1/parcels", json=parcel_body("a"), headers=key())
    inside = made.headers["location"]
    here.deposit("mairie-1", 1, 1, ids.parcel_number(made.json()["id"]))
    delegation = operator.post(f"{inside}/delegations", json={"name": "Anna"}, headers=key())
    badge = operator.post("/v1/badges", json={"role": "technician", "holder": "anne-3"}, headers=key())
    assert operator.delete(f"/v1/badges/{badge.json()['id']}").status_code == 204
    hook = operator.post("/v1/webhooks", json={"url": "https://1.1.1.1/"}, headers=key())
    hooked = hook.headers["location"]
    asked = [
        ("/v1/lockers", "get", operator.get("/v1/lockers")),
        ("/v1/lockers/{locker}", "get", operator.get("/v1/lockers/mairie-1")),
        ("/v1/lockers/{locker}/compartments", "get", operator.get("/v1/lockers/mairie-1/compartments")),
        ("/v1/parcels", "post", made),
        ("/v1/parcels", "get", operator.get("/v1/parcels")),
        ("/v1/parcels/{parcel}", "get", operator.get(made.headers["location"])),
        ("/v1/parcels/{parcel}", "get", operator.get("/v1/parcels/par_0000000000001")),
        ("/v1/parcels/{parcel}/pickup", "get", operator.get(f"{inside}/pickup")),
        ("/v1/parcels/{parcel}/delegations", "post", delegation),
        ("/v1/parcels/{parcel}/delegations", "get", operator.get(f"{inside}/delegations")),
        (
            "/v1/parcels/{parcel}/delegations/{delegation}",
            "delete",
            operator.delete(f"{inside}/delegations/{delegation.json()['id']}"),
        ),
        ("/v1/parcels/{parcel}/reissue", "post", operator.post(f"{inside}/reissue", headers=key())),
        ("/v1/parcels/{parcel}/reissue", "post", operator.post(f"{inside}/reissue", content=b"{", headers=key())),
        ("/v1/receipts", "post", operator.post("/v1/receipts", json={"receipt": "CR1:MAIRIE-1:AA"}, headers=key())),
        ("/v1/badges", "post", badge),
        ("/v1/badges", "get", operator.get("/v1/badges")),
        ("/v1/events", "get", operator.get("/v1/events")),
        ("/v1/webhooks", "post", hook),
        ("/v1/webhooks", "get", operator.get("/v1/webhooks")),
        ("/v1/webhooks/{webhook}", "get", operator.get(hooked)),
        ("/v1/webhooks/{webhook}/rotation", "post", operator.post(f"{hooked}/rotation", json={}, headers=key())),
        ("/v1/webhooks/{webhook}/redelivery", "post", operator.post(f"{hooked}/redelivery", headers=key())),
    ]
    for path, method, answer in asked:
        kind = answer.headers["content-type"].split(";")[0]
        shape = document["paths"][path][method]["responses"][str(answer.status_code)]["content"][kind]["schema"]
        pointer = shape["$ref"].removeprefix("#")
        Draft202012Validator({"$ref": f"urn:api#{pointer}"}, registry=registry).validate(answer.json())


def test_lists_go_on_from_their_cursor_and_end(here: Town) -> None:
    caller = here.caller("courier", "pages")
    made = {
        caller.post("/v1/parcels", json=parcel_body(f"p{n}", carrier="pages"), headers=key()).json()["id"]
        for n in range(7)
    }
    seen: list[str] = []
    cursor, pages = "", 0
    while True:
        page = caller.get(f"/v1/parcels?limit=3{cursor}").json()
        seen += [row["id"] for row in page["data"]]
        pages += 1
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == sorted(made) and pages == 3

"""POST /v1/receipts: one act, two forms; what it proves is shown, and what it does not is told without a hint."""

import pytest
from http_town import Town, key, open_locker, parcel_body, town

from gateway.limits import RECEIPT_GUESSES_MAX
from protocol import damm, receipts


@pytest.fixture
def here(tmp_path):
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def receipt(label: str, box: int = 2, carrier: str = "colibri") -> receipts.Receipt:
    return receipts.Receipt(box, 1, b"badge--8", carrier, label, 1, None)


def text(here: Town, label: str, carrier: str = "colibri") -> str:
    hmac_key = here.desk.keys.hmac("mairie-1", 1, "receipt")
    return receipts.seal(hmac_key, b"\x01", "mairie-1", receipt(label, carrier=carrier))


def keyed(here: Town, label: str) -> dict[str, str]:
    digits = receipts.digits(here.desk.keys.hmac("mairie-1", 1, "receipt"), receipt(label))
    return {"locker": "mairie-1", "label": label, "size": "M", "digits": digits}


def test_a_receipt_makes_the_code_readable_and_the_act_is_done_once(here: Town) -> None:
    colibri = here.caller("courier", "colibri")
    made = colibri.post("/v1/parcels", json=parcel_body("a"), headers=key()).json()
    once = key()
    said = colibri.post("/v1/receipts", json={"receipt": text(here, "a")}, headers=once)
    assert (said.status_code, said.headers["location"]) == (200, f"/v1/parcels/{made['id']}")
    assert (said.json()["state"], said.json()["compartment"]) == ("deposited", 2)
    again = colibri.post("/v1/receipts", json={"receipt": text(here, "a")}, headers=once)
    assert (again.headers["idempotency-replayed"], again.json()) == ("true", said.json())
    assert colibri.post("/v1/receipts", json=keyed(here, "a"), headers=key()).json() == said.json()
    assert colibri.get(f"/v1/parcels/{made['id']}/pickup").json()["compartment"] == 2


def test_another_tenants_receipt_is_not_taken_and_shows_nothing(here: Town) -> None:
    for foreign in (here.caller("courier", "martinet"), here.caller("merchant", "colibri")):
        said = foreign.post("/v1/receipts", json={"receipt": text(here, "secret-label")}, headers=key())
        assert (said.status_code, said.json()["code"]) == (403, "not_allowed")
        assert "secret-label" not in said.text
    stranger = here.caller("courier", "martinet")
    said = stranger.post("/v1/receipts", json=keyed(here, "secret-label"), headers=key())
    assert (said.status_code, said.json()["code"]) == (422, "bad_receipt")
    assert stranger.get("/v1/parcels").json()["data"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"receipt": "hello"},
        {"receipt": "CR1:" + "A" * 900},
        {"locker": "mairie-1", "label": "a", "size": "M"},
        {"receipt": "CR1:MAIRIE-1:AA", "digits": "0" * 12},
        {"locker": "mairie-1", "label": "a", "size": "XL", "digits": "0" * 12},
        {"locker": "mairie-1", "label": "a", "size": "M", "digits": "0" * 11},
        {"locker": "mairie-1", "label": "a", "size": "M", "digits": "000000000001"},
    ],
)
def test_a_body_in_no_form_or_with_a_typing_error_is_the_callers_to_correct(here: Town, body: dict) -> None:
    said = here.caller("courier", "colibri").post("/v1/receipts", json=body, headers=key())
    assert (said.status_code, said.json()["code"]) == (422, "bad_value")


def test_trying_digits_ends_at_the_limit_for_the_whole_carrier(here: Town) -> None:
    body = keyed(here, "a")
    front = body["digits"][:3] + str((int(body["digits"][3:-1]) + 1) % 10**8).zfill(8)
    wrong = {**body, "digits": front + damm.check_digit(front)}
    for _ in range(RECEIPT_GUESSES_MAX):  # each with a key of its own: another act, and another credential
        said = here.caller("courier", "colibri").post("/v1/receipts", json=wrong, headers=key())
        assert (said.status_code, said.json()["code"]) == (422, "bad_receipt")
    said = here.caller("courier", "colibri").post("/v1/receipts", json=body, headers=key())
    assert (said.status_code, said.json()["code"]) == (429, "rate_limited")
    assert len(said.json()["next_actions"]) == 2
    assert (
        here.caller("courier", "colibri")
        .post("/v1/receipts", json={"receipt": text(here, "a")}, headers=key())
        .status_code
        == 200
    )

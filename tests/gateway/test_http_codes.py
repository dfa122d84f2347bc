"""Codes and tokens are handed out by the one answer made for it, and stand nowhere else: no other answer, no log."""

from pathlib import Path

import pytest
from http_town import Town, key, open_locker, parcel_body, town

from gateway.domain import ids
from gateway.services import commands
from protocol import otp, tokens
from protocol.errors import number_of
from protocol.hmac import HmacKey
from protocol.messages import CommandDone, Message, Reissue


@pytest.fixture
def here(tmp_path: Path):
    with town(tmp_path) as made:
        open_locker(made, count=1)
        yield made


def deposited(here: Town) -> str:
    operator = here.caller()
    parcel = operator.post("/v1/parcels", json=parcel_body("label-1"), headers=key()).json()["id"]
    assert operator.post(f"/v1/parcels/{parcel}/reservation", headers=key()).status_code == 201
    here.deposit("mairie-1", 1, 1, ids.parcel_number(parcel))
    return parcel


def test_a_deposited_parcel_has_a_code_a_token_and_its_qr(here: Town) -> None:
    parcel = deposited(here)
    said = here.caller().get(f"/v1/parcels/{parcel}/pickup").json()
    assert set(said) == {"code", "token", "qr_svg", "locker", "compartment", "deadline", "reissue"}
    groups = said["code"].split(" ")
    assert [len(group) for group in groups] == [3, 3, 3, 3] and otp.is_well_formed("".join(groups))
    code_key = HmacKey(here.desk.keys.sub_key("mairie-1", 1, "code"))
    assert "".join(groups) == otp.typed_code(code_key, 1, 1)
    token = tokens.open_token(said["token"], here.desk.keys.trusted)
    assert (token.locker, token.compartment, token.deposit) == ("mairie-1", 1, 1)
    assert said["qr_svg"].startswith("<svg") and said["deadline"].endswith("Z")
    assert (said["locker"], said["compartment"]) == ("mairie-1", 1)


def test_a_parcel_that_is_not_in_a_locker_has_no_code(here: Town) -> None:
    operator = here.caller()
    parcel = operator.post("/v1/parcels", json=parcel_body("label-2"), headers=key()).json()["id"]
    answer = operator.get(f"/v1/parcels/{parcel}/pickup")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert answer.json()["next_actions"]


def test_a_collected_parcel_has_no_code(here: Town) -> None:
    parcel = deposited(here)
    here.collect("mairie-1", 1, 1)
    answer = here.caller().get(f"/v1/parcels/{parcel}/pickup")
    assert answer.status_code == 409 and here.caller().get(f"/v1/parcels/{parcel}").json()["state"] == "collected"


def test_codes_stand_in_the_pickup_answer_and_nowhere_else(here: Town) -> None:
    parcel = deposited(here)
    operator = here.caller()
    badge = operator.post("/v1/badges", json={"carrier": "colibri", "holder": "staff-1"}, headers=key()).json()
    pickup = operator.get(f"/v1/parcels/{parcel}/pickup").json()
    secret = operator.headers["authorization"].split()[1]
    others = "".join(
        operator.get(path).text
        for path in (
            "/v1/parcels",
            f"/v1/parcels/{parcel}",
            "/v1/lockers",
            "/v1/lockers/mairie-1",
            "/v1/lockers/mairie-1/compartments",
            "/v1/events",
            "/openapi.json",
        )
    )
    logged = here.logged()
    for hidden in (pickup["code"], pickup["code"].replace(" ", ""), pickup["token"], badge["token"], secret):
        assert hidden not in others
        assert hidden not in logged
    assert "http_request" in logged and "/v1/parcels/{parcel}/pickup" in logged
    assert parcel not in logged, "the log holds routes, not addresses"
    assert "label-1" not in logged


def carry_out(here: Town, order: type[Message], value: int = 0, code: str = "ok") -> None:
    """The locker carries out the newest order of this kind, or says why not."""
    due = commands.due_commands(here.desk, 50)
    locker, down = [row for row in due if isinstance(row[1].command, order)][-1]
    box = getattr(down.command, "compartment", None)
    here.says(locker, CommandDone(down.id, down.issued_s, number_of(code), order.TYPE, box, value))


def test_a_reissue_is_an_operation_and_the_pickup_says_that_it_is_under_way(here: Town) -> None:
    parcel = deposited(here)
    courier, same = here.caller("courier", "colibri"), key()
    old = courier.get(f"/v1/parcels/{parcel}/pickup").json()
    first = courier.post(f"/v1/parcels/{parcel}/reissue", json={"reason": "phished"}, headers=same)
    again = courier.post(f"/v1/parcels/{parcel}/reissue", json={"reason": "phished"}, headers=same)
    assert (first.status_code, first.content) == (202, again.content)
    operation = first.json()
    assert (operation["kind"], operation["reason"], operation["parcel"]) == ("reissue", "phished", parcel)
    assert any("old code still opens" in action for action in operation["next_actions"])
    assert any("delegations" in action for action in operation["next_actions"])
    assert courier.post(f"/v1/parcels/{parcel}/reissue", headers=key()).json()["id"] == operation["id"]
    waiting = courier.get(f"/v1/parcels/{parcel}/pickup").json()
    assert (waiting["code"], waiting["reissue"]) == (old["code"], operation["id"])
    carry_out(here, Reissue, 2)
    assert courier.get(first.headers["location"]).json()["state"] == "done"
    new = courier.get(f"/v1/parcels/{parcel}/pickup").json()
    assert new["code"] != old["code"] and new["reissue"] is None
    assert tokens.open_token(new["token"], here.desk.keys.trusted).deposit == 2


def test_a_badge_opens_with_the_gateways_public_key(here: Town) -> None:
    badge = here.caller().post("/v1/badges", json={"carrier": "colibri", "holder": "s-1", "days": 2}, headers=key())
    said = badge.json()
    token = tokens.open_token(said["token"], here.desk.keys.trusted)
    assert (token.role, token.subject, token.id.hex()) == (tokens.COURIER, "colibri", said["id"])
    assert token.expiry_s == here.now[0] + 2 * 86_400

"""Codes and tokens are handed out by the one answer made for it, and stand nowhere else: no other answer, no log."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from http_town import Town, key, locker_body, open_locker, parcel_body, town

from gateway.domain import ids
from gateway.services import commands
from protocol import otp, tokens
from protocol.errors import number_of
from protocol.hmac import HmacKey
from protocol.messages import Collected, CommandDone, Join, Message, PickupAuthorised, Reissue, TokenRevoked
from protocol.numbers import SCANNER


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
    assert set(said) == {"code", "token", "qr_svg", "locker", "compartment", "deadline", "reissue", "opens_also"}
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


def test_codes_stand_in_the_pickup_answer_and_nowhere_else(here: Town, tmp_path: Path) -> None:
    parcel = deposited(here)
    operator = here.caller()
    badge = operator.post("/v1/badges", json={"carrier": "colibri", "holder": "staff-1"}, headers=key()).json()
    where = f"/v1/parcels/{parcel}/delegations"
    delegation = operator.post(where, json={"name": "Zsofia Kanarek"}, headers=key()).json()
    taken_back = operator.delete(f"{where}/{delegation['id']}")
    assert taken_back.status_code == 202
    assert operator.post(f"/v1/parcels/{parcel}/reissue", headers=key()).status_code == 202
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
            where,
            taken_back.headers["location"],
        )
    )
    books = b"".join(path.read_bytes() for path in tmp_path.glob("consigne.db*"))
    logged = here.logged()
    for hidden in (
        pickup["code"],
        pickup["code"].replace(" ", ""),
        pickup["token"],
        badge["token"],
        secret,
        delegation["token"],
    ):
        assert hidden not in others
        assert hidden not in logged
        assert hidden.encode() not in books
    assert "Kanarek" in others and "Kanarek" not in logged
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


def test_reissues_ordered_at_the_same_moment_are_one(here: Town) -> None:
    parcel = deposited(here)
    caller = here.caller("courier", "colibri")

    def act(_: int) -> str:
        return caller.post(f"/v1/parcels/{parcel}/reissue", headers=key()).json()["id"]

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(act, range(16)))) == 1
    assert [type(down.command) for _, down in commands.due_commands(here.desk, 50)] == [Reissue]


def test_delegations_made_at_the_same_moment_keep_the_limit(here: Town) -> None:
    parcel = deposited(here)
    caller = here.caller("courier", "colibri")

    def act(_: int) -> int:
        return caller.post(f"/v1/parcels/{parcel}/delegations", json={"name": "n"}, headers=key()).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(act, range(16))) == [201] * 5 + [409] * 11


def test_a_neighbour_collects_with_a_qr_that_is_shown_once(here: Town) -> None:
    parcel = deposited(here)
    courier, same = here.caller("courier", "colibri"), key()
    where = f"/v1/parcels/{parcel}/delegations"
    first = courier.post(where, json={"name": "Mme Bertin"}, headers=same)
    again = courier.post(where, json={"name": "Mme Bertin"}, headers=same)
    assert (first.status_code, first.content) == (201, again.content)
    made = first.json()
    assert set(made) >= {"id", "name", "made_at", "expires_at", "state", "token", "qr_svg"}
    assert made["qr_svg"].startswith("<svg") and made["state"] == "open"
    assert made["expires_at"] == courier.get(f"/v1/parcels/{parcel}").json()["deadline"]
    token = tokens.open_token(made["token"], here.desk.keys.trusted)
    assert (token.role, token.subject, token.id.hex()) == (tokens.DELEGATE, "", made["id"])
    (listed,) = courier.get(where).json()["data"]
    assert "token" not in listed and "qr_svg" not in listed and listed["name"] == "Mme Bertin"
    here.says("mairie-1", PickupAuthorised(1, 1, SCANNER, 0, token.id), Collected(1, 1))
    said = courier.get(f"/v1/parcels/{parcel}").json()
    assert (said["collected_by"], said["delegation"]) == ("delegate", made["id"])
    (listed,) = courier.get(where).json()["data"]
    assert listed["state"] == "used" and listed["used_at"]
    events = courier.get("/v1/events").json()["data"]
    assert [event["fields"]["token"] for event in events if event["type"] == "PickupAuthorised"] == [made["id"]]


def test_a_delegation_taken_back_may_open_until_the_locker_has_answered_and_the_api_says_so(here: Town) -> None:
    parcel = deposited(here)
    operator = here.caller()
    where = f"/v1/parcels/{parcel}/delegations"
    made = operator.post(where, json={"name": "M. Petit"}, headers=key()).json()
    wakes = len(here.wakes)
    ordered = operator.delete(f"{where}/{made['id']}")
    assert (ordered.status_code, ordered.json()["kind"], ordered.json()["state"]) == (202, "revoke_token", "waiting")
    assert len(here.wakes) == wakes + 1
    (listed,) = operator.get(where).json()["data"]
    assert listed["state"] == "revoking" and any("may still open" in action for action in listed["next_actions"])
    (_, down) = commands.due_commands(here.desk, 50)[-1]
    here.says("mairie-1", TokenRevoked(down.id, down.issued_s, bytes.fromhex(made["id"]), 1))
    assert operator.get(ordered.headers["location"]).json()["state"] == "done"
    assert operator.get(where).json()["data"][0]["state"] == "revoked"
    for unknown in ("00" * 8, "zz", "0" * 17):
        answer = operator.delete(f"{where}/{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_delegation")


def test_a_locker_without_a_scanner_refuses_a_delegation_in_words(here: Town) -> None:
    operator = here.caller()
    body = {**locker_body("gare-1", 1), "code_digits": 16}
    assert operator.post("/v1/lockers", json=body, headers=key()).status_code == 201
    assert operator.post("/v1/lockers/gare-1/provisioning", headers=key()).status_code == 201
    here.birth("gare-1", 1)
    parcel = operator.post("/v1/parcels", json=parcel_body("a", locker="gare-1"), headers=key()).json()["id"]
    here.deposit("gare-1", 1, 1, ids.parcel_number(parcel))
    answer = operator.post(f"/v1/parcels/{parcel}/delegations", json={"name": "Anna"}, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (409, "no_scanner")
    assert "share the pickup code" in " ".join(answer.json()["next_actions"])


def test_two_parcels_of_one_recipient_open_with_either_code(here: Town) -> None:
    operator = here.caller()
    assert operator.post("/v1/lockers", json=locker_body("gare-1", 2), headers=key()).status_code == 201
    assert operator.post("/v1/lockers/gare-1/provisioning", headers=key()).status_code == 201
    here.birth("gare-1", 2)
    made: list[str] = []
    for box in (1, 2):
        body = parcel_body(f"label-{box}", locker="gare-1", recipient_ref="K-1047")
        answer = operator.post("/v1/parcels", json=body, headers=key())
        assert answer.status_code == 201 and "K-1047" not in answer.text
        made.append(answer.json()["id"])
        here.deposit("gare-1", box, 1, ids.parcel_number(made[-1]))
    assert operator.get(f"/v1/parcels/{made[0]}/pickup").json()["opens_also"] == []
    joins = [down for _, down in commands.due_commands(here.desk, 50) if isinstance(down.command, Join)]
    assert len(joins) == 2
    for down in joins:
        order = down.command
        here.says("gare-1", CommandDone(down.id, down.issued_s, 0, Join.TYPE, order.compartment, order.group))
    said = [operator.get(f"/v1/parcels/{parcel}/pickup").json()["opens_also"] for parcel in made]
    assert said == [[2], [1]]
    for wrong in ("", "x" * 65, "é", 7):
        answer = operator.post("/v1/parcels", json=parcel_body("c", recipient_ref=wrong), headers=key())
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_value"), wrong
    assert "K-1047" not in here.logged()


def test_a_technicians_badge_is_for_one_locker_or_all_and_short_lived(here: Town) -> None:
    operator = here.caller()
    body = {"role": "technician", "holder": "anne-3", "days": 7, "locker": "mairie-1"}
    said = operator.post("/v1/badges", json=body, headers=key()).json()
    token = tokens.open_token(said["token"], here.desk.keys.trusted)
    assert (token.role, token.subject, token.locker) == (tokens.TECHNICIAN, "anne-3", "mairie-1")
    assert (said["role"], said["carrier"], said["locker"], said["revocation"]) == (
        "technician",
        None,
        "mairie-1",
        None,
    )
    for wrong in (
        {**body, "carrier": "colibri"},
        {**body, "days": 91},
        {"holder": "anne-3"},
        {"holder": "staff-1", "carrier": "colibri", "locker": "mairie-1"},
        {**body, "role": "king"},
    ):
        answer = operator.post("/v1/badges", json=wrong, headers=key())
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_value"), wrong
    answer = operator.post("/v1/badges", json={**body, "locker": "nowhere"}, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_locker")


def test_a_lost_badge_says_how_many_lockers_have_taken_it_back(here: Town) -> None:
    operator = here.caller()
    made = operator.post("/v1/badges", json={"carrier": "colibri", "holder": "s-1"}, headers=key()).json()
    assert operator.delete(f"/v1/badges/{made['id']}").status_code == 204

    def revocation() -> object:
        (row,) = operator.get("/v1/badges").json()["data"]
        return row["revocation"]

    assert revocation() == {"lockers_done": 0, "lockers_total": 1}
    (_, down) = commands.due_commands(here.desk, 50)[-1]
    here.says("mairie-1", TokenRevoked(down.id, down.issued_s, bytes.fromhex(made["id"]), 1))
    assert revocation() == {"lockers_done": 1, "lockers_total": 1}


def test_a_badge_opens_with_the_gateways_public_key(here: Town) -> None:
    badge = here.caller().post("/v1/badges", json={"carrier": "colibri", "holder": "s-1", "days": 2}, headers=key())
    said = badge.json()
    token = tokens.open_token(said["token"], here.desk.keys.trusted)
    assert (token.role, token.subject, token.id.hex()) == (tokens.COURIER, "colibri", said["id"])
    assert token.expiry_s == here.now[0] + 2 * 86_400

"""/v1/keys: a rotation over HTTP, step by step, with ids and counts and never a key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_town import Town, key, open_locker, town

from gateway.keys import Keys
from gateway.services import commands, key_check
from protocol.messages import CommandDone, Trust


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path, Keys.load(tmp_path / "keys", {})) as made:
        key_check.check(made.desk)
        yield made


def answer_all(here: Town) -> None:
    """Every locker carries out what it was told about keys."""
    for name, down in commands.due_commands(here.desk, 50):
        if isinstance(down.command, Trust):
            here.says(name, CommandDone(down.id, down.issued_s, 0, Trust.TYPE, None, 0))
    commands.mark_sent(here.desk, [down.id for _, down in commands.due_commands(here.desk, 50)])


def act(operator: httpx.Client, step: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return operator.post(f"/v1/keys/{step}", json=body or {}, headers=key())


def states(operator: httpx.Client) -> dict[str, tuple[str, int]]:
    return {row["state"]: (row["id"], row["lockers"]) for row in operator.get("/v1/keys").json()["data"]}


def test_a_rotation_from_its_beginning_to_its_end(here: Town) -> None:
    operator = open_locker(here)
    (first, _) = states(operator)["current"]
    begun = act(operator, "rotation")
    assert begun.status_code == 202 and begun.headers["location"] == "/v1/keys"
    assert begun.json()["waiting"] == ["mairie-1"] and "wait: 0 of 1" in begun.json()["next_actions"][0]
    assert here.wakes, "the outbox was woken"

    early = act(operator, "promotion")
    assert (early.status_code, early.json()["code"]) == (409, "lockers_not_ready")
    assert "mairie-1" in early.json()["detail"] and early.json()["next_actions"]

    answer_all(here)
    assert operator.get("/v1/keys").json()["next_actions"] == ["promote the next key: every locker trusts it"]
    promoted = act(operator, "promotion", {"force": False})
    assert promoted.status_code == 201
    assert states(operator)["old"] == (first, 1) and states(operator)["current"][0] != first

    dropped = operator.delete(f"/v1/keys/{first}")
    assert dropped.status_code == 202
    assert dropped.json()["state"] == "dropped" and "Typed codes work as before." in dropped.json()["consequences"]
    again = operator.delete(f"/v1/keys/{first}")
    assert (again.status_code, again.json()) == (202, dropped.json()), "asked again, the same answer"
    answer_all(here)
    assert states(operator)["dropped"] == (first, 0)


def test_each_step_asked_again_with_its_key_is_answered_again_and_done_once(here: Town) -> None:
    operator = open_locker(here)
    same = key()
    first = operator.post("/v1/keys/rotation", json={}, headers=same)
    again = operator.post("/v1/keys/rotation", json={}, headers=same)
    assert again.content == first.content and again.headers["idempotency-replayed"] == "true"
    assert act(operator, "rotation").json()["data"] == first.json()["data"], "with another key too: it is under way"
    answer_all(here)
    same = key()
    first = operator.post("/v1/keys/promotion", json={}, headers=same)
    again = operator.post("/v1/keys/promotion", json={}, headers=same)
    assert (again.status_code, again.content) == (201, first.content)
    assert act(operator, "promotion").json()["code"] == "wrong_state"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("00000000", 404, "unknown_key"),
        ("current", 404, "unknown_key"),
        ("0000000000", 404, "unknown_key"),
    ],
)
def test_a_key_that_is_none_is_refused_with_a_next_action(here: Town, path: str, status: int, code: str) -> None:
    answer = here.caller().delete(f"/v1/keys/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code) and answer.json()["next_actions"]


def test_the_key_that_signs_is_not_dropped_even_by_force(here: Town) -> None:
    operator = here.caller()
    current, _ = states(operator)["current"]
    answer = operator.delete(f"/v1/keys/{current}?force=true")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert operator.post("/v1/keys/promotion", json={"force": 1}, headers=key()).status_code == 422


def test_keys_of_the_environment_are_shown_and_changed_elsewhere(tmp_path: Path) -> None:
    with town(tmp_path) as made:
        operator = open_locker(made)
        key_check.check(made.desk)
        assert operator.get("/v1/keys").json()["held_in"] == "environment"
        answer = act(operator, "rotation")
        assert (answer.status_code, answer.json()["code"]) == (409, "keys_in_environment")
        assert any("CONSIGNE_NEXT_SIGNING_KEY" in action for action in answer.json()["next_actions"])


def test_a_courier_and_a_merchant_learn_nothing_of_the_keys(here: Town) -> None:
    for role in ("courier", "merchant"):
        caller = here.caller(role, "colibri")
        assert caller.get("/v1/keys").status_code == 403
        assert act(caller, "rotation").status_code == 403

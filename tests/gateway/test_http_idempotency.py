"""An act takes effect once per Idempotency-Key, whoever retries, how often, and when it broke."""

import sqlite3
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import pytest
from http_town import Town, key, open_locker, parcel_body, town
from patience import wait_for


@pytest.fixture
def here(tmp_path: Path):
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def count_parcels(here: Town) -> int:
    return len(here.caller().get("/v1/parcels?limit=200").json()["data"])


def test_an_act_without_a_key_is_refused(here: Town) -> None:
    caller = here.caller()
    answer = caller.post("/v1/parcels", json=parcel_body("a"))
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert answer.json()["next_actions"]
    for bad in ("", "x" * 256, "é".encode()):
        answer = caller.post("/v1/parcels", json=parcel_body("a"), headers=[("Idempotency-Key", bad)])
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_bad"), bad
    assert count_parcels(here) == 0


def test_a_retry_gets_the_first_answer_byte_for_byte(here: Town) -> None:
    caller, same = here.caller(), key()
    first = caller.post("/v1/parcels", json=parcel_body("a"), headers=same)
    here.now[0] += 600
    again = caller.post("/v1/parcels", json=parcel_body("a"), headers=same)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"]
    assert again.headers["idempotency-replayed"] == "true" and "idempotency-replayed" not in first.headers
    assert count_parcels(here) == 1


def test_a_retried_secret_is_the_same_secret_and_the_books_cannot_read_it(here: Town, tmp_path: Path) -> None:
    caller, same = here.caller(), key()
    body = {"role": "courier", "tenant": "colibri", "scopes": ["parcels:read"], "name": "round 1"}
    first = caller.post("/v1/credentials", json=body, headers=same)
    again = caller.post("/v1/credentials", json=body, headers=same)
    assert first.status_code == 201 and first.content == again.content
    provisioning = caller.post("/v1/lockers/mairie-1/provisioning", headers=key()).json()
    here.desk.store.close()
    books = b"".join(path.read_bytes() for path in tmp_path.glob("consigne.db*"))
    assert first.json()["secret"].encode() not in books
    assert bytes.fromhex(provisioning["key"]) not in books and provisioning["key"].encode() not in books


def test_a_key_used_for_another_request_is_refused(here: Town) -> None:
    caller, same = here.caller(), key()
    assert caller.post("/v1/parcels", json=parcel_body("a"), headers=same).status_code == 201
    for path, body in (("/v1/parcels", parcel_body("b")), ("/v1/badges", {"carrier": "colibri", "holder": "x"})):
        answer = caller.post(path, json=body, headers=same)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert count_parcels(here) == 1


def test_two_callers_may_use_the_same_key(here: Town) -> None:
    same = key()
    for label in ("a", "b"):
        assert here.caller().post("/v1/parcels", json=parcel_body(label), headers=same).status_code == 201
    assert count_parcels(here) == 2


def test_the_same_act_while_it_is_carried_out_is_refused_and_done_once(here: Town) -> None:
    caller, same = here.caller(), key()

    def act() -> httpx.Response:
        return caller.post("/v1/parcels", json=parcel_body("a"), headers=same)

    with ThreadPoolExecutor(2) as pool:
        with here.desk.store.transaction():  # an act has to wait for this one
            both = [pool.submit(act), pool.submit(act)]
            early, waiting = wait(both, timeout=60, return_when=FIRST_COMPLETED)
            assert [(one.result().status_code, one.result().json()["code"]) for one in early] == [(409, "busy")]
            assert all(one.result().headers["retry-after"] for one in early)
        (late,) = waiting
        assert late.result().status_code == 201
    assert act().content == late.result().content
    assert count_parcels(here) == 1


def test_a_refusal_is_an_answer_too(here: Town) -> None:
    caller, same = here.caller(), key()
    assert caller.post("/v1/parcels", json=parcel_body("a"), headers=key()).status_code == 201
    first = caller.post("/v1/parcels", json=parcel_body("a"), headers=same)
    again = caller.post("/v1/parcels", json=parcel_body("a"), headers=same)
    assert first.status_code == 409 and first.json()["code"] == "already_exists"
    assert first.content == again.content


def test_the_callers_own_mistake_is_not_kept(here: Town) -> None:
    caller, same = here.caller(), key()
    assert caller.post("/v1/parcels", json=parcel_body("a", size="XL"), headers=same).status_code == 422
    assert caller.post("/v1/parcels", json=parcel_body("a"), headers=same).status_code == 201


def test_a_crash_between_effect_and_answer_leaves_neither(here: Town) -> None:
    """The answer cannot be written: the act is not in the books, and the retry acts once."""
    caller, same = here.caller(), key()
    with here.desk.store.transaction() as tx:
        tx.sql.execute("CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert caller.post("/v1/parcels", json=parcel_body("a"), headers=same).status_code >= 500
    assert count_parcels(here) == 0
    with here.desk.store.transaction() as tx:
        tx.sql.execute("DROP TRIGGER full")
    assert caller.post("/v1/parcels", json=parcel_body("a"), headers=same).status_code == 201
    assert count_parcels(here) == 1


def test_a_damaged_answer_is_never_acted_on_again(here: Town) -> None:
    caller, same = here.caller(), key()
    assert caller.post("/v1/parcels", json=parcel_body("a"), headers=same).status_code == 201
    with here.desk.store.transaction() as tx:
        tx.sql.execute("UPDATE answers SET sealed = zeroblob(40) WHERE fingerprint IS NOT NULL")
    answer = caller.post("/v1/parcels", json=parcel_body("a"), headers=same)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert count_parcels(here) == 1


def test_the_outbox_is_woken_after_the_commit_and_not_by_a_replay(here: Town) -> None:
    caller, same = here.caller(), key()
    before = len(here.wakes)
    for _ in range(3):
        caller.post("/v1/lockers/mairie-1/compartments/1/open", json={"reason": "test"}, headers=same)
    assert len(here.wakes) == before + 1


def test_answers_are_kept_in_the_transaction_of_the_act(here: Town, tmp_path: Path) -> None:
    """Seen from outside, an act and its answer appear together."""
    seen: list[tuple[int, int]] = []
    stop = threading.Event()

    def watch() -> None:
        outside = sqlite3.connect(tmp_path / "consigne.db")
        while not stop.is_set():
            seen.append(
                outside.execute("SELECT (SELECT count(*) FROM parcels), (SELECT count(*) FROM answers)").fetchone()
            )
        outside.close()

    caller = here.caller()
    base = here.desk.store
    with base.reading() as tx:
        answers_before = tx.sql.execute("SELECT count(*) FROM answers").fetchone()[0]
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        wait_for(lambda: seen)
        for number in range(30):
            assert caller.post("/v1/parcels", json=parcel_body(f"n{number}"), headers=key()).status_code == 201
    finally:
        stop.set()
        watcher.join()
    assert all(parcels == answers - answers_before for parcels, answers in seen)

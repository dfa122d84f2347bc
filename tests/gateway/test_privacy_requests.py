"""Who may ask for an erasure or a copy, when it is done, what is refused, and what stays."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest
from http_town import RECIPIENT, Town, key, open_locker, town
from parcel_page import Recipient, announced, deposited

from gateway.domain.people import SCOPES_OF
from gateway.limits import FOUND_OF_A_PERSON_MAX, RECIPIENT_WAITS_S
from gateway.services import erasures
from gateway.store.sqlite import SqliteStore

ERASURES = "/v1/privacy/erasures"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town")) as made:
        open_locker(made, count=12)
        yield made


@pytest.fixture
def operator(here: Town) -> httpx.Client:
    return here.caller()


def erase(client: httpx.Client, **whom: str) -> httpx.Response:
    return client.post(ERASURES, json=whom, headers=key())


def known(here: Town, one: Recipient) -> int:
    """Rows that lead to somebody."""
    with here.desk.store.reading() as tx:
        rows = tx.all_of_person(one.number)
    return sum(len(rows[table]) for table in ("recipients", "letters", "delegations"))


def collected(here: Town, one: Recipient) -> None:
    with here.desk.store.reading() as tx:
        parcel = tx.parcel(one.number)
    assert parcel is not None and parcel.compartment is not None and parcel.deposit is not None
    here.collect("mairie-1", parcel.compartment, parcel.deposit)


def test_while_a_parcel_is_under_way_it_waits_and_says_so_and_is_done_when_it_has_left(
    here: Town, operator: httpx.Client
) -> None:
    one = deposited(here, "waits", recipient=RECIPIENT)
    letter = (one.number, "arrived", 1, "mail", 1, 1, "sent", "sm-1")
    with here.desk.store.transaction() as tx:
        tx.sql.execute("UPDATE parcels SET accessible = 1 WHERE number = ?", (one.number,))
        tx.sql.execute(
            "INSERT INTO letters (parcel, kind, deposit, channel, made_s, due_s, state, provider_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            letter,
        )
    first = erase(operator, parcel=one.id)
    assert first.status_code == 202
    (said,) = first.json()["data"]
    assert said["state"] == "waiting" and "when the parcel has left" in said["next_actions"][0]
    erasures.carry_out(here.desk)
    assert known(here, one) == 2 and one.code, "its recipient can still come"
    collected(here, one)
    assert erasures.carry_out(here.desk) == 1 and known(here, one) == 0
    assert operator.get(f"{ERASURES}/{one.id}").json()["state"] == "erased"
    assert erasures.finish(here.desk)
    said = operator.get(f"{ERASURES}/{one.id}").json()
    assert said["state"] == "done" and said["next_actions"] == []
    assert erase(operator, parcel=one.id).json()["data"] == [said], "asked again it is the same"
    left = operator.get(f"/v1/parcels/{one.id}").json()
    assert (left["state"], left["label"], left["compartment"]) == ("collected", "waits", 1), "the books stay whole"
    assert not left["accessible"], "it tells of somebody's health"


def test_sent_twice_with_one_key_it_is_one_erasure(here: Town, operator: httpx.Client) -> None:
    one = announced(here, "twice", recipient={"mail": "twice@exemple.fr"})
    once = key()
    answers = [operator.post(ERASURES, json={"mail": "twice@exemple.fr"}, headers=once) for _ in range(2)]
    assert answers[0].content == answers[1].content and answers[1].headers["Idempotency-Replayed"] == "true"
    with here.desk.store.reading() as tx:
        asked = [act.kind for act in tx.acts_of_parcel(one.number, 10)]
    assert asked == ["erasure_asked"]


def test_a_parcel_that_never_came_is_erased_after_its_term(here: Town, operator: httpx.Client) -> None:
    one = announced(here, "never", recipient={"name": "Nobody Came"})
    assert erase(operator, parcel=one.id).json()["data"][0]["state"] == "waiting"
    began = here.now[0]
    here.now[0] += RECIPIENT_WAITS_S
    assert erasures.carry_out(here.desk) >= 1 and known(here, one) == 0
    here.now[0] = began


def test_an_address_means_every_parcel_that_has_it_and_nobody_elses(here: Town, operator: httpx.Client) -> None:
    mine = [announced(here, f"mine-{n}", recipient={"mail": "Same@Exemple.fr"}) for n in range(2)]
    other = announced(here, "other", recipient={"mail": "notsame@exemple.fr"})
    found = operator.post("/v1/privacy/lookups", json={"mail": "same@exemple.FR"}, headers=key()).json()["data"]
    assert set(found) == {one.id for one in mine} and other.id not in found
    said = erase(operator, mail="same@exemple.fr").json()["data"]
    assert {one["parcel"] for one in said} == set(found)
    assert erase(operator, phone="+33 1 00 00 00 00").json() == {"data": []}


def test_a_senders_own_address_in_every_order_erases_nobody(here: Town, operator: httpx.Client) -> None:
    with here.desk.store.transaction() as tx:
        rows = [(number, "01 02 03 04 05") for number in range(1, FOUND_OF_A_PERSON_MAX + 2)]
        tx.sql.executemany(
            "INSERT INTO parcels (number, position, label, locker, size, carrier, merchant, accessible, heavy, state,"
            " expected_s) VALUES (?1, -?1, 'many' || ?1, 'mairie-1', 'S', 'colibri', '', 0, 0, 'expected', 1)",
            [row[:1] for row in rows],
        )
        tx.sql.executemany("INSERT INTO recipients (parcel, phone) VALUES (?, ?)", rows)
    answer = erase(operator, phone="0102030405")
    assert answer.status_code == 422 and answer.json()["next_actions"] == ["ask parcel by parcel"]


@pytest.mark.parametrize(
    "body", [{}, {"mail": "a@b.fr", "phone": "0102030405"}, {"parcel": "par_1", "mail": "a@b.fr"}]
)
def test_a_request_about_nobody_or_about_two_is_refused(
    here: Town, operator: httpx.Client, body: dict[str, str]
) -> None:
    answer = erase(operator, **body)
    assert answer.status_code == 422, answer.text
    assert here.logged().count("a@b.fr") == 0


def test_only_an_operator_with_the_scope_asks_and_sees(here: Town, operator: httpx.Client) -> None:
    one = announced(here, "whose", recipient=RECIPIENT)
    paths = (f"/v1/privacy/parcels/{one.id}", f"{ERASURES}/{one.id}", "/v1/privacy/audit")
    weak = here.caller(scopes=SCOPES_OF["operator"] - {"privacy:write", "events:read"})
    for caller in (here.caller("courier", "colibri"), here.caller("merchant", "fleurs"), weak):
        assert erase(caller, parcel=one.id).status_code == 403
        assert {caller.get(path).status_code for path in paths} == {403}
    assert operator.get(f"{ERASURES}/{one.id}").json()["code"] == "unknown_erasure", here.logged()
    assert erase(operator, parcel="par_0zzzzzzzzzzzz").status_code == 404


def test_a_copy_tells_all_there_is_and_why_and_that_it_was_shown(here: Town, operator: httpx.Client) -> None:
    one = announced(here, "copy", recipient=RECIPIENT, recipient_ref="client-1")
    said = operator.get(f"/v1/privacy/parcels/{one.id}").json()
    assert said["known"]["recipients"][0] == {
        **{name: RECIPIENT[name] for name in ("name", "mail", "phone")},
        "ref": "client-1",
        "made_at": "2027-01-15T08:00:00Z",
    }
    purposes = {field: purpose for purpose in said["purposes"] for field in purpose["fields"]}
    assert purposes["recipients.mail"]["kept_days"] == 30 and "credentials.name" not in purposes
    acts = operator.get(f"/v1/privacy/parcels/{one.id}").json()["known"]["acts"]
    assert [act["kind"] for act in acts] == ["person_exported", "person_exported"]
    assert "made_by" not in json.dumps(said)


# ------------------------------------------------------------------ on the recipient's own page
def test_a_recipient_erases_on_the_page_once_the_parcel_has_left(here: Town) -> None:
    one = deposited(here, "page", recipient=RECIPIENT)
    assert "erasure" not in one.page().actions
    assert one.act("erasure") == "changed" and known(here, one) == 1, "it is still inside"
    collected(here, one)
    assert "erasure" in one.page().actions
    wakes = len(here.wakes)
    answer = one.post("erasure")
    assert answer.status_code == 200 and "effacé" in answer.text and len(here.wakes) == wakes + 1
    assert known(here, one) == 0 and one.get().status_code == 404 and one.post("erasure").status_code == 404


def test_another_page_cannot_send_the_form(here: Town) -> None:
    one = deposited(here, "forged", recipient=RECIPIENT)
    collected(here, one)
    answer = one.client.post(f"{one.path}/erasure", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403 and known(here, one) == 1


# ------------------------------------------------------------------ the files
def churned(path: Path, seed: int) -> tuple[SqliteStore, list[str], list[str]]:
    """Books in which people came and went, so that pages were split and joined; (who went, who is there)."""
    store, random = SqliteStore.open(path), Random(seed)
    gone, there = list[str](), list[tuple[int, str]]()
    add = (
        "INSERT INTO parcels (number, position, label, locker, size, carrier, merchant, accessible, heavy, state,"
        " expected_s) VALUES (?1, ?1, ?1, 'mairie-1', 'S', 'c', '', 0, 0, 'expected', 1)"
    )
    with store.transaction() as tx:
        tx.sql.execute("INSERT INTO lockers (id, name, code_digits, made_s) VALUES ('mairie-1', 'M', 12, 1)")
    for _ in range(30):
        with store.transaction() as tx:
            for _ in range(50):
                number = random.getrandbits(62)
                name = f"canary-{number}-{'x' * random.randrange(60)}"
                tx.sql.execute(add, (number,))
                tx.sql.execute("INSERT INTO recipients (parcel, name, ref) VALUES (?, ?, ?)", (number, name, name))
                there.append((number, name))
                if random.random() < 0.6:
                    went = there.pop(random.randrange(len(there)))
                    tx.sql.execute("DELETE FROM recipients WHERE parcel = ?", went[:1])
                    gone.append(went[1])
    return store, gone, [name for _, name in there]


def remnants(path: Path, names: list[str]) -> int:
    """How many of them are in the files."""
    held = {
        found.decode() for file in path.parent.iterdir() for found in re.findall(rb"canary-\d+-x*", file.read_bytes())
    }
    return len(held & set(names))


def test_what_was_deleted_is_in_no_byte_of_the_files_after_a_scrub(tmp_path: Path) -> None:
    path = tmp_path / "consigne.db"
    store, gone, there = churned(path, seed=5)  # SQLite 3.40 moves a cell here, and leaves one name behind
    assert remnants(path, gone), "the log still has them"
    assert store.scrub()
    assert remnants(path, gone) == 0 and remnants(path, there) == len(there)
    with store.reading() as tx:
        assert tx.sql.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert tx.sql.execute("PRAGMA foreign_key_check").fetchall() == []
        assert tx.sql.execute("SELECT count(*) FROM recipients").fetchone() == (len(there),)
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
        tx.sql.execute("INSERT INTO recipients (parcel) VALUES (1)")
    store.close()


def test_a_reader_in_the_way_puts_the_scrub_off_and_hurts_nobody(here: Town) -> None:
    one = deposited(here, "reader", recipient=RECIPIENT)
    collected(here, one)
    client = here.caller()
    erase(client, parcel=one.id)
    reader = sqlite3.connect(here.desk.store._path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM parcels").fetchone()
    with here.desk.store.transaction() as tx:
        tx.tally("something", 1)
    assert not erasures.finish(here.desk)
    assert client.get(f"{ERASURES}/{one.id}").json()["state"] == "erased"
    reader.execute("ROLLBACK")
    reader.close()
    assert erasures.finish(here.desk)
    assert client.get(f"{ERASURES}/{one.id}").json()["state"] == "done"

"""A courier's pages: the round, a door for each parcel, what does not fit, what is taken back; and nobody else's."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import cabinet
from courier_town import courier, expect, expired, followed, gare, heard, opens, opens_ordered, phone, words
from http_town import Town, key, locker_body, open_locker, town

from gateway.domain.ids import parcel_number
from gateway.domain.people import GATEWAY
from gateway.limits import LOCKER_ALIVE_S, ROUND_LOCKERS_MAX
from gateway.services import commands, lockers, parcels, people, rounds
from gateway.store.sqlite import SqliteTransaction
from protocol.messages import DoorClosed


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made, count=3)
        yield made


# ------------------------------------------------------------------ the round
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ("Tournée du jour", "2 à déposer", "1 dans la consigne", "Portes libres S 0 M 2 L 0", "En ligne")),
        ("en", ("Today’s round", "2 to deposit", "1 in the locker", "Free doors S 0 M 2 L 0", "Online")),
    ],
)
def test_the_round_counts_what_is_to_be_done_at_each_locker(here: Town, language: str, said: tuple[str, ...]) -> None:
    expect(here, "A-1")
    expect(here, "A-2")
    here.deposit("mairie-1", 1, 1, parcel_number(expect(here, "A-3")))
    page = phone(here, language=language).get("/courier")
    assert page.status_code == 200 and f'<html lang="{language}">' in page.text
    for piece in said:
        assert piece in words(page.text), piece


def test_nobody_who_is_no_courier_gets_in(here: Town) -> None:
    stranger = here.with_secret(None)
    assert stranger.get("/courier").headers["location"] == "/sign-in?next=/courier"
    secret = people.issue_credential(here.desk, GATEWAY, "merchant", "shop", frozenset({"parcels:read"}), "shop")[1]
    stranger.post("/sign-in", data={"key": secret})
    assert stranger.get("/courier").status_code == 403


def test_a_locker_that_is_not_heard_offers_nothing_and_says_what_to_do(here: Town) -> None:
    parcel = expired(here, "OLD", 1)
    expect(here, "NEW")
    here.now[0] += LOCKER_ALIVE_S + 1
    client = phone(here)
    page = words(client.get("/courier/lockers/mairie-1").text)
    assert "Hors ligne depuis" in page and "un technicien peut ouvrir sur place" in page
    assert "ouvrir la porte 1" not in page and "Garder une porte" not in page
    assert "Cette consigne est hors ligne" in followed(client, f"/courier/parcels/{parcel}/take-back")
    assert not opens_ordered(here)
    assert "Cette consigne est hors ligne" in followed(client, "/courier/lockers/mairie-1/reservations")


# ------------------------------------------------------------------ a door for each
def test_one_act_keeps_a_door_for_all_and_says_what_did_not_fit(here: Town) -> None:
    gare(here)
    for label in ("A-1", "A-2", "A-3", "A-4"):
        expect(here, label)
    client = phone(here)
    page = followed(client, "/courier/lockers/mairie-1/reservations")
    assert [page.count(f"porte {box}, gardée") + page.count(f"porte {box} gardée") for box in (1, 2, 3)] == [1, 1, 1]
    assert "A-4 M pas encore de porte Pas de porte libre assez grande ici" in page
    assert "Le déposer à Gare" in page and "gardez-le pour la prochaine tournée" in page
    assert here.wakes, "its lockers are told"
    left = rounds.at_locker(here.desk, courier(), "mairie-1").without_door
    assert [parcel.label for parcel in left] == ["A-4"]
    page = followed(client, f"/courier/parcels/{left[0].id}/move", locker="gare-1")
    assert "une porte lui est gardée" in page and "A-4" in page
    assert "A-4" not in words(client.get("/courier/lockers/mairie-1").text)


def test_a_full_town_leaves_the_parcel_for_the_next_round(here: Town) -> None:
    for label in ("A-1", "A-2", "A-3", "A-4"):
        expect(here, label)
    page = followed(phone(here), "/courier/lockers/mairie-1/reservations")
    assert "Aucune autre consigne n’a de place" in page
    states = [row.parcel.state for row in rounds.at_locker(here.desk, courier(), "mairie-1").to_deposit]
    assert sorted(states) == ["expected", "reserved", "reserved", "reserved"]


def test_asked_twice_the_same_doors_are_kept(here: Town) -> None:
    expect(here, "A-1")
    client = phone(here)
    first = followed(client, "/courier/lockers/mairie-1/reservations")
    assert followed(client, "/courier/lockers/mairie-1/reservations") == first


def test_the_hardest_wishes_are_met_first_so_that_more_find_room(here: Town) -> None:
    """One L and two M: were a small one asked first, it could take the only big door."""
    operator = here.caller()
    body = locker_body("halle-1", 2, "M")
    body["modules"][0]["compartments"][1]["size"] = "L"
    operator.post("/v1/lockers", json=body, headers=key())
    operator.post("/v1/lockers/halle-1/provisioning", headers=key())
    here.birth("halle-1", 2)
    for label, size in (("A", "S"), ("B", "M"), ("Z", "L")):
        expect(here, label, size, locker="halle-1")
    given, left = rounds.reserve_all(here.desk, courier(), "halle-1")
    assert (len(given), [parcel.label for parcel in left]) == (2, ["A"])


def test_a_parcel_that_is_too_small_for_its_size_gets_another_door(here: Town) -> None:
    operator = here.caller()
    body = locker_body("halle-1", 2, "M")
    body["modules"][0]["compartments"][1]["size"] = "L"
    operator.post("/v1/lockers", json=body, headers=key())
    operator.post("/v1/lockers/halle-1/provisioning", headers=key())
    here.birth("halle-1", 2)
    parcel = expect(here, "BIG", locker="halle-1")
    client = phone(here)
    assert "M porte 1" in followed(client, "/courier/lockers/halle-1/reservations")
    assert "L porte 2" in followed(client, f"/courier/parcels/{parcel}/size", size="L")
    assert rounds.at_locker(here.desk, courier(), "halle-1").stop.free == {"S": 0, "M": 1, "L": 0}, "and gave it back"


def test_a_size_that_no_door_has_left_is_kept_and_said(here: Town) -> None:
    parcel = expect(here, "BIG")
    client = phone(here)
    followed(client, "/courier/lockers/mairie-1/reservations")
    page = followed(client, f"/courier/parcels/{parcel}/size", size="L")
    assert "ce colis n’a plus de porte" in page and "BIG L pas encore de porte" in page
    assert client.post(f"/courier/parcels/{parcel}/size", data={"size": "XL"}).status_code == 422


def test_what_is_inside_already_has_its_size_and_its_locker(here: Town) -> None:
    gare(here)
    parcel = expect(here, "IN")
    here.deposit("mairie-1", 1, 1, parcel_number(parcel))
    client = phone(here)
    assert "Trop tard" in followed(client, f"/courier/parcels/{parcel}/size", size="L")
    assert "Trop tard" in followed(client, f"/courier/parcels/{parcel}/move", locker="gare-1")
    assert parcels.get_parcel(here.desk, GATEWAY, parcel_number(parcel)).locker == "mairie-1"


def test_a_parcel_that_is_not_in_the_list_is_added_once(here: Town) -> None:
    client = phone(here)
    add = "/courier/lockers/mairie-1/parcels"
    assert "Le colis est dans la liste" in followed(client, add, label="NEW-1", size="S")
    assert "était déjà dans la liste" in followed(client, add, label="NEW-1", size="S")
    (row,) = rounds.at_locker(here.desk, courier(), "mairie-1").to_deposit
    assert (row.parcel.label, row.parcel.carrier, row.parcel.size) == ("NEW-1", "colibri", "S")


@pytest.mark.parametrize(("label", "size"), [("", "M"), ("é", "M"), ("x" * 65, "M"), ("L-1", ""), ("L-1", "XL")])
def test_a_label_that_cannot_be_is_shown_again_to_be_corrected(here: Town, label: str, size: str) -> None:
    answer = phone(here).post("/courier/lockers/mairie-1/parcels", data={"label": label, "size": size})
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert f'value="{label}"' in answer.text


def test_a_parcel_expected_elsewhere_is_offered_to_be_put_in_here(here: Town) -> None:
    gare(here)
    parcel = expect(here, "LOST", locker="gare-1")
    client = phone(here)
    page = followed(client, "/courier/lockers/mairie-1/parcels", label="LOST", size="M")
    assert "Il est attendu à la consigne gare-1" in page and "Le déposer ici" in page
    assert "une porte lui est gardée" in followed(client, f"/courier/parcels/{parcel}/move", locker="mairie-1")
    here.deposit("mairie-1", 1, 1, parcel_number(parcel))
    page = followed(client, "/courier/lockers/gare-1/parcels", label="LOST", size="M")
    assert "Il est à la consigne mairie-1, porte 1" in page and "Le déposer ici" not in page


def test_a_move_to_a_full_locker_changes_nothing(here: Town) -> None:
    gare(here, "S")
    parcel = expect(here, "A-1")
    client = phone(here)
    followed(client, "/courier/lockers/mairie-1/reservations")
    assert "rien n’a changé" in followed(client, f"/courier/parcels/{parcel}/move", locker="gare-1")
    (row,) = rounds.at_locker(here.desk, courier(), "mairie-1").to_deposit
    assert row.kept is not None and row.parcel.state == "reserved"


# ------------------------------------------------------------------ taking back
@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "fr",
            ("L’ordre est parti", "La porte 1 est ouverte : prenez le colis", "Colis repris, porte 1 refermée"),
        ),
        ("en", ("The order is on its way", "Door 1 is open: take the parcel", "Parcel taken back, door 1 closed")),
    ],
)
def test_an_expired_parcel_is_taken_back_step_by_step(here: Town, language: str, said: tuple[str, ...]) -> None:
    parcel = expired(here, "OLD", 1)
    client = phone(here, language=language)
    answer = client.post(f"/courier/parcels/{parcel}/take-back", data={})
    path = answer.headers["location"]
    again = client.post(f"/courier/parcels/{parcel}/take-back", data={})
    assert again.headers["location"] == path, "pressed twice, ordered once"
    assert said[0] in words(client.get(path).text) and "data-running" in client.get(path).text
    opens(here, 1)
    assert said[1] in words(client.get(path).text)
    here.says("mairie-1", DoorClosed(1))
    page = client.get(path).text
    assert said[2] in words(page) and "data-running" not in page
    assert parcels.get_parcel(here.desk, GATEWAY, parcel_number(parcel)).state == "taken_back"


def test_after_one_parcel_the_next_is_offered(here: Town) -> None:
    first, second = expired(here, "OLD-1", 1), expired(here, "OLD-2", 2)
    client = phone(here)
    path = client.post(f"/courier/parcels/{first}/take-back", data={}).headers["location"]
    assert "Suivant" not in words(client.get(path).text), "one door at a time"
    opens(here, 1)
    here.says("mairie-1", DoorClosed(1))
    page = client.get(path).text
    assert "Suivant : ouvrir la porte 2" in words(page) and f"/courier/parcels/{second}/take-back" in page
    path = client.post(f"/courier/parcels/{second}/take-back", data={}).headers["location"]
    opens(here, 2)
    here.says("mairie-1", DoorClosed(2))
    assert "C’était le dernier colis" in words(client.get(path).text)


def test_what_is_ordered_already_is_not_offered_as_the_next(here: Town) -> None:
    first, second = expired(here, "OLD-1", 1), expired(here, "OLD-2", 2)
    client = phone(here)
    path = client.post(f"/courier/parcels/{first}/take-back", data={}).headers["location"]
    opens(here, 1)
    client.post(f"/courier/parcels/{second}/take-back", data={})
    here.says("mairie-1", DoorClosed(1))
    page = words(client.get(path).text)
    assert "Colis repris" in page and "Suivant" not in page and "dernier" not in page
    assert "Suivre l’ouverture" in words(client.get("/courier/lockers/mairie-1").text)


def test_a_door_that_does_not_open_says_why_and_can_be_tried_again(here: Town) -> None:
    parcel = expired(here, "OLD", 1)
    client = phone(here)
    path = client.post(f"/courier/parcels/{parcel}/take-back", data={}).headers["location"]
    here.now[0] += 600
    commands.expire_commands(here.desk)
    heard(here)
    page = words(client.get(path).text)
    assert "La consigne n’a pas répondu en une minute" in page and "Essayer encore : ouvrir la porte 1" in page
    assert client.post(f"/courier/parcels/{parcel}/take-back", data={}).headers["location"] != path


# ------------------------------------------------------------------ nobody else's
def test_another_carriers_parcel_is_unknown_on_every_page(here: Town) -> None:
    mine = expired(here, "SECRET-LABEL", 1)
    path = phone(here).post(f"/courier/parcels/{mine}/take-back", data={}).headers["location"]
    rival = phone(here, "rival")
    for page in ("/courier", "/courier/lockers/mairie-1", f"/courier/lockers/mairie-1?said=elsewhere&parcel={mine}"):
        assert "SECRET-LABEL" not in rival.get(page).text
    for page in (path, f"/courier/proofs/{mine}", f"/courier/proofs/{mine}.json"):
        answer = rival.get(page)
        assert answer.status_code == 404 and "SECRET-LABEL" not in answer.text, page
    for act, fields in (("take-back", {}), ("size", {"size": "L"}), ("move", {"locker": "mairie-1"})):
        answer = rival.post(f"/courier/parcels/{mine}/{act}", data=fields)
        assert answer.status_code == 404 and "SECRET-LABEL" not in answer.text, act
    (stop,) = rounds.todays_round(here.desk, courier("rival"))
    assert stop.idle
    assert "SECRET-LABEL" not in here.logged()


@pytest.mark.parametrize(
    "path",
    ["/courier/lockers/nowhere", "/courier/operations/op_0000000000000", "/courier/proofs/par_1", "/courier/nothing"],
)
def test_what_is_not_there_is_a_page_that_says_so(here: Town, path: str) -> None:
    assert phone(here).get(path).status_code == 404


def test_no_other_site_can_open_a_door(here: Town) -> None:
    parcel = expired(here, "OLD", 1)
    client = phone(here)
    for path in (f"/courier/parcels/{parcel}/take-back", "/courier/lockers/mairie-1/reservations"):
        assert client.post(path, data={}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert not opens_ordered(here)


def test_a_round_is_found_by_an_index_and_costs_what_is_under_way(here: Town) -> None:
    with here.desk.store.reading() as tx:
        assert isinstance(tx, SqliteTransaction)
        asked: list[str] = []
        tx.sql.set_trace_callback(asked.append)
        tx.round_counts("colibri")
        tx.parcels_on_round("colibri", "mairie-1", ("expected",), 9)
        tx.free_doors(["mairie-1"])
        tx.sql.set_trace_callback(None)
        for statement in asked:
            plan = [row[3] for row in tx.sql.execute("EXPLAIN QUERY PLAN " + statement)]
            assert not [step for step in plan if re.match(r"SCAN (parcels|c|a)\b", step)], plan
            assert "FROM parcels" not in statement or "parcel_of_label" in " ".join(plan), plan


def test_in_a_big_town_a_locker_that_the_page_has_no_room_for_is_opened_by_its_name(here: Town) -> None:
    for number in range(ROUND_LOCKERS_MAX):
        lockers.register_locker(here.desk, GATEWAY, cabinet("S", locker=f"z-{number}"))
    expect(here, "A-1")
    client = phone(here)
    page = client.get("/courier").text
    assert page.count("/courier/lockers/") == ROUND_LOCKERS_MAX and 'action="/courier/lockers"' in page
    assert "/courier/lockers/mairie-1" in page, "what is to be done comes before what is only there"
    assert client.get(f"/courier/lockers?locker=z-{ROUND_LOCKERS_MAX - 1}").status_code == 200
    assert client.get("/courier/lockers?locker=nowhere").status_code == 404
    assert 'list="lockers"' in client.get("/courier/receipts").text

"""The recipient's page: where the parcel waits and what opens its door, in every state; and what it keeps back."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from http_town import Town, key, locker_body, open_locker, town
from parcel_page import Read, Recipient, announced, answers, deposited, later, ordered

from gateway.domain import links
from gateway.limits import ASSIGN_GRACE_S, RECIPIENT_KEPT_S, STRANGERS_PER_MINUTE, TTL_OPEN_S
from gateway.services import commands, expiry
from gateway.words import LANGUAGES
from protocol.messages import (
    Collected,
    DoorClosed,
    DoorFaulted,
    DoorOpened,
    Join,
    Open,
    OpeningAuthorised,
    PickupAuthorised,
    Reissue,
    Revoke,
)
from protocol.numbers import COMMAND, DOOR_STATES, SCANNER

DAY_S = 86_400


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made)
        yield made


# ------------------------------------------------------------------ states
def coming(here: Town) -> Recipient:
    return announced(here)


def reserved(here: Town) -> Recipient:
    one = announced(here)
    assert here.caller().post(f"/v1/parcels/{one.id}/reservation", headers=key()).status_code == 201
    return one


def renewing(here: Town) -> Recipient:
    one = deposited(here)
    assert one.act("code") == "new_code"
    return one


def not_renewed(here: Town) -> Recipient:
    one = renewing(here)
    answers(here, "mairie-1", Reissue, "wrong_state")
    return one


def collected(here: Town) -> Recipient:
    one = deposited(here)
    here.collect("mairie-1", 1, 1)
    return one


def expired(here: Town) -> Recipient:
    one = deposited(here)
    later(here, 7 * DAY_S)
    expiry.expire_due(here.desk)
    return one


def being_taken(here: Town) -> Recipient:
    one = deposited(here)
    assert here.caller().post(f"/v1/parcels/{one.id}/takeback", headers=key()).status_code == 202
    return one


def not_taken_back(here: Town) -> Recipient:
    """The code was revoked, and nobody opened the door in time."""
    one = being_taken(here)
    answers(here, "mairie-1", Revoke, value=1)
    later(here, TTL_OPEN_S + ASSIGN_GRACE_S + 1)
    assert commands.expire_commands(here.desk) == 1
    return one


def taken_back(here: Town) -> Recipient:
    one = being_taken(here)
    answers(here, "mairie-1", Revoke, value=1)
    down = ordered(here, Open)
    opened = OpeningAuthorised(1, COMMAND, "take_back", down.id, down.issued_s)
    here.says("mairie-1", opened, DoorOpened(1), DoorClosed(1))
    return one


def contradicted(here: Town) -> Recipient:
    one = deposited(here)
    here.deposit("mairie-1", 1, 2, announced(here, "label-2").number)
    return one


def faulty(here: Town) -> Recipient:
    one = deposited(here)
    here.says("mairie-1", DoorFaulted(1, DOOR_STATES.index("jammed"), True))
    expiry.expire_due(here.desk)
    return one


def without_a_key(here: Town) -> Recipient:
    """What becomes of a locker when the master key was replaced."""
    one = deposited(here)
    with here.desk.store.transaction() as tx:
        found = tx.locker("mairie-1")
        assert found is not None
        found.generation = 0
        tx.keep_lockers([(found, found.last_seq)])
    return one


# state -> (how it comes about, its title, the text that has to be there, whether the code is)
STATES: dict[str, tuple[Callable[[Town], Recipient], str, str, bool]] = {
    "expected": (coming, "coming", "parcel.low.title", False),
    "reserved": (reserved, "coming", "parcel.low.title", False),
    "deposited": (deposited, "waiting", "parcel.until.before", True),
    "renewing": (renewing, "waiting", "parcel.renew.running", True),
    "not renewed": (not_renewed, "waiting", "parcel.renew.failed", True),
    "door at fault": (faulty, "waiting", "parcel.until.paused", True),
    "without a key": (without_a_key, "no_code", "report.title", False),
    "collected": (collected, "collected", "parcel.lead.reopen", False),
    "expired": (expired, "expired", "parcel.lead.expired", False),
    "being taken back": (being_taken, "being_taken", "report.title", False),
    "not taken back": (not_taken_back, "being_taken", "report.title", False),
    "taken back": (taken_back, "taken_back", "parcel.title.taken_back", False),
    "contradicted": (contradicted, "disputed", "report.title", False),
}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_told_in_the_readers_language(here: Town, state: str, language: str) -> None:
    make, title, said, has_code = STATES[state]
    one = make(here)
    one.language = language
    words, page = LANGUAGES[language], one.page()
    assert page.of("html")[0]["lang"] == language
    assert words(f"parcel.title.{title}") in page.text
    assert " ".join(words(said).split()) in page.text
    assert (one.code is not None) == has_code
    if not has_code:
        assert "qrline" not in page.page, "a QR that opens nothing misleads"


def test_the_page_says_which_door_where_it_is_and_until_when(here: Town) -> None:
    one = deposited(here)
    pickup = here.caller().get(f"/v1/parcels/{one.id}/pickup").json()
    page = one.page()
    assert one.code == pickup["code"]
    for said in ("Porte 1", "1re porte depuis le haut, à 0,65 m du sol", "vendredi 22 janvier 2027", "3 minutes"):
        assert said in page.text.replace("\N{NO-BREAK SPACE}", " "), said
    assert ", ".join(" ".join(group) for group in pickup["code"].split()) in page.text, "heard digit by digit"
    assert 'class="plain here"' in page.page and "qrline" in page.page
    assert page.actions == {"delegations", "code", "report"}


def test_two_columns_are_counted_from_the_left(here: Town) -> None:
    body = locker_body("gare-1", 4)
    for box in body["modules"][0]["compartments"]:
        box["x_mm"], box["bottom_mm"] = 450 * ((box["number"] - 1) // 2), 300 + 310 * ((box["number"] - 1) % 2)
    operator = here.caller()
    assert operator.post("/v1/lockers", json=body, headers=key()).status_code == 201
    operator.post("/v1/lockers/gare-1/provisioning", headers=key())
    here.birth("gare-1", 4)
    one = announced(here, locker="gare-1")
    here.deposit("gare-1", 3, 1, one.number)
    said = "Porte 3 : colonne 2 sur 2 depuis la gauche, 2e porte depuis le haut, à 0,45 m du sol."
    assert said in one.page().text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_locker_without_a_scanner_shows_sixteen_digits_and_no_qr(here: Town) -> None:
    body = {**locker_body("poste-1", 1), "code_digits": 16}
    operator = here.caller()
    assert operator.post("/v1/lockers", json=body, headers=key()).status_code == 201
    operator.post("/v1/lockers/poste-1/provisioning", headers=key())
    here.birth("poste-1", 1)
    one = deposited(here, locker="poste-1")
    code = one.code
    assert code is not None and [len(group) for group in code.split()] == [4, 4, 4, 4]
    page = one.page()
    assert "qrline" not in page.page and not [link for link in page.of("a") if link["href"].endswith("/qr")]
    assert one.get("/qr").headers["location"] == one.path
    assert one.act("delegations", name="Anna") == "no_scanner"


def test_parcels_of_one_recipient_are_said_to_open_with_one_code(here: Town) -> None:
    one, other = deposited(here, recipient_ref="K-1"), deposited(here, "label-2", recipient_ref="K-1")
    for _ in range(2):
        down = ordered(here, Join)
        answers(here, "mairie-1", Join, value=down.command.values()[2])
        with here.desk.store.transaction() as tx:
            tx.finish_command(down.id, "done", 0)
    assert "l’une après l’autre : portes 2" in one.page().text.replace("\N{NO-BREAK SPACE}", " ")
    assert "portes 1" in other.page().text


def test_a_page_says_who_collected_it(here: Town) -> None:
    one = deposited(here)
    assert one.post("delegations", name="Mme Bertin").status_code == 200
    token = bytes.fromhex(here.caller().get(f"/v1/parcels/{one.id}/delegations").json()["data"][0]["id"])
    here.says("mairie-1", PickupAuthorised(1, 1, SCANNER, 0, token), DoorOpened(1), Collected(1, 1))
    assert "par Mme Bertin, à qui vous l’aviez confié" in one.page().text


def test_the_site_is_shown_with_its_hours_in_the_readers_language_or_another(here: Town) -> None:
    one = deposited(here)
    site = {"address": "1 place <b>", "hours": {"fr": "Jour et nuit"}, "phone": "+33 3 23 00", "mail": "a@b.fr"}
    assert here.caller().put("/v1/lockers/mairie-1/site", json=site).status_code == 200
    one.language = "en"
    page = one.page()
    assert "1 place <b>" in page.text and '<dd lang="fr">Jour et nuit</dd>' in page.page
    assert {link["href"] for link in page.of("a")} >= {"tel:+3332300", "mailto:a@b.fr"}


def test_the_qr_has_a_page_of_its_own_and_the_slip_is_the_one_of_the_api(here: Town) -> None:
    one = deposited(here)
    page = one.page("/qr")
    assert page.of("body")[0]["class"] == "bright" and "qrline" in page.page and "porte 1" in page.text
    slip = one.get("/slip")
    assert "À retirer avant le" in slip.text and one.code is not None and one.code[:3] in slip.text
    assert "sha256-" in slip.headers["content-security-policy"] and slip.headers["x-robots-tag"]
    here.collect("mairie-1", 1, 1)
    assert [one.get(more).headers["location"] for more in ("/qr", "/slip")] == [one.path] * 2


def test_the_script_learns_that_something_changed_and_no_more(here: Town) -> None:
    one = announced(here)
    said: set[str] = set()
    for change in (lambda: None, lambda: here.deposit("mairie-1", 2, 1, one.number), lambda: one.act("code")):
        change()
        answer = one.get("/state").json()
        assert set(answer) == {"version"} and answer == one.get("/state").json()
        assert f'data-version="{answer["version"]}"' in one.get().text
        said.add(answer["version"])
    assert len(said) == 3
    assert json.dumps(one.get("/state").json()).count(one.code or "-") == 0


# ------------------------------------------------------------------ what it keeps to itself
def test_looking_changes_nothing(here: Town) -> None:
    """Messengers open links to show what is behind them."""
    one = deposited(here)
    assert one.post("delegations", name="Anna", once="1").status_code == 200

    def books() -> list[str]:
        with here.desk.store.transaction() as tx:
            return list(tx.sql.iterdump())

    before = books()
    acts = ("extension", "low", "code", "report", "delegations", "delegations/0011223344556677", "nothing")
    for more in ("", "?said=extended", "/state", "/qr", "/slip", *(f"/{act}" for act in acts)):
        assert one.get(more).status_code in (200, 303, 404, 405)
    assert books() == before and one.get("/extension").headers["location"] == one.path


def test_a_link_stays_out_of_logs_referrers_search_engines_and_caches(here: Town) -> None:
    one = deposited(here)
    code = one.code
    one.act("report", kind="damaged", words="carton ouvert")
    for more in ("", "/qr", "/slip", "/state"):
        headers = one.get(more).headers
        assert headers["referrer-policy"] == "no-referrer" and headers["cache-control"] == "no-store"
        assert "set-cookie" not in headers
    assert one.get().headers["x-robots-tag"] == "noindex, nofollow"
    logged = here.logged()
    assert "route=/p/{secret}" in logged and "route=/p/{secret}/report" in logged
    assert one.path[3:] not in logged and "carton" not in logged and code is not None and code not in logged


def test_wrong_links_all_look_the_same(here: Town) -> None:
    one = deposited(here)
    secret = one.path[3:]
    unknown = links.link_secret(here.desk.keys.derived(links.PURPOSE), type(one.number)(7))
    delegate = links.delegate_secret(here.desk.keys.derived(links.PURPOSE), bytes(8))
    pages: set[str] = set()
    for wrong in (secret[:-1], secret[::-1], "x", unknown, delegate, "%00", secret + "A"):
        answer = one.client.get(f"/p/{wrong}")
        assert answer.status_code == 404 and "Ouvrez le lien du message en entier" in answer.text
        pages.add(answer.text.replace(answer.headers["x-request-id"], ""))
        assert one.client.post(f"/p/{wrong}/code").status_code == 404
    assert len(pages) == 1


def test_trying_links_is_slowed_down_and_a_right_link_always_works(here: Town) -> None:
    one = deposited(here)
    answers_ = [one.client.get(f"/p/{'A' * 32}").status_code for _ in range(STRANGERS_PER_MINUTE + 5)]
    assert answers_ == [404] * STRANGERS_PER_MINUTE + [429] * 5
    assert one.client.get(f"/d/{'A' * 32}").status_code == 429
    assert one.page() and one.get("/state").status_code == 200
    here.now[0] += 2
    assert [one.client.get(f"/p/{'A' * 32}").status_code for _ in range(3)] == [404, 404, 429]


def test_the_page_ends_thirty_days_after_the_parcel_left(here: Town) -> None:
    one = collected(here)
    later(here, RECIPIENT_KEPT_S - 1)
    assert one.get().status_code == 200
    later(here, 1)
    answer = one.get()
    assert answer.status_code == 404 and "30 jours" in answer.text
    assert one.post("report", kind="empty").status_code == 404


@pytest.mark.parametrize("act", ["extension", "low", "code", "report", "delegations"])
def test_no_other_site_can_act_on_a_parcel(here: Town, act: str) -> None:
    one = deposited(here)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    answer = one.client.post(f"{one.path}/{act}", data={"kind": "empty", "name": "x"}, headers=elsewhere)
    assert answer.status_code == 403
    assert here.caller().get(f"/v1/parcels/{one.id}").json()["state"] == "deposited"


def test_a_notice_is_one_of_ours(here: Town) -> None:
    one = deposited(here)
    page = Read(one.get("?said=<script>alert(1)</script>").text)
    assert "alert(1)" not in page.page and not [each for _, each in page.elements if each.get("id") == "said"]


def test_a_hostile_name_stays_text(here: Town) -> None:
    one = deposited(here)
    answer = one.post("delegations", name='"><script>alert(1)</script>')
    assert answer.status_code == 200 and "<script>alert" not in answer.text
    Read(answer.text).check()
    assert "<script>alert" not in one.get().text

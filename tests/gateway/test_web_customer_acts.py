"""What a recipient does on the page: one more day, somebody else, a low door, another code; each with its refusals."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_town import Town, compartment, key, locker_body, open_locker, town
from parcel_page import Read, Recipient, announced, answers, deposited, later, ordered

from gateway.domain.people import GATEWAY
from gateway.limits import EXTENSION_BEFORE_S, EXTENSION_S, NAME_SIZE_MAX, NEW_CODES_MAX
from gateway.services import delegations, expiry
from protocol import tokens
from protocol.messages import DepositAuthorised, DoorFaulted, Reissue, RevokeToken, TokenRevoked
from protocol.numbers import DOOR_STATES

WAIT_S = 7 * 86_400


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made, count=12)
        yield made


def state(one: Recipient) -> str:
    return one.here.caller().get(f"/v1/parcels/{one.id}").json()["state"]


def deadline(one: Recipient) -> int:
    with one.here.desk.store.reading() as tx:
        parcel = tx.parcel(one.number)
    assert parcel is not None and parcel.deadline_s is not None
    return parcel.deadline_s


def near_the_end(here: Town) -> Recipient:
    one = deposited(here)
    later(here, WAIT_S - EXTENSION_BEFORE_S)
    return one


def claims(here: Town, one: Recipient) -> tokens.Token:
    text = here.caller().get(f"/v1/parcels/{one.id}/pickup").json()["token"]
    return tokens.open_token(text.encode(), here.desk.keys.trusted)


# ------------------------------------------------------------------ one more day
def test_a_day_more_is_offered_two_days_before_the_end_and_not_a_second_earlier(here: Town) -> None:
    one = deposited(here)
    later(here, WAIT_S - EXTENSION_BEFORE_S - 1)
    assert "extension" not in one.page().actions and "dans les deux derniers jours" in one.page().text
    assert one.act("extension") == "changed"
    later(here, 1)
    assert "extension" in one.page().actions
    assert one.act("extension") == "extended"


def test_the_deadline_moves_once_and_the_code_and_a_fresh_qr_stay_good(here: Town) -> None:
    one = near_the_end(here)
    code, before = one.code, deadline(one)
    assert (claims(here, one).expiry_s, claims(here, one).deposit) == (before, 1)
    assert one.act("extension") == "extended"
    assert one.act("extension") == "changed", "sent twice, it is one day"
    assert deadline(one) == before + EXTENSION_S and one.code == code
    assert (claims(here, one).expiry_s, claims(here, one).deposit) == (before + EXTENSION_S, 1)
    assert "Vous avez déjà eu 24 heures de plus" in one.page().text


def test_an_extended_parcel_expires_a_day_later_and_not_before(here: Town) -> None:
    one = near_the_end(here)
    assert one.act("extension") == "extended"
    later(here, EXTENSION_BEFORE_S + EXTENSION_S - 1)
    expiry.expire_due(here.desk)
    assert state(one) == "deposited" and one.code is not None
    later(here, 1)
    expiry.expire_due(here.desk)
    assert state(one) == "expired"


def test_an_extended_parcel_is_collected_after_its_first_deadline(here: Town) -> None:
    one = near_the_end(here)
    assert one.act("extension") == "extended"
    later(here, EXTENSION_BEFORE_S + 60)
    expiry.expire_due(here.desk)
    here.collect("mairie-1", 1, 1)
    assert state(one) == "collected"


@pytest.mark.parametrize(("others", "said"), [(9, "extended"), (10, "full")])
def test_a_locker_of_which_a_tenth_is_free_keeps_its_doors_for_others(here: Town, others: int, said: str) -> None:
    """12 doors: with 10 taken two are free (16 %), with 11 one is (8 %)."""
    one = deposited(here)
    for number in range(others):
        deposited(here, f"other-{number}")
    later(here, WAIT_S - EXTENSION_BEFORE_S)
    assert ("extension" in one.page().actions) == (said == "extended")
    assert one.act("extension") == said


def test_only_doors_of_its_own_size_count(here: Town) -> None:
    body = locker_body("gare-1", 1)
    body["modules"][0]["compartments"] += [compartment(number, "S") for number in range(2, 6)]
    operator = here.caller()
    assert operator.post("/v1/lockers", json=body, headers=key()).status_code == 201
    operator.post("/v1/lockers/gare-1/provisioning", headers=key())
    here.birth("gare-1", 5)
    one = deposited(here, locker="gare-1")
    later(here, WAIT_S - EXTENSION_BEFORE_S)
    assert one.act("extension") == "full"


def test_days_that_stand_still_cannot_be_extended(here: Town) -> None:
    one = near_the_end(here)
    here.says("mairie-1", DoorFaulted(1, DOOR_STATES.index("jammed"), True))
    expiry.expire_due(here.desk)
    assert "extension" not in one.page().actions and one.act("extension") == "changed"


@pytest.mark.parametrize("late_s", [EXTENSION_BEFORE_S, EXTENSION_BEFORE_S + 1])
def test_at_its_end_nothing_is_extended_any_more(here: Town, late_s: int) -> None:
    one = near_the_end(here)
    later(here, late_s)
    assert one.act("extension") == "changed"


# ------------------------------------------------------------------ somebody else
def send(one: Recipient, name: str = "Mme Bertin", once: str = "a") -> Read:
    answer = one.post("delegations", name=name, once=once)
    assert answer.status_code == 200, answer.headers.get("location")
    assert answer.headers["x-robots-tag"] and answer.headers["cache-control"] == "no-store"
    read = Read(answer.text)
    read.check()
    return read


def link_of(page: Read) -> str:
    (field,) = [field for field in page.of("input") if field.get("id") == "link"]
    return "/d/" + field["value"].rsplit("/d/", 1)[1]


def test_whom_one_sends_gets_a_qr_and_a_link_and_no_code(here: Town) -> None:
    one = deposited(here)
    page = send(one)
    assert "qrline" in page.page and "Mme Bertin" in page.text
    errand = one.client.get(link_of(page))
    read = Read(errand.text)
    read.check()
    assert errand.status_code == 200 and "qrline" in read.page and "Porte 1" in read.text
    assert one.code is not None and one.code not in read.page and one.path not in read.page
    assert errand.headers["referrer-policy"] == "no-referrer" and errand.headers["x-robots-tag"]
    assert link_of(page)[3:] not in one.get().text, "shown once"
    assert link_of(page)[3:] not in here.logged()


def test_a_form_sent_twice_sends_one_person(here: Town) -> None:
    one = deposited(here)
    first, second, third = send(one), send(one), send(one, once="b")
    assert link_of(first) == link_of(second) != link_of(third)
    listed = here.caller().get(f"/v1/parcels/{one.id}/delegations").json()["data"]
    assert [each["name"] for each in listed] == ["Mme Bertin"] * 2


def test_a_delegation_is_listed_and_taken_back_and_its_link_ends_at_once(here: Town) -> None:
    one = deposited(here)
    link = link_of(send(one))
    (revoking,) = one.page().actions - {"code", "report", "delegations"}
    assert "Mme Bertin" in one.page().text
    assert one.act(f"delegations/{revoking}") == "revoking"
    assert one.act(f"delegations/{revoking}") == "revoking", "asked twice, it is one order"
    assert one.client.get(link).status_code == 404
    assert "reprise en cours" in one.page().text
    down = ordered(here, RevokeToken)
    here.says("mairie-1", TokenRevoked(down.id, down.issued_s, bytes.fromhex(revoking), 0))
    assert "repris, ne marche plus" in one.page().text


def test_a_token_taken_back_stays_on_the_lockers_list_as_long_as_its_parcel_can_wait(here: Town) -> None:
    one = near_the_end(here)
    send(one)
    (made,) = delegations.list_delegations(here.desk, GATEWAY, one.number)
    assert one.act(f"delegations/{made.id.hex()}") == "revoking"
    down = ordered(here, RevokeToken)
    assert one.act("extension") == "extended"
    assert down.command.values()[1] >= deadline(one)


def test_a_delegates_token_lives_as_long_as_the_extended_parcel(here: Town) -> None:
    one = near_the_end(here)
    link = link_of(send(one))
    assert one.act("extension") == "extended"
    (made,) = delegations.list_delegations(here.desk, GATEWAY, one.number)
    assert made.expiry_s == deadline(one) and one.client.get(link).status_code == 200


@pytest.mark.parametrize("name", ["", " ", "x" * (NAME_SIZE_MAX + 1), "a\x07b"])
def test_a_name_that_cannot_be_is_said_on_the_page(here: Town, name: str) -> None:
    one = deposited(here)
    assert one.act("delegations", name=name) == "name"
    assert "Mme" not in one.page().text


def test_nobody_is_sent_for_a_parcel_that_is_not_there(here: Town) -> None:
    for one in (announced(here), deposited(here, "label-2")):
        if state(one) == "deposited":
            here.collect("mairie-1", 1, 1)
        assert one.act("delegations", name="Anna") == "changed"


@pytest.mark.parametrize("delegation", ["00" * 8, "zz", "00"])
def test_what_was_never_made_is_not_taken_back(here: Town, delegation: str) -> None:
    one = deposited(here)
    answer = one.post(f"delegations/{delegation}")
    assert answer.status_code in (303, 404) and "revoking" not in answer.headers.get("location", "")


def test_the_delegation_of_another_parcel_is_not_taken_back(here: Town) -> None:
    one, other = deposited(here), deposited(here, "label-2")
    send(other)
    (made,) = delegations.list_delegations(here.desk, GATEWAY, other.number)
    assert one.act(f"delegations/{made.id.hex()}") == "changed"
    assert delegations.list_delegations(here.desk, GATEWAY, other.number)[0].state == "open"


# ------------------------------------------------------------------ a low door
def with_low_doors(here: Town, *low: int, count: int = 3) -> None:
    body = locker_body("gare-1", count)
    for box in body["modules"][0]["compartments"]:
        box["accessible"] = box["number"] in low
    operator = here.caller()
    assert operator.post("/v1/lockers", json=body, headers=key()).status_code == 201
    operator.post("/v1/lockers/gare-1/provisioning", headers=key())
    here.birth("gare-1", count)


def kept(one: Recipient) -> int | None:
    return one.here.caller().get(f"/v1/parcels/{one.id}").json()["compartment"]


def reserve(one: Recipient) -> None:
    assert one.here.caller().post(f"/v1/parcels/{one.id}/reservation", headers=key()).status_code == 201


def test_who_needs_a_low_door_gets_one_at_the_deposit_and_can_think_again(here: Town) -> None:
    with_low_doors(here, 3)
    one = announced(here, locker="gare-1")
    assert one.act("low", needed="yes") == "low" == one.act("low", needed="yes")
    assert "ce colis n’ira que dans une porte basse" in one.page().text
    assert here.caller().get(f"/v1/parcels/{one.id}").json()["accessible"] is True
    assert one.act("low", needed="no") == "low_undone"
    assert here.caller().get(f"/v1/parcels/{one.id}").json()["accessible"] is False
    one.act("low", needed="yes")
    reserve(one)
    assert kept(one) == 3


def test_a_high_door_that_was_kept_is_changed_for_a_low_one(here: Town) -> None:
    with_low_doors(here, 3)
    one = announced(here, locker="gare-1")
    reserve(one)
    assert kept(one) == 1
    assert one.act("low", needed="yes") == "low"
    assert (kept(one), state(one)) == (3, "reserved")


def test_where_no_low_door_is_free_the_high_one_is_given_back(here: Town) -> None:
    with_low_doors(here, 3)
    other, one = announced(here, locker="gare-1", accessible=True), announced(here, "label-2", locker="gare-1")
    reserve(other)
    reserve(one)
    assert one.act("low", needed="yes") == "low"
    assert (kept(one), state(one), kept(other)) == (None, "expected", 3)


def test_a_locker_without_low_doors_says_so_and_the_parcel_stays_deliverable(here: Town) -> None:
    one = announced(here)
    assert "low" not in one.page().actions
    assert one.act("low", needed="yes") == "low_none"
    assert here.caller().get(f"/v1/parcels/{one.id}").json()["accessible"] is False


def test_a_courier_at_the_open_door_is_not_sent_away(here: Town) -> None:
    with_low_doors(here, 3)
    one = announced(here, locker="gare-1")
    reserve(one)
    here.says("gare-1", DepositAuthorised(1, 1, 1, one.number, None, None))
    assert one.act("low", needed="yes") == "changed" and kept(one) == 1


def test_after_the_deposit_a_person_helps(here: Town) -> None:
    one = deposited(here)
    assert here.caller().put("/v1/lockers/mairie-1/site", json={"phone": "+33 3 23 00"}).status_code == 200
    page = one.page()
    assert "une personne l’ouvrira avec vous" in page.text and page.page.count("tel:+3332300") == 2
    assert one.act("low", needed="yes") == "changed"


# ------------------------------------------------------------------ another code
def test_a_new_code_is_shown_when_the_locker_has_made_it_and_not_before(here: Town) -> None:
    one = deposited(here)
    old = one.code
    assert one.act("code") == "new_code" == one.act("code"), "asked twice, it is one order"
    assert one.code == old and "celui-ci marche encore" in one.page().text and "code" not in one.page().actions
    answers(here, "mairie-1", Reissue, value=2)
    assert one.code not in (old, None) and "celui-ci marche encore" not in one.page().text


def test_new_codes_are_few_because_each_is_written_to_flash(here: Town) -> None:
    one = deposited(here)
    for number in range(NEW_CODES_MAX):
        assert one.act("code") == "new_code"
        answers(here, "mairie-1", Reissue, value=number + 2)
    code = one.code
    assert one.act("code") == "changed" and one.code == code


def test_there_is_no_new_code_for_what_is_not_there(here: Town) -> None:
    one = announced(here)
    assert one.act("code") == "changed" and not re.search(r"nouveau code arrive", one.page().text)

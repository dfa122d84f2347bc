"""A report freezes the record as it was, calls a person, and ends when one of them says what was found."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_town import Town, key, open_locker, town
from parcel_page import Recipient, announced, answers, deposited, later

from gateway.domain.people import GATEWAY
from gateway.domain.reports import KINDS
from gateway.limits import RECIPIENT_KEPT_S, REPORT_AFTER_S, REPORT_WORDS_SIZE_MAX, REPORTS_MAX
from gateway.services import expiry
from gateway.services.alarms import open_alarms
from protocol.messages import DoorClosed, DoorOpened, Release, Revoke

INSIDE = sorted(KINDS)
AFTERWARDS = sorted(name for name, kind in KINDS.items() if kind.afterwards)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def parcel(one: Recipient) -> dict[str, Any]:
    return one.here.caller().get(f"/v1/parcels/{one.id}").json()


def box(here: Town, number: int = 1) -> dict[str, Any]:
    return here.caller().get("/v1/lockers/mairie-1/compartments").json()["data"][number - 1]


def alarms(here: Town) -> list[tuple[str, int | None]]:
    return [(alarm.kind, alarm.compartment) for alarm in open_alarms(here.desk, GATEWAY)]


def only(here: Town, client: httpx.Client | None = None) -> dict[str, Any]:
    """The one report there is, whole."""
    client = client or here.caller()
    (listed,) = client.get("/v1/reports").json()["data"]
    return client.get(f"/v1/reports/{listed['id']}").json()


def close(here: Town, reason: str = "looked: empty") -> httpx.Response:
    (listed,) = here.caller().get("/v1/reports?open=true").json()["data"]
    return here.caller().post(f"/v1/reports/{listed['id']}/closing", json={"reason": reason}, headers=key())


def collected(here: Town, label: str = "label-1") -> Recipient:
    one = deposited(here, label)
    here.collect("mairie-1", 1, 1)
    return one


# ------------------------------------------------------------------ what lies there
@pytest.mark.parametrize("kind", INSIDE)
def test_what_is_told_of_a_waiting_parcel_freezes_it(here: Town, kind: str) -> None:
    one = deposited(here)
    code = one.code
    assert one.act("report", kind=kind, words="rien\r\ndedans") == "reported"
    assert parcel(one)["state"] == "disputed"
    assert (f"reported_{kind}", 1) in alarms(here)
    assert box(here)["quarantined"] is KINDS[kind].quarantines
    assert one.code == (code if KINDS[kind].still_to_fetch else None)
    said = only(here)
    assert (said["kind"], said["parcel_state"], said["words"]) == (kind, "deposited", "rien dedans")
    assert (said["parcel"], said["locker"], said["compartment"], said["ticket"]) == (one.id, "mairie-1", 1, 1)
    assert "N° 1" in one.page("?said=reported").text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_frozen_parcel_does_not_expire(here: Town) -> None:
    one = deposited(here)
    one.act("report", kind="cannot_reach")
    later(here, 60 * 86_400)
    expiry.expire_due(here.desk)
    assert parcel(one)["state"] == "disputed" and one.code is not None


def test_who_cannot_reach_the_door_can_still_send_somebody(here: Town) -> None:
    one = deposited(here)
    one.act("report", kind="cannot_reach")
    assert one.post("delegations", name="Anna").status_code == 200
    one.act("report", kind="damaged")
    assert one.act("delegations", name="Boris") == "changed" and one.code is None


def test_a_report_brings_no_code_back_to_life(here: Town) -> None:
    """Neither of what had expired, nor of what another parcel lies in the place of."""
    one = deposited(here)
    here.deposit("mairie-1", 1, 2, announced(here, "label-2").number)
    late = deposited(here, "label-3")
    later(here, 7 * 86_400)
    expiry.expire_due(here.desk)
    for each, found in ((one, "disputed"), (late, "expired")):
        assert parcel(each)["state"] == found and each.act("report", kind="cannot_reach") == "reported"
        assert each.code is None and each.act("delegations", name="Anna") == "changed"


def test_a_parcel_that_was_stuck_is_collected_after_all_and_its_report_stays(here: Town) -> None:
    one = deposited(here)
    one.act("report", kind="stuck")
    here.collect("mairie-1", 1, 1)
    assert parcel(one)["state"] == "collected"
    assert only(here)["closed_at"] is None and "une personne s’en occupe" in one.page().text


def test_the_same_told_twice_is_one_report(here: Town) -> None:
    one = deposited(here)
    assert one.act("report", kind="empty") == one.act("report", kind="empty", words="x") == "reported"
    assert only(here)["ticket"] == 1


def test_something_else_is_another_report_and_there_are_not_endlessly_many(here: Town) -> None:
    one = deposited(here)
    operator = here.caller()
    for number in range(REPORTS_MAX):
        assert one.act("report", kind="empty") == "reported", number
        assert close(here).status_code == 201
    assert one.act("report", kind="empty") == "changed"
    first = operator.get("/v1/reports?limit=4").json()
    after = operator.get(f"/v1/reports?limit=200&cursor={first['next_cursor']}").json()
    tickets = [row["ticket"] for row in first["data"] + after["data"]]
    assert tickets == list(range(REPORTS_MAX, 0, -1)) and after["next_cursor"] is None


@pytest.mark.parametrize("kind", ["", "stolen", "Empty"])
def test_a_report_says_what_is_the_matter(here: Town, kind: str) -> None:
    one = deposited(here)
    assert one.act("report", kind=kind) == "kind"
    assert parcel(one)["state"] == "deposited" and alarms(here) == []


def test_words_are_cut_and_not_lost(here: Town) -> None:
    one = deposited(here)
    one.act("report", kind="empty", words="é" * (REPORT_WORDS_SIZE_MAX + 50) + "\x00")
    assert only(here)["words"] == "é" * REPORT_WORDS_SIZE_MAX


def test_nothing_can_be_told_of_what_is_not_there_yet(here: Town) -> None:
    one = announced(here)
    assert "report" not in one.page().actions and one.act("report", kind="empty") == "changed"


# ------------------------------------------------------------------ what was collected
@pytest.mark.parametrize("kind", AFTERWARDS)
def test_what_is_told_of_a_collected_parcel_leaves_it_collected(here: Town, kind: str) -> None:
    one = collected(here)
    assert one.act("report", kind=kind) == "reported"
    assert parcel(one)["state"] == "collected"
    assert box(here)["availability"] == "quarantined" and (f"reported_{kind}", 1) in alarms(here)
    assert only(here)["parcel_state"] == "collected"


@pytest.mark.parametrize("kind", sorted(set(INSIDE) - set(AFTERWARDS)))
def test_a_door_cannot_have_been_stuck_afterwards(here: Town, kind: str) -> None:
    one = collected(here)
    assert one.act("report", kind=kind) == "changed" and alarms(here) == []


def test_it_can_be_told_for_seven_days_after_the_pickup(here: Town) -> None:
    one = collected(here)
    later(here, REPORT_AFTER_S - 1)
    assert "report" in one.page().actions and one.act("report", kind="empty") == "reported"
    later(here, 1)
    assert "report" not in one.page().actions and one.act("report", kind="damaged") == "changed"


def test_a_door_that_has_somebody_elses_parcel_by_now_is_not_closed_to_its_owner(here: Town) -> None:
    one = collected(here)
    other = announced(here, "label-2")
    here.deposit("mairie-1", 1, 2, other.number)
    assert one.act("report", kind="empty") == "reported"
    assert not box(here)["quarantined"] and ("reported_empty", 1) in alarms(here)
    assert other.code is not None and parcel(other)["state"] == "deposited"


# ------------------------------------------------------------------ whoever looks into it
def test_the_evidence_is_what_the_locker_said_of_that_deposit_and_of_no_other(here: Town) -> None:
    other = collected(here, "before")
    for number in (1, 2, 3):
        here.says("mairie-1", DoorOpened(number), DoorClosed(number))
    later(here, 2 * 3_600)
    one = deposited(here, "label-2")
    with here.desk.store.reading() as tx:
        found = tx.parcel(one.number)
    assert found is not None
    assert found.compartment == 1
    here.says("mairie-1", DoorOpened(1), DoorOpened(3))
    one.act("report", kind="empty")
    evidence = only(here)["evidence"]
    assert [(event["type"], event["fields"]["compartment"]) for event in evidence] == [
        ("DepositAuthorised", found.compartment),
        ("Deposited", found.compartment),
        ("DoorOpened", 1),
    ]
    assert {event["parcel"] for event in evidence} == {one.id, None} and other.id != one.id
    own = only(here, here.caller("courier", "colibri"))["evidence"]
    assert {event["parcel"] for event in own} == {one.id}, "a tenant sees what is about its parcel"
    assert close(here).status_code == 201
    later(here, 60)
    here.says("mairie-1", DoorOpened(1))
    assert only(here)["evidence"] == evidence, "and nothing of what came after it was closed"


def test_evidence_of_an_open_report_cannot_be_deleted(here: Town) -> None:
    one = deposited(here)
    one.act("report", kind="empty")

    def left() -> int:
        with here.desk.store.transaction() as tx:
            tx.sql.execute("DELETE FROM events")  # pyright: ignore
            return tx.sql.execute("SELECT count(*) FROM events").fetchone()[0]  # pyright: ignore

    assert left() == 2
    assert close(here).status_code == 201
    assert left() == 0


def test_a_report_of_another_tenant_does_not_exist(here: Town) -> None:
    one = deposited(here)
    one.act("report", kind="empty")
    known = only(here)["id"]
    assert only(here, here.caller("courier", "colibri"))["id"] == known
    for foreign in (here.caller("courier", "martinet"), here.caller("merchant", "colibri")):
        assert foreign.get("/v1/reports").json()["data"] == []
        for answer in (
            foreign.get(f"/v1/reports/{known}"),
            foreign.post(f"/v1/reports/{known}/closing", json={"reason": "x"}, headers=key()),
            foreign.get("/v1/reports/rep_0000000000001"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_report")


def test_a_report_never_ends_by_itself_and_is_closed_with_a_reason_once(here: Town) -> None:
    one = deposited(here)
    one.act("report", kind="empty")
    later(here, 400 * 86_400)
    expiry.expire_due(here.desk)
    assert only(here)["closed_at"] is None and only(here)["next_actions"]
    operator = here.caller()
    path = f"/v1/reports/{only(here)['id']}/closing"
    assert operator.post(path, json={"reason": ""}, headers=key()).status_code == 422
    retried = key()
    first = operator.post(path, json={"reason": "refunded"}, headers=retried)
    assert (first.status_code, first.json()["closing"]) == (201, "refunded")
    assert operator.post(path, json={"reason": "refunded"}, headers=retried).json() == first.json()
    again = operator.post(path, json={"reason": "other"}, headers=key())
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert operator.get("/v1/reports?open=true").json()["data"] == [] and only(here)["next_actions"] == []
    assert alarms(here) == [] and "clos le" in one.page().text
    assert box(here)["quarantined"], "until somebody has looked and releases it"


def test_an_alarm_stays_while_another_report_about_that_door_is_open(here: Town) -> None:
    one = collected(here)
    one.act("report", kind="empty")
    other = announced(here, "label-2")
    here.deposit("mairie-1", 1, 2, other.number)
    other.act("report", kind="empty")
    first = here.caller().get("/v1/reports").json()["data"][1]["id"]
    here.caller().post(f"/v1/reports/{first}/closing", json={"reason": "x"}, headers=key())
    assert alarms(here) == [("reported_empty", 1)]
    assert close(here).status_code == 201
    assert alarms(here) == []


@pytest.mark.parametrize("released_first", [True, False])
def test_a_parcel_that_was_not_there_is_over_once_its_door_is_released_and_its_reports_are_closed(
    here: Town, released_first: bool
) -> None:
    one = deposited(here, recipient={"name": "Anne"})
    one.act("report", kind="empty", words="vide")

    def release() -> None:
        path = "/v1/lockers/mairie-1/compartments/1/release"
        assert here.caller().post(path, json={"reason": "empty"}, headers=key()).status_code == 202
        answers(here, "mairie-1", Revoke, value=1)
        answers(here, "mairie-1", Release)

    if released_first:
        release()
        assert parcel(one)["ended_at"] is None
        close(here)
    else:
        close(here)
        assert parcel(one)["ended_at"] is None
        release()
    assert (parcel(one)["state"], parcel(one)["ended_at"] is not None) == ("disputed", True)
    assert box(here)["availability"] == "free"
    assert announced(here).id != one.id, "its label can be used again"
    later(here, RECIPIENT_KEPT_S)
    expiry.expire_due(here.desk)
    assert one.get().status_code == 404
    assert here.caller().get("/v1/reports").json()["data"][0]["ticket"] == 1


def test_the_words_are_erased_with_the_recipient_and_the_report_stays(here: Town) -> None:
    before, after = deposited(here), deposited(here, "label-2")
    before.act("report", kind="stuck", words="avant")
    for one in (before, after):
        here.collect("mairie-1", parcel(one)["compartment"], 1)
    after.act("report", kind="damaged", words="après")

    def words() -> list[str | None]:
        expiry.expire_due(here.desk)
        rows = here.caller().get("/v1/reports").json()["data"]
        return [here.caller().get(f"/v1/reports/{row['id']}").json()["words"] for row in rows]

    assert words() == ["après", "avant"]
    later(here, RECIPIENT_KEPT_S - 1)
    assert words() == ["après", "avant"]
    later(here, 1)
    assert words() == [None, None]


# ------------------------------------------------------------------ sites
def test_a_site_is_told_whole_and_told_again_in_its_place(here: Town) -> None:
    operator = here.caller()
    assert operator.get("/v1/lockers/mairie-1/site").json() == {
        "address": None,
        "hours": {},
        "phone": None,
        "mail": None,
        "latitude": None,
        "longitude": None,
    }
    site = {"address": "1 place", "hours": {"fr": "9 h – 18 h", "en": "9 to 6"}, "phone": "+33 3 23", "mail": "a@b.fr"}
    site |= {"latitude": 49.5641, "longitude": 3.6199}
    for _ in range(2):
        assert operator.put("/v1/lockers/mairie-1/site", json=site).json() == site
    assert here.caller("courier", "colibri").get("/v1/lockers/mairie-1/site").json() == site
    assert operator.put("/v1/lockers/mairie-1/site", json={"phone": "+33 3 23"}).json()["address"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": ""},
        {"address": "x" * 201},
        {"address": "a\nb"},
        {"hours": {"french": "x"}},
        {"hours": {"fr": ""}},
        {"hours": {f"{letter}a": "x" for letter in "abcdefghijklmnopqrstuvwxyz"}},
        {"phone": "javascript:1"},
        {"mail": "nobody"},
        {"name": "x"},
        {"latitude": 91, "longitude": 3},
        {"latitude": 49.5},
    ],
)
def test_a_site_that_cannot_be_is_refused(here: Town, wrong: dict[str, Any]) -> None:
    answer = here.caller().put("/v1/lockers/mairie-1/site", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_value")


def test_only_an_operator_tells_of_a_site(here: Town) -> None:
    for caller in (here.caller("courier", "colibri"), here.caller("merchant", "fleurs")):
        assert caller.put("/v1/lockers/mairie-1/site", json={"phone": "+33 3 23"}).status_code == 403
    missing = here.caller().put("/v1/lockers/nowhere/site", json={})
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_locker")

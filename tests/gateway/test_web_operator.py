"""The operator's pages: what they show, in both languages, to whom; and the acts, with their refusals."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from http_town import Town, key, locker_body, open_locker, parcel_body, town
from pages_town import Browser, Read, browser

from gateway.domain.ids import parcel_number
from gateway.domain.people import GATEWAY, SCOPES
from gateway.services import alarms, commands, lockers, parcels
from protocol.messages import DoorFaulted, Open, OutOfService, Reissue, Release
from protocol.numbers import DOOR_STATES

DOOR = "/operator/lockers/mairie-1/compartments/1"
JAMMED = DOOR_STATES.index("jammed")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    """A locker of three doors; behind the first lies a parcel."""
    with town(tmp_path) as made:
        operator = open_locker(made)
        parcel = operator.post("/v1/parcels", json=parcel_body("6A1"), headers=key()).json()["id"]
        operator.post(f"/v1/parcels/{parcel}/reservation", headers=key())
        made.deposit("mairie-1", 1, 1, parcel_number(parcel))
        yield made


def parcel_of(here: Town, label: str = "6A1") -> str:
    with here.desk.store.reading() as tx:
        found = tx.parcel_of_label("colibri", label)
    assert found is not None
    return found.id


def pages(here: Town) -> list[str]:
    parcel = parcel_of(here)
    return [
        "/operator",
        "/operator/fleet",
        "/operator/lockers/mairie-1",
        "/operator/lockers/mairie-1/front",
        DOOR,
        "/operator/lockers/mairie-1/compartments/2",
        "/operator/alarms",
        "/operator/alarms/open",
        "/operator/parcels",
        f"/operator/parcels/{parcel}",
        "/operator/people",
        "/operator/badges",
        "/operator/departures",
        "/operator/signing-keys",
        "/operator/use",
        "/operator/use?locker=mairie-1",
        "/operator/log",
        "/operator/log?locker=mairie-1",
        "/operator/log/acts",
    ]


def ordered(here: Town) -> list[object]:
    return [down.command for _, down in commands.due_commands(here.desk, 50)]


def jam(here: Town, box: int = 2) -> None:
    here.says("mairie-1", DoorFaulted(box, JAMMED, True))


def test_every_page_is_there_in_both_languages_and_within_the_policy(here: Town) -> None:
    somebody = browser(here)
    jam(here)
    for path in pages(here):
        french, english = (somebody.get(f"{path}{'&' if '?' in path else '?'}lang={code}") for code in ("fr", "en"))
        assert french.text != english.text, path
        for read, code in ((french, "fr"), (english, "en")):
            assert read.language in (code, "") and not read.refused, (path, read.refused)
            assert len(set(read.ids)) == len(read.ids), path
            assert set(read.labelled) <= set(read.ids), path


def test_whoever_is_signed_in_finds_the_way_to_work_from_the_first_page(here: Town) -> None:
    assert "/operator" in browser(here, name="anna").get("/").links


def test_what_the_fleet_shows_is_how_the_doors_stand_with_trouble_first(here: Town) -> None:
    here.caller().post("/v1/lockers", json=locker_body("gare-1"), headers=key())
    shown = browser(here).get("/operator?lang=en").text
    assert "1 occupied" in shown and "2 free" in shown and "3 not known" in shown
    assert shown.index("gare-1") < shown.index("mairie-1"), "a silent locker comes first"
    jam(here)
    assert "Open alarms: 1" in browser(here).get("/operator?lang=en").text


@pytest.mark.parametrize("role", ["merchant", "courier"])
def test_nobody_else_sees_a_page_of_the_operator(here: Town, role: str) -> None:
    other = browser(here, role, "colibri")
    for path in pages(here):
        assert other.client.get(path).status_code == 403, path
    assert here.with_secret(None).get("/operator").headers["location"] == "/sign-in?next=/operator"


def test_a_key_without_the_right_is_told_so_and_sees_no_button(here: Town) -> None:
    reader = browser(here, scopes=frozenset({"lockers:read", "events:read", "parcels:read"}))
    assert not [form for form in reader.get(DOOR).forms if "compartments" in form.action]
    assert not [form for form in reader.get(f"/operator/parcels/{parcel_of(here)}").forms if "parcel" in form.action]
    assert reader.client.get("/operator/people").status_code == 403
    bold = browser(here).get(DOOR).form("/open")
    assert reader.send(bold, reason="look").status_code == 403
    assert ordered(here) == []


def test_the_front_that_is_fetched_anew_is_as_the_doors_stand_now(here: Town) -> None:
    somebody = browser(here)
    path = "/operator/lockers/mairie-1/front"
    assert "jammed" not in somebody.get(path + "?lang=en").text
    jam(here)
    read = somebody.get(path)
    assert "Door 2: quarantined" in read.text and "/operator/lockers/mairie-1/compartments/2" in read.links


def test_an_empty_door_opens_by_one_order_however_often_the_form_is_sent(here: Town) -> None:
    somebody = browser(here)
    form = somebody.get("/operator/lockers/mairie-1/compartments/2").form("/open")
    first, again = somebody.send(form, reason="look"), somebody.send(form, reason="look")
    assert first.headers["location"] == again.headers["location"]
    assert ordered(here) == [Open(2, "look")]
    assert "waiting for the locker" in somebody.get(first.headers["location"] + "?lang=en").text.lower()
    assert somebody.send(somebody.get("/operator/lockers/mairie-1/compartments/2").form("/open")).status_code == 422
    assert somebody.client.post(form.action, data={"reason": "look"}).status_code == 422, "a form that is not ours"


def test_an_occupied_door_opens_only_when_a_second_person_confirms(here: Town) -> None:
    first, second = browser(here, name="anna"), browser(here, name="ben")
    here.now[0] += 1
    assert first.act(DOOR, "/open", reason="parcel stuck") == DOOR
    assert ordered(here) == []
    assert not [form for form in first.get(DOOR).forms if form.action.endswith("/confirm")]
    assert "anna" in second.get("/operator?lang=en").text
    form = second.get(DOOR).form("/confirm")
    assert first.client.post(form.action, data=form.fields).status_code == 409, "the same person"
    answer, again = second.send(form), second.send(form)
    assert answer.headers["location"] == again.headers["location"]
    assert ordered(here) == [Open(1, "parcel stuck")]
    said = first.get("/operator/log/acts?lang=en").text
    assert "asked to open an occupied door" in said and "confirmed opening an occupied door" in said
    assert "ben" in said


def test_two_who_confirm_at_the_same_time_give_one_order(here: Town) -> None:
    first, others = browser(here, name="anna"), [browser(here, name=name) for name in ("ben", "cleo")]
    here.now[0] += 1
    first.act(DOOR, "/open", reason="look")
    forms = [somebody.get(DOOR).form("/confirm") for somebody in others]
    with ThreadPoolExecutor() as both:
        sent = [both.submit(somebody.send, form) for somebody, form in zip(others, forms, strict=True)]
        answers = [answer.result().status_code for answer in sent]
    assert sorted(answers) == [303, 409] and ordered(here) == [Open(1, "look")]


def test_a_request_to_open_ends_after_ten_minutes_or_when_it_is_withdrawn(here: Town) -> None:
    first, second = browser(here, name="anna"), browser(here, name="ben")
    here.now[0] += 1
    first.act(DOOR, "/open", reason="look")
    form = second.get(DOOR).form("/confirm")
    here.now[0] += 600
    refused = second.send(form)
    assert refused.status_code == 409 and "10 minutes" in refused.text
    first.act(DOOR, "/open", reason="look again")
    assert second.act(DOOR, "/withdraw") == DOOR
    assert "look again" not in second.get(DOOR).text.split("Historique")[0]
    assert ordered(here) == []


def test_a_key_made_for_the_purpose_confirms_nothing_nor_does_one_after_the_asker_was_revoked(here: Town) -> None:
    first, second = browser(here, name="anna"), browser(here, name="ben")
    here.now[0] += 1
    first.act(DOOR, "/open", reason="look")
    younger = browser(here, name="cleo")
    assert younger.send(younger.get(DOOR).form("/confirm")).status_code == 409
    form = second.get(DOOR).form("/confirm")
    assert "people" in second.act("/operator/people", f"{credential_of(here, 'anna')}/revoke")
    assert second.send(form).status_code == 409
    assert ordered(here) == []


def credential_of(here: Town, name: str) -> str:
    with here.desk.store.reading() as tx:
        return next(found.id for found in tx.credentials() if found.name == name)


def test_another_parcel_in_the_meantime_is_not_what_was_asked_for(here: Town) -> None:
    first, second = browser(here, name="anna"), browser(here, name="ben")
    here.now[0] += 1
    first.act(DOOR, "/open", reason="look")
    here.collect("mairie-1", 1, 1)
    operator = here.caller()
    other = operator.post("/v1/parcels", json=parcel_body("6A2"), headers=key()).json()["id"]
    here.deposit("mairie-1", 1, 2, parcel_number(other))
    assert second.send(second.get(DOOR).form("/confirm")).status_code == 409
    assert ordered(here) == []


def test_two_people_who_ask_at_once_are_told_to_confirm(here: Town) -> None:
    first, second = browser(here, name="anna"), browser(here, name="ben")
    form = second.get(DOOR).form("/open")
    first.act(DOOR, "/open", reason="look")
    assert second.send(form, reason="me too").status_code == 409


def test_a_door_is_taken_out_of_service_and_put_back(here: Town) -> None:
    somebody = browser(here)
    path = "/operator/lockers/mairie-1/compartments/3"
    place = somebody.act(path, "/service", reason="hinge")
    assert "hinge" in somebody.get(place).text
    assert "hors service" in somebody.get(path).text
    assert not [form for form in somebody.get(path).forms if form.action.endswith("/open")]
    somebody.act(path, "/service", reason="mended")
    assert ordered(here) == [OutOfService(3, True), OutOfService(3, False)]


def test_a_quarantine_is_lifted_by_whoever_saw_it_empty_but_not_over_a_parcel(here: Town) -> None:
    somebody = browser(here)
    jam(here)
    somebody.act("/operator/lockers/mairie-1/compartments/2", "/release", reason="empty")
    assert ordered(here) == [Release(2)]
    form = somebody.get(DOOR).form("/release")
    assert somebody.send(form, reason="empty").status_code == 409


def test_an_alarm_says_what_to_do_and_who_does_it(here: Town) -> None:
    jam(here)
    anna, ben = browser(here, name="anna"), browser(here, name="ben")
    shown = anna.get("/operator/alarms?lang=en").text
    assert (
        "A door does not open" in shown and "call the technician" in shown and "Nobody is taking care of it" in shown
    )
    anna.act("/operator/alarms", "/owner")
    assert "anna is taking care of it" in ben.get("/operator/alarms?lang=en").text
    ben.act("/operator/alarms", "/snooze", hours="4")
    assert "Waits until" in ben.get("/operator/alarms").text
    form = ben.get("/operator/alarms").form("/settle")
    ben.send(form)
    assert alarms.open_alarms(here.desk, GATEWAY) == []
    assert "Recently resolved" in anna.get("/operator/alarms?lang=en").text
    late = {**form.fields, "act": "A" * 22}
    assert ben.client.post(form.action, data=late).status_code == 409, "it is over"
    assert ben.client.post("/operator/alarms/999/settle", data=late).status_code == 404


def test_those_that_wait_come_after_those_that_do_not(here: Town) -> None:
    jam(here, 2)
    jam(here, 3)
    newest = alarms.open_alarms(here.desk, GATEWAY)[0]
    alarms.snooze(here.desk, GATEWAY, newest.id, 1)
    assert alarms.open_alarms(here.desk, GATEWAY)[-1].id == newest.id
    here.now[0] += 3_600
    assert alarms.open_alarms(here.desk, GATEWAY)[0].id == newest.id


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("text=6A1", True),
        ("text=6A", True),
        ("text=A1", False),
        ("state=deposited", True),
        ("state=expired", False),
        ("carrier=colibri&locker=mairie-1", True),
        ("carrier=rival", False),
        ("merchant=bookshop", False),
        ("text=6A&state=expected", False),
    ],
)
def test_a_parcel_is_found_by_what_is_known_of_it(here: Town, query: str, found: bool) -> None:
    place = f"/operator/parcels/{parcel_of(here)}"
    assert (place in browser(here).get(f"/operator/parcels?{query}").links) == found


def test_a_parcel_is_found_by_its_id_and_a_search_that_cannot_be_is_refused(here: Town) -> None:
    parcel = parcel_of(here)
    somebody = browser(here)
    assert f"/operator/parcels/{parcel}" in somebody.get(f"/operator/parcels?text={parcel}").links
    assert somebody.client.get("/operator/parcels?state=lost").status_code == 422
    assert somebody.client.get(f"/operator/parcels?text={'x' * 65}").status_code == 422
    assert somebody.client.get("/operator/parcels?after=par_1").status_code == 404


@pytest.mark.parametrize("query", ["", "text=L"])
def test_a_long_list_is_read_page_by_page_and_nothing_is_left_out_or_shown_twice(here: Town, query: str) -> None:
    operator = here.caller()
    for number in range(60):
        operator.post("/v1/parcels", json=parcel_body(f"L{number:03}"), headers=key())
    somebody, path, seen = browser(here), f"/operator/parcels?{query}", list[str]()
    while path:
        read = somebody.get(path)
        seen += [link for link in read.links if link.startswith("/operator/parcels/par_")]
        path = next((link for link in read.links if "after=" in link), "")
    assert len(seen) == len(set(seen)) == (60 if query else 61)


def test_a_parcels_page_tells_its_story_and_shows_no_code(here: Town) -> None:
    pickup = parcels.pickup_code(here.desk, GATEWAY, parcel_number(parcel_of(here)))
    read = browser(here).get(f"/operator/parcels/{parcel_of(here)}?lang=en")
    assert "A parcel was put in, door 1" in read.text and "Announced." in read.text
    assert pickup.code not in read.text.replace(" ", "")


def test_the_code_is_shown_when_asked_for_by_whoever_may_and_it_is_noted(here: Town) -> None:
    parcel = parcel_of(here)
    place = f"/operator/parcels/{parcel}"
    pickup = parcels.pickup_code(here.desk, GATEWAY, parcel_number(parcel))
    somebody = browser(here, name="anna")
    answer = somebody.send(somebody.get(place).form("/code"))
    assert answer.status_code == 200 and pickup.code in Read(answer.text).text.replace(" ", "")
    assert "saw the parcel’s code" in somebody.get(place + "?lang=en").text
    curious = browser(here, scopes=SCOPES - {"codes:read"})
    assert curious.client.post(place + "/code", data={}).status_code == 403
    assert pickup.code not in here.logged()
    other_language = somebody.client.get(place + "/code?lang=en")
    assert other_language.headers["location"] == place + "?lang=en", "the code is not shown by a mere link"


def test_a_recipient_is_shown_to_itself_and_erased_from_the_parcels_page(here: Town) -> None:
    anna = browser(here)
    place = f"/operator/parcels/{parcel_of(here)}"
    with here.desk.store.transaction() as tx:
        tx.sql.execute("INSERT INTO recipients (parcel, name) SELECT number, 'Zoé Martin' FROM parcels")
    copy = anna.send(anna.get(place).form("/copy"))
    assert copy.json()["known"]["recipients"][0]["name"] == "Zoé Martin" and copy.json()["purposes"]
    assert copy.headers["content-disposition"].startswith("attachment") and copy.headers["cache-control"] == "no-store"
    assert anna.act(place, "/erasure") == place
    read = anna.get(place)
    assert "quand le colis sera parti" in read.text and not any(
        form.action.endswith("/erasure") for form in read.forms
    )
    assert "a montré ce qui est connu d’une personne" in read.text
    weak = browser(here, scopes=SCOPES - {"privacy:write"})
    assert not any(form.action.endswith(("/copy", "/erasure")) for form in weak.get(place).forms)


def test_a_parcel_is_taken_back_or_gets_a_new_code(here: Town) -> None:
    somebody = browser(here)
    place = f"/operator/parcels/{parcel_of(here)}"
    assert somebody.act(place, "/reissue").startswith("/operations/op_")
    assert [command for command in ordered(here) if isinstance(command, Reissue)]
    form = somebody.get(place).form("/take-back")
    assert somebody.send(form).status_code == 409, "a new code is on its way"


def test_a_key_is_shown_once_however_often_its_form_is_sent(here: Town) -> None:
    somebody = browser(here)
    form = somebody.get("/operator/people").form("/operator/people")
    fields = {"role": "merchant", "tenant": "bookshop", "name": "kiosk 9"}
    answer, again = somebody.send(form, **fields), somebody.send(form, **fields)
    assert answer.status_code == 200 and "consigne_" in answer.text
    assert again.headers["location"] == "/operator/people?again=1"
    shown = somebody.get("/operator/people?again=1&lang=en")
    assert shown.text.count("kiosk 9") == 1 and "consigne_" not in shown.text and "sent before" in shown.text
    secret = answer.text.split("<code>")[1].split("</code>")[0]
    assert here.with_secret(secret).get("/v1/lockers").status_code == 200
    somebody.act("/operator/people", f"{credential_of(here, 'kiosk 9')}/revoke")
    assert here.with_secret(secret).get("/v1/lockers").status_code == 401
    assert secret not in here.logged()


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "king", "name": "x"},
        {"role": "merchant", "tenant": "", "name": "x"},
        {"role": "merchant", "tenant": "b", "name": ""},
        {"role": "merchant", "tenant": "b", "name": "x\x1b[2Jy"},
        {"role": "merchant", "tenant": "b", "name": "x", "doors:open": "yes"},
    ],
)
def test_a_key_that_cannot_be_is_refused(here: Town, fields: dict[str, str]) -> None:
    somebody = browser(here)
    form = somebody.get("/operator/people").form("/operator/people")
    assert somebody.send(form, **fields).status_code == 422


def test_a_badge_is_made_with_its_qr_and_taken_back(here: Town) -> None:
    somebody = browser(here)
    form = somebody.get("/operator/badges").form("/operator/badges")
    answer = somebody.send(form, role="courier", carrier="colibri", holder="c-17", days="30")
    assert answer.status_code == 200 and "<svg" in answer.text and not Read(answer.text).refused
    token = answer.text.split("<code>")[1].split("</code>")[0]
    courier = here.with_secret(None)
    courier.headers["Sec-Fetch-Site"] = "same-origin"
    assert courier.post("/sign-in", data={"key": token}).headers["location"] == "/courier"
    somebody.act("/operator/badges", "/revoke")
    assert "0 of 1 lockers" in somebody.get("/operator/badges?lang=en").text
    technician = somebody.get("/operator/badges").form("/operator/badges")
    assert somebody.send(technician, role="technician", holder="t-1", days="9999").status_code == 422
    assert somebody.send(technician, role="technician", holder="t-1", days="9", locker="nowhere").status_code == 404


def test_who_leaves_loses_every_key_and_badge_by_one_button_and_their_name_has_an_end(here: Town) -> None:
    somebody = browser(here)
    made = somebody.get("/operator/people").form("/operator/people")
    answer = somebody.send(made, role="courier", tenant="colibri", name="c-17")
    secret = answer.text.split("<code>")[1].split("</code>")[0]
    badge = somebody.get("/operator/badges").form("/operator/badges")
    somebody.send(badge, role="courier", carrier="colibri", holder="c-17", days="30")
    page = somebody.get("/operator/departures?lang=en")
    assert "c-17 – colibri (keys: 1, badges: 1)" in page.text
    form = page.form("/operator/departures")
    assert somebody.send(form, person="colibri/c-17").headers["location"] == "/operator/departures?done=1"
    assert here.with_secret(secret).get("/v1/lockers").status_code == 401
    shown = somebody.get("/operator/departures?done=1&lang=en")
    assert "Done: nothing opens" in shown.text and "c-17 – colibri" not in shown.text
    assert "c-17" in shown.text.split("Name erased on")[1]
    assert somebody.send(shown.form("/operator/departures"), person="colibri/nobody").status_code == 404


def test_use_counts_deposits_waiting_and_failures_and_names_nobody(here: Town) -> None:
    jam(here)
    here.now[0] += 5 * 3_600
    here.collect("mairie-1", 1, 1)
    shown = browser(here).get("/operator/use?lang=en").text
    assert "5 h" in shown and "A door does not open" in shown
    assert "6A1" not in shown and "colibri" not in shown
    here.now[0] += 40 * 86_400
    assert "No parcel was collected" in browser(here).get("/operator/use?lang=en").text
    assert "A door does not open" not in browser(here).get("/operator/use?lang=en").text


def test_the_log_is_read_back_to_its_beginning(here: Town) -> None:
    for _ in range(60):
        jam(here)
    somebody, path, rows = browser(here), "/operator/log?locker=mairie-1", 0
    while path:
        read = somebody.get(path)
        rows += read.text.count("porte 2 est bloquée")
        path = next((link for link in read.links if "before=" in link), "")
    assert rows == 60
    assert somebody.client.get("/operator/log?locker=nowhere").status_code == 404
    assert somebody.client.get("/operator/log?before=-1").status_code == 200


def test_a_part_of_the_log_in_which_others_spoke_leads_further_back(here: Town) -> None:
    """Only so much is read for one page; what is older is a click away."""
    with here.desk.store.transaction() as tx:
        tx.sql.execute(  # pyright: ignore
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)"
            " INSERT INTO events (locker, boot, seq, type, t_mono_ms, taken_s, fields)"
            " SELECT 'gare-1', 1, i, 17, 1, ?, x'8101' FROM n",
            (here.now[0],),
        )
    somebody = browser(here)
    read = somebody.get("/operator/log?locker=mairie-1&lang=en")
    assert "look further" in read.text
    further = next(link for link in read.links if "before=" in link)
    assert "A parcel was put in" in somebody.get(further).text
    story = somebody.get(f"/operator/parcels/{parcel_of(here)}").text
    assert "A parcel was put in, door 1" in story, "found by the time of its deposit"


def test_a_reason_that_no_log_should_hold_is_refused_and_nothing_is_ordered(here: Town) -> None:
    somebody = browser(here)
    form = somebody.get("/operator/lockers/mairie-1/compartments/2").form("/open")
    for act in ("open", "service", "release"):
        for reason in ("", "x" * 33, "a\nb", "\x1b[2J"):
            place = form.action.removesuffix("open") + act
            answer = somebody.client.post(place, data={**form.fields, "reason": reason})
            assert answer.status_code == 422 and ordered(here) == []


@pytest.mark.parametrize(
    "path",
    [
        "/operator/lockers/nowhere",
        "/operator/lockers/mairie-1/compartments/9",
        "/operator/parcels/par_0000000000001",
        "/operations/op_0000000000001",
        "/operator/nothing",
    ],
)
def test_what_is_not_there_is_said_with_what_to_do(here: Town, path: str) -> None:
    read = browser(here).get(path, 404)
    assert "Revenez" in read.text or "Ouvrez" in read.text


def test_no_other_site_can_open_a_door_in_the_name_of_whoever_is_signed_in(here: Town) -> None:
    somebody: Browser = browser(here)
    form = somebody.get("/operator/lockers/mairie-1/compartments/2").form("/open")
    answer = somebody.client.post(
        form.action, data={**form.fields, "reason": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403 and ordered(here) == []
    assert lockers.list_compartments(here.desk, GATEWAY, "mairie-1")[1].availability == "free"

"""The operator's settings of a locker, and recipients' reports: kept, shown where they count, taken over, closed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from http_town import Town, key, open_locker, town
from pages_town import Browser, browser
from parcel_page import deposited

from gateway.domain.people import SCOPES_OF
from gateway.services import commands, greetings
from gateway.words import LANGUAGES
from protocol.errors import number_of
from protocol.messages import CommandDone, Greet, Message

SETTINGS = "/operator/lockers/mairie-1/settings"
FILLED = {
    "name": "Mairie, sous les arcades",
    "days": "3",
    "address": "1 place de la Mairie",
    "hours_fr": "24 h/24",
    "hours_en": "",
    "phone": "+33 3 23 00 00 00",
    "mail": "consigne@example.org",
    "latitude": "49,5641",
    "longitude": "3.6199",
    "shares": "colibri 20\r\n fleurs : 10 %\r\n",
}
DAY_S = 86_400


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def said(here: Town, wanted: Message, code: int = 0) -> CommandDone:
    """What the locker answers to the newest order of this kind."""
    with here.desk.store.reading() as tx:
        order = [one for one in tx.due_commands(here.now[0], 100) if one.down.command == wanted][-1].down
    return CommandDone(order.id, order.issued_s, code, type(wanted).TYPE, None, 0 if code else wanted.values()[0])


def test_the_language_to_greet_in_waits_for_its_locker_and_is_shown_when_that_has_it(here: Town) -> None:
    operator, api, words = browser(here), here.caller(), LANGUAGES["fr"]
    path = "/v1/lockers/mairie-1/greeting"
    assert operator.get(SETTINGS).form("/settings").fields["greeting"] == ""
    assert api.get(path).json() == {"language": None, "at_locker": None}
    operator.act(SETTINGS, "/settings", **FILLED, greeting="en")
    assert api.get(path).json() == {"language": "en", "at_locker": None}
    for page in (SETTINGS, "/operator/lockers/mairie-1"):
        assert words("operator.settings.greeting_waits") in operator.get(page).text
    here.says("mairie-1", said(here, Greet(1)))
    assert api.get(path).json() == {"language": "en", "at_locker": "en"}
    for page in (SETTINGS, "/operator/lockers/mairie-1"):
        assert words("operator.settings.greeting_there") in operator.get(page).text
    assert api.put(path, json={"language": "xx"}).status_code == 422
    assert api.put(path, json={"language": "fr"}).json() == {"language": "fr", "at_locker": "en"}
    assert operator.get(SETTINGS).form("/settings").fields["greeting"] == "fr"
    assert here.caller("courier", "colibri").put(path, json={"language": "en"}).status_code == 403


def test_a_language_is_ordered_until_its_locker_has_it(here: Town) -> None:
    api, path = here.caller(), "/v1/lockers/mairie-1/greeting"

    def orders() -> list[Message]:
        with here.desk.store.reading() as tx:
            return [one.down.command for one in tx.due_commands(here.now[0], 100)]

    def later(seconds: int) -> list[Message]:
        here.now[0] += seconds
        commands.expire_commands(here.desk)
        greetings.keep_up(here.desk)
        return orders()

    for language in ("fr", "en"):
        api.put(path, json={"language": language})
    assert orders() == [Greet(1)], "one that is no longer wanted does not reach the locker after it"
    here.says("mairie-1", said(here, Greet(1), number_of("no_clock")))
    assert later(60) == [] and later(600) == [Greet(1)]
    assert later(2 * DAY_S) == [Greet(1)], (
        "a locker that is away for days, or too old to know the order, finds a fresh one"
    )
    here.says("mairie-1", said(here, Greet(1)))
    assert later(2 * DAY_S) == []
    api.post("/v1/lockers/mairie-1/provisioning", headers=key())
    assert orders() == [Greet(1)], "another board may have come"


def site(here: Town) -> dict[str, object]:
    return here.caller().get("/v1/lockers/mairie-1/site").json()


def test_what_is_kept_is_what_recipients_see_and_how_long_they_have(here: Town) -> None:
    operator = browser(here)
    before = deposited(here, "before")
    assert operator.act(SETTINGS, "/settings", **FILLED) == f"{SETTINGS}?kept=1"
    after = deposited(here, "after")
    assert "arcades" in after.page().text and "24 h/24" in after.page().text and "1 place" in after.page().text
    days = [here.caller().get(f"/v1/parcels/{one.id}").json() for one in (before, after)]
    with here.desk.store.reading() as tx:
        rows = [tx.parcel(one.number) for one in (before, after)]
    waits = [(row.deadline_s or 0) - here.now[0] for row in rows if row is not None]
    assert days and waits == [7 * DAY_S, 3 * DAY_S], "what was inside keeps its deadline"
    shown = operator.get(SETTINGS + "?kept=1")
    fields = shown.form("/settings").fields
    assert (fields["latitude"], fields["longitude"], fields["days"]) == ("49.5641", "3.6199", "3")
    assert "colibri 20\nfleurs 10" in shown.text and LANGUAGES["fr"]("operator.settings.kept") in shown.text
    assert "arcades" in operator.get("/operator/map").text
    assert LANGUAGES["fr"]("act.locker_configured") in operator.get("/operator/log/acts").text


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("days", "0"),
        ("days", "61"),
        ("days", "many"),
        ("address", "x" * 201),
        ("hours_fr", "x" * 301),
        ("phone", "javascript:1"),
        ("mail", "nobody"),
        ("latitude", "91"),
        ("latitude", "nan"),
        ("longitude", ""),
        ("shares", "colibri"),
        ("shares", "colibri 95"),
    ],
)
def test_a_mistake_is_marked_where_it_was_made_and_nothing_is_kept(here: Town, field: str, text: str) -> None:
    operator = browser(here)
    before = site(here)
    answer = operator.send(operator.get(SETTINGS).form("/settings"), **{**FILLED, field: text})
    assert answer.status_code == 422
    marked = {"longitude": "latitude"}.get(field, field)
    assert f'id="{marked}-wrong"' in answer.text and 'aria-invalid="true"' in answer.text
    assert "Mairie, sous les arcades" in answer.text or field == "name", "what was filled in is not lost"
    assert site(here) == before and operator.get("/operator").text.count("arcades") == 0


def test_who_may_only_look_changes_nothing(here: Town) -> None:
    reader = browser(here, scopes=SCOPES_OF["operator"] - {"lockers:write"})
    form = reader.get(SETTINGS).form("/settings")
    assert reader.send(form, **FILLED).status_code == 403
    assert browser(here, "courier", "colibri").client.get(SETTINGS).status_code == 403
    assert site(here)["address"] is None


# ------------------------------------------------------------------ reports
def reported(here: Town) -> Browser:
    one = deposited(here)
    assert one.act("report", kind="damaged", words="Le carton est déchiré.") == "reported"
    return browser(here, name="anna")


def the_report(operator: Browser) -> str:
    return next(link for link in operator.get("/operator/reports").links if "/operator/reports/rep_" in link)


def test_a_report_is_read_taken_over_and_closed_with_what_was_found(here: Town) -> None:
    operator = reported(here)
    place = the_report(operator)
    page = operator.get(place)
    assert "Le carton est déchiré." in page.text
    assert "Un colis a été déposé" in page.text, "the evidence"
    assert operator.act(place, "/owner") == place
    assert "anna" in operator.get("/operator/reports").text
    form = operator.get(place).form("/closing")
    for _ in range(2):
        assert operator.send(form, reason="vu : abîmé, remboursé").headers["location"] == place
    closed = operator.get(place)
    assert "vu : abîmé, remboursé" in closed.text and not [one for one in closed.forms if one.action.startswith(place)]
    words = LANGUAGES["fr"]
    assert words("operator.report.none") in operator.get("/operator/reports").text
    assert place in operator.get("/operator/reports?all=1").links
    assert words("operator.alarm.none") in operator.get("/operator/alarms").text
    acts = operator.get("/operator/log/acts").text
    assert acts.count(words("act.report_closed")) == 1 and words("act.report_taken") in acts
    assert "remboursé" not in acts and "remboursé" not in here.logged(), "what was found may be about a person"


def test_a_report_that_is_closed_is_taken_over_by_nobody(here: Town) -> None:
    operator = reported(here)
    place = the_report(operator)
    form = operator.get(place).form("/owner")
    (listed,) = here.caller().get("/v1/reports").json()["data"]
    done = here.caller().post(f"/v1/reports/{listed['id']}/closing", json={"reason": "seen"}, headers=key())
    assert done.status_code == 201
    assert operator.send(form).status_code == 409
    assert operator.client.get("/operator/reports/rep_0000000000001").status_code == 404
    assert browser(here, "merchant", "fleurs").client.get(place).status_code == 403

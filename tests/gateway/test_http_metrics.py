"""GET /metrics: what Prometheus' own parser reads is what the books hold, and no parcel, person or tenant is in it."""

from pathlib import Path
from typing import Any

import pytest
from http_town import Town, key, open_locker, parcel_body, town
from prometheus_client.parser import text_string_to_metric_families

from gateway.domain import ids
from gateway.domain.people import SCOPES
from gateway.services import deliveries
from gateway.services.deliveries import Outcome
from protocol.messages import DoorFaulted
from protocol.numbers import DOOR_STATES

LABELS = {"locker", "size", "state", "kind", "result", "status", "version", "method", "route"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.limits.METRICS_KEPT_S", 0.0)
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def scraped(here: Town) -> dict[tuple[str, ...], float]:
    """(name, label values in the order of their names …) -> value."""
    here.be_quiet()
    answer = here.caller().get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation and family.type in ("gauge", "counter"), family.name
        for sample in family.samples:
            assert set(sample.labels) <= LABELS and sample.name.startswith("consigne_")
            assert (family.type == "counter") == sample.name.endswith("_total"), sample.name
            found[sample.name, *[sample.labels[name] for name in sorted(sample.labels)]] = sample.value
    return found


def act(here: Town, path: str, **body: Any) -> dict[str, Any]:
    return here.caller("courier", "colibri").post(path, json=body, headers=key()).json()


def test_an_empty_town_is_measured(here: Town) -> None:
    found = scraped(here)
    assert found["consigne_compartments", "mairie-1", "M", "free"] == 3
    assert found["consigne_lockers",] == found["consigne_lockers_online",] == 1
    assert found["consigne_deposits_total",] == found["consigne_pickups_total",] == 0
    assert found["consigne_event_lag_seconds",] == 0
    assert [value for (name, *_), value in found.items() if name == "consigne_build_info"] == [1]


def test_what_happens_is_counted(here: Town) -> None:
    first, second, _ = [act(here, "/v1/parcels", **parcel_body(label))["id"] for label in "abc"]
    here.deposit("mairie-1", 1, 1, ids.parcel_number(first))
    here.deposit("mairie-1", 2, 1, ids.parcel_number(second))
    here.collect("mairie-1", 1, 1)
    found = scraped(here)
    assert found["consigne_deposits_total",] == 2 and found["consigne_pickups_total",] == 1
    assert [found["consigne_parcels", state] for state in ("expected", "deposited", "collected")] == [1, 1, 1]
    assert found["consigne_compartments", "mairie-1", "M", "occupied"] == 1
    assert sum(value for (name, *_), value in found.items() if name == "consigne_compartments") == 3
    assert found["consigne_http_requests_total", "POST", "/v1/parcels", "201"] == 3


def test_alarms_orders_and_lockers_that_are_away_are_seen(here: Town) -> None:
    here.says("mairie-1", DoorFaulted(1, DOOR_STATES.index("jammed"), True))
    here.caller().post("/v1/lockers/mairie-1/compartments/2/open", json={"reason": "test"}, headers=key())
    found = scraped(here)
    assert found["consigne_commands_waiting",] >= 1
    assert sum(value for (name, *_), value in found.items() if name == "consigne_alarms_open") == 1
    assert found["consigne_compartments", "mairie-1", "M", "quarantined"] == 1
    here.now[0] += 3_600
    assert scraped(here)["consigne_lockers_online",] == 0


def test_the_lag_is_that_of_what_came_last(here: Town) -> None:
    parcel = act(here, "/v1/parcels", **parcel_body("a"))["id"]
    happened_s = here.now[0]
    here.now[0] += 90
    here.deposit("mairie-1", 1, 1, ids.parcel_number(parcel))
    with here.desk.store.transaction() as tx:
        tx.sql.execute("UPDATE events SET t_wall_s = ?", (happened_s,))
    assert scraped(here)["consigne_event_lag_seconds",] == 90


def test_deliveries_of_webhooks_are_counted_by_result(here: Town) -> None:
    act(here, "/v1/webhooks", url="https://1.1.1.1/")
    act(here, "/v1/parcels", **parcel_body("a"))
    for failure in ("timeout", ""):
        here.now[0] += 60
        [ready] = deliveries.ready(here.desk)
        [due] = deliveries.due(here.desk, ready.webhook, 9)
        deliveries.settle(here.desk, [Outcome(due, failure)])
    found = scraped(here)
    results = [found["consigne_webhook_deliveries_total", result] for result in deliveries.RESULTS]
    assert results == [1, 1, 0] and found["consigne_webhooks", "active"] == 1


def test_only_an_operator_with_the_scope_may_scrape(here: Town) -> None:
    for caller in (here.caller("courier", "colibri"), here.caller(scopes=SCOPES - {"lockers:read"})):
        answer = caller.get("/metrics")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert here.with_secret(None).get("/metrics").status_code == 401
    assert here.caller(scopes=frozenset({"lockers:read"})).get("/metrics").status_code == 200


def test_a_scrape_of_a_moment_ago_is_no_way_around_that(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.METRICS_KEPT_S", 3_600.0)
    assert scraped(here)["consigne_deposits_total",] == 0
    assert here.caller("courier", "colibri").get("/metrics").status_code == 403


def test_scraping_often_costs_one_look_into_the_books(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.METRICS_KEPT_S", 3_600.0)
    before = scraped(here)["consigne_parcels", "expected"]
    act(here, "/v1/parcels", **parcel_body("a"))
    assert scraped(here)["consigne_parcels", "expected"] == before


def test_no_parcel_person_or_tenant_is_told(here: Town) -> None:
    recipient = {"name": "Anna Canary", "mail": "canary@mail.fr", "phone": "+33 3 99"}
    body = parcel_body("label-canary", carrier="colibri", merchant="bookshop", recipient=recipient)
    parcel = act(here, "/v1/parcels", **body)["id"]
    here.deposit("mairie-1", 1, 1, ids.parcel_number(parcel))
    caller = here.caller()
    assert caller.get(f"/v1/parcels/{parcel}").status_code == 200
    said = caller.get("/metrics").text
    for canary in (parcel, "anary", "colibri", "bookshop", "+33"):
        assert canary not in said, canary


def test_strangers_cannot_make_rows_of_their_own(here: Town) -> None:
    """Neither with addresses nor with methods that there are none of."""
    caller = here.caller()
    for number in range(20):
        caller.get(f"/v1/nowhere-{number}")
        caller.request(f"M{number}", "/v1/parcels")
    rows = [row for row in scraped(here) if row[0] == "consigne_http_requests_total"]
    assert ("consigne_http_requests_total", "GET", "-", "404") in rows
    assert {row[1] for row in rows} <= {"GET", "POST", "other"}


def test_a_label_that_would_break_the_format_is_escaped(here: Town) -> None:
    with here.desk.store.transaction() as tx:
        tx.raise_alarm("mairie-1", 0, 'a "kind"\\of\nits own', None, here.now[0])
    assert scraped(here)["consigne_alarms_open", 'a "kind"\\of\nits own'] == 1

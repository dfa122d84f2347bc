"""What a locker's sensors say: the last value is kept and shown, and what is out of its bounds is an alarm."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from http_town import Town, key, open_locker, town
from pages_town import browser
from prometheus_client.parser import text_string_to_metric_families

from gateway.domain.events import Arrival
from gateway.domain.readings import QUANTITIES
from gateway.services.take_up import take_up
from protocol.messages import Measured, Up

SAID = (("temperature_dc", -55), ("supply_mv", 11_980), ("energy_mwh", 2_500), ("tamper", 1), ("what_comes_later", 9))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setattr("gateway.limits.METRICS_KEPT_S", 0.0)
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def tells(here: Town, name: str, value: int, at_s: int | None = None) -> None:
    up = Up(1, 0, 1, here.now[0] if at_s is None else at_s, Measured(name, value))
    take_up(here.desk, [Arrival("mairie-1", up)])


def alarms(here: Town) -> set[str]:
    with here.desk.store.reading() as tx:
        return {alarm.kind for alarm in tx.alarms(True, 99)}


def readings(here: Town, role: str = "operator", tenant: str = "") -> dict[str, float]:
    answer = here.caller(role, tenant).get("/v1/lockers/mairie-1")
    assert answer.status_code == 200, answer.text
    return {one["name"]: one["value"] for one in answer.json()["readings"]}


def gauges(here: Town) -> dict[str, float]:
    families = text_string_to_metric_families(here.caller().get("/metrics").text)
    sensors = [family for family in families if family.name.startswith("consigne_locker_")]
    assert [family.name for family in sensors] == [f"consigne_locker_{one.name}" for one in QUANTITIES.values()]
    assert all(family.type == "gauge" and family.documentation for family in sensors)
    return {family.name.removeprefix("consigne_locker_"): row.value for family in sensors for row in family.samples}


def test_the_last_value_of_each_sensor_is_told_in_base_units_and_an_unknown_one_is_let_go(here: Town) -> None:
    assert readings(here) == gauges(here) == {}
    for name, value in (("temperature_dc", 215), *SAID):
        tells(here, name, value)
    told = {"temperature_celsius": -5.5, "supply_volts": 11.98, "energy_joules": 9_000.0, "housing_open": 1.0}
    assert readings(here) == gauges(here) == told
    assert here.caller().get("/v1/lockers").json()["data"][0]["readings"] == []


def test_carriers_and_merchants_are_told_nothing_of_a_housing(here: Town) -> None:
    tells(here, "tamper", 1)
    assert readings(here, "courier", "colibri") == {}


def test_a_value_that_comes_late_replaces_none_that_is_newer(here: Town) -> None:
    tells(here, "temperature_dc", 215)
    tells(here, "temperature_dc", 300, here.now[0] - 60)
    assert readings(here) == {"temperature_celsius": 21.5}


def test_an_old_value_is_still_shown_with_its_age_and_is_no_gauge_any_more(here: Town) -> None:
    tells(here, "temperature_dc", 215)
    here.now[0] += 3_600
    assert gauges(here) == {} and readings(here) == {"temperature_celsius": 21.5}


def test_the_operators_page_shows_them_in_both_languages(here: Town) -> None:
    visitor = browser(here)
    path = "/operator/lockers/mairie-1"
    assert "Capteurs" not in visitor.get(path).text
    for name, value in SAID:
        tells(here, name, value)
    french, english = visitor.get(f"{path}?lang=fr").text, visitor.get(f"{path}?lang=en").text
    for page, said in (
        (
            french,
            ("Capteurs", "-5,5\N{NO-BREAK SPACE}°C", "12,0\N{NO-BREAK SPACE}V", "2,5\N{NO-BREAK SPACE}Wh", "ouvert"),
        ),
        (
            english,
            ("Sensors", "-5.5\N{NO-BREAK SPACE}°C", "12.0\N{NO-BREAK SPACE}V", "2.5\N{NO-BREAK SPACE}Wh", "open"),
        ),
    ):
        assert all(word in page for word in said), page


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("temperature_dc", (600, 601, 580, 550), "temperature_high"),
        ("temperature_dc", (-200, -201, -180, -150), "temperature_low"),
        ("supply_mv", (9_600, 9_599, 9_700, 10_200), "supply_low"),
    ],
)
def test_what_is_out_of_its_bounds_is_one_alarm_that_ends_by_itself_once_it_is_well_back(
    here: Town, name: str, values: tuple[int, int, int, int], kind: str
) -> None:
    quiet, crossing, between, settled = values
    tells(here, name, quiet)
    assert alarms(here) == set()
    for value in (crossing, between, crossing):
        tells(here, name, value)
        assert alarms(here) == {kind}
    tells(here, name, settled)
    assert alarms(here) == set()
    tells(here, name, crossing)
    assert alarms(here) == {kind}
    page = browser(here).get("/operator/alarms").text
    assert "L’alarme s’éteint" in page or "l’alarme s’éteint" in page


def test_a_supply_that_its_locker_calls_low_is_an_alarm_until_its_voltage_is_back(here: Town) -> None:
    tells(here, "supply_mv", 11_980)  # as it is now: it was low while nobody heard
    tells(here, "supply_low", 1)
    assert alarms(here) == {"supply_low"} and readings(here) == {"supply_volts": 11.98}
    tells(here, "supply_low", 0)
    assert alarms(here) == {"supply_low"}
    tells(here, "supply_mv", 11_980)
    assert alarms(here) == set()


def test_values_of_one_batch_are_each_looked_at_and_the_last_is_kept(here: Town) -> None:
    said = [Up(1, 0, 1, here.now[0], Measured("temperature_dc", value)) for value in (601, 215)]
    take_up(here.desk, [Arrival("mairie-1", up) for up in said])
    assert alarms(here) == set() and readings(here) == {"temperature_celsius": 21.5}
    assert here.caller().get("/v1/lockers/nowhere", headers=key()).status_code == 404

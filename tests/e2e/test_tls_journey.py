"""The main job over TLS: a real locker that knows the gateway's own CA, and a port without TLS for nobody else. And,
over the same link, what its sensors say.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from scene import Scene

from protocol.keys import console_answer
from tools.console import Session, log_in, open_port
from tools.demo.journey import play
from tools.demo.stack import Stack, quiet
from tools.locker.cabinets import sensing

LOCKER = "mairie-1"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    flags = ("--broker-tls", "127.0.0.1:0", "--broker-names", "localhost,127.0.0.1")
    with Stack(tmp_path_factory.mktemp("stack"), flags=flags) as running:
        running.add_locker(sensing(LOCKER))
        running.wait_online()
        yield running


def test_a_parcel_is_deposited_and_collected_behind_tls_also_after_the_gateway_was_killed(stack: Stack):
    scene = Scene(stack, LOCKER)
    bundle = stack.lockers[LOCKER].bundle
    assert bundle.authorities and bundle.broker[1] != stack.broker[1]
    play(stack, LOCKER, quiet, "keypad")
    since = scene.last_seq()
    stack.kill_gateway()
    stack.start_gateway()  # with the same CA, and on the same port
    scene.knock()
    stack.wait_online(LOCKER)
    play(stack, LOCKER, quiet, "scanner")
    assert scene.types_since(since).count("Collected") == 1
    scene.assert_books_exact()


def alarms(stack: Stack) -> set[str]:
    books = f"file:{stack.data / 'consigne.db'}?mode=ro"
    with closing(sqlite3.connect(books, uri=True)) as database:
        return {row[0] for row in database.execute("SELECT kind FROM alarms WHERE cleared_s IS NULL")}


def test_a_weak_supply_and_an_open_housing_are_alarms_and_a_selftest_names_the_sensor_that_is_gone(stack: Stack):
    scene = Scene(stack, LOCKER)
    cabinet = scene.cabinet
    with open_port(scene.locker.console) as port:
        person = Session(port, wait_s=30)

        def sensed(name: str) -> int | None:
            return person.ask("sensors").get(name)

        stack.wait_for("both sensors", lambda: sensed("supply_mv") and sensed("temperature_dc"))
        assert alarms(stack) == set()
        cabinet.sense("supply_mv", 9_063)
        cabinet.sense("tamper", 1)
        cabinet.sensor("thermometer", "silent")
        stack.wait_for("both alarms", lambda: alarms(stack) == {"housing_open", "supply_low"})
        told = {one["name"]: one["value"] for one in stack.api.get(f"/v1/lockers/{LOCKER}")["readings"]}
        assert told.pop("energy_joules") > 0
        assert told == {"temperature_celsius": 21.5, "supply_volts": 9.0, "housing_open": 1}
        cabinet.sensor("meter", "silent")
        stack.wait_for("what is gone", lambda: (sensed("meter"), sensed("thermometer")) == (0, 0))
        key = scene.locker.bundle.key
        log_in(person, "anne", lambda _locker, challenge: console_answer(key, bytes.fromhex(challenge), "anne"))
        findings = set(person.ask("selftest")["findings"])
        assert findings == {"supply low", "housing open", "meter silent", "thermometer silent"}
        assert all(part in " ".join(person.told) for part in ("INA226", "DS18B20", "verifiez sa prise"))
        cabinet.sensor("meter", "silent", on=False)
        cabinet.sense("supply_mv", 12_100)
        stack.wait_for("the supply is back", lambda: alarms(stack) == {"housing_open"})

"""Whatever dies on the way, the journey ends right and every event is in the books exactly once."""

import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from scene import Scene

from tools.demo.journey import Play, coil_on
from tools.demo.stack import Stack


@pytest.fixture
def scene(stack: Stack) -> Scene:
    """Freshly booted, and online."""
    scene = Scene(stack, "mairie-1")
    since = scene.last_seq()
    scene.cut_power()
    scene.knock()
    scene.wait_event("Booted", since)
    return scene


def collect(part: Play) -> None:
    part.type_code()
    part.close_door()
    part.collected()
    part.close()


def test_a_broker_killed_while_a_door_is_open_costs_nothing(scene: Scene) -> None:
    since = scene.last_seq()
    part = scene.part()
    part.expect()
    part.show_badge()
    part.scan_label()
    os.kill(int(scene.stack.gateway.ready["broker_pid"]), signal.SIGKILL)
    part.close_door()
    part.courier_leaves()
    scene.knock()
    part.deposited()
    collect(part)
    assert scene.types_since(since).count("Deposited") == 1
    assert scene.types_since(since).count("Collected") == 1
    scene.assert_books_exact()


def test_a_gateway_killed_between_two_events_misses_none_and_doubles_none(scene: Scene) -> None:
    since = scene.last_seq()
    part = scene.part()
    part.expect()
    part.show_badge()
    part.scan_label()
    scene.stack.kill_gateway()
    part.close_door()
    scene.stack.start_gateway()
    part.courier_leaves()
    scene.knock()
    part.deposited()
    code = scene.code(part)
    scene.stack.kill_gateway()
    scene.cabinet.keys(code)  # the customer is served by a locker that is alone
    part.door("open")
    part.close_door()
    scene.stack.start_gateway()
    scene.knock()
    part.collected()
    part.close()
    types = scene.types_since(since)
    assert [types.count(kind) for kind in ("DepositAuthorised", "Deposited", "PickupAuthorised", "Collected")] == [
        1
    ] * 4
    scene.assert_books_exact()


def test_a_gateway_killed_right_after_a_commit_counts_the_event_once(scene: Scene) -> None:
    since = scene.last_seq()
    part = scene.deposit()
    code = scene.code(part)
    books = f"file:{scene.stack.data / 'consigne.db'}?mode=ro"
    with closing(sqlite3.connect(books, uri=True)) as database:

        def committed() -> int:
            return database.execute("SELECT max(seq) FROM events WHERE locker = 'mairie-1'").fetchone()[0]

        before = committed()
        with ThreadPoolExecutor() as elsewhere:
            typing = elsewhere.submit(scene.cabinet.keys, code)
            while committed() == before:
                pass
            scene.stack.kill_gateway()  # its Ack is on the way at best
            typing.result()
    scene.cabinet.wait_for_door(part.compartment, "open")
    part.close_door()
    scene.stack.start_gateway()
    scene.knock()
    part.collected()
    part.close()
    assert scene.types_since(since).count("PickupAuthorised") == 1
    assert scene.types_since(since).count("Collected") == 1
    scene.assert_books_exact()


def test_a_locker_killed_in_mid_pulse_lets_go_of_the_coil_and_serves_the_code_again(scene: Scene) -> None:
    since = scene.last_seq()
    part = scene.deposit()
    code = scene.code(part)
    scene.cabinet.jam(part.compartment)  # or the door would be open before we can kill
    scene.cabinet.watch()
    with ThreadPoolExecutor() as elsewhere:  # a coil is on before they have let go of the last key
        typing = elsewhere.submit(scene.cabinet.keys, code)
        scene.cabinet.wait_until(lambda state: coil_on(state, part.compartment))
        scene.cabinet.kill()
        typing.result()
    scene.cabinet.wait_for(lambda event: event["event"] == "power" and not event["on"])
    assert not coil_on(scene.cabinet.state(), part.compartment)
    scene.cabinet.jam(part.compartment, on=False)
    scene.knock()
    scene.wait_event("Booted", since)
    collect(part)
    types = scene.types_since(since)
    assert types.count("PickupAuthorised") == 2
    assert types.count("Collected") == 1
    assert max(pulse["ms"] for pulse in scene.cabinet.state()["pulses"]) <= 1000
    scene.assert_books_exact()


def test_a_customer_is_served_while_the_cable_is_cut_and_the_books_learn_it_later(scene: Scene) -> None:
    since = scene.last_seq()
    part = scene.deposit()
    code = scene.code(part)
    scene.cabinet.cable("reset")
    scene.cabinet.keys(code)
    part.door("open")
    part.close_door()
    assert scene.stack.api.get(f"/v1/parcels/{part.parcel}")["state"] == "deposited"
    assert "Collected" not in scene.types_since(since)
    scene.cabinet.cable("none")
    scene.knock()
    part.collected()
    part.close()
    assert scene.types_since(since).count("Collected") == 1
    scene.assert_books_exact()

"""Modules are replaced, added and retired while the locker works: no parcel is lost, and the books follow at once."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from scene import Scene

from protocol.keys import console_answer
from tools.console import Session, open_port
from tools.demo.journey import BOARD_HAND_S, Play
from tools.demo.stack import Stack
from tools.locker.cabinets import mairie

LOCKER = "halles-1"
GOAL_S = 60.0
TRIAL_S = 8
UART = 3
AWAY = ["occupied", *["out_of_service"] * 3]


def boxes(sizes: str, first: int, on_pins: bool = False) -> list[dict[str, Any]]:
    pattern: dict[str, Any] = mairie()["modules"][0]["compartments"][0]
    made: list[dict[str, Any]] = []
    for place, size in enumerate(sizes):
        number = first + place
        wires = {"lock": 100 + number, "door": 200 + number} if on_pins else {"lock": place + 1}
        bare = {name: value for name, value in pattern.items() if name not in ("lock", "door")}
        made.append(bare | {"number": number, "size": size, "y_mm": 150 + 260 * place} | wires)
    return made


def hardware() -> dict[str, Any]:
    """A hangs on a lock board, B on pins, C on a board of its own; D stands beside, wired and not yet told of."""
    on_bus = {"driver": "cu16", "bus": 0}
    modules = [
        {"name": "A", "id": "KR-0042", **on_bus, "address": 0, "compartments": boxes("MM", 1)},
        {"name": "B", "id": "KR-0043", "compartments": boxes("SSS", 3, on_pins=True)},
        {"name": "C", "id": "KR-0044", **on_bus, "address": 1, "compartments": boxes("LL", 6)},
        {"name": "D", "driver": "cu48", "bus": 0, "address": 2, "spare": True, "compartments": boxes("LSSS", 8)},
    ]
    for place, module in enumerate(modules):
        module |= {"x_mm": 450 * place, "width_mm": 450}
    return mairie(LOCKER) | {"modules": modules, "buses": [{"uart": UART}], "width_mm": 1800, "trial_s": TRIAL_S}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Stack(tmp_path_factory.mktemp("modules")) as stack:
        stack.add_locker(hardware())
        stack.wait_online()
        scene = Scene(stack, LOCKER)
        scene.wait_event("Booted", 0)
        yield scene


class Technician:
    """At the cable. Waits for whoever stands at the doors, as people do, and logs in again after a restart."""

    def __init__(self, scene: Scene, panel: threading.Lock) -> None:
        self.scene = scene
        self.panel = panel
        self.session = Session(open_port(scene.locker.console), wait_s=30)

    def says(self, line: str) -> dict[str, Any]:
        return self.session.ask(line)

    def logs_in(self) -> None:
        challenge = bytes.fromhex(self.says("login anne")["challenge"])
        self.says("answer " + console_answer(self.scene.locker.bundle.key, challenge, "anne"))

    def tries(self) -> None:
        """The locker is back, on trial, when this returns."""
        assert self.says("config try")["restart"]
        self.logs_in()
        self.scene.cabinet.wait_for_screen("code")

    def leaves(self) -> None:
        self.session.port.close()


class Load:
    """Couriers and customers at the other modules, one visit after the other, all along."""

    def __init__(self, scene: Scene, panel: threading.Lock) -> None:
        self.scene = scene
        self.panel = panel
        self.visits = 0
        self._over = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                with self.panel:
                    part = self.scene.deposit("S")
                with self.panel:
                    collect(part)
                self.visits += 1
                time.sleep(0.1)  # a lock is not fair
        except BaseException as error:
            self._failed.append(error)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._failed:
            raise self._failed[0]


def collect(part: Play) -> None:
    part.type_code()
    part.close_door()
    part.collected()
    part.close()


def layout(scene: Scene) -> list[tuple[int, str, str]]:
    page = scene.stack.api.get(f"/v1/lockers/{LOCKER}/compartments")
    return [(box["number"], box["module"], box["availability"]) for box in page["data"]]


def shut_once_open(scene: Scene, door: int) -> None:
    scene.cabinet.wait_for_door(door, "open")
    time.sleep(BOARD_HAND_S)
    scene.cabinet.push(door)


def opens_and_shuts(scene: Scene, technician: Technician, module: str, door: int) -> None:
    hand = threading.Thread(target=shut_once_open, args=(scene, door))
    hand.start()
    opened = technician.says(f"module retire {module} {door}")
    hand.join()
    assert opened["compartment"] == door


def state_of(scene: Scene, part: Play) -> str:
    return scene.stack.api.get(f"/v1/parcels/{part.parcel}")["state"]


def alarms(scene: Scene) -> list[tuple[int, str]]:
    books = f"file:{scene.stack.data / 'consigne.db'}?mode=ro"
    with closing(sqlite3.connect(books, uri=True)) as database:
        return database.execute("SELECT compartment, kind FROM alarms WHERE cleared_s IS NULL").fetchall()


def test_a_module_swapped_under_load_loses_no_parcel_and_the_books_are_right_within_a_minute(scene: Scene) -> None:
    panel = threading.Lock()
    kept = [scene.deposit("M"), scene.deposit("M"), scene.deposit("S")]
    assert [part.compartment for part in kept] == [1, 2, 3] or kept[2].compartment in (3, 4, 5)
    technician = Technician(scene, panel)
    with Load(scene, panel) as load:
        scene.cabinet.ask("board", module="A", fault="silent")
        died = time.monotonic()
        scene.stack.wait_for("alarm", lambda: (1, "module_lost") in alarms(scene), GOAL_S)
        scene.cabinet.ask("rewire", module="A", driver="cu48", address=1)
        with panel:  # one person at a time, at a locker with its controller open
            technician.logs_in()
            found = technician.says("module scan")["found"]
            assert ["cu48", 1, "ok"] in [row[:3] for row in found]
            technician.says("module replace A driver=cu48 address=1")
            technician.tries()
        technician.says("config confirm")
        scene.stack.wait_for("no alarm", lambda: (1, "module_lost") not in alarms(scene), GOAL_S)
        right_s = time.monotonic() - died
    assert [row[:2] for row in layout(scene)] == [(1, "A"), (2, "A"), (3, "B"), (4, "B"), (5, "B"), (6, "C"), (7, "C")]
    assert [row[2] for row in layout(scene)][:2] == ["occupied", "occupied"]
    print(f"module swapped: layout right {right_s:.1f} s after its board died, {load.visits} visits meanwhile")
    assert right_s < GOAL_S and load.visits > 0
    for part in kept:
        scene.code(part)
        collect(part)
    technician.leaves()
    scene.assert_books_exact()


def test_a_module_is_added_and_an_empty_one_retired_and_its_numbers_are_never_used_again(scene: Scene) -> None:
    technician = Technician(scene, threading.Lock())
    technician.logs_in()
    technician.says("module add D driver=cu48 address=2 sizes=LSSS id=KR-0051")
    technician.says("module retire C")
    technician.tries()
    technician.says("config confirm")
    technician.leaves()
    wanted = [(number, "D") for number in (8, 9, 10, 11)]
    scene.stack.wait_for("the new layout", lambda: [row[:2] for row in layout(scene)][-4:] == wanted, GOAL_S)
    scene.stack.wait_for("free", lambda: [row[2] for row in layout(scene)] == ["free"] * 9, GOAL_S)
    part = scene.deposit("L")
    assert part.compartment == 8
    collect(part)
    assert alarms(scene) == []
    scene.assert_books_exact()


def test_a_parcel_keeps_its_module_and_a_trial_that_nobody_confirms_ends_by_itself(scene: Scene) -> None:
    part = scene.deposit("L")
    technician = Technician(scene, threading.Lock())
    technician.logs_in()
    leaving = {"leaving": "D", "left": {"held": [8]}, "next": "module retire D 8"}
    assert technician.says("module retire D") == leaving
    scene.stack.wait_for("not offered", lambda: [row[2] for row in layout(scene)[5:]] == AWAY, GOAL_S)
    assert technician.says("module retire D cancel") == {"leaving": None}
    scene.stack.wait_for("offered", lambda: [row[2] for row in layout(scene)[6:]] == ["free"] * 3, GOAL_S)
    technician.says("module retire B")
    technician.tries()
    assert technician.says("config")["trial"]
    since = time.monotonic()
    scene.stack.wait_for("three doors less", lambda: len(layout(scene)) == 6, GOAL_S)
    scene.stack.wait_for("all of them", lambda: len(layout(scene)) == 9, GOAL_S)
    print(f"nobody confirmed: back after {time.monotonic() - since:.1f} s")
    scene.cabinet.wait_for_screen("code")
    technician.leaves()
    collect(part)
    scene.assert_books_exact()


def test_a_technician_leads_a_module_out_and_the_parcels_record_says_so(scene: Scene) -> None:
    fetched, left = scene.deposit("L"), scene.deposit("M")
    assert {fetched.compartment, left.compartment} <= {8, 1, 2}
    module = "A" if left.compartment in (1, 2) else "D"
    technician = Technician(scene, threading.Lock())
    technician.logs_in()
    technician.says(f"module retire {module}")
    collect(fetched)
    opens_and_shuts(scene, technician, module, left.compartment)
    assert technician.says("logout") == {"unsettled": left.compartment}
    untold = (left.compartment, "parcel_without_code")
    scene.stack.wait_for("the operator to be told", lambda: untold in alarms(scene), GOAL_S)
    scene.stack.api.post(f"/v1/parcels/{left.parcel}/reissue", {"reason": "it is inside"})
    scene.stack.wait_for("another code", lambda: alarms(scene) == [], GOAL_S)
    technician.logs_in()
    opens_and_shuts(scene, technician, module, left.compartment)
    emptied = technician.says(f"module retire {module} {left.compartment} taken")
    assert emptied["left"] == {}
    assert technician.says(f"module retire {module}") == {"next": "config try", "staged": True}
    technician.leaves()
    scene.stack.wait_for("taken back", lambda: state_of(scene, left) == "taken_back", GOAL_S)
    assert state_of(scene, fetched) == "collected" and alarms(scene) == []
    scene.assert_books_exact()

"""One run: a stack, people, faults; then everything whole again, 120 s, and the rules."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.chaos import rules
from tools.chaos.evidence import Books, Locker, journal_of
from tools.chaos.faults import Faults
from tools.chaos.schedule import CALM_S, Fault
from tools.chaos.street import Street
from tools.chaos.witness import Witness
from tools.client import Failed
from tools.demo.stack import Stack
from tools.locker.cabinets import gare, mairie
from tools.locker.client import CabinetError, door_of
from tools.locker.flash import read_files

CABINETS = {"mairie-1": mairie, "gare-1": gare, "mairie-2": mairie}
HEALED_S = 120.0  # L1
OPENS_S = 60.0  # L2
LOOK_S = 1.0
BACKUP_CHANCE = 0.2  # before each fault; so the books go back by a minute, or by several
LOGS = ("gateway.log", "process.log", "locker.log")
Say = Callable[[str], None]


@dataclass
class Outcome:
    seed: int
    minutes: float
    numbers: dict[str, Any] = field(default_factory=dict[str, Any])
    wrong: list[str] = field(default_factory=list[str])

    def document(self) -> dict[str, Any]:
        return {"seed": self.seed, "minutes": self.minutes, **self.numbers, "violations": len(self.wrong)}


class Run:
    def __init__(self, stack: Stack, seed: int, say: Say) -> None:
        self.stack = stack
        self.seed = seed
        self.say = say
        self.wrong: list[str] = []
        self.numbers: dict[str, Any] = {}
        self.witnesses = {name: Witness(locker) for name, locker in stack.lockers.items()}
        self.faults = Faults(stack, self.witnesses, seed)
        self.books = Books(self.faults.books.path)
        for witness in self.witnesses.values():
            witness.see_a_boot()
        stack.wait_online()
        self.streets = {
            name: Street(stack, locker, self.witnesses[name], f"{seed} {name}")
            for name, locker in stack.lockers.items()
        }
        self._begun = time.monotonic()

    def close(self) -> None:
        for witness in self.witnesses.values():
            witness.close()

    # -------------------------------------------------------------- the storm
    def storm(self, faults: Sequence[Fault], seconds: float, late_s: float = 0.0) -> None:
        """`late_s`: for so much longer, should the machine be late with the faults."""
        over = threading.Event()
        people = [
            threading.Thread(target=street.live, args=(over,), name=f"street {name}", daemon=True)
            for name, street in self.streets.items()
        ]
        people.append(threading.Thread(target=self._look_at_allocations, args=(over,), daemon=True))
        for one in people:
            one.start()
        self._begun = time.monotonic()
        pauses = random.Random(f"{self.seed} pauses")
        self.faults.take_backup()
        for fault in faults:
            self._sleep_until(fault.at_s)
            if pauses.random() < BACKUP_CHANCE:
                self.faults.take_backup()
            if time.monotonic() - self._begun > seconds + late_s:
                break
            self.say(f"{time.monotonic() - self._begun:6.1f} s  {fault.kind} {fault.locker}")
            self.faults.strike(fault)
            time.sleep(pauses.uniform(*CALM_S) / 2)
        self._sleep_until(seconds)
        over.set()
        self._calm(time.monotonic())
        for one in people:
            one.join(100)
            if one.is_alive():
                self.wrong.append(f"chaos: {one.name} did not come to an end")

    def _sleep_until(self, at_s: float) -> None:
        time.sleep(max(0.0, self._begun + at_s - time.monotonic()))

    def _look_at_allocations(self, over: threading.Event) -> None:
        """At no time two, not even for a second."""
        statement = (
            "SELECT locker, compartment FROM allocations WHERE ended_s IS NULL"
            " GROUP BY locker, compartment HAVING count(*) > 1"
        )
        while not over.wait(LOOK_S):
            with self.faults.looking, contextlib.suppress(Exception):
                self.wrong += [f"I6: two live allocations of {row}" for row in self.books.rows(statement)]

    # -------------------------------------------------------------- the calm
    def _calm(self, begun: float) -> None:
        """L1, while the last people finish what they came for."""
        self.faults.lift_all()
        self.wrong += [f"L1: {why}" for why in self._agreed(begun + HEALED_S)]
        self.numbers["healed_s"] = round(time.monotonic() - begun, 1)
        self.say(f"healed after {self.numbers['healed_s']} s")

    def heal(self) -> None:
        """L2, and L1 once more for what the last people and L2 did."""
        for street in self.streets.values():
            street.tidy()
        self.wrong += [f"L1: {why}" for why in self._agreed(time.monotonic() + HEALED_S)]
        slowest = 0.0
        with ThreadPoolExecutor(len(self.streets)) as all_at_once:
            for slow in all_at_once.map(self._live_codes_open, self.streets.values()):
                slowest = max(slowest, slow)
        self.numbers["slowest_code_s"] = round(slowest, 1)
        self.wrong += [f"L1: {why}" for why in self._agreed(time.monotonic() + HEALED_S)]

    def _agreed(self, until: float) -> list[str]:
        """What still differs when time is up; empty as soon as nothing does."""
        while True:
            differs = [why for name in self.streets for why in self._differences(name)]
            if not differs or time.monotonic() > until:
                return differs
            time.sleep(0.5)

    def _differences(self, name: str) -> list[str]:
        net = self.witnesses[name].ask_console("net")
        if net is None or not net.get("last"):
            return [f"{name}: the console does not answer"]
        if net["acked"] != net["last"]:
            return [f"{name}: {net['acked']} of {net['last']} acknowledged; the link is {net['state']}"]
        if net["state"] != "online":
            return [f"{name}: the link is {net['state']}, {net['retry_ms']} ms before it is tried again"]
        told = self.books.last_seq(name)
        if told != net["last"]:
            return [f"{name}: {told} of {net['last']} in the books"]
        state = self.streets[name].cabinet.state()
        standings = self.books.standings(name)
        cabinet = {door: door_of(state, door) for door in standings}
        return [f"{name}: {why}" for why in rules.same_doors(cabinet, standings)]

    def _live_codes_open(self, street: Street) -> float:
        """Every parcel that the books call deposited is there for its recipient, by its newest code."""
        slowest = 0.0
        self.numbers.setdefault("live_codes", 0)
        for row in list(self.stack.api.pages("/v1/parcels", limit=200)):
            if row["locker"] != street.locker.id or row["state"] != "deposited":
                continue
            begun = time.monotonic()
            code = self.stack.api.get(f"/v1/parcels/{row['id']}/pickup")["code"].replace(" ", "")
            door = self._opened_by(street, code, begun + OPENS_S)
            if door != row["compartment"]:
                screen = " / ".join(street.cabinet.state()["screen"])
                expected = f"{street.locker.id}: the code of {row['id']} for door {row['compartment']}"
                self.wrong.append(f"L2: {expected} opened {door or 'nothing'}; the screen says: {screen}")
                continue
            slowest = max(slowest, time.monotonic() - begun)
            self.numbers["live_codes"] += 1
            parcel = street.contents.get(door)
            if parcel is not None and parcel.id != row["id"]:
                self.wrong.append(f"I2: {row['id']} is in door {door} by the books, and {parcel.id} lies there")
            street.take(door, parcel.person if parcel is not None else "")
        return slowest

    def _opened_by(self, street: Street, code: str, until: float) -> int:
        while time.monotonic() < until:
            door = street.show("", code, 7.0)
            if door:
                return door
        return 0

    # -------------------------------------------------------------- the rules
    def judge(self) -> None:
        lockers = list(self.stack.lockers)
        self.faults._note_if_dead()
        self.wrong += [f"died: {why}" for why in self.faults.failed]
        for name in lockers:
            self._judge_processes(name)
            self.stack.lockers[name].cabinet.power(False)
            self.stack.lockers[name].cabinet.wait_until(lambda state: not state["powered"], 10)
        self.numbers["events"] = 0
        for name in lockers:
            journal = journal_of(read_files(self.stack.lockers[name].folder / "flash.img"))
            books = self.books.events(name)
            found = Locker(name, journal, books, self.witnesses[name].pulses(), self.books.standings(name))
            self.wrong += rules.check(found)
            self.wrong += [f"{name}: {why}" for why in self._lost_parcels(name, found)]
            self.numbers["events"] += len(books)
        self.wrong += rules.one_allocation(self.books.allocations())
        alarms = self.books.alarms()
        self.wrong += rules.possible_alarms(alarms)
        self._judge_logs()
        counts = sum((street.counts for street in self.streets.values()), Counter[str]())
        self.wrong += [f"{name}: {why}" for name, street in self.streets.items() for why in street.wrong]
        self.wrong += [
            f"I3: {name}: {parcel.id} was fetched {parcel.taken} times"
            for name, street in self.streets.items()
            for parcel in street.fetched
            if parcel.taken > 1
        ]
        self.numbers |= {
            "kills": dict(self.faults.kills),
            "faults": dict(self.faults.struck),
            "pulses": sum(witness.pulse_count for witness in self.witnesses.values()),
            **{name.replace(" ", "_"): count for name, count in sorted(counts.items())},
            "alarms": alarms,
        }

    def _judge_processes(self, name: str) -> None:
        locker = self.stack.lockers[name]
        if not locker.process.alive:
            self.wrong.append(f"died: {name}'s cabinet ended by itself")
        failed = locker.cabinet.state()["failed"]
        if failed:
            self.wrong.append(f"died: {name}: {failed}")

    def _lost_parcels(self, name: str, found: Locker) -> list[str]:
        """What lies behind a door is in the locker's books, or a person has been told to look."""
        custody = rules.Custody()
        custody.walk(found.books)
        return [
            f"lost: {parcel.id} lies behind door {door}, which is free for anybody by the books"
            for door, parcel in self.streets[name].contents.items()
            if not custody.holding.get(door) and not found.at_gateway[door].flagged
        ]

    def _judge_logs(self) -> None:
        for path in sorted(self.stack.folder.rglob("*.log")):
            if path.name in LOGS and "journal" not in path.parts:
                text = path.read_text("utf-8", "replace")
                self.wrong += rules.quiet_log(f"{path.parent.name}/{path.name}", text)


def play(
    folder: Path,
    seed: int,
    seconds: float,
    *,
    faults: Sequence[Fault],
    lockers: Sequence[str],
    say: Say,
    late_s: float = 0.0,
) -> Outcome:
    outcome = Outcome(seed, round(seconds / 60, 2))
    with Stack(folder) as stack:
        for name in lockers:
            stack.add_locker(CABINETS[name](name))
        stack.wait_online()
        run = Run(stack, seed, say)
        try:
            run.storm(faults, seconds, late_s)
            run.heal()
            run.judge()
        except (Failed, CabinetError, TimeoutError, OSError) as problem:
            run.wrong.append(f"chaos: {type(problem).__name__}: {problem}")
        finally:
            run.close()
        outcome.wrong = run.wrong
        outcome.numbers = run.numbers
    return outcome

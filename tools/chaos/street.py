"""The people in front of one locker, one after the other: couriers, customers, neighbours, an operator on a round.

Whatever fails is met as people meet it: they wait a little, try again later, or leave. What must never happen is
noted in `wrong`: a door that shows somebody else's parcel, a code that was taken back and opens.
"""

import contextlib
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.chaos.witness import Witness
from tools.client import Failed
from tools.demo.stack import RunningLocker, Stack
from tools.locker.client import CabinetError

CARRIER = "colis-bleu"
PERSONS = 12  # at each locker; some have more than one parcel there
FULL = 7  # parcels in a locker, from where on more is fetched than brought
AWAKE_S = 25.0
DOOR_S = 12.0  # the gateway's answer, and three pulses
REFUSED_S = 2.5  # no door opens for so long: refused
PAUSE_S = 5.5  # after a wrong code
ORDER_S = 66.0  # an order that nobody told the end of has run out by then
LOOK_S = 0.4  # how often people look up at the screen
NO = ("Hors ligne", "Pas de réponse", "inconnue", "Plus de place", "pleine", "non valable", "a déjà", "Faute de")
TYPING = "Votre code"  # on the screen, while digits wait for the others
REMOTE_MAX, GUESSES_MAX = 3, 2  # of ten commanded openings an hour, and of ten tries
Say = dict[str, Any]


@dataclass
class Parcel:
    id: str
    label: str
    person: str
    code: str = ""
    token: str = ""
    taken: int = 0


@dataclass
class Street:
    """`contents`: what really lies behind each door."""

    stack: Stack
    locker: RunningLocker
    witness: Witness
    seed: str
    wrong: list[str] = field(default_factory=list[str])
    counts: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.contents: dict[int, Parcel] = {}
        self.announced: list[Parcel] = []
        self.fetched: list[Parcel] = []
        self.cabinet = self.locker.cabinet
        self._badge = self.stack.api.post("/v1/badges", {"carrier": CARRIER, "holder": "livreur-7", "days": 1})[
            "token"
        ]

    # -------------------------------------------------------------- the day
    def live(self, over: threading.Event) -> None:
        while not over.is_set():
            self.visit()
            over.wait(self.chance.uniform(0.1, 0.8))

    def visit(self) -> None:
        try:
            self.tidy()
            self._chosen()()
        except (CabinetError, TimeoutError, OSError, Failed):
            self.counts["visits cut short"] += 1
            time.sleep(0.3)

    def _chosen(self) -> Callable[[], None]:
        held = len(self.contents)
        visits = {
            self.deposit: 5.0 if held < FULL else 1.0,
            self.collect: 0.7 * held,
            self.send_neighbour: 1.0 if held else 0.0,
            self.replace_code: 1.0 if held else 0.0,
            self.look_round: 1.0,
            self.open_remotely: 0.4 if self.counts["remote"] < REMOTE_MAX else 0.0,
            self.take_back: 0.4 if held and self.counts["remote"] < REMOTE_MAX else 0.0,
            self.guess: 0.2 if self.counts["guesses"] < GUESSES_MAX else 0.0,
        }
        return self.chance.choices(list(visits), list(visits.values()))[0]

    def tidy(self) -> None:
        """Nobody walks past an open door."""
        for box in self.cabinet.state()["compartments"]:
            if box["door"] == "open":
                self.push(box["number"])

    def push(self, door: int) -> None:
        with contextlib.suppress(CabinetError):
            self.cabinet.push(door)

    def awake(self) -> bool:
        """Whether somebody can use the panel; they wait a while for it."""
        until = time.monotonic() + AWAKE_S
        while not any(self.cabinet.state()["screen"]):
            if time.monotonic() > until:
                return False
            time.sleep(0.2)
        return True

    # -------------------------------------------------------------- couriers
    def deposit(self) -> None:
        parcels = [parcel for parcel in self.announced[:1]] or [self.announce()]
        if self.chance.random() < 0.4:
            parcels.append(self.announce())
        if not self.awake():
            return
        self.cabinet.scan(self._badge)
        try:
            self.cabinet.wait_for_screen("tiquette", 4)
        except TimeoutError:
            return
        for parcel in parcels:
            self._put_in(parcel)
        self.cabinet.keys("*")

    def announce(self) -> Parcel:
        label = f"CB{secrets.token_hex(5).upper()}FR"
        person = f"r{self.chance.randrange(PERSONS)}"
        wanted: Say = {"label": label, "locker": self.locker.id, "size": self.chance.choice("SSM"), "carrier": CARRIER}
        parcel = Parcel("", label, label)
        if self.chance.random() < 0.4:
            wanted["recipient_ref"] = parcel.person = person
        parcel.id = self.stack.api.post("/v1/parcels", wanted)["id"]
        self.announced.append(parcel)
        return parcel

    def _put_in(self, parcel: Parcel) -> None:
        mark = self.witness.mark()
        self.cabinet.scan(parcel.label)
        door = self._door_or_no(mark, DOOR_S)
        if not door:
            self._still_expected(parcel)
            return
        self.announced = [other for other in self.announced if other is not parcel]
        if door in self.contents:
            self.wrong.append(f"I6: a courier was shown door {door}, where {self.contents[door].id} lies")
        self.contents[door] = parcel
        self.counts["deposits"] += 1
        time.sleep(self.chance.uniform(0.2, 0.9))
        self.push(door)
        with contextlib.suppress(TimeoutError):
            self.cabinet.wait_for_screen("déposé", 2)

    def _still_expected(self, parcel: Parcel) -> None:
        """A parcel that the books have lost or will not have goes back to its sender."""
        state = self.state_of(parcel)
        if state not in ("expected", "reserved"):
            self.announced = [other for other in self.announced if other is not parcel]

    def state_of(self, parcel: Parcel) -> str:
        try:
            return str(self.stack.api.get(f"/v1/parcels/{parcel.id}")["state"])
        except Failed as failed:
            return "unknown" if failed.code else "expected"

    # -------------------------------------------------------------- customers
    def collect(self) -> None:
        door, parcel = self._some_parcel()
        if not self._message(parcel) or not self.awake():
            return
        found = self.show(parcel.token if self.chance.random() < 0.4 else "", parcel.code)
        if found:
            self.take(found, parcel.person)
            if self.chance.random() < 0.25:
                again = self.show("", parcel.code)
                if again:
                    self.counts["reopened"] += 1
                    self.take(again, parcel.person)
        elif door in self.contents:
            self.counts["refused"] += 1
            time.sleep(PAUSE_S)

    def _some_parcel(self) -> tuple[int, Parcel]:
        return self.chance.choice(sorted(self.contents.items()))

    def _message(self, parcel: Parcel) -> bool:
        """The customer's newest message: from the gateway, or the one that came before it went down."""
        with contextlib.suppress(Failed):
            pickup = self.stack.api.get(f"/v1/parcels/{parcel.id}/pickup")
            parcel.code, parcel.token = pickup["code"].replace(" ", ""), pickup["token"]
        return bool(parcel.code)

    def show(self, token: str, code: str, wait_s: float = 8.0) -> int:
        """Scan the token, or type the code; the door that opened, or 0."""
        if TYPING in "\n".join(self.cabinet.state()["screen"]):
            self.cabinet.keys("#")  # somebody left digits behind
        mark = self.witness.mark()
        if token:
            self.cabinet.scan(token)
        else:
            self.cabinet.keys(code)
        return self._door_or_no(mark, wait_s)

    def _door_or_no(self, mark: int, wait_s: float) -> int:
        """The door that opened; 0 when the screen says no, or nothing comes of it in time."""
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            door = self.witness.wait_opened(mark, LOOK_S)
            screen = "\n".join(self.cabinet.state()["screen"])
            if door or any(word in screen for word in NO):
                return door or self.witness.wait_opened(mark, LOOK_S)
        return 0

    def take(self, door: int, person: str) -> None:
        parcel = self.contents.get(door)
        if parcel is not None and parcel.person != person:
            self.wrong.append(f"I2: {person} was shown door {door}, where {parcel.person}'s {parcel.id} lies")
        elif parcel is not None:
            del self.contents[door]
            parcel.taken += 1
            self.fetched.append(parcel)
            self.counts["pickups"] += 1
        time.sleep(self.chance.uniform(0.2, 0.9))
        self.push(door)

    def guess(self) -> None:
        """Somebody's digits that belong to nobody."""
        if not self.awake():
            return
        self.counts["guesses"] += 1
        door = self.show("", "".join(self.chance.choices("0123456789", k=12)), REFUSED_S)
        if door:
            self.wrong.append(f"I2: digits out of the blue opened door {door}")
        time.sleep(PAUSE_S)

    # -------------------------------------------------------------- codes taken back
    def send_neighbour(self) -> None:
        _door, parcel = self._some_parcel()
        made = self.stack.api.post(f"/v1/parcels/{parcel.id}/delegations", {"name": "voisine"})
        if not self.awake():
            return
        if self.chance.random() < 0.5:
            found = self.show(made["token"], "")
            if found:
                self.counts["by neighbours"] += 1
                self.take(found, parcel.person)
            return
        operation = self.stack.api.delete(f"/v1/parcels/{parcel.id}/delegations/{made['id']}")
        if self._ended(operation, 10) == "done" and self.awake():
            self.counts["revoked"] += 1
            self._must_not_open(made["token"], "", "a delegation that was taken back")

    def replace_code(self) -> None:
        door, parcel = self._some_parcel()
        if not self._message(parcel):
            return
        former = parcel.code
        operation = self.stack.api.post(f"/v1/parcels/{parcel.id}/reissue", {})
        if self._ended(operation, 10) == "done" and door in self.contents and self.awake():
            self.counts["reissued"] += 1
            self._must_not_open("", former, "a code that was replaced")

    def _must_not_open(self, token: str, code: str, what: str) -> None:
        door = self.show(token, code, REFUSED_S)
        if door:
            self.wrong.append(f"I5: {what} opened door {door}")
        time.sleep(PAUSE_S)

    def _ended(self, operation: Say, wait_s: float) -> str:
        """How an operation stands after `wait_s` at the most; "unknown" when the books have lost it."""
        until = time.monotonic() + wait_s
        state = str(operation["state"])
        while state not in ("done", "failed", "unknown") and time.monotonic() < until:
            time.sleep(0.3)
            try:
                state = str(self.stack.api.get(f"/v1/operations/{operation['id']}")["state"])
            except Failed as failed:
                state = "unknown" if failed.code else state
        return state

    # -------------------------------------------------------------- operators
    def _ordered_open(self, path: str, body: Say) -> int:
        """Order it and stand there until it opens, or can no longer."""
        self.counts["remote"] += 1
        mark = self.witness.mark()
        operation = self.stack.api.post(path, body)
        until = time.monotonic() + ORDER_S
        while time.monotonic() < until:
            door = self.witness.wait_opened(mark, 1.0)
            if door:
                return door
            if self._ended(operation, 0.5) == "failed":  # refused by the locker, or its time has run out
                return 0
        return 0

    def open_remotely(self) -> None:
        door = self.chance.choice([box["number"] for box in self.cabinet.state()["compartments"]])
        opened = self._ordered_open(f"/v1/lockers/{self.locker.id}/compartments/{door}/open", {"reason": "essai"})
        if opened:
            self.counts["opened remotely"] += 1
            if opened != door:
                self.wrong.append(f"I2: door {door} was ordered and door {opened} opened")
            self.push(opened)

    def take_back(self) -> None:
        door, parcel = self._some_parcel()
        opened = self._ordered_open(f"/v1/parcels/{parcel.id}/takeback", {})
        if opened:
            if opened != door:
                self.wrong.append(f"I2: {parcel.id} was taken back from door {door} and door {opened} opened")
            self.contents.pop(opened, None)
            self.counts["taken back"] += 1
            self.push(opened)

    def look_round(self) -> None:
        """An operator with the keys of the house empties what nobody can be sure of, and says so."""
        rows = list(self.stack.api.pages(f"/v1/lockers/{self.locker.id}/compartments", limit=200))
        doubtful = [row["number"] for row in rows if row["quarantined"] and row["holding"] in ("free", "revoked")]
        for door in doubtful[:2]:
            self.contents.pop(door, None)
            path = f"/v1/lockers/{self.locker.id}/compartments/{door}/release"
            if self._ended(self.stack.api.post(path, {"reason": "contrôle"}), 10) == "done":
                self.counts["released"] += 1

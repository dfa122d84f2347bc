"""Guided tours: for each role the steps of one journey, and what shows in the real stack that a step was done.

A step is ticked by what happened, whoever did it and in whichever order. Nothing here asks or acts.
"""

import threading
from dataclasses import dataclass
from typing import Any

from tools.demo.feed import Feed, News

SHOP = "fleurs-du-pont"  # the merchant of the tour
CARRIER = "colis-bleu"
CONSOLE_KEPT = 200


@dataclass(frozen=True)
class Step:
    """`signs`: any of these facts shows that it was done, or is not needed any more."""

    name: str
    signs: tuple[str, ...]


TOURS: dict[str, tuple[Step, ...]] = {
    "courier": (
        Step("sign_in", ("opened:courier",)),
        Step("keep", ("parcel:reserved", "event:DepositAuthorised", "event:Deposited")),
        Step("badge", ("event:CourierIdentified",)),
        Step("label", ("event:DepositAuthorised", "event:Deposited")),
        Step("put_in", ("event:Deposited",)),
        Step("proof", ("opened:proof",)),
    ),
    "recipient": (
        Step("brought", ("event:Deposited", "letter:arrived")),
        Step("letter", ("opened:mailbox", "opened:letter")),
        Step("page", ("opened:letter",)),
        Step("code", ("event:PickupAuthorised", "event:Collected")),
        Step("take", ("event:Collected",)),
        Step("told", ("letter:collected",)),
    ),
    "merchant": (
        Step("sign_in", ("opened:merchant", "opened:order")),
        Step("order", ("shop:expected", "shop:reserved", "shop:deposited")),
        Step("print", ("opened:label",)),
        Step("badge", ("event:CourierIdentified",)),
        Step("put_in", ("shop:deposited",)),
        Step("told", ("letter:arrived",)),
    ),
    "operator": (
        Step("sign_in", ("opened:operator",)),
        Step("break", ("event:DoorFaulted",)),
        Step("alarm", ("opened:alarms",)),
        Step("shut", ("door:closed",)),
        Step("release", ("door:mended",)),
        Step("open", ("event:OpeningAuthorised",)),
    ),
    "technician": (
        Step("badge", ("event:ServiceActed", "console:login")),
        Step("status", ("console:answered",)),
        Step("open", ("door:open",)),
        Step("shut", ("door:closed",)),
        Step("cut", ("cable:cut",)),
        Step("mend", ("cable:mended",)),
    ),
}
# The start of an address that is opened from a step -> the fact.
OPENED = (
    ("/courier/proofs/", "opened:proof"),
    ("/courier", "opened:courier"),
    ("/merchant/new", "opened:order"),
    ("/merchant/parcels/", "opened:label"),
    ("/merchant", "opened:merchant"),
    ("/operator/alarms", "opened:alarms"),
    ("/operator", "opened:operator"),
)


def opened(path: str) -> str:
    """The fact that an address was opened; one that is in no step is a fact of no step."""
    return next((fact for start, fact in OPENED if path.startswith(start)), "opened")


class Tours:
    """How far each tour is. Any thread."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._lock = threading.Lock()
        self._seen: dict[str, set[str]] = {}
        self._cut: set[str] = set()
        self._broken: dict[str, set[int]] = {}
        self._said: dict[str, str] = {}  # locker -> the end of what its console said
        feed.listen(self._hear)

    def begin(self, role: str) -> list[str]:
        """Anew. Raises KeyError for a role that has no tour."""
        assert TOURS[role]
        with self._lock:
            self._seen[role] = set()
        return self._tell(role)

    def standing(self, role: str) -> list[str]:
        """The names of the steps that are done; begins a tour that nobody is on. Raises KeyError."""
        with self._lock:
            if role in self._seen:
                return self._done(role)
        return self.begin(role)

    def news(self) -> list[News]:
        """For a page that just opened, or that was away."""
        with self._lock:
            return [{"locker": "", "event": "tour", "role": role, "done": self._done(role)} for role in self._seen]

    def note(self, fact: str) -> None:
        """To every tour that somebody is on."""
        with self._lock:
            changed: list[str] = []
            for role, seen in self._seen.items():
                before = self._done(role)
                seen.add(fact)
                if self._done(role) != before:
                    changed.append(role)
        for role in changed:
            self._tell(role)

    def _done(self, role: str) -> list[str]:
        return [step.name for step in TOURS[role] if self._seen[role].intersection(step.signs)]

    def _tell(self, role: str) -> list[str]:
        with self._lock:
            done = self._done(role)
        self._feed.tell("", "tour", role=role, done=done)
        return done

    # -------------------------------------------------------------- what the feed tells
    def _hear(self, locker: str, event: str, fields: dict[str, Any]) -> None:
        readers = {
            "event": lambda: self.note(f"event:{fields['type']}"),
            "door": lambda: self.note(f"door:{fields['door']}"),
            "state": lambda: self._cable(locker, fields["cable"]),
            "books": lambda: self._books(locker, fields["compartments"]),
            "console": lambda: self._console(locker, fields["text"]),
        }
        if event in readers:
            readers[event]()

    def _cable(self, locker: str, cable: str) -> None:
        with self._lock:
            was_cut = locker in self._cut
            self._cut = self._cut - {locker} if cable == "none" else self._cut | {locker}
        if cable != "none":
            self.note("cable:cut")
        elif was_cut:
            self.note("cable:mended")

    def _books(self, locker: str, compartments: list[dict[str, Any]]) -> None:
        broken = {place["number"] for place in compartments if place["state"] == "fault"}
        with self._lock:
            before = self._broken.get(locker, set())
            self._broken[locker] = broken
        if before - broken:
            self.note("door:mended")

    def _console(self, locker: str, text: str) -> None:
        """It comes in pieces; only the answer to `status` names its locker."""
        with self._lock:
            said = self._said[locker] = (self._said.get(locker, "") + text)[-CONSOLE_KEPT:]
            if answered := f'"locker":"{locker}"' in said:
                self._said[locker] = ""
        if answered:
            self.note("console:answered")

"""One whole journey, played by itself: expected, deposited, collected. Each step is told with its time.

The code is read from the gateway as a recipient's message would be, and is typed, never printed.
"""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.client import Failed
from tools.demo.stack import Say, Stack
from tools.locker.client import CabinetClient, CabinetError, door_of

STEP_WAIT_S = 60.0
HAND_S = 0.3  # nobody puts a parcel in faster
BOARD_HAND_S = 1.0  # lock boards are asked in turn: a door open for less than half a second was not seen
SLOW_HAND_S = 2.0  # of somebody who had to push twice
PUSHES_MAX = 20
AT_REST = ("Bienvenue", "Welcome", "Maintenance", "Under maintenance")  # what screens that wait for anybody begin with
DOOR_OPEN = re.compile(r"Porte \d+ ouverte|Door \d+ is open")
News = dict[str, Any]


class JourneyError(Exception):
    """`step`: the one that did not come to its end; `why` says what was seen instead."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(f"{step}: {why}")
        self.step = step
        self.why = why


@dataclass(frozen=True)
class Journey:
    """From the badge shown to "deposited" in the books, and from the first key (or scan) to "collected"."""

    parcel: str
    compartment: int
    deposit_ms: int
    pickup_ms: int


class Play:
    """The steps, one method each; `play()` takes them in order."""

    def __init__(self, stack: Stack, locker: str, say: Say) -> None:
        self.stack = stack
        self.locker = locker
        self.say = say
        self.cabinet = stack.lockers[locker].cabinet
        self.parcel = ""
        self.label = ""
        self.compartment = 0
        self._events = CabinetClient(stack.lockers[locker].control)
        self._events.watch()

    def close(self) -> None:
        self._events.close()

    def expect(self, size: str = "M") -> None:
        self.label = f"CB{secrets.token_hex(5).upper()}FR"
        wanted = {"label": self.label, "locker": self.locker, "size": size, "carrier": "colis-bleu"}
        self.parcel = self.stack.api.post("/v1/parcels", wanted)["id"]

    def show_badge(self) -> None:
        badge = self.stack.api.post("/v1/badges", {"carrier": "colis-bleu", "holder": "livreur-7", "days": 1})
        before = self.cabinet.state()["screen"]
        self.cabinet.scan(badge["token"])
        self.cabinet.wait_until(lambda state: state["screen"] != before and not at_rest(state), STEP_WAIT_S)

    def scan_label(self) -> None:
        self.cabinet.scan(self.label)
        self.compartment = int(self.door("open")["compartment"])

    def close_door(self) -> None:
        """As soon as a hand can, and its latch catches: not while the coil still holds it back."""
        on_boards = any("driver" in module for module in self.stack.lockers[self.locker].hardware["modules"])
        time.sleep(BOARD_HAND_S if on_boards else HAND_S)
        push(self.cabinet, self.compartment, STEP_WAIT_S)
        self.door("closed")

    def deposited(self) -> None:
        self._state("deposited")

    def courier_leaves(self) -> None:
        """Back to the customers' screen, once the locker has seen the door shut: before, it lets no courier go."""
        self.cabinet.wait_until(lambda state: not DOOR_OPEN.match(state["screen"][0]), STEP_WAIT_S)
        self.cabinet.keys("*")
        self.cabinet.wait_until(at_rest, STEP_WAIT_S)

    def type_code(self) -> None:
        code = "".join(filter(str.isdigit, self._pickup()["code"]))
        self.cabinet.keys(code)
        self.door("open")

    def show_token(self) -> None:
        self.cabinet.scan(self._pickup()["token"])
        self.door("open")

    def collected(self) -> None:
        self._state("collected")

    def _pickup(self) -> News:
        return self.stack.api.get(f"/v1/parcels/{self.parcel}/pickup")

    def _state(self, state: str) -> None:
        def reached() -> bool:
            self._mind_the_door()
            return self.stack.api.get(f"/v1/parcels/{self.parcel}")["state"] == state

        self.stack.wait_for(f"parcel {state}", reached, STEP_WAIT_S)

    def _mind_the_door(self) -> None:
        """A lock that saw no opening, because the door shut too soon for its sensor, pulses again: so do we push."""
        state = self.cabinet.state()
        if door_of(state, self.compartment) == "open" and not coil_on(state, self.compartment):
            time.sleep(SLOW_HAND_S)
            push(self.cabinet, self.compartment, STEP_WAIT_S)

    def door(self, door: str) -> News:
        """The next time a door (ours, once we know which it is) opens or closes."""
        return self._events.wait_for(
            lambda news: (
                news["event"] == "door" and news["door"] == door and self.compartment in (0, news["compartment"])
            ),
            STEP_WAIT_S,
        )


def at_rest(state: News) -> bool:
    return state["screen"][0].startswith(AT_REST)


def coil_on(state: News, compartment: int) -> bool:
    return any(place["coil"] for place in state["compartments"] if place["number"] == compartment)


def push(cabinet: CabinetClient, compartment: int, coil_wait_s: float) -> None:
    """A latch does not catch while the coil is on. Again, should that have come on once more between the look and the
    hand. Raises CabinetError, TimeoutError."""
    for tries_left in reversed(range(PUSHES_MAX)):
        cabinet.wait_until(lambda state: not coil_on(state, compartment), coil_wait_s)
        try:
            cabinet.push(compartment)
        except CabinetError:
            if not tries_left:
                raise
        else:
            return


def play(stack: Stack, locker: str, say: Say, by: str = "keypad") -> Journey:
    """Raises JourneyError."""
    part = Play(stack, locker, say)
    try:
        _step(part, "parcel expected by the gateway", part.expect)
        start = time.monotonic()
        _step(part, "courier's badge shown to the scanner", part.show_badge)
        _step(part, "label scanned, door opened", part.scan_label)
        _step(part, "parcel put in, door closed", part.close_door)
        _step(part, "deposited, in the gateway's books", part.deposited)
        deposit_ms = round((time.monotonic() - start) * 1000)
        _step(part, "courier leaves", part.courier_leaves)
        start = time.monotonic()
        if by == "keypad":
            _step(part, "code typed at the keypad, door opened", part.type_code)
        else:
            _step(part, "QR shown to the scanner, door opened", part.show_token)
        _step(part, "parcel taken out, door closed", part.close_door)
        _step(part, "collected, in the gateway's books", part.collected)
        pickup_ms = round((time.monotonic() - start) * 1000)
        return Journey(part.parcel, part.compartment, deposit_ms, pickup_ms)
    finally:
        part.close()


def _step(part: Play, name: str, act: Callable[[], None]) -> None:
    start = time.monotonic()
    try:
        act()
    except (Failed, CabinetError, TimeoutError, OSError) as problem:
        why = f"{type(problem).__name__}: {problem}"
        raise JourneyError(name, f"{why}; the screen says: {_screen(part)}")
    where = f" (door {part.compartment})" if part.compartment else ""
    part.say(f"{(time.monotonic() - start) * 1000:6.0f} ms  {name}{where}")


def _screen(part: Play) -> str:
    try:
        return " / ".join(line.strip() for line in part.cabinet.state()["screen"])
    except (CabinetError, OSError):
        return "(no answer)"

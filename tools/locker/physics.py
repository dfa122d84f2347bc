"""Doors, springs, coils and switches of one cabinet. It knows pins and time; nothing of MicroPython or sockets.

A coil that was on for 50 ms lets go of its latch; the door springs open 120 ms after the coil came on, unless it
is jammed. A welded relay keeps its coil on, whatever the board says; swapped wires open another door. Switches bounce.
Everything it does to the board is a switch that closes or opens (`Circuit`).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

RELEASE_MS = 50
SPRING_MS = 120
BOUNCE_MS = (0.0, 1.5, 3.0)  # a contact's state changes thus, and stays with the last
PULSES_KEPT = 50
NO_PIN = -1  # and below: wires that end at a lock board
KEYS = "123A456B789C*0#D"


class Circuit(Protocol):
    """Where switches are soldered to."""

    def ground(self, pin: int, on: bool) -> None: ...
    def join(self, pin: int, other: int, on: bool) -> None: ...


class Timer(Protocol):
    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]  # after so many milliseconds, do that
Tell = Callable[[dict[str, Any]], None]


class CabinetError(Exception):
    """Nobody could do that to this cabinet; the text says why."""


@dataclass
class Box:
    """One compartment. `contact`: what its door switch reports, which a stuck one does not change; `occupied`: the pin
    of its occupancy sensor; `full`: what that one sees."""

    number: int
    size: str
    module: str
    lock: int
    door: int
    occupied: int | None = None
    full: bool = False
    is_open: bool = False
    jammed: bool = False
    welded: bool = False
    stuck: bool = False
    coil_since: float | None = None
    release: Timer | None = None
    contact: bool = field(default=False)


def doors_on_pins(module: dict[str, Any]) -> bool:
    """Whether its switches end at the controller; otherwise at its lock board or chip."""
    return module.get("driver", "gpio") in ("gpio", "hc595") or module.get("variant") == "r421a08"


class Front:
    """`later`: the cabinet's clock; `tell`: what whoever watches is told."""

    def __init__(self, hardware: dict[str, Any], circuit: Circuit, later: Later, tell: Tell) -> None:
        self._circuit = circuit
        self._later = later
        self._tell = tell
        self._lock_on: int = hardware.get("lock_on", 1)
        self._closed_grounds: bool = hardware.get("door_closed", 0) == 0
        keypad: dict[str, list[int]] = hardware.get("keypad") or {}
        self._rows = keypad.get("rows", [])
        self._columns = keypad.get("columns", [])
        self.boxes: dict[int, Box] = {}
        for module in hardware["modules"]:
            for part in module["compartments"]:
                door, occupied = (part["door"], part.get("occupied")) if doors_on_pins(module) else (NO_PIN, None)
                on_pin = module.get("driver", "gpio") == "gpio"  # else its coil hangs on a lock board or a chip
                lock = part["lock"] if on_pin else NO_PIN - part["number"]
                box = Box(part["number"], part["size"], module["name"], lock, door, occupied)
                self.boxes[box.number] = box
                self._set_contact(box)
        self._by_lock = {box.lock: box for box in self.boxes.values()}
        self._pins = {box.lock for box in self.boxes.values() if box.lock > NO_PIN}
        self._full_grounds: bool = hardware.get("occupied_full", 0) == 0
        for box in self.boxes.values():
            self._see(box)
        self.pulses: deque[dict[str, Any]] = deque(maxlen=PULSES_KEPT)
        self.safe_ms: float | None = None  # from the last start to the moment at which every lock was driven off
        self._powered_at = 0.0
        self._floating = set(self._pins)

    # -------------------------------------------------------------- from the board
    def drive(self, pin: int, level: int, at_ms: float) -> None:
        """The board drives a pin, as of `at_ms`."""
        box = self._by_lock.get(pin)
        if box is None:
            return
        self._floating.discard(pin)
        if not self._floating and self.safe_ms is None:
            self.safe_ms = at_ms - self._powered_at
        if level == self._lock_on:
            self._coil_on(box, at_ms)
        else:
            self._coil_off(box, at_ms)

    def power_came(self, at_ms: float) -> None:
        """Until the board drives them, only their resistors hold the outputs."""
        self._powered_at = at_ms
        self._floating = set(self._pins)
        self.safe_ms = None

    def power_lost(self, at_ms: float) -> None:
        """Every output falls low."""
        for box in self.boxes.values():
            self._coil_off(box, at_ms)

    def _coil_on(self, box: Box, at_ms: float) -> None:
        if box.coil_since is None:
            box.coil_since = at_ms
            box.release = self._later(RELEASE_MS, lambda: self._let_go(box))

    def _coil_off(self, box: Box, at_ms: float) -> None:
        if box.coil_since is None:
            return
        pulse = {"compartment": box.number, "ms": round(at_ms - box.coil_since, 1), "at": round(box.coil_since, 1)}
        box.coil_since = None
        if box.release is not None and at_ms - pulse["at"] < RELEASE_MS:
            box.release.cancel()
        self.pulses.append(pulse)
        self._tell({"event": "pulse", **pulse})

    def _let_go(self, box: Box) -> None:
        box.release = None
        if not box.jammed and not box.is_open:
            self._later(SPRING_MS - RELEASE_MS, lambda: self._move(box, True))

    # -------------------------------------------------------------- from lock boards
    def energise(self, number: int, on: bool, at_ms: float) -> None:
        """A lock board switches a coil."""
        if on:
            self._coil_on(self.boxes[number], at_ms)
        else:
            self._coil_off(self.boxes[number], at_ms)

    def contact_says_closed(self, number: int) -> bool:
        return self.boxes[number].contact == self._closed_grounds

    # -------------------------------------------------------------- from people
    def box(self, number: int) -> Box:
        if number not in self.boxes:
            raise CabinetError(f"no compartment {number}")
        return self.boxes[number]

    def push(self, number: int) -> None:
        """Close a door by hand."""
        box = self.box(number)
        if box.coil_since is not None:
            raise CabinetError(f"door {number} does not catch while its coil is on")
        self._move(box, False)
        if box.welded:
            self._let_go(box)

    def pull(self, number: int) -> None:
        """Open a door by force, or one whose lock has let go."""
        self._move(self.box(number), True)

    def jam(self, number: int, on: bool) -> None:
        self.box(number).jammed = on

    def weld(self, number: int, on: bool) -> None:
        """A relay that stays on: its door opens by itself, now and whenever it is closed."""
        box = self.box(number)
        box.welded = on
        if on:
            self._let_go(box)

    def swap(self, number: int, other: int) -> None:
        """The wires of two coils, one on the other's terminal."""
        one, two = self.box(number), self.box(other)
        one.lock, two.lock = two.lock, one.lock
        self._by_lock = {box.lock: box for box in self.boxes.values()}

    def fill(self, number: int, on: bool) -> None:
        """Something lies in there, as far as the occupancy sensor sees."""
        box = self.box(number)
        box.full = on
        self._see(box)

    def _see(self, box: Box) -> None:
        if box.occupied is not None:
            self._circuit.ground(box.occupied, box.full == self._full_grounds)

    def stick(self, number: int, on: bool) -> None:
        """A door switch that stays as it is, whatever the door does."""
        box = self.box(number)
        box.stuck = on
        self._settle(box)

    def key(self, key: str, down: bool) -> None:
        place = KEYS.find(key)
        if place < 0 or len(key) != 1 or not self._rows:
            raise CabinetError(f"no key {key!r}")
        row, column = self._rows[place // 4], self._columns[place % 4]
        self._bounce(lambda on: self._circuit.join(row, column, on), down)

    # -------------------------------------------------------------- switches
    def _move(self, box: Box, is_open: bool) -> None:
        if box.is_open == is_open:
            return
        box.is_open = is_open
        self._tell({"event": "door", "compartment": box.number, "door": "open" if is_open else "closed"})
        self._settle(box)

    def _settle(self, box: Box) -> None:
        if not box.stuck and box.contact != self._wanted(box):
            self._bounce(lambda on: self._ground(box, on), self._wanted(box))
            box.contact = self._wanted(box)

    def _set_contact(self, box: Box) -> None:
        box.contact = self._wanted(box)
        self._ground(box, box.contact)

    def _ground(self, box: Box, on: bool) -> None:
        if box.door != NO_PIN:
            self._circuit.ground(box.door, on)

    def _wanted(self, box: Box) -> bool:
        """Whether the switch should join the door's pin to ground."""
        return box.is_open != self._closed_grounds

    def _bounce(self, act: Callable[[bool], None], on: bool) -> None:
        act(on)
        for place, ms in enumerate(BOUNCE_MS[1:], start=1):
            level = on if place % 2 == 0 else not on
            self._later(ms, lambda level=level: act(level))

    def state(self) -> list[dict[str, Any]]:
        return [
            {
                "number": box.number,
                "door": "open" if box.is_open else "closed",
                "coil": box.coil_since is not None,
                "jammed": box.jammed,
                "stuck": box.stuck,
                "size": box.size,
                "module": box.module,
            }
            for box in self.boxes.values()
        ]

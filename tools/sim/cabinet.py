"""The metal: coils, latches, doors, sensors, and what truly lies behind them. It may be broken in every way it knows.

The agent sees of it what the sensors say. What is true is `Door.open` and `Door.inside`; the rules go by that.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tools.sim.world import World

if TYPE_CHECKING:
    from tools.sim.people import Parcel

UNLATCH_MS = 60  # a coil must be on for so long
SETTLE_MS = 80  # three equal samples of the switch, 20 ms apart
WELDED_MS = 1_500
LATE_MS = 900
FLAP_MS = 700

# What can be wrong with a door.
JAMMED, DEAD_COIL, STUCK_OPEN, STUCK_CLOSED, FLAPPING, LATE, WELDED = (
    "jammed", "dead_coil", "stuck_open", "stuck_closed", "flapping", "late", "welded",
)  # fmt: skip
FAULTS = (JAMMED, DEAD_COIL, STUCK_OPEN, STUCK_CLOSED, FLAPPING, LATE, WELDED)
LIES = (STUCK_OPEN, STUCK_CLOSED, FLAPPING)


class Door:
    def __init__(self, number: int) -> None:
        self.number = number
        self.open = False
        self.fault = ""
        self.lied = False  # its sensor lied since a person last looked: what the books say of it proves nothing
        self.inside: list[Parcel] = []
        self.coil = False
        self.coil_since = 0


class Cabinet:
    """`sensed(number, closed)`: the board's input changed. `pulsed(number)`: a coil was energised."""

    def __init__(self, world: World, name: str, numbers: list[int]) -> None:
        self._world = world
        self._name = name
        self.doors = {number: Door(number) for number in numbers}
        self.sensed: Callable[[int, bool], None] = lambda _number, _closed: None
        self.powered = False
        self.absent: set[int] = set()  # doors of a module that is not bolted on
        self.silent: set[int] = set()  # doors whose board is unplugged: no order reaches it, and it tells nothing

    # -------------------------------------------------------------- coils
    def drive(self, number: int, on: bool) -> None:
        door = self.doors[number]
        if on == door.coil or (on and number in self.silent):
            return
        door.coil = on
        door.coil_since = self._world.now
        if on:
            self._world.after(UNLATCH_MS, lambda: self._unlatch(door, door.coil_since))

    def power(self, on: bool) -> None:
        self.powered = on
        if not on:
            for door in self.doors.values():
                door.coil = False

    def _unlatch(self, door: Door, since: int) -> None:
        if door.coil and door.coil_since == since and door.fault not in (JAMMED, DEAD_COIL):
            self.swing(door.number, True)

    # -------------------------------------------------------------- doors
    def swing(self, number: int, opens: bool) -> None:
        door = self.doors[number]
        if door.open == opens:
            return
        door.open = opens
        self._world.note(self._name, "door", number, opens)
        late = LATE_MS if door.fault == LATE else 0
        self._world.after(SETTLE_MS + late, lambda: self._report(door))
        if not opens and door.fault == WELDED:
            self._world.after(WELDED_MS, lambda: self.swing(number, True))

    def closed_by_sensor(self, number: int) -> bool:
        door = self.doors[number]
        if door.fault == STUCK_OPEN:
            return False
        if door.fault == STUCK_CLOSED:
            return True
        return not door.open

    def _report(self, door: Door) -> None:
        self._tell(door, self.closed_by_sensor(door.number))

    def _tell(self, door: Door, closed: bool) -> None:
        if self.powered and door.number not in self.silent and door.number not in self.absent:
            self.sensed(door.number, closed)

    # -------------------------------------------------------------- faults
    def break_door(self, number: int, fault: str) -> None:
        door = self.doors[number]
        door.fault = fault
        door.lied = door.lied or fault in LIES
        self._report(door)
        if fault == FLAPPING:
            self._flap(door, 12)

    def mend_door(self, number: int) -> None:
        door = self.doors[number]
        if door.fault:
            door.fault = ""
            self._report(door)

    def _flap(self, door: Door, left: int) -> None:
        if door.fault == FLAPPING and left:
            self._tell(door, bool(left & 1))
            self._world.after(FLAP_MS, lambda: self._flap(door, left - 1))

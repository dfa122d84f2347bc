"""The lock boards of a cabinet: emulated ones on their buses, between the controller's UARTs and the front's doors.

A module that names a `driver` hangs on such a board; `lock` is its channel there, and the board's own feedback tells
its doors.
"""

from collections.abc import Callable
from typing import Any

from tools.locker.boards.board import Board
from tools.locker.boards.board8a import Board8A
from tools.locker.boards.cu16 import CU16
from tools.locker.boards.cu48 import CU48
from tools.locker.boards.modbus import Modbus
from tools.locker.boards.wire import Wire
from tools.locker.boards.wkly import WKLY
from tools.locker.physics import CabinetError, Front, Later, Timer

# driver -> (how it is made, its usual channels, baud and address)
FAMILIES: dict[str, tuple[Callable[..., Board], int, int, int]] = {
    "cu16": (CU16, 16, 19200, 0),
    "cu48": (CU48, 48, 19200, 0),
    "board8a": (Board8A, 24, 9600, 1),
    "wkly": (WKLY, 24, 9600, 0),
    "modbus": (Modbus, 8, 9600, 1),
}
_DRIVING_MS_MAX = 200.0  # a driver that is left on does not stop the time
_TURN_MS = 1.0  # from the last byte to the moment at which a board turns its driver off
_LOOK_MS = 20.0  # a door that is pushed by hand is seen by its board so soon


def on_board(module: dict[str, Any]) -> bool:
    """Whether its locks hang on a lock board or a chip."""
    return module.get("driver", "gpio") != "gpio"


def on_bus(module: dict[str, Any], place: int) -> bool:
    return module.get("driver") in FAMILIES and module.get("bus", 0) == place


class Terminals:
    """What hangs on one board: a channel is a compartment's coil and contact."""

    def __init__(self, front: Front, numbers: dict[int, int], clock: Callable[[], float]) -> None:
        self._front = front
        self._numbers = numbers
        self._clock = clock

    def coil(self, channel: int, on: bool) -> None:
        number = self._numbers.get(channel)
        if number is not None:
            self._front.energise(number, on, self._clock())

    def closed(self, channel: int) -> bool:
        number = self._numbers.get(channel)
        return number is None or self._front.contact_says_closed(number)

    def full(self, channel: int) -> bool:
        number = self._numbers.get(channel)
        return number is not None and self._front.boxes[number].full


class Buses:
    """`receive(uart, bytes)`: to the controller; `clock`: milliseconds."""

    def __init__(
        self,
        hardware: dict[str, Any],
        front: Front,
        receive: Callable[[int, bytes], None],
        later: Later,
        clock: Callable[[], float],
    ) -> None:
        self._receive = receive
        self._later = later
        self._clock = clock
        self._waking: Timer | None = None
        self._front = front
        self._modules: dict[str, dict[str, Any]] = {module["name"]: module for module in hardware["modules"]}
        self._uarts = [bus["uart"] for bus in hardware.get("buses", [])]
        self._boards: dict[str, Board] = {}  # module -> its board
        self._wires: dict[int, Wire] = {}  # uart -> wire
        self._enables: dict[int, Wire] = {}  # pin -> wire
        self._driving: dict[
            Wire, tuple[float, float]
        ] = {}  # since when the controller's driver is on, how late we are
        for place, bus in enumerate(hardware.get("buses", [])):
            modules = [module for module in hardware["modules"] if on_bus(module, place)]
            boards = [self._board(module) for module in modules]
            usual = FAMILIES[modules[0]["driver"]][2] if modules else 9600
            wire = Wire(boards, bus.get("baud", usual), bus.get("echo", False), has_enable="de" in bus)
            self._wires[bus["uart"]] = wire
            if "de" in bus:
                self._enables[bus["de"]] = wire

    def _board(self, module: dict[str, Any]) -> Board:
        made, channels, _baud, address = FAMILIES[module["driver"]]
        numbers = {box["lock"]: box["number"] for box in module["compartments"]}
        terminals = Terminals(self._front, numbers, self._clock)
        board = made(module.get("address", address), module.get("channels", channels), terminals)
        self._boards[module["name"]] = board
        return board

    def replace(self, name: str, wiring: dict[str, Any]) -> None:
        """A technician unscrews a module's board and connects another one: its doors are at its first channels. Raises
        CabinetError."""
        module = self._modules.get(name)
        if module is None or wiring.get("driver") not in FAMILIES:
            raise CabinetError(f"replace: a module of this cabinet, and a driver of {', '.join(FAMILIES)}")
        old = self._boards.pop(name, None)
        if old is not None:
            old.power_off()
        for wire in self._wires.values():
            wire.boards = [board for board in wire.boards if board is not old]
        boxes = [box | {"lock": channel} for channel, box in enumerate(module["compartments"], 1)]
        board = self._board({"name": name, "compartments": boxes} | wiring)
        self._wires[self._uarts[wiring.get("bus", 0)]].boards.append(board)

    # -------------------------------------------------------------- the controller's side
    def transmit(self, uart: int, data: bytes, at_ms: float) -> bool:
        """Whether that UART is a bus."""
        wire = self._wires.get(uart)
        if wire is None:
            return False
        wire.send(at_ms + self._driving[wire][1] if wire in self._driving else self._clock(), data)
        self._wake()
        return True

    def enable(self, pin: int, level: int, at_ms: float) -> bool:
        """Whether that pin is a transceiver's driver enable. While it is up, the wire goes by the board's own time:
        what a busy PC adds between the board's milliseconds is none on the wire."""
        wire = self._enables.get(pin)
        if wire is None:
            return False
        if level:
            self._driving[wire] = (self._clock(), max(0.0, wire.moment - at_ms))
        _since, late_ms = self._driving.get(wire, (0.0, 0.0))
        moment = at_ms + late_ms
        if not level:
            self._driving.pop(wire, None)
            if 0 < moment - wire.out_ms < _DRIVING_MS_MAX:  # a busy PC between two statements of the board
                moment = wire.out_ms + _TURN_MS
        wire.enable(moment, bool(level))
        self._wake()
        return True

    def _wake(self) -> None:
        if self._waking is None and self._wires:
            moments = [
                at for wire in self._wires.values() if (at := wire.next_ms()) is not None and not self._held(wire)
            ]
            ms = min(min(moments, default=float("inf")) - self._clock(), _LOOK_MS)
            self._waking = self._later(max(0.0, ms), self._pass)

    def _pass(self) -> None:
        self._waking = None
        for uart, wire in self._wires.items():
            said = b"" if self._held(wire) else wire.take(self._clock())
            if said:
                self._receive(uart, said)
        self._wake()

    def _held(self, wire: Wire) -> bool:
        return wire in self._driving and self._clock() - self._driving[wire][0] < _DRIVING_MS_MAX

    def power_lost(self) -> None:
        """The boards have the controller's supply: their coils fall off too."""
        for board in self._boards.values():
            board.power_off()

    # -------------------------------------------------------------- faults
    def fault(self, module: str, name: str, value: Any) -> None:
        """One of the attributes of tools.locker.boards.board.Board. Raises CabinetError."""
        board = self._boards.get(module)
        if board is None:
            raise CabinetError(f"module {module} has no lock board")
        if name not in ("silent", "mute", "garbage", "inverted", "stuck_busy", "slow_ms"):
            raise CabinetError(f"no fault {name!r} of a lock board")
        if name == "silent" and value:
            board.power_off()
        setattr(board, name, value)

"""What hangs on the controller's I2C and SPI: chips with locks on them, and whatever else answers at an address.

A module whose driver is `mcp23017` or `hc595` hangs on such a chip. Besides the bus, pins of the controller end at the
chips (RESET; latch and enable). Resistors hold those that let go of all outputs while the controller is dead.
"""

from collections.abc import Callable
from typing import Any, Protocol

from tools.locker.boards.hc595 import HC595
from tools.locker.boards.mcp23017 import MCP23017
from tools.locker.physics import CabinetError, Front

CHIPS = ("mcp23017", "hc595")
FAULTS = ("silent", "inverted")
_PINS = {"mcp23017": ("reset",), "hc595": ("latch", "enable")}


class OnI2C(Protocol):
    def transfer(self, written: bytes, size: int) -> bytes:
        """Raises OSError without an acknowledgement."""
        ...


def wires(hardware: dict[str, Any]) -> list[int]:
    """The pins of the controller that end at chips."""
    return [module[name] for module in hardware["modules"] for name in _PINS.get(module.get("driver", ""), ())]


class Contacts:
    """What hangs on one chip: coils by their output; doors and sensors by their input, if it has any."""

    def __init__(self, front: Front, module: dict[str, Any], clock: Callable[[], float]) -> None:
        boxes: list[dict[str, Any]] = module["compartments"]
        self._front = front
        self._clock = clock
        self._coils = {box["lock"]: box["number"] for box in boxes}
        self._doors = {box["door"]: box["number"] for box in boxes}
        self._sensors = {box["occupied"]: box["number"] for box in boxes if "occupied" in box}

    def coil(self, channel: int, on: bool) -> None:
        number = self._coils.get(channel)
        if number is not None:
            self._front.energise(number, on, self._clock())

    def closed(self, channel: int) -> bool:
        """Whether that input's switch closes to ground."""
        if channel in self._sensors:
            return self._front.boxes[self._sensors[channel]].full
        number = self._doors.get(channel)
        return number is None or self._front.contact_says_closed(number)

    def full(self, channel: int) -> bool:
        return channel in self._sensors and self.closed(channel)


class Chips:
    """`clock`: milliseconds."""

    def __init__(self, hardware: dict[str, Any], front: Front, clock: Callable[[], float]) -> None:
        self._modules: dict[str, MCP23017 | HC595] = {}
        self._on_i2c: dict[tuple[int, int], OnI2C] = {}
        self._on_spi: dict[int, list[HC595]] = {}
        self._stuck: set[int] = set()  # I2C buses that something holds low
        self._wires: dict[int, list[Callable[[int], None]]] = {}
        for module in hardware["modules"]:
            if module.get("driver") in CHIPS:
                self._add(module, Contacts(front, module, clock))

    def _add(self, module: dict[str, Any], contacts: Contacts) -> None:
        if module["driver"] == "mcp23017":
            chip = MCP23017(module.get("address", 0x20), 16, contacts)
            chip.reset(0)
            self.hang(module["i2c"], chip.address, chip)
            self._modules[module["name"]] = chip
            self._wires.setdefault(module["reset"], []).append(chip.reset)
            return
        row = HC595(len(self._modules), module.get("channels", 8), contacts)
        self._modules[module["name"]] = row
        self._on_spi.setdefault(module["spi"], []).append(row)
        self._wires.setdefault(module["latch"], []).append(row.latch)
        self._wires.setdefault(module["enable"], []).append(row.enable)

    def hang(self, bus: int, address: int, part: OnI2C) -> None:
        """On an I2C bus."""
        self._on_i2c[bus, address] = part

    # -------------------------------------------------------------- the controller's side
    def drive(self, pin: int, level: int) -> bool:
        """Whether that pin ends at a chip."""
        for act in self._wires.get(pin, ()):
            act(level)
        return pin in self._wires

    def access(self, bus: int, address: int, data: bytes, size: int) -> bytes | None:
        """None: nobody acknowledges. Raises TimeoutError on a bus that is stuck."""
        if bus in self._stuck:
            raise TimeoutError
        part = self._on_i2c.get((bus, address))
        try:
            return part.transfer(data, size) if part is not None else None
        except OSError:
            return None

    def shift(self, bus: int, data: bytes) -> bytes:
        """All chains of a bus hear it; one answers."""
        return ([row.shift(data) for row in self._on_spi.get(bus, [])] or [bytes(len(data))])[0]

    def power_lost(self) -> None:
        for chip in self._modules.values():
            if isinstance(chip, MCP23017):
                chip.reset(0)  # its resistor
            else:
                chip.power_off()

    # -------------------------------------------------------------- faults
    def stick(self, bus: int, on: bool) -> None:
        """Something holds that I2C bus low: nobody on it can be spoken to."""
        (self._stuck.add if on else self._stuck.discard)(bus)

    def fault(self, module: str, name: str, value: Any) -> bool:
        """Whether that module hangs on a chip. Raises CabinetError."""
        chip = self._modules.get(module)
        if chip is None:
            return False
        if name not in FAULTS:
            raise CabinetError(f"no fault {name!r} of a chip")
        setattr(chip, name, value)
        return True

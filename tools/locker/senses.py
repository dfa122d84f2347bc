"""What a cabinet's sensors sense: its supply (an INA226 on I2C), its temperature (a DS18B20 on a wire of its own) and
whether its housing is shut (a switch to ground). Each is there where the hardware names it, and can fail.
"""

from collections.abc import Callable
from typing import Any

from tools.locker.chips import Chips
from tools.locker.parts.ds18b20 import Ds18b20
from tools.locker.parts.ina226 import Ina226
from tools.locker.physics import CabinetError, Circuit, Front

SUPPLY_MV, TEMPERATURE_DC = 12_100, 215
IDLE_MA, COIL_MA = 180, 1_900  # of the controller and its display; of a lock
SAG_MOHM = 350  # of the supply and its cable: what a lock's current takes off the voltage
FAULTS = {"meter": ("silent", "another", "stuck"), "thermometer": ("silent", "another", "stuck", "noisy")}
_BOUNDS = {"supply_mv": (0, 36_000), "temperature_dc": (-550, 1_250)}  # what the two can measure


class Senses:
    """`clock`: milliseconds."""

    def __init__(
        self, hardware: dict[str, Any], front: Front, circuit: Circuit, chips: Chips, clock: Callable[[], float]
    ) -> None:
        named: dict[str, Any] = hardware.get("sensors") or {}
        self._front = front
        self._circuit = circuit
        self._chips = chips
        self._now: dict[str, int] = {"supply_mv": SUPPLY_MV, "temperature_dc": TEMPERATURE_DC}
        self._tamper: int | None = named.get("tamper")
        self._wire: int | None = named.get("temperature")
        self._thermometer = Ds18b20(lambda: self._now["temperature_dc"], clock)
        self._meter: Ina226 | None = None
        self._bus = -1
        part: dict[str, Any] | None = named.get("supply")
        if part is not None:
            self._meter = Ina226(part.get("address", 0x40), part.get("shunt_mohm", 2), self._measure, clock)
            self._bus = part["i2c"]
            chips.hang(self._bus, self._meter.address, self._meter)
        self._shut(True)

    def _shut(self, on: bool) -> None:
        if self._tamper is not None:
            self._circuit.ground(self._tamper, on)

    def _measure(self) -> tuple[int, int]:
        """Millivolts and milliamperes: a coil that is on is seen in both."""
        current_ma = IDLE_MA + COIL_MA * sum(box.coil_since is not None for box in self._front.boxes.values())
        return max(0, self._now["supply_mv"] - current_ma * SAG_MOHM // 1_000), current_ma

    def power_lost(self) -> None:
        self._thermometer.power_off()
        if self._meter is not None:
            self._meter.power_off()

    def one_wire(self, pin: int, data: bytes, size: int) -> bytes:
        """A reset (`size` -1: 1 or 0, whether the wire went low after it), or bytes written, then so many read."""
        if pin != self._wire:
            return b"\x00" if size < 0 else b"\xff" * size
        if size < 0:
            return bytes([self._thermometer.reset()])
        for byte in data:
            self._thermometer.write(byte)
        return bytes(self._thermometer.read() for _byte in range(size))

    # -------------------------------------------------------------- orders from outside
    def set(self, name: str, value: int) -> None:
        """What there is to sense: `supply_mv` without a load, `temperature_dc`, `tamper` (1: open). Raises
        CabinetError."""
        if name == "tamper" and self._tamper is not None:
            self._shut(not value)
            return
        if name not in _BOUNDS:
            raise CabinetError(f"nothing here senses {name!r}")
        least, most = _BOUNDS[name]
        if not least <= value <= most:
            raise CabinetError(f"{name}: {least} to {most}")
        self._now[name] = value

    def fault(self, part: str, name: str, on: bool) -> None:
        """`silent` is its plug pulled out; a `stuck` meter holds its whole bus. Raises CabinetError."""
        there = {"meter": self._meter, "thermometer": self._thermometer if self._wire is not None else None}
        found = there.get(part)
        if found is None:
            raise CabinetError(f"no {part!r} in this cabinet")
        if name not in FAULTS[part]:
            raise CabinetError(f"a fault of a {part}: {', '.join(FAULTS[part])}")
        if found is self._meter and name == "stuck":
            self._chips.stick(self._bus, on)
        else:
            setattr(found, name, on)

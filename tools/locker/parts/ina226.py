"""An INA226 on I2C, register by register as its data sheet has it. What it measures comes from whoever made it."""

from collections.abc import Callable
from dataclasses import dataclass, field

CONFIG, SHUNT, BUS, CALIBRATION, MASK, LIMIT, MAKER, DIE = 0, 1, 2, 5, 6, 7, 0xFE, 0xFF
AT_POWER_UP = {CONFIG: 0x4127, MAKER: 0x5449, DIE: 0x2260}
ANOTHER = {MAKER: 0x5449, DIE: 0x2271}  # INA228's neighbour in the catalogue: other units behind the same address
WRITABLE = (CONFIG, CALIBRATION, MASK, LIMIT)
RESET = 0x8000
BUS_UV, SHUNT_NV = 1_250, 2_500  # of one
SETTLE_MS = 36  # 16 samples of both, 1.1 ms each
Measure = Callable[[], tuple[int, int]]


@dataclass
class Ina226:
    """`measure`: millivolts of the supply, milliamperes through the shunt. `silent`: it hangs on no wire; `another`: a
    chip that is none."""

    address: int
    shunt_mohm: int
    measure: Measure
    clock: Callable[[], float]
    silent: bool = False
    another: bool = False
    _registers: dict[int, int] = field(default_factory=lambda: dict(AT_POWER_UP))
    _pointer: int = 0
    _ready_ms: float = 0

    def power_off(self) -> None:
        self._registers = dict(AT_POWER_UP)
        self._pointer = 0

    def transfer(self, written: bytes, size: int) -> bytes:
        """A register's number, what is written into it, and what is read of it. Raises OSError when it is silent."""
        if self.silent:
            raise OSError(19, "ENODEV")
        if written:
            self._pointer = written[0]
        if len(written) == 3:
            self._write(self._pointer, written[1] << 8 | written[2])
        return (self._read(self._pointer).to_bytes(2, "big") + b"\xff" * size)[:size]

    def _write(self, register: int, value: int) -> None:
        if register == CONFIG and value & RESET:
            self.power_off()
        elif register in WRITABLE:
            self._registers[register] = value
        if register == CONFIG:
            self._ready_ms = self.clock() + SETTLE_MS

    def _read(self, register: int) -> int:
        if register not in (SHUNT, BUS):
            return (ANOTHER if self.another else {}).get(register, self._registers.get(register, 0))
        if self.clock() < self._ready_ms:
            return 0
        supply_mv, current_ma = self.measure()
        if register == BUS:
            return max(0, min(0x7FFF, supply_mv * 1_000 // BUS_UV))
        return max(-0x8000, min(0x7FFF, current_ma * self.shunt_mohm * 1_000 // SHUNT_NV)) & 0xFFFF

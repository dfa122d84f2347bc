"""An INA226 (I2C): the supply's voltage, and the energy that has gone through its shunt since the start.

Once a second is read, once a minute told. A lock's pulse pulls the supply down, and that is no news: the voltage falls
only when eight readings in a row say so, and rises at once. What stays below the bound is told at
once as Sensed("supply_low", 1), until it is well back. How the chip itself is: Sensed("meter", a PART_ of
protocol.numbers); it is tried again each second.
"""

from typing import TYPE_CHECKING

from device.agent.events import Sensed
from protocol.limits import SUPPLY_BACK_MV, SUPPLY_LOW_MV
from protocol.numbers import PART_SILENT, PART_STUCK, PART_WELL, PART_WRONG

if TYPE_CHECKING:
    from typing import Any

READ_MS = 1_000
TELL_MS = 60_000
STEADY = (
    8  # pulses in a row end within 6 s (locks/guard.py): what waits for 5 s is not done, and one lasts 1 s at most
)
_SETUP, _SHUNT, _BUS, _MAKER, _DIE = 0, 1, 2, 0xFE, 0xFF
_AVERAGED = 0x4527  # both, all the time, 16 samples of 1.1 ms
_TEXAS_INSTRUMENTS, _INA226 = 0x5449, 0x226  # and its revision behind it
_HELD = 110  # ETIMEDOUT: something holds the bus
_MWH = 3_600_000  # of mW ms


class Ina226:
    """`shunt_mohm`: its resistor."""

    def __init__(self, i2c: "Any", address: int, shunt_mohm: int) -> None:
        self._i2c = i2c
        self._address = address
        self._shunt_mohm = shunt_mohm
        self._ready = False
        self._due = 0
        self._tell_at = READ_MS
        self._read_at = 0
        self._mw_ms = 0
        self._mv = 0  # as it stands without a lock that pulls; 0: not known
        self._lower = 0  # readings in a row below that
        self._highest = 0  # of them
        self._told = {"meter": -1, "supply_low": 0}

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if now_ms < self._due:
            return
        self._due = now_ms + READ_MS
        try:
            if not self._ready:
                self._begin(now_ms, events)  # nothing is measured yet
                return
            supply_mv = millivolts(self._get(_BUS))
            current_ma = milliamperes(self._get(_SHUNT), self._shunt_mohm)
        except OSError as error:
            self._lost(PART_STUCK if error.args[0] == _HELD else PART_SILENT, events)
            return
        self._mw_ms += supply_mv * current_ma // 1000 * (now_ms - self._read_at)
        self._read_at = now_ms
        self._settle(supply_mv)
        self._tell("meter", PART_WELL, events)
        if self._mv and (now_ms >= self._tell_at or self._is_low() != self._told["supply_low"]):
            self._tell_at = now_ms + TELL_MS
            events.append(Sensed("supply_mv", self._mv))
            events.append(Sensed("energy_mwh", max(0, self._mw_ms // _MWH)))
            self._tell("supply_low", self._is_low(), events)

    def _begin(self, now_ms: int, events: "list[Any]") -> None:
        if self._get(_MAKER) != _TEXAS_INSTRUMENTS or self._get(_DIE) >> 4 != _INA226:
            self._lost(PART_WRONG, events)
            return
        self._i2c.writeto(self._address, bytes([_SETUP, _AVERAGED >> 8, _AVERAGED & 255]))
        self._ready = True
        self._read_at = now_ms

    def _settle(self, supply_mv: int) -> None:
        if supply_mv >= (self._mv or SUPPLY_LOW_MV):  # a lock may pull at the first one too
            self._mv = supply_mv
            self._lower = self._highest = 0
            return
        self._lower += 1
        self._highest = max(self._highest, supply_mv)
        if self._lower == STEADY:
            self._mv = self._highest
            self._lower = self._highest = 0

    def _is_low(self) -> int:
        bound = SUPPLY_BACK_MV if self._told["supply_low"] else SUPPLY_LOW_MV
        return 1 if self._mv < bound else 0

    def _lost(self, health: int, events: "list[Any]") -> None:
        self._ready = False
        self._mv = self._lower = self._highest = 0
        self._tell("meter", health, events)

    def _tell(self, name: str, value: int, events: "list[Any]") -> None:
        if self._told[name] != value:
            self._told[name] = value
            events.append(Sensed(name, value))

    def _get(self, register: int) -> int:
        said = self._i2c.readfrom_mem(self._address, register, 2)
        return said[0] << 8 | said[1]


def millivolts(raw: int) -> int:
    """Of the bus voltage register: 1.25 mV each."""
    return raw * 5 // 4


def milliamperes(raw: int, shunt_mohm: int) -> int:
    """Of the shunt voltage register, two's complement: 2.5 uV each."""
    signed = raw - 0x10000 if raw & 0x8000 else raw
    return signed * 5 // (2 * shunt_mohm)

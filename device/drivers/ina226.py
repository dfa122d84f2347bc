"""An INA226 (I2C): the supply's voltage, and the energy that has gone through its shunt since the start.

Once a second is read, once a minute told. One that does not answer is tried again and tells nothing.
"""

from typing import TYPE_CHECKING

from device.agent.events import Sensed

if TYPE_CHECKING:
    from typing import Any

READ_MS = 1_000
TELL_MS = 60_000
_SETUP, _SHUNT, _BUS = 0, 1, 2
_AVERAGED = 0x4527  # both, all the time, 16 samples of 1.1 ms
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

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if now_ms < self._due:
            return
        self._due = now_ms + READ_MS
        try:
            if not self._ready:
                self._i2c.writeto(self._address, bytes([_SETUP, _AVERAGED >> 8, _AVERAGED & 255]))
                self._ready = True
                self._read_at = now_ms
                return  # nothing is measured yet
            supply_mv = millivolts(self._get(_BUS))
            current_ma = milliamperes(self._get(_SHUNT), self._shunt_mohm)
        except OSError:
            self._ready = False
            return
        self._mw_ms += supply_mv * current_ma // 1000 * (now_ms - self._read_at)
        self._read_at = now_ms
        if now_ms >= self._tell_at:
            self._tell_at = now_ms + TELL_MS
            events.append(Sensed("supply_mv", supply_mv))
            events.append(Sensed("energy_mwh", max(0, self._mw_ms // _MWH)))

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

"""What a locker's sensors say (protocol.messages.Measured): which of it is kept, in which unit it is told, and from
where on somebody has to look. Other names are let go by.
"""

from dataclasses import dataclass

from gateway import limits
from protocol.limits import SUPPLY_BACK_MV, SUPPLY_LOW_MV


@dataclass(frozen=True, slots=True)
class Quantity:
    """`unit`: base units of one as the locker says it, in the way of Prometheus, and `name` ends with theirs. People
    read `shown` of it, `digits` behind the point. `display` is its sign."""

    name: str
    unit: float
    purpose: str
    shown: float = 1
    digits: int = 0
    display: str = ""


# By the name on the wire.
QUANTITIES = {
    "temperature_dc": Quantity("temperature_celsius", 0.1, "Inside the housing.", 0.1, 1, "°C"),
    "chip_temperature_dc": Quantity("chip_temperature_celsius", 0.1, "Of the controller itself.", 0.1, 1, "°C"),
    "supply_mv": Quantity("supply_volts", 0.001, "Of the supply of the locks.", 0.001, 1, "V"),
    "energy_mwh": Quantity("energy_joules", 3.6, "Used since its last start.", 0.001, 1, "Wh"),
    "tamper": Quantity("housing_open", 1, "1: its housing is open."),
}


# What a locker has decided by itself, 1 or 0 -> the alarm that a 1 is. It knows when its locks pull at the supply.
VERDICTS = {"tamper": "housing_open", "supply_low": "supply_low"}


@dataclass(frozen=True, slots=True)
class Reading:
    """`name`: a key of QUANTITIES; `value`: as the locker said it. `told_s`: when."""

    locker: str
    name: str
    value: int
    told_s: int

    @property
    def quantity(self) -> Quantity:
        return QUANTITIES[self.name]

    @property
    def in_base_units(self) -> float:
        return round(self.value * self.quantity.unit, 3)

    @property
    def as_shown(self) -> str:
        return f"{self.value * self.quantity.shown:.{self.quantity.digits}f}"


@dataclass(frozen=True, slots=True)
class Bound:
    """An alarm from `from_` on (`above`: or more, else: or less) until it is back at `settled`, so that a value at the
    edge raises one and not a hundred."""

    name: str
    kind: str
    above: bool
    from_: int
    settled: int

    def is_crossed(self, value: int) -> bool:
        return value >= self.from_ if self.above else value <= self.from_

    def is_settled(self, value: int) -> bool:
        return value <= self.settled if self.above else value >= self.settled


BOUNDS = (
    Bound(
        "temperature_dc",
        "temperature_high",
        above=True,
        from_=limits.TEMPERATURE_DC_MAX + 1,
        settled=limits.TEMPERATURE_DC_MAX - limits.TEMPERATURE_SETTLED_DC,
    ),
    Bound(
        "temperature_dc",
        "temperature_low",
        above=False,
        from_=limits.TEMPERATURE_DC_MIN - 1,
        settled=limits.TEMPERATURE_DC_MIN + limits.TEMPERATURE_SETTLED_DC,
    ),
    Bound(
        "supply_mv",
        "supply_low",
        above=False,
        from_=SUPPLY_LOW_MV - 1,
        settled=SUPPLY_BACK_MV,
    ),
)

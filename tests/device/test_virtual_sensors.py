"""A virtual cabinet's sensors, byte for byte, and our drivers on their wires: each fault is seen as what it is.

In a real MicroPython, with a gateway: tests/e2e/test_tls_journey.py.
"""

from typing import Any

import pytest

from device.drivers.ds18b20 import EVERY_MS, Ds18b20, crc8
from device.drivers.ina226 import READ_MS, Ina226
from protocol.numbers import PART_GARBLED, PART_SILENT, PART_STUCK, PART_WELL, PART_WRONG
from tools.locker import cabinets
from tools.locker.chips import Chips
from tools.locker.physics import CabinetError, Front
from tools.locker.senses import COIL_MA, IDLE_MA, SAG_MOHM, SUPPLY_MV, Senses

SUPPLY: dict[str, int] = cabinets.SENSORS["supply"]
WIRE: int = cabinets.SENSORS["temperature"]
STEP_MS = 100


class Nothing:
    """A timer that is never called."""

    def cancel(self) -> None:
        pass


class Circuit:
    def __init__(self) -> None:
        self.grounded: set[int] = set()

    def ground(self, pin: int, on: bool) -> None:
        (self.grounded.add if on else self.grounded.discard)(pin)

    def join(self, pin: int, other: int, on: bool) -> None:
        pass


class Locker:
    """The cabinet's side of the wires, and the board's: an I2C, a 1-Wire, and both drivers on them."""

    def __init__(self) -> None:
        hardware = cabinets.mairie() | {"sensors": cabinets.SENSORS}
        self.now = 0
        self.circuit = Circuit()
        self.front = Front(hardware, self.circuit, lambda _ms, _act: Nothing(), lambda _news: None)
        self.chips = Chips(hardware, self.front, lambda: self.now)
        self.senses = Senses(hardware, self.front, self.circuit, self.chips, lambda: self.now)
        self.drivers = (Ina226(self, SUPPLY["address"], SUPPLY["shunt_mohm"]), Ds18b20(self))

    def play(self, ms: int) -> dict[str, int]:
        """What was said last of each."""
        events: list[Any] = []
        until = self.now + ms
        while self.now < until:
            for driver in self.drivers:
                driver.gather(self.now, events)
            self.now += STEP_MS
        return {event.name: event.value for event in events}

    # -------------------------------------------------------------- as machine.I2C
    def writeto(self, address: int, data: bytes) -> None:
        self._access(address, data, 0)

    def readfrom_mem(self, address: int, register: int, size: int) -> bytes:
        return self._access(address, bytes([register]), size)

    def _access(self, address: int, data: bytes, size: int) -> bytes:
        try:
            answer = self.chips.access(SUPPLY["i2c"], address, data, size)
        except TimeoutError:
            raise OSError(110)
        if answer is None:
            raise OSError(19)
        return answer

    # -------------------------------------------------------------- as onewire.OneWire
    def reset(self) -> bool:
        return self.senses.one_wire(WIRE, b"", -1) == b"\x01"

    def writebyte(self, byte: int) -> None:
        self.senses.one_wire(WIRE, bytes([byte]), 0)

    def readbyte(self) -> int:
        return self.senses.one_wire(WIRE, b"", 1)[0]


@pytest.mark.parametrize(
    ("part", "fault", "health"),
    [
        ("meter", "silent", PART_SILENT),
        ("meter", "another", PART_WRONG),
        ("meter", "stuck", PART_STUCK),
        ("thermometer", "silent", PART_SILENT),
        ("thermometer", "another", PART_WRONG),
        ("thermometer", "stuck", PART_STUCK),
        ("thermometer", "noisy", PART_GARBLED),
    ],
)
def test_each_fault_of_a_sensor_is_seen_as_what_it_is_from_the_start_or_later_and_ends(
    part: str, fault: str, health: int
) -> None:
    locker = Locker()
    values = {"meter": "supply_mv", "thermometer": "temperature_dc"}
    locker.senses.fault(part, fault, True)
    said = locker.play(2_000)
    assert said[part] == health and values[part] not in said
    locker.senses.fault(part, fault, False)
    said = locker.play(2 * EVERY_MS)
    assert said[part] == PART_WELL and values[part] in said
    if (part, fault) != ("meter", "another"):  # which nobody swaps for another while it works
        locker.senses.fault(part, fault, True)
        assert locker.play(2 * EVERY_MS)[part] == health


def test_what_there_is_to_sense_is_what_the_drivers_say_and_a_lock_that_pulls_shows_in_the_energy_alone() -> None:
    locker = Locker()
    idle_mv = SUPPLY_MV - IDLE_MA * SAG_MOHM // 1_000
    said = locker.play(2 * READ_MS)
    assert abs(said["supply_mv"] - idle_mv) < 2 and said["temperature_dc"] == 215
    locker.senses.set("temperature_dc", -55)
    locker.front.energise(3, True, locker.now)
    pulse = locker.play(2 * READ_MS)
    locker.front.energise(3, False, locker.now)
    assert "supply_mv" not in pulse and "supply_low" not in pulse
    said = locker.play(60_000)
    hour_ms = 3_600_000
    with_lock = IDLE_MA + COIL_MA
    spent_mwh = (60_000 * idle_mv * IDLE_MA + 2 * READ_MS * 9_000 * with_lock) // 1_000 // hour_ms
    assert (
        said["supply_mv"] > idle_mv - 2 and said["temperature_dc"] == -55 and said["energy_mwh"] > spent_mwh * 9 // 10
    )


def test_an_emulated_thermometer_says_its_family_and_forgets_its_measurement_with_its_power() -> None:
    locker = Locker()
    locker.play(2_000)
    locker.senses.power_lost()
    assert locker.reset()
    locker.writebyte(0x33)
    code = bytes(locker.readbyte() for _byte in range(8))
    assert code[0] == 0x28 and crc8(code) == 0 and locker.readbyte() == 0xFF
    assert locker.reset()
    for order in (0xCC, 0xBE):
        locker.writebyte(order)
    assert [locker.readbyte(), locker.readbyte()] == [0x50, 0x05], "85 degrees"
    assert locker.senses.one_wire(WIRE + 50, b"", -1) == b"\x00", "nobody on another pin"


def test_a_housing_is_shut_until_somebody_opens_it() -> None:
    locker = Locker()
    pin: int = cabinets.SENSORS["tamper"]
    assert pin in locker.circuit.grounded
    locker.senses.set("tamper", 1)
    assert pin not in locker.circuit.grounded
    locker.senses.set("tamper", 0)
    assert pin in locker.circuit.grounded


def test_what_a_cabinet_does_not_have_or_cannot_do_is_refused() -> None:
    locker = Locker()
    for name, value in (("humidity", 1), ("supply_mv", -1), ("temperature_dc", 1_251)):
        with pytest.raises(CabinetError):
            locker.senses.set(name, value)
    for part, fault in (("barometer", "silent"), ("meter", "noisy")):
        with pytest.raises(CabinetError):
            locker.senses.fault(part, fault, True)
    hardware = cabinets.mairie()
    bare = Senses(hardware, locker.front, locker.circuit, Chips(hardware, locker.front, lambda: 0), lambda: 0)
    for part in ("meter", "thermometer"):
        with pytest.raises(CabinetError):
            bare.fault(part, "silent", True)
    with pytest.raises(CabinetError):
        bare.set("tamper", 1)

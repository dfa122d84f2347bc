"""What senses the locker itself: its housing, its temperature, its supply. Loaded only where /config.json names any,
and let go of once the board is made; so nothing of it may stay in use.
"""

from typing import TYPE_CHECKING

import machine

from device.drivers.doors import DoorSwitches, tampered

if TYPE_CHECKING:
    from typing import Any


def i2c(part: "dict[str, Any]", usual_hz: int = 100_000) -> "Any":
    """`sda` and `scl` only where the board does not have them on the bus's usual pins."""
    pins: dict[str, Any] = {name: machine.Pin(part[name]) for name in ("sda", "scl") if name in part}
    return machine.I2C(part["i2c"], freq=part.get("freq", usual_hz), **pins)


def add(sensors: "dict[str, Any]", sources: "list[Any]") -> None:
    if "tamper" in sensors:
        pin = machine.Pin(sensors["tamper"], machine.Pin.IN, machine.Pin.PULL_UP)
        sources.append(DoorSwitches([(0, pin)], 0, tampered))
    if "temperature" in sensors:
        import onewire  # noqa: PLC0415 - frozen in every port that has the wire

        from device.drivers.ds18b20 import Ds18b20  # noqa: PLC0415 - its room in the heap only where it is needed

        sources.append(Ds18b20(onewire.OneWire(machine.Pin(sensors["temperature"]))))
    if sensors.get("chip"):
        from device.drivers.chip import ChipTemperature, reader  # noqa: PLC0415

        read = reader(machine)
        if read is not None:
            sources.append(ChipTemperature(read))
    if "supply" in sensors:
        from device.drivers.ina226 import Ina226  # noqa: PLC0415

        part = sensors["supply"]
        sources.append(Ina226(i2c(part), part.get("address", 0x40), part.get("shunt_mohm", 2)))

"""Parts that few lockers have, each imported only where /config.json names it. Loaded only where it names any, and let
go of once the board is made; so nothing of it may stay in use.
"""

from typing import TYPE_CHECKING

import machine

from device.drivers.doors import DoorSwitches

if TYPE_CHECKING:
    from typing import Any

    from device.drivers.display import Texts


def i2c(part: "dict[str, Any]", usual_hz: int = 100_000) -> "Any":
    """`sda` and `scl` only where the board does not have them on the bus's usual pins."""
    pins: dict[str, Any] = {name: machine.Pin(part[name]) for name in ("sda", "scl") if name in part}
    return machine.I2C(part["i2c"], freq=part.get("freq", usual_hz), **pins)


def keypad(part: "dict[str, Any]") -> "Any":
    """None: no such kind."""
    if part["kind"] != "wiegand":
        return None
    from device.drivers.wiegand import Wiegand  # noqa: PLC0415 - its room in the heap only where it is needed

    wires = [machine.Pin(part[name], machine.Pin.IN, machine.Pin.PULL_UP) for name in ("d0", "d1")]
    return Wiegand(wires[0], wires[1], part.get("bits", 4))


def scanner(part: "dict[str, Any]", uart: "Any") -> "Any":
    if part["kind"] != "gm65":
        return None
    from device.drivers.gm65 import Gm65  # noqa: PLC0415

    return Gm65(uart, [bytes.fromhex(order) for order in part.get("setup", ())])


def display(part: "dict[str, Any]", texts: "Texts") -> "Any":
    if part["kind"] == "ssd1306":
        from device.drivers.ssd1306 import HZ, Ssd1306  # noqa: PLC0415

        return Ssd1306(i2c(part, HZ), part, texts)
    if part["kind"] != "hd44780":
        return None
    from device.drivers.hd44780 import Hd44780  # noqa: PLC0415

    return Hd44780(i2c(part), part.get("address", 0x27), texts)


def others(document: "dict[str, Any]", locks: "Any", sources: "list[Any]") -> "Any":
    """What stands for the locks from here on; `sources` grow."""
    if "lights" in document:
        from device.drivers.lights import lights  # noqa: PLC0415

        locks = lights(document, locks, machine)
        sources.append(locks)  # behind the doors, whose events it reads
    sensors: dict[str, Any] = document.get("sensors", {})
    if "tamper" in sensors:
        from device.drivers.tamper import tampered  # noqa: PLC0415

        pin = machine.Pin(sensors["tamper"], machine.Pin.IN, machine.Pin.PULL_UP)
        sources.append(DoorSwitches([(0, pin)], 0, tampered))
    if "temperature" in sensors:
        import onewire  # noqa: PLC0415 - frozen in every port that has the wire

        from device.drivers.ds18b20 import Ds18b20  # noqa: PLC0415

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
    return locks

"""Parts that few lockers have, each imported only where /config.json names it. Loaded only where it names any, and let
go of once the board is made; so nothing of it may stay in use.
"""

from typing import TYPE_CHECKING

import machine

from device.drivers.sensors import i2c

if TYPE_CHECKING:
    from typing import Any

    from device.drivers.display import Texts


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


def lit(document: "dict[str, Any]", locks: "Any", sources: "list[Any]") -> "Any":
    """What stands for the locks from here on; `sources` grow."""
    from device.drivers.lights import lights  # noqa: PLC0415

    locks = lights(document, locks, machine)
    sources.append(locks)  # behind the doors, whose events it reads
    return locks

"""Chips on I2C and SPI with locks on them, as /config.json describes them: built, or refused with the field's name.
Loaded only where a module names one; of the drivers, only those that are named.
"""

from typing import TYPE_CHECKING

import machine

from device.agent.config import ConfigError
from device.drivers.locks.expander import Expander
from device.drivers.locks.heard import Heard
from device.drivers.more import i2c

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Arm = Callable[[int, Callable[[Any], None]], None]


def chips(document: "dict[str, Any]", arm: "Callable[[int], Arm]") -> "list[tuple[int, Expander, Any]]":
    """(supply, what the guard drives, what is gathered) of each. `arm(supply)`: its one-shot timer. Raises
    ConfigError."""
    made: list[tuple[int, Expander, Any]] = []
    known: list[tuple[object, ...]] = []
    for place, module in enumerate(document["modules"]):
        name = module.get("driver")
        if name not in ("mcp23017", "hc595"):
            continue
        supply = module.get("supply", 1)
        if name == "mcp23017":
            from device.drivers.locks.mcp23017 import ADDRESSES  # noqa: PLC0415 - its room only where it is needed

            key = (module.get("i2c"), module.get("address", ADDRESSES[0]))
            one, chip = _mcp23017(place, module, arm(supply))
        else:
            key = (module.get("spi"), module.get("latch"))
            one, chip = _hc595(place, module, arm(supply))
        _expect(key not in known, place, "address" if name == "mcp23017" else "latch", "another than the other chip's")
        known.append(key)
        made.append((supply, one, chip))
    return made


def _mcp23017(place: int, module: "dict[str, Any]", arm: "Arm") -> "tuple[Expander, Any]":
    from device.drivers.locks.mcp23017 import ADDRESSES, OUTPUT_ONLY, PINS, Mcp23017  # noqa: PLC0415

    address = module.get("address", ADDRESSES[0])
    _expect(_within(address, *ADDRESSES), place, "address", "{} to {}".format(*ADDRESSES))
    _expect(_within(module.get("i2c"), 0, 9), place, "i2c", "the number of an I2C bus")
    used: list[object] = []
    pulls = 0
    for box in module["compartments"]:
        for field in ("lock", "door", "occupied"):
            if field == "occupied" and field not in box:
                continue
            pin: Any = box.get(field)
            _expect(_within(pin, 1, PINS), place, field, f"1 to {PINS}")
            _expect(pin not in used, place, field, "used once")
            used.append(pin)
            if field != "lock":
                _expect(pin not in OUTPUT_ONLY, place, field, "another pin: 8 and 16 can be outputs only")
                pulls |= 1 << (pin - 1)
    boxes: list[dict[str, Any]] = module["compartments"]
    doors = [(box["number"], box["door"]) for box in boxes]
    items = [(box["number"], box["occupied"]) for box in boxes if "occupied" in box]
    polarity = module.get("closed_when", 1)
    _expect(_within(polarity, 0, 1), place, "closed_when", "0 or 1")
    reset = _pin(place, module, "reset", 0)
    heard = Heard(place, doors, items, polarity)
    inlets = {box["lock"]: box["door"] for box in boxes}
    chip = Mcp23017(i2c(module), address, reset, heard, inlets, pulls)
    return Expander(chip, {box["number"]: box["lock"] for box in boxes}, reset, 0, arm), chip


def _hc595(place: int, module: "dict[str, Any]", arm: "Arm") -> "tuple[Expander, Any]":
    from device.drivers.locks.hc595 import CHANNELS_MAX, Hc595  # noqa: PLC0415

    _expect(_within(module.get("spi"), 0, 9), place, "spi", "the number of an SPI bus")
    channels = module.get("channels", 8)
    _expect(
        _within(channels, 8, CHANNELS_MAX) and channels % 8 == 0,
        place,
        "channels",
        f"8, 16 and so on to {CHANNELS_MAX}",
    )
    boxes: list[dict[str, Any]] = module["compartments"]
    used: list[object] = []
    for box in boxes:
        _expect(_within(box.get("lock"), 1, channels), place, "lock", f"1 to {channels}")
        _expect(box["lock"] not in used, place, "lock", "used once")
        used.append(box["lock"])
    enable = _pin(place, module, "enable", 1)
    latch = _pin(place, module, "latch", 0)
    pins: dict[str, Any] = {name: machine.Pin(module[name]) for name in ("sck", "mosi", "miso") if name in module}
    spi = machine.SPI(module["spi"], baudrate=module.get("baud", 1_000_000), **pins)
    heard = Heard(place, [], [], 1)
    chip = Hc595(spi, latch, enable, channels // 8, module.get("check") is True, heard)
    return Expander(chip, {box["number"]: box["lock"] for box in boxes}, enable, 1, arm), chip


def _pin(place: int, module: "dict[str, Any]", field: str, level: int) -> "machine.Pin":
    """It has no usual one, and without it nothing would end a pulse whose bus fails."""
    _expect(_within(module.get(field), 0, 1_000), place, field, "the pin at the chip's " + field)
    return machine.Pin(module[field], machine.Pin.OUT, value=level)


def _expect(holds: bool, place: int, field: str, wanted: str) -> None:
    if not holds:
        raise ConfigError(f"modules[{place}].{field}: must be {wanted}")


def _within(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

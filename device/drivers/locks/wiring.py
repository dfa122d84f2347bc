"""Lock boards as /config.json describes them: built, or refused with the field's name. Loaded only where a module
names a driver; of the drivers, only those that are named.
"""

from typing import TYPE_CHECKING

import machine

from device.agent.config import ConfigError
from device.drivers.locks.bus import Bus, Station
from device.drivers.locks.kinds import driver
from device.drivers.locks.mixed import has_inputs, is_on_bus
from device.drivers.locks.port import Port
from protocol.limits import PULSE_MS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_BUFFER = 256
_BAUDS = (9600, 19200, 38400, 57600, 115200)
_CHANNELS_MAX = {"cu16": 16, "cu48": 48, "board8a": 50, "wkly": 24, "modbus": 32}
_WORDS = {"feedback": ("close_short", "open_short"), "variant": ("waveshare", "r421a08")}


def _expect(holds: bool, place: int, field: str, wanted: str) -> None:
    if not holds:
        raise ConfigError(f"modules[{place}].{field}: must be {wanted}")


def _within(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def station(place: int, module: "dict[str, Any]") -> Station:
    """Raises ConfigError."""
    name = module.get("driver", "")
    board = driver(name)
    _expect(board is not None, place, "driver", "gpio, cu16, cu48, board8a, wkly, modbus, mcp23017 or hc595")
    address = module.get("address", board.ADDRESSES[0])
    _expect(_within(address, *board.ADDRESSES), place, "address", "{} to {}".format(*board.ADDRESSES))
    channels = module.get("channels", board.CHANNELS)
    most = _CHANNELS_MAX[name]
    _expect(_within(channels, 1, most), place, "channels", f"1 to {most}")
    polarity = module.get("closed_when", 1)
    _expect(_within(polarity, 0, 1), place, "closed_when", "0 or 1")
    for field, words in _WORDS.items():
        _expect(module.get(field, words[0]) in words, place, field, " or ".join(words))
    own_ms = module.get("pulse_ms", board.OWN_MS)
    _expect(_within(own_ms, 1, PULSE_MS_MAX), place, "pulse_ms", f"1 to {PULSE_MS_MAX}")
    boxes: list[tuple[int, int, int]] = []
    items: list[tuple[int, int]] = []
    for box in module["compartments"]:
        lock = box.get("lock")
        inlet = box.get("door", lock) if name == "modbus" and has_inputs(module) else lock
        _expect(_within(lock, 1, channels), place, "lock", f"1 to {channels}")
        _expect(_within(inlet, 1, channels), place, "door", f"1 to {channels}")
        _expect(lock not in [row[1] for row in boxes], place, "lock", "used once")
        _expect(inlet not in [row[2] for row in boxes], place, "door", "used once")
        boxes.append((box["number"], lock, inlet))
        if box.get("occupied") is True:
            _expect(board.ITEMS, place, "occupied", "left out: this board has no such inputs")
            items.append((box["number"], inlet))
    made = Station(place, board.Codec(address, channels, module), boxes, items, polarity, own_ms)
    made.heard.blind = not has_inputs(module)
    return made


def each(document: "dict[str, Any]") -> "Iterator[tuple[int, int, Station]]":
    """(bus, supply, station) of each module that hangs on a board. Touches no pin. Raises ConfigError."""
    wires: list[Any] = document.get("buses", [])
    known: list[tuple[int, str, object]] = []
    for place, module in enumerate(document["modules"]):
        if not is_on_bus(module):
            continue
        bus: int = module.get("bus", 0)
        _expect(_within(bus, 0, len(wires) - 1), place, "bus", "the place of one of buses")
        one = station(place, module)
        key: tuple[int, str, object] = (
            bus,
            module["driver"],
            module.get("address", driver(module["driver"]).ADDRESSES[0]),
        )
        _expect(key not in known, place, "address", "another than the other board's")
        known.append(key)
        yield bus, module.get("supply", 1), one
    for number in range(len(wires)):
        _baud(document, number)


def _baud(document: "dict[str, Any]", number: int) -> int:
    """Of that bus: as it says, or as its first board usually has it."""
    first = [module for module in document["modules"] if is_on_bus(module) and module.get("bus", 0) == number]
    usual = driver(first[0]["driver"]).BAUD if first else 9600
    baud = document["buses"][number].get("baud", usual)
    if baud not in _BAUDS:
        raise ConfigError(f"buses[{number}].baud: must be one of {_BAUDS}")
    return baud


def buses(
    document: "dict[str, Any]", uart: "Callable[[dict[str, Any], int], Any]", now: "Callable[[], int]"
) -> "tuple[list[tuple[int, Station]], list[Bus]]":
    """((supply, its station) pairs, the buses). Raises ConfigError."""
    found = list(each(document))
    made: list[Bus] = []
    for number, wire in enumerate(document.get("buses", [])):
        enable = machine.Pin(wire["de"], machine.Pin.OUT, value=0) if "de" in wire else None
        baud = _baud(document, number)
        port = Port(uart(wire | {"baud": baud}, _BUFFER), enable, now)
        stations = [one for bus, _supply, one in found if bus == number]
        made.append(Bus(port, baud, wire.get("echo", False), stations))
    return [(supply, one) for _bus, supply, one in found], made

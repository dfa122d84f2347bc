"""The two demo lockers, as hardware.json describes them: what is bolted where, in millimetres, and on which pin.

y is the height of a compartment's lower edge above the floor. The pins are those of the virtual board; a real
one of this size reaches its locks through a lock board.
"""

from collections.abc import Callable, Sequence
from typing import Any

Hardware = dict[str, Any]

PLINTH_MM = 150
MODULE_WIDTH_MM = 450
DEPTH_MM = 500
TOP_MM = 1900
PANEL_MM = (890, 610)  # height above the floor, and its own: a keypad that a seated person reaches
REACH_MM = (400, 1300)  # what lies wholly in between can be used from a wheelchair
FIRST_LOCK_PIN = 100
FIRST_DOOR_PIN = 200
# A DS18B20, a switch at the housing, an INA226.
SENSORS: Hardware = {"temperature": 21, "tamper": 22, "supply": {"i2c": 0, "address": 0x40, "shunt_mohm": 2}}

Heights = dict[str, int]


def mairie(locker: str = "mairie-1") -> Hardware:
    """14 compartments in two modules; the screen is in the first."""
    heights = {"S": 110, "M": 260, "L": 460}
    return _locker(locker, "Mairie", heights, (("LM", "MS"), ("LMMSSSSSSS",)))


def sensing(locker: str = "mairie-1") -> Hardware:
    """The same with all sensors that there are."""
    return mairie(locker) | {"sensors": SENSORS}


def gare(locker: str = "gare-1") -> Hardware:
    """48 compartments in four modules; the screen is in the second."""
    heights = {"S": 90, "M": 260, "L": 460}
    full = ("LM" + "S" * 11,)
    return _locker(locker, "Gare", heights, (full, ("MSSSS", "SSSS"), full, full))


def mixed(locker: str = "gare-1") -> Hardware:
    """The same doors, half of them on pins, half on lock boards of two kinds, with all sensors that there are: it fits
    the heap of a board without PSRAM and leaves it air (device/README.md, "Heap")."""
    hardware = gare(locker)
    boards: tuple[Hardware, ...] = (
        {"driver": "cu48", "bus": 0, "address": 0},
        {},
        {"driver": "board8a", "bus": 1, "address": 1},
        {},
    )
    modules = [_wired(module, wiring) for module, wiring in zip(hardware["modules"], boards, strict=True)]
    return hardware | {"modules": modules, "buses": [{"uart": 3}, {"uart": 4}], "sensors": SENSORS}


def _wired(module: Hardware, board: Hardware) -> Hardware:
    """The board's own feedback tells its doors."""
    if not board:
        return module
    boxes = [
        {name: box[name] for name in box if name != "door"} | {"lock": channel}
        for channel, box in enumerate(module["compartments"], 1)
    ]
    return module | board | {"compartments": boxes}


CABINETS: dict[str, Callable[[str], Hardware]] = {"mairie-1": mairie, "gare-1": gare}
DEMO: dict[str, Callable[[str], Hardware]] = {"mairie-1": sensing, "gare-1": mixed}


def _locker(locker: str, name: str, heights: Heights, columns: Sequence[tuple[str, ...]]) -> Hardware:
    """`columns`: the sizes of each module's compartments from the floor up; two strings: below and above the panel."""
    modules: list[Hardware] = []
    panel: Hardware = {}
    number = 1
    for place, column in enumerate(columns):
        x_mm = place * MODULE_WIDTH_MM
        starts = (PLINTH_MM, sum(PANEL_MM))
        boxes: list[Hardware] = []
        for y_mm, sizes in zip(starts, column, strict=False):
            boxes += _stack(sizes, heights, number + len(boxes), x_mm, y_mm)
        number += len(boxes)
        modules.append({"name": "ABCDEFGH"[place], "x_mm": x_mm, "width_mm": MODULE_WIDTH_MM, "compartments": boxes})
        if len(column) > 1:
            panel = {"x_mm": x_mm, "y_mm": PANEL_MM[0], "width_mm": MODULE_WIDTH_MM, "height_mm": PANEL_MM[1]}
    return {
        "locker": locker,
        "name": name,
        "width_mm": len(columns) * MODULE_WIDTH_MM,
        "height_mm": TOP_MM,
        "modules": modules,
        "panel": panel,
        "keypad": {"rows": [10, 11, 12, 13], "columns": [14, 15, 16, 17]},
        "scanner": {"uart": 1, "baud": 9600},
        "display": {"uart": 2, "baud": 9600, "language": "fr", "qr": True},
        "buzzer": 20,
        "watchdog_ms": 8_000,  # a process on a busy PC waits for its turn longer than a board ever does
        "lock_on": 1,
        "door_closed": 0,
    }


def _stack(sizes: str, heights: Heights, first: int, x_mm: int, y_mm: int) -> list[Hardware]:
    boxes: list[Hardware] = []
    for place, size in enumerate(sizes):
        number = first + place
        height = heights[size]
        boxes.append(
            {
                "number": number,
                "size": size,
                "x_mm": x_mm,
                "y_mm": y_mm,
                "width_mm": MODULE_WIDTH_MM,
                "height_mm": height,
                "depth_mm": DEPTH_MM,
                "lock": FIRST_LOCK_PIN + number,
                "door": FIRST_DOOR_PIN + number,
                "accessible": y_mm >= REACH_MM[0] and y_mm + height <= REACH_MM[1],
            }
        )
        y_mm += height
    return boxes

"""A locker whose locks hang on boards or chips, all or some of them, or on several supplies: parts put together."""

from typing import TYPE_CHECKING

from device.drivers.locks.guard import Guard
from device.drivers.locks.several import Sources, Supplies

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CHIPS = ("mcp23017", "hc595")


def cabinet(  # noqa: PLR0917 - how the board makes each kind of part
    document: "dict[str, Any]",
    coils: "Callable[[Any, Any, Any], Any]",
    doors: "Callable[[Any, Any], Any]",
    uart: "Callable[[Any, int], Any]",
    one_shot: "Callable[[int], Any]",
    now: "Callable[[], int]",
) -> "tuple[Any, Any]":
    """(locks, doors). Raises ConfigError."""
    modules: list[dict[str, Any]] = document["modules"]
    arm = Timers(one_shot).of
    found = _on_pins(document, modules, coils, arm)
    sources: list[Any] = []
    if any([module.get("driver") in CHIPS for module in modules]):
        from device.drivers.locks.chips import chips  # noqa: PLC0415 - its room in the heap only where it is needed

        for supply, one, chip in chips(document, arm):
            found.append((supply, one))
            sources.append(chip)
    if any([is_on_bus(module) for module in modules]):
        from device.drivers.locks.wiring import buses  # noqa: PLC0415

        stations, made = buses(document, uart, now)
        found.extend(stations)
        sources.extend(made)
    switches = [box for module in modules if not has_inputs(module) for box in module["compartments"]]
    if switches:
        sources.append(doors(document, switches))
    supplies = sorted({supply for supply, _one in found})
    guards = [Guard([one for its, one in found if its == supply]) for supply in supplies]
    return guards[0] if len(guards) == 1 else Supplies(guards), Sources(sources)


class Timers:
    """One for each supply: of its coils one is on at a time."""

    def __init__(self, one_shot: "Callable[[int], Any]") -> None:
        self._one_shot = one_shot
        self._made: dict[int, Any] = {}

    def of(self, supply: int) -> "Any":
        if supply not in self._made:
            self._made[supply] = self._one_shot(len(self._made))
        return self._made[supply]


def _on_pins(
    document: "dict[str, Any]",
    modules: "list[dict[str, Any]]",
    coils: "Callable[[Any, Any, Any], Any]",
    arm: "Callable[[int], Any]",
) -> "list[tuple[int, Any]]":
    """(supply, coils) pairs."""
    boxes: dict[int, list[Any]] = {}
    for module in modules:
        if not has_driver(module):
            boxes.setdefault(module.get("supply", 1), []).extend(module["compartments"])
    return [(supply, coils(document, boxes[supply], arm(supply))) for supply in sorted(boxes)]


def has_driver(module: "dict[str, Any]") -> bool:
    return module.get("driver", "gpio") != "gpio"


def is_on_bus(module: "dict[str, Any]") -> bool:
    return has_driver(module) and module["driver"] not in CHIPS


def has_inputs(module: "dict[str, Any]") -> bool:
    """Whether its board knows the doors; otherwise `door` is a pin."""
    return has_driver(module) and module["driver"] != "hc595" and module.get("variant") != "r421a08"

"""A locker whose locks hang on boards, all or some of them, or on several supplies: parts put together."""

from typing import TYPE_CHECKING

from device.drivers.locks.guard import Guard
from device.drivers.locks.several import Sources, Supplies
from device.drivers.locks.wiring import buses, has_driver, has_inputs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def cabinet(
    document: "dict[str, Any]",
    coils: "Callable[[Any, Any, int], Any]",
    doors: "Callable[[Any, Any], Any]",
    uart: "Callable[[Any, int], Any]",
    now: "Callable[[], int]",
) -> "tuple[Any, Any]":
    """(locks, doors). Raises ConfigError."""
    by_supply: dict[int, list[Any]] = {}
    on_pins: dict[int, list[Any]] = {}
    switches: list[Any] = []
    for module in document["modules"]:
        if not has_driver(module):
            on_pins.setdefault(module.get("supply", 1), []).extend(module["compartments"])
        if not has_driver(module) or not has_inputs(module):
            switches.extend(module["compartments"])
    for timer, supply in enumerate(sorted(on_pins)):
        by_supply.setdefault(supply, []).append(coils(document, on_pins[supply], timer))
    stations, made = buses(document, uart, now)
    for supply, station in stations:
        by_supply.setdefault(supply, []).append(station)
    guards = [Guard(by_supply[supply]) for supply in sorted(by_supply)]
    sources: list[Any] = list(made)
    if switches:
        sources.append(doors(document, switches))
    return guards[0] if len(guards) == 1 else Supplies(guards), Sources(sources)

"""What may hang on which pin: a lock on the wrong one opens by itself at a reset, or never.

Strapping pins are driven and read by the chip while it starts; those of the flash are not free at all; some can be
inputs only. Sources: ESP32 Series Datasheet, sections "Pin Overview" and "Strapping Pins"; ESP32-S3 Series Datasheet,
the same sections (GPIO26 to 32 carry the flash and the PSRAM in the package).
"""

from collections.abc import Iterator
from typing import Any

from tools.locker.physics import doors_on_pins


class PinError(Exception):
    """These pins cannot be used so; the text names the pin, what hangs on it, and why not."""


_STRAPPING = "the chip uses it while it starts, so its level moves at every reset"
_FLASH = "it belongs to the flash"
_INPUT_ONLY = "it can be an input only"
_OF_A_CHIP = ("reset", "latch", "enable")
# Not for a lock's output. A board that is not named here is not restricted.
FORBIDDEN: dict[str, dict[int, str]] = {
    "esp32": {
        **dict.fromkeys((0, 2, 5, 12, 15), _STRAPPING),
        **dict.fromkeys(range(6, 12), _FLASH),
        **dict.fromkeys(range(34, 40), _INPUT_ONLY),
    },
    "esp32s3": {**dict.fromkeys((0, 3, 45, 46), _STRAPPING), **dict.fromkeys(range(26, 33), _FLASH)},
}


def uses(hardware: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """(pin, what hangs on it) of everything that the document names."""
    for module in hardware["modules"]:
        yield from _of_a_module(module, "lights" not in hardware)  # else they hang on one pin
    if "lights" in hardware:
        yield hardware["lights"]["pin"], "the lights"
    keypad: dict[str, Any] = hardware.get("keypad") or {}
    for part in ("rows", "columns"):
        yield from ((pin, f"keypad {part}") for pin in keypad.get(part, ()))
    yield from ((keypad[part], f"keypad {part}") for part in ("d0", "d1") if part in keypad)
    for name in ("scanner", "display"):
        port: dict[str, Any] = hardware.get(name) or {}
        yield from ((port[part], f"{part} of the {name}") for part in ("tx", "rx") if part in port)
    for place, bus in enumerate(hardware.get("buses", [])):
        yield from ((bus[part], f"{part} of bus {place}") for part in ("tx", "rx", "de") if part in bus)
    yield from _of_sensors(hardware.get("sensors") or {})
    if hardware.get("buzzer") is not None:
        yield hardware["buzzer"], "buzzer"


def _of_a_module(module: dict[str, Any], lights: bool) -> Iterator[tuple[int, str]]:
    on_pins = (["light"] if lights else []) + (["door", "occupied"] if doors_on_pins(module) else [])
    if module.get("driver", "gpio") == "gpio":
        on_pins.append("lock")
    for box in module["compartments"]:
        yield from ((box[part], f"{part} of compartment {box['number']}") for part in on_pins if part in box)
    yield from ((module[part], f"{part} of module {module['name']}") for part in _OF_A_CHIP if part in module)


def _of_sensors(sensors: dict[str, Any]) -> Iterator[tuple[int, str]]:
    yield from ((sensors[name], f"the {name} sensor") for name in ("temperature", "tamper") if name in sensors)
    meter: dict[str, Any] = sensors.get("supply") or {}
    yield from ((meter[part], f"{part} of the supply's meter") for part in ("sda", "scl") if part in meter)


def check(hardware: dict[str, Any]) -> None:
    """Raises PinError for a pin used twice, or a lock on a pin that cannot hold one (`board`: a key of FORBIDDEN)."""
    seen: dict[int, str] = {}
    forbidden = FORBIDDEN.get(hardware.get("board", ""), {})
    for pin, what in uses(hardware):
        if pin in seen:
            raise PinError(f"pin {pin} is used twice: {seen[pin]}, and {what}")
        seen[pin] = what
        if pin in forbidden and what.startswith("lock"):
            raise PinError(f"pin {pin} ({what}) cannot drive a lock of {hardware['board']}: {forbidden[pin]}")

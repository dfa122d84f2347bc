"""The controller's own temperature, once a minute: some degrees above that of the housing, so for trends. Loaded only
where /config.json asks for it; a chip without such a sensor (the first ESP32) tells nothing.
"""

from typing import TYPE_CHECKING

from device.agent.events import Sensed

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

EVERY_MS = 60_000


class ChipTemperature:
    """`read`: tenths of a degree C."""

    def __init__(self, read: "Callable[[], int]") -> None:
        self._read = read
        self._due = 0

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if now_ms < self._due:
            return
        self._due = now_ms + EVERY_MS
        try:
            tenths = self._read()
        except OSError:  # busy, say with Wi-Fi: the next one
            return
        events.append(Sensed("chip_temperature_dc", tenths))


def reader(machine: "Any") -> "Callable[[], int] | None":
    """By the port's own means; None: it has none."""
    try:
        import esp32  # noqa: PLC0415 - of one port

        ask: Any = getattr(esp32, "mcu_temperature", None)  # S2, S3, C3, C6
        return (lambda: int(ask() * 10)) if ask else None
    except ImportError:
        pass
    kind = getattr(machine, "ADC", None)
    if kind is None:
        return None
    channel = kind(getattr(kind, "CORE_TEMP", 4))
    return lambda: tenths_of_rp2(channel.read_u16())


def tenths_of_rp2(raw: int) -> int:
    """RP2040 data sheet 4.9.5: 0.706 V at 27 degrees, 1.721 mV less for each more; 65535 is 3.3 V."""
    microvolts = raw * 3_300_000 // 65_535
    return 270 + ((706_000 - microvolts) * 20 + 1_721) // (2 * 1_721)

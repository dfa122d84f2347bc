"""A light at each door: lit from its pulse on, out once it was open and is closed. Loaded only where one is named."""

from typing import TYPE_CHECKING

from device.agent.events import DoorSensed

if TYPE_CHECKING:
    from typing import Any

WAIT_MS = 60_000  # for a door to open: longer than all tries
T0H_T0L_T1H_T1L_NS = (400, 850, 800, 450)  # WS2812B: how long high and low are for a 0, and for a 1


class Lights:
    """Stands in front of the locks and tells them all; gathered behind the doors. `lamps`: compartment -> what has
    value(0 or 1)."""

    def __init__(self, locks: "Any", lamps: "dict[int, Any]") -> None:
        self._locks = locks
        self._lamps = lamps
        self._until: dict[int, int] = {}  # compartment -> when it goes out; -1: as its door closes
        for lamp in lamps.values():
            lamp.value(0)

    # Each by its name: what is compiled for a board has other names, and none to ask for by chance (shared_names.py).
    @property
    def busy(self) -> bool:
        return self._locks.busy

    def tick(self, now_ms: int) -> None:
        self._locks.tick(now_ms)

    def deadline_ms(self) -> "int | None":
        return self._locks.deadline_ms()

    def drop(self, now_ms: int) -> None:
        self._locks.drop(now_ms)

    def off(self, now_ms: int) -> None:
        self._locks.off(now_ms)

    def pulse(self, now_ms: int, compartment: int, ms: int) -> None:
        if ms and compartment in self._lamps and self._until.get(compartment) != -1:
            self._until[compartment] = now_ms + WAIT_MS
            self._lamps[compartment].value(1)
        self._locks.pulse(now_ms, compartment, ms)

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if not self._until:
            return
        for event in events:
            if type(event) is DoorSensed and event.compartment in self._until:
                if not event.closed:
                    self._until[event.compartment] = -1
                elif self._until[event.compartment] < 0:
                    self._out(event.compartment)
        for compartment, until in list(self._until.items()):
            if 0 <= until <= now_ms:
                self._out(compartment)

    def _out(self, compartment: int) -> None:
        del self._until[compartment]
        self._lamps[compartment].value(0)


class Strip:
    """WS2812 in a row. `send(bytes)`: three bytes a light, as the chips take them (green, red, blue)."""

    def __init__(self, send: "Any", count: int, color: "tuple[int, int, int]") -> None:
        self._send = send
        self._row = bytearray(3 * count)
        self._lit = bytes([color[1], color[0], color[2]])

    def lamp(self, place: int) -> "Lamp":
        """From 1 on."""
        return Lamp(self, place)

    def put(self, place: int, level: int) -> None:
        start = 3 * (place - 1)
        self._row[start : start + 3] = self._lit if level else bytes(3)
        self._send(self._row)


class Lamp:
    def __init__(self, strip: Strip, place: int) -> None:
        self._strip = strip
        self._place = place

    def value(self, level: int) -> None:
        self._strip.put(self._place, level)


def lights(document: "dict[str, Any]", locks: "Any", machine: "Any") -> Lights:
    """Of each compartment's `light`: a pin, or its place on the strip that `lights` names."""
    boxes = [box for module in document["modules"] for box in module["compartments"] if "light" in box]
    strip = document.get("lights")
    if not strip:
        return Lights(locks, {box["number"]: machine.Pin(box["light"], machine.Pin.OUT, value=0) for box in boxes})
    pin = machine.Pin(strip["pin"], machine.Pin.OUT, value=0)

    def send(colors: bytes) -> None:
        machine.bitstream(pin, 0, T0H_T0L_T1H_T1L_NS, colors)

    row = Strip(send, max([box["light"] for box in boxes]), tuple(strip.get("color", (80, 80, 80))))
    return Lights(locks, {box["number"]: row.lamp(box["light"]) for box in boxes})

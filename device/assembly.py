"""What a board is put together from, as /config.json says. The only file that knows which pin is what.

Only a start needs it: nothing that stays may hold a function or a class of it. A part's driver is imported where the
part is named, and nowhere else: its room in the heap is taken only there.
"""
# ruff: noqa: PLC0415

import os
import sys
from typing import TYPE_CHECKING

import machine

from device.agent.console import unload
from device.board import Nothing, one_shot
from device.drivers.display import LANGUAGES, Display, Texts

if TYPE_CHECKING:
    from typing import Any

    from device.board import Board
    from device.drivers.doors import DoorSwitches
    from device.drivers.locks.gpio import GpioCoils
    from device.drivers.transport import Transport

# Of what makes lock boards and chips.
_ONLY_A_START = (
    "device.drivers.locks.mixed",
    "device.drivers.locks.wiring",
    "device.drivers.locks.kinds",
    "device.drivers.locks.chips",
)
_GREETING = "/language"  # on flash: the one to greet in, where the gateway ordered it
_UART_BUFFER = 1024  # one whole scan, should a lap take long
_CAUSES = (
    ("WDT_RESET", "watchdog"),
    ("SOFT_RESET", "soft"),
    ("DEEPSLEEP_RESET", "sleep"),
    ("HARD_RESET", "hard"),
    ("PWRON_RESET", "power"),
)


def cause() -> str:
    found = machine.reset_cause()
    for name, word in _CAUSES:
        if getattr(machine, name, None) == found:
            return word
    return "unknown"


def cabinet(board: "Board", document: "dict[str, Any]") -> "tuple[Any, Any]":
    """Locks and doors: on pins, on lock boards, or some here and some there."""
    modules: list[dict[str, Any]] = document["modules"]
    if not any([module.get("driver", "gpio") != "gpio" or "supply" in module for module in modules]):
        from device.drivers.locks.guard import Guard

        boxes = _compartments(document)
        return Guard([_coils(document, boxes, one_shot())]), _doors(document, boxes)
    from device.drivers.locks.mixed import cabinet

    made = cabinet(document, _coils, _doors, _uart, one_shot, board.clock.now_ms)
    unload(names=_ONLY_A_START)
    return made


def transport(board: "Board", document: "dict[str, Any]") -> "Transport":
    from device.drivers.resolver import Resolver
    from device.drivers.transport import Transport
    from device.drivers.wifi import Wifi, Wired

    broker = document["broker"]
    wifi = document.get("network")
    network = Wifi(wifi["ssid"], wifi["password"]) if wifi else Wired()
    tls = None
    if "tls" in broker:
        from device.drivers.tls import Tls

        tls = Tls(broker["tls"].get("server_name") or broker["host"], board.feed)
    resolver = Resolver(broker.get("dns_port", 53), broker.get("dns", ""))
    return Transport(
        (broker["host"], broker["port"]),
        network,
        board.waiter,
        board.busy,
        resolver,
        tls=tls,
        probe_port=broker.get("probe_port", 80),
    )


def add_panel(board: "Board", document: "dict[str, Any]") -> None:
    keypad = document.get("keypad")
    pin = machine.Pin
    if keypad:
        source = _more().keypad(keypad) if "kind" in keypad else None
        if source is None:
            from device.drivers.keypad import Keypad

            rows = [pin(number, pin.OPEN_DRAIN, value=1) for number in keypad["rows"]]
            columns = [pin(number, pin.IN, pin.PULL_UP) for number in keypad["columns"]]
            source = Keypad(rows, columns)
        board.sources.append(source)
    scanner = document.get("scanner")
    if scanner:
        uart = _uart(scanner, _UART_BUFFER)
        source = _more().scanner(scanner, uart) if "kind" in scanner else None
        if source is None:
            from device.drivers.scanner import Scanner

            source = Scanner(uart)
        board.sources.append(source)
    if "lights" in document:
        board.locks = _more().lit(document, board.locks, board.sources)
    if "sensors" in document:
        from device.drivers import sensors

        sensors.add(document["sensors"], board.sources)
    board.screens = _screens()
    display: dict[str, Any] = document.get("display") or {}
    board.language = display.get("language", LANGUAGES[0])
    board.display = _display(document, board.screens, board.root)
    if hasattr(board.display, "gather"):
        board.sources.append(board.display)  # it draws a little a lap
    board.buzzer = _buzzer(document)


def _compartments(document: "dict[str, Any]") -> "list[dict[str, Any]]":
    return [box for module in document["modules"] for box in module["compartments"]]


def _coils(document: "dict[str, Any]", boxes: "list[dict[str, Any]]", arm: "Any") -> "GpioCoils":
    from device.drivers.locks.gpio import GpioCoils

    pin = machine.Pin
    on = document.get("lock_on", 1)
    return GpioCoils({box["number"]: pin(box["lock"], pin.OUT, value=1 - on) for box in boxes}, on, arm)


def _doors(document: "dict[str, Any]", boxes: "list[dict[str, Any]]") -> "DoorSwitches":
    from device.drivers.doors import DoorSwitches

    pin = machine.Pin
    pins = [(box["number"], pin(box["door"], pin.IN, pin.PULL_UP)) for box in boxes]
    watched = [(box["number"], pin(box["occupied"], pin.IN, pin.PULL_UP)) for box in boxes if "occupied" in box]
    behind = None
    if watched:
        from device.drivers.occupancy import Occupancy

        behind = Occupancy(watched, document.get("occupied_full", 0))
    return DoorSwitches(pins, document.get("door_closed", 0), behind=behind)


def _uart(part: "dict[str, Any]", receive: int) -> "Any":
    """`tx` and `rx` only where the board does not have them on the port's usual pins."""
    pins: dict[str, Any] = {name: machine.Pin(part[name]) for name in ("tx", "rx") if name in part}
    return machine.UART(part["uart"], part.get("baud", 9600), rxbuf=receive, txbuf=256, **pins)


def _first_language(kept: str, part: "dict[str, Any]") -> str:
    """What the gateway ordered, else what this locker was built with."""
    ordered = ""
    try:
        with open(kept, "rb") as file:
            ordered = str(file.read(2), "utf-8")
    except (OSError, ValueError):
        pass  # never ordered, or rotten
    return ordered if ordered in LANGUAGES else part.get("language", LANGUAGES[0])


def _display(document: "dict[str, Any]", screens: str, root: str) -> "Any":
    part = document.get("display")
    if not part:
        return Nothing()
    kept = root + _GREETING
    texts = Texts(screens, _first_language(kept, part), kept)
    made = _more().display(part, texts) if "kind" in part else None
    return made or Display(_uart(part, 64), texts, part.get("qr", False))


def _more() -> "Any":
    from device.drivers import more

    return more


def _screens() -> str:
    """Beside the code, wherever that lies."""
    for path in sys.path:
        folder = path + "/device/screens"
        try:
            os.stat(folder)
            return folder
        except OSError:
            continue
    return ""


def _buzzer(document: "dict[str, Any]") -> "Any":
    number = document.get("buzzer")
    if number is None:
        return Nothing()
    from device.drivers.buzzer import Buzzer

    return Buzzer(machine.PWM(machine.Pin(number)))

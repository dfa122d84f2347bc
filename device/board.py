"""The board: one driver for each part that /config.json describes. The only file that knows which pin is what."""

import os
import sys
from typing import TYPE_CHECKING

import machine

from device.agent.config import Config, layout
from device.agent.console import unload
from device.clock import board_clock
from device.drivers import flash
from device.drivers.buzzer import Buzzer
from device.drivers.console import SerialConsole
from device.drivers.display import LANGUAGES, Display, Texts
from device.drivers.doors import DoorSwitches
from device.drivers.keypad import Keypad
from device.drivers.locks.gpio import GpioCoils
from device.drivers.locks.guard import Guard
from device.drivers.resolver import Resolver
from device.drivers.scanner import Scanner
from device.drivers.transport import Transport
from device.drivers.waiter import Waiter
from device.drivers.watchdog import Watchdog
from device.drivers.wifi import Wifi, Wired
from device.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_UART_BUFFER = 1024  # one whole scan, should a lap take long
_CAUSES = (
    ("WDT_RESET", "watchdog"),
    ("SOFT_RESET", "soft"),
    ("DEEPSLEEP_RESET", "sleep"),
    ("HARD_RESET", "hard"),
    ("PWRON_RESET", "power"),
)


class Nothing:
    """Stands in for a part that this locker does not have."""

    def show(self, _screen: str, _arguments: "tuple[str, ...]") -> None:
        pass

    def play(self, _now_ms: int, _tune: str) -> None:
        pass

    def tick(self, _now_ms: int) -> None:
        pass

    def off(self) -> None:
        pass


class Board:
    """Raises OSError, ValueError or ConfigError when what provisioning left cannot be used."""

    trial: "Any" = None  # a device.desk.trial.Trial while a configuration is on trial

    root = ""  # of the flash

    def __init__(self) -> None:
        key = flash.read_key()
        document = flash.read_config()
        self.config = Config.parse(document, key, flash.read_trust())
        self.trust = flash.TrustFolder(self.config.trusted)
        self.modules = layout(document)
        trial: str = document.get("trial", "")
        self.cause = trial or _cause()
        self.clock = board_clock()
        self.waiter = Waiter()
        self.locks, self.doors = self._cabinet(document)  # first of all pins: outputs are low from here on
        self.console = SerialConsole(self.waiter)
        self.transport = self._transport(document)
        self.sources: list[Any] = [self.console, self.transport, self.doors]
        if trial == "trial":
            from device.desk.trial import Trial  # noqa: PLC0415

            self.trial = Trial(self, document)
            self.sources.insert(0, self.trial)
        self._add_panel(document)
        self.screens = _screens()
        display: dict[str, Any] = document.get("display") or {}
        self.language: str = display.get("language", LANGUAGES[0])
        self.display = _display(document, self.screens)
        if hasattr(self.display, "gather"):
            self.sources.append(self.display)  # it draws a little a lap
        unload((), "device.drivers", ("more", "sensors"))  # only a start needs them
        self.buzzer = _buzzer(document)
        self.journal = Journal(flash.journal_folder())
        self.watchdog = Watchdog(document.get("watchdog_ms", 0))

    def _cabinet(self, document: "dict[str, Any]") -> "tuple[Any, Any]":
        """Locks and doors: on pins, on lock boards, or some here and some there."""
        modules: list[dict[str, Any]] = document["modules"]
        if not any([module.get("driver", "gpio") != "gpio" or "supply" in module for module in modules]):
            boxes = _compartments(document)
            return Guard([_coils(document, boxes, _one_shot())]), _doors(document, boxes)
        from device.drivers.locks.mixed import cabinet  # noqa: PLC0415 - its room in the heap only where it is needed

        made = cabinet(document, _coils, _doors, _uart, _one_shot, self.clock.now_ms)
        unload((), "device.drivers.locks", ("mixed", "wiring", "kinds"))  # 3 kB that only a start needs
        return made

    def _transport(self, document: "dict[str, Any]") -> Transport:
        broker = document["broker"]
        wifi = document.get("network")
        network = Wifi(wifi["ssid"], wifi["password"]) if wifi else Wired()
        tls = None
        if "tls" in broker:
            from device.drivers.tls import Tls  # noqa: PLC0415 - its room in the heap only where it is needed

            tls = Tls(broker["tls"].get("server_name") or broker["host"], self._feed)
        resolver = Resolver(broker.get("dns_port", 53), broker.get("dns", ""))
        return Transport(
            (broker["host"], broker["port"]),
            network,
            self.waiter,
            self._busy,
            resolver,
            tls=tls,
            probe_port=broker.get("probe_port", 80),
        )

    def _feed(self) -> None:
        self.watchdog.feed()

    def _add_panel(self, document: "dict[str, Any]") -> None:
        keypad = document.get("keypad")
        pin = machine.Pin
        if keypad:
            source = _more().keypad(keypad) if "kind" in keypad else None
            if source is None:
                rows = [pin(number, pin.OPEN_DRAIN, value=1) for number in keypad["rows"]]
                columns = [pin(number, pin.IN, pin.PULL_UP) for number in keypad["columns"]]
                source = Keypad(rows, columns)
            self.sources.append(source)
        scanner = document.get("scanner")
        if scanner:
            uart = _uart(scanner, _UART_BUFFER)
            source = _more().scanner(scanner, uart) if "kind" in scanner else None
            self.sources.append(source or Scanner(uart))
        if "lights" in document:
            self.locks = _more().lit(document, self.locks, self.sources)
        if "sensors" in document:
            from device.drivers import sensors  # noqa: PLC0415

            sensors.add(document["sensors"], self.sources)

    def _busy(self) -> bool:
        return self.locks.busy

    def restart(self) -> None:
        self.locks.off(self.clock.now_ms())
        machine.reset()

    def report(self, error: Exception) -> None:
        """Where the technician can see it; our exceptions hold no secrets."""
        sys.print_exception(error, sys.stderr)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def _cause() -> str:
    cause = machine.reset_cause()
    for name, word in _CAUSES:
        if getattr(machine, name, None) == cause:
            return word
    return "unknown"


def _compartments(document: "dict[str, Any]") -> "list[dict[str, Any]]":
    return [box for module in document["modules"] for box in module["compartments"]]


def _coils(document: "dict[str, Any]", boxes: "list[dict[str, Any]]", arm: "Any") -> GpioCoils:
    pin = machine.Pin
    on = document.get("lock_on", 1)
    return GpioCoils({box["number"]: pin(box["lock"], pin.OUT, value=1 - on) for box in boxes}, on, arm)


def _one_shot(number: int = 0) -> "Callable[[int, Callable[[Any], None]], None]":
    try:
        timer: Any = machine.Timer(number)
    except ValueError:  # a port that has virtual timers only (RP2)
        timer = machine.Timer(-1)

    def arm(ms: int, action: "Callable[[Any], None]") -> None:
        if ms:
            timer.init(mode=machine.Timer.ONE_SHOT, period=ms, callback=action)
        else:
            timer.deinit()

    return arm


def _doors(document: "dict[str, Any]", boxes: "list[dict[str, Any]]") -> DoorSwitches:
    pin = machine.Pin
    pins = [(box["number"], pin(box["door"], pin.IN, pin.PULL_UP)) for box in boxes]
    watched = [(box["number"], pin(box["occupied"], pin.IN, pin.PULL_UP)) for box in boxes if "occupied" in box]
    behind = None
    if watched:
        from device.drivers.occupancy import Occupancy  # noqa: PLC0415 - its room in the heap only where it is needed

        behind = Occupancy(watched, document.get("occupied_full", 0))
    return DoorSwitches(pins, document.get("door_closed", 0), behind=behind)


def _uart(part: "dict[str, Any]", receive: int) -> "Any":
    """`tx` and `rx` only where the board does not have them on the port's usual pins."""
    pins: dict[str, Any] = {name: machine.Pin(part[name]) for name in ("tx", "rx") if name in part}
    return machine.UART(part["uart"], part.get("baud", 9600), rxbuf=receive, txbuf=256, **pins)


def _display(document: "dict[str, Any]", screens: str) -> "Any":
    part = document.get("display")
    if not part:
        return Nothing()
    texts = Texts(screens, part.get("language", "fr"))
    made = _more().display(part, texts) if "kind" in part else None
    return made or Display(_uart(part, 64), texts, part.get("qr", False))


def _more() -> "Any":
    from device.drivers import more  # noqa: PLC0415 - its room in the heap only where it is needed

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
    return Buzzer(machine.PWM(machine.Pin(number)))

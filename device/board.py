"""The board: one driver for each part that /config.json describes, and what the loop asks of all of them together.

Who is made of what, and on which pin, is device.assembly's, which only a start needs.
"""

import sys
from typing import TYPE_CHECKING

import machine

from device.agent.console import unload
from device.clock import board_clock
from device.drivers import flash
from device.drivers.console import SerialConsole
from device.drivers.waiter import Waiter
from device.drivers.watchdog import Watchdog
from device.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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
    screens: str  # where its texts are
    language: str
    display: "Any"
    buzzer: "Any"

    def __init__(self) -> None:
        from device import assembly  # noqa: PLC0415 - their room in the heap only while they are needed
        from device.agent import described  # noqa: PLC0415

        document = flash.read_config()
        self.config = described.parse(document, flash.read_key(), flash.read_trust())
        self.trust = flash.TrustFolder(self.config.trusted)
        self.modules = described.layout(document)
        trial: str = document.get("trial", "")
        self.cause = trial or assembly.cause()
        self.clock = board_clock()
        self.waiter = Waiter()
        self.locks, self.doors = assembly.cabinet(self, document)  # first of all pins: outputs are low from here on
        self.console = SerialConsole(self.waiter)
        self.transport = assembly.transport(self, document)
        self.sources: list[Any] = [self.console, self.transport, self.doors]
        if trial == "trial":
            from device.desk.trial import Trial  # noqa: PLC0415

            self.trial = Trial(self, document)
            self.sources.insert(0, self.trial)
        assembly.add_panel(self, document)
        self.journal = Journal(flash.journal_folder())
        self.watchdog = Watchdog(document.get("watchdog_ms", 0))
        unload(names=("device.assembly", "device.agent.described", "device.drivers.more", "device.drivers.sensors"))

    def feed(self) -> None:
        self.watchdog.feed()

    def busy(self) -> bool:
        return self.locks.busy

    def restart(self) -> None:
        self.locks.off(self.clock.now_ms())
        machine.reset()

    def report(self, error: Exception) -> None:
        """Where the technician can see it; our exceptions hold no secrets."""
        sys.print_exception(error, sys.stderr)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def one_shot(number: int = 0) -> "Callable[[int, Callable[[Any], None]], None]":
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

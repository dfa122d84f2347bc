"""A board on the table: the shell's parts as lists and counters, with a real journal in a folder."""

from pathlib import Path
from typing import Any

from device.drivers.flash import TrustFolder
from device.journal import Journal


class Clock:
    def __init__(self) -> None:
        self.ms = 0

    def now_ms(self) -> int:
        return self.ms


class Parts:
    """Every output of the board: what was done, in order, as (part, what)."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Any]] = []
        self.arriving: list[Any] = []  # events that the next lap finds
        self.busy = False

    def gather(self, _now_ms: int, events: list[Any]) -> None:
        events += self.arriving
        self.arriving = []

    def forget(self) -> None:
        self.done.append(("doors", "forget"))

    def pulse(self, _now_ms: int, compartment: int, ms: int) -> None:
        self.done.append(("pulse", (compartment, ms)))

    def off(self, _now_ms: int = 0) -> None:
        self.done.append(("coils", "off"))

    def drop(self, _now_ms: int) -> None:
        self.done.append(("coils", "drop"))

    def deadline_ms(self) -> int | None:
        return None

    def show(self, screen: str, arguments: tuple[str, ...]) -> None:
        self.done.append(("show", (screen, arguments)))

    def play(self, _now_ms: int, tune: str) -> None:
        self.done.append(("beep", tune))

    def tick(self, _now_ms: int) -> None:
        pass

    def dial(self, _wall_s: int, _known: bool) -> None:
        self.done.append(("dial", None))

    def hang_up(self) -> None:
        self.done.append(("hang_up", None))

    def send(self, _now_ms: int, data: bytes) -> None:
        self.done.append(("send", data))

    def write(self, data: bytes) -> None:
        self.done.append(("write", data))

    def feed(self) -> None:
        self.done.append(("fed", None))

    def wait(self, _ms: int) -> None:
        pass


class TableBoard:
    """What device.board.Board is, without a pin. `errors`: what was reported."""

    def __init__(self, folder: Path, config: Any = None) -> None:
        self.config = config
        self.root = str(folder)
        self.trusted: dict[bytes, bytes] = {}
        self.trust = TrustFolder(self.trusted, str(folder))
        self.cause = "power"
        self.clock = Clock()
        self.parts = Parts()
        self.locks = self.doors = self.console = self.transport = self.display = self.parts
        self.buzzer = self.watchdog = self.waiter = self.parts
        self.sources = [self.parts]
        self.journal = Journal(str(folder))
        self.errors: list[Exception] = []
        self.restarts = 0

    def restart(self) -> None:
        self.restarts += 1

    def report(self, error: Exception) -> None:
        self.errors.append(error)

    def did(self, *parts: str) -> list[tuple[str, Any]]:
        return [entry for entry in self.parts.done if entry[0] in parts]

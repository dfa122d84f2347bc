"""Somebody who watches one cabinet all the time: which lock was pulsed, which door moved, when a board woke up.

A pulse's time is laid into the board's own: `status`, asked for at each greeting on the console, says which boot that
is and how many seconds old.
"""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from tools.chaos.evidence import Pulse
from tools.demo.stack import RunningLocker
from tools.locker.client import CabinetClient, CabinetError

_GREETING = "Type help."
BOOT_S = 20.0
_CONSOLE_KEPT = 4_000


@dataclass
class _Life:
    """From one greeting of the agent to the next. `boot` 0: it did not live long enough to say."""

    greeted_at: float
    boot: int = 0
    began_at: float = 0.0  # when its clock stood at 0, to half a second


class Witness:
    def __init__(self, locker: RunningLocker) -> None:
        self._locker = locker
        self._events = CabinetClient(locker.control)
        self._changed = threading.Condition()
        self._doors: list[tuple[int, str]] = []
        self._pulses: list[tuple[int, float]] = []
        self._lives: list[_Life] = []
        self._console = ""
        self._news = 0
        self._open = True
        self._events.watch()
        self._greeted(0.0)  # it was on before we came
        self._thread = threading.Thread(target=self._watch, name=f"witness {locker.id}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._open = False
        self._thread.join(3)
        self._events.close()

    def see_a_boot(self) -> None:
        """What came before the first greeting that we hear has no place in the board's time."""
        self._locker.cabinet.kill()
        with self._changed:
            if not self._changed.wait_for(lambda: self._lives[-1].boot and len(self._lives) > 1, BOOT_S):
                raise TimeoutError(f"{self._locker.id} did not greet us within {BOOT_S:.0f} s")

    # -------------------------------------------------------------- for people
    def mark(self) -> int:
        with self._changed:
            return len(self._doors)

    def wait_opened(self, mark: int, wait_s: float) -> int:
        """The first door that opened since; 0 when none did in time."""
        until = time.monotonic() + wait_s
        with self._changed:
            while True:
                for door, state in self._doors[mark:]:
                    if state == "open":
                        return door
                left = until - time.monotonic()
                if left <= 0 or not self._open:
                    return 0
                self._changed.wait(left)

    def wait_busy(self, wait_s: float) -> None:
        """Until a screen, a door or a lock does something."""
        with self._changed:
            before = self._news
            self._changed.wait_for(lambda: self._news != before, wait_s)

    def ask_console(self, order: str, wait_s: float = 5.0) -> dict[str, Any] | None:
        """The JSON of its `OK`; None when there is none in time. One question at a time."""
        with self._changed:
            self._console = ""
        try:
            self._locker.cabinet.type(order + "\r")
        except (CabinetError, OSError):
            return None
        with self._changed:
            self._changed.wait_for(lambda: _answer(self._console) is not None, wait_s)
            return _answer(self._console)

    # -------------------------------------------------------------- for the rules
    @property
    def pulse_count(self) -> int:
        with self._changed:
            return len(self._pulses)

    def pulses(self) -> list[Pulse]:
        """Every pulse so far, in its board's time."""
        found: list[Pulse] = []
        with self._changed:
            for door, at in self._pulses:
                life = next((life for life in reversed(self._lives) if life.greeted_at <= at), None)
                if life is None or not life.boot or life.greeted_at == 0.0:
                    found.append(Pulse(door, 0, at))
                else:
                    found.append(Pulse(door, life.boot, at - life.began_at))
        return found

    # -------------------------------------------------------------- the thread
    def _watch(self) -> None:
        while self._open:
            try:
                for news in self._events.events(0.5):
                    with self._changed:
                        self._hear(news)
                        self._changed.notify_all()
            except (CabinetError, OSError, TimeoutError):
                return

    def _hear(self, news: dict[str, Any]) -> None:
        kind = news["event"]
        if kind == "door":
            self._doors.append((news["compartment"], news["door"]))
        elif kind == "pulse":
            self._pulses.append((news["compartment"], news["at"]))
        elif kind == "power" and news["on"]:
            self._console = ""
        elif kind == "console":
            self._heard_console(news["text"], news["at"])
        if kind in ("door", "pulse", "screen"):
            self._news += 1

    def _heard_console(self, text: str, at: float) -> None:
        self._console = (self._console + text)[-_CONSOLE_KEPT:]
        if _GREETING in self._console:
            self._console = ""
            self._greeted(at)
        said = _answer(self._console)
        if said is not None and "boot" in said and self._lives and not self._lives[-1].boot:
            self._lives[-1].boot = int(said["boot"])
            self._lives[-1].began_at = at - 1000 * int(said["uptime_s"]) - 500

    def _greeted(self, at: float) -> None:
        self._lives.append(_Life(at))
        try:
            self._locker.cabinet.type("status\r")
        except (CabinetError, OSError):
            return


def _answer(text: str) -> dict[str, Any] | None:
    """The last whole `OK {…}` line."""
    for line in reversed(text.split("\r\n")[:-1]):
        if line.startswith("OK {"):
            try:
                return json.loads(line[3:])
            except ValueError:
                return None
    return None

"""The watchdog: resets a board whose loop stands still. It cannot be stopped once begun (nor should it)."""

import machine

MS_MAX = 8388  # RP2040


class Watchdog:
    """Fed once a lap, by the shell only: a lap that does not end is what it watches for."""

    def __init__(self, timeout_ms: int) -> None:
        self._timer = machine.WDT(timeout=min(timeout_ms, MS_MAX)) if timeout_ms else None

    def feed(self) -> None:
        if self._timer is not None:
            self._timer.feed()

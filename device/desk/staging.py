"""The last step of `module retire NAME`: nothing is left inside, and the change itself is put beside. In a lap of its
own, since what has led the module out is gone from the heap by then.
"""

from typing import TYPE_CHECKING

from device.agent.console import load, unload
from device.desk.seat import STAYS

if TYPE_CHECKING:
    from device.desk.seat import Desk


class Staging:
    call_at = 0

    def __init__(self, name: str) -> None:
        self._name = name

    def step(self, desk: "Desk") -> None:
        unload(STAYS)
        try:
            settings = load("settings")
        except MemoryError:
            desk.err("no_memory", "reboot, then once more")
            return
        settings.put_beside(desk, ["retire", self._name])

    def stop(self, desk: "Desk") -> None:
        desk.err("stopped", "Ctrl-C")

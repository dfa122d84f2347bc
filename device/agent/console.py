"""The serial console's part that is always in the heap: who is logged in, and the way to all the rest.

Whoever types anything gets a Desk (device/desk): line editor, orders, their texts. It is imported then, and goes
again when nobody has been there for a while: a board has no room for it beside its customers. Whoever acts must first
answer a challenge (protocol.keys.console_answer) or show a badge.
"""

import sys
from typing import TYPE_CHECKING

from device.agent.effects import Write
from protocol.hmac import equal
from protocol.keys import console_answer
from protocol.limits import CONSOLE_HEAP_MIN, CONSOLE_IDLE_MS

if TYPE_CHECKING:
    from typing import Any

    from device.agent.config import Config
    from device.agent.drbg import Drbg
    from device.agent.effects import Effect

_DESK = "device.desk."


class Console:
    """`actor` is who is logged in; "" for nobody. `desk`: who sits there, logged in or not; None for nobody. `board`:
    what device.desk.hands is made with; None where there is none."""

    board: "Any" = None

    def __init__(self, config: "Config", drbg: "Drbg") -> None:
        self._locker = config.locker
        self._key = config.key
        self._drbg = drbg
        self.actor = ""
        self.desk: Any = None
        self.idle_at = 0
        self._challenge = b""
        self._asker = ""
        self._badge = b""  # the token that the actor came with, if it was one

    def sit_down(self, agent: "Any", effects: "list[Effect]") -> "Any":
        """The desk, with whoever is there now; None where the heap has no room for it, which its customers need."""
        if self.desk is None:
            try:
                if 0 < agent.heap_free < CONSOLE_HEAP_MIN:
                    raise MemoryError
                self.desk = load("seat").Desk(agent)
            except MemoryError:
                unload()  # half of it may be there
                text = f"\r\nERR no_memory {agent.heap_free} bytes free, {CONSOLE_HEAP_MIN} needed\r\n"
                effects.append(Write(text.encode()))
        return self.desk

    def greet(self, effects: "list[Effect]") -> None:
        text = "\r\nConsigne, locker " + self._locker + ". Type help.\r\n" + self._locker + "> "
        effects.append(Write(text.encode()))

    # -------------------------------------------------------------- who is there
    def challenge(self, name: str) -> str:
        """What `name` must answer, in hex."""
        self._challenge = self._drbg.bytes(8)
        self._asker = name
        return self._challenge.hex()

    def answer(self, now: int, answer: str) -> str:
        """ "" and the asker is logged in, or why not. A challenge is good for one answer; what a wrong one costs is
        Access's business."""
        challenge, self._challenge = self._challenge, b""
        if not challenge:
            return "wrong_state"
        if not equal(answer.lower().encode(), console_answer(self._key, challenge, self._asker).encode()):
            return "wrong_code"
        self.log_in(now, self._asker, b"")
        return ""

    def log_in(self, now: int, name: str, badge: bytes) -> None:
        self.actor = name
        self._badge = badge
        self.idle_at = now + CONSOLE_IDLE_MS

    def log_out(self) -> None:
        self.actor = ""
        self._badge = b""
        self._challenge = b""

    def token_revoked(self, token: bytes) -> None:
        if self._badge == token:
            self.log_out()

    def deadline(self) -> "int | None":
        return None if self.desk is None else self.desk.call_at


# ------------------------------------------------------------------ modules that come and go
def load(name: str, package: str = _DESK) -> "Any":
    """A module of device/desk, or of another folder."""
    return __import__(package + name, None, None, (name,))


def unload(kept: "tuple[str, ...]" = (), names: "tuple[str, ...]" = ()) -> None:
    """Give back what modules take of the heap: those with these full names, or all of device/desk but those `kept`;
    who holds one goes on holding it. One at a time, since there may be no room for a list of them."""
    start = len(_DESK)
    while True:
        for full in sys.modules:
            if full in names or (not names and full.startswith(_DESK) and full[start:] not in kept):
                break
        else:
            return
        del sys.modules[full]
        package, _dot, name = full.rpartition(".")
        parent = sys.modules.get(package)
        if hasattr(parent, name):
            delattr(parent, name)

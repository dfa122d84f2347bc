"""What the whole-journey tests have in common: one locker of a running stack, and what the books say of it."""

import time
from typing import Any

from protocol import cose, messages
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from tools.console import Session, open_port
from tools.demo.journey import Play
from tools.demo.stack import RunningLocker, Stack, quiet

News = dict[str, Any]
LINK_WAIT_S = 120.0  # one dial that went wrong is followed by the next after up to 90 s


class Scene:
    def __init__(self, stack: Stack, locker: str) -> None:
        self.stack = stack
        self.locker: RunningLocker = stack.lockers[locker]
        self.cabinet = self.locker.cabinet

    def part(self) -> Play:
        return Play(self.stack, self.locker.id, quiet)

    def deposit(self, size: str = "S") -> Play:
        """A parcel lies in the locker, and the gateway knows it."""
        part = self.part()
        part.expect(size)
        part.show_badge()
        part.scan_label()
        part.close_door()
        part.deposited()
        part.courier_leaves()
        return part

    def events(self) -> list[News]:
        """This locker's events in the gateway's books, in the order they were committed."""
        return [event for event in self.stack.api.pages("/v1/events", limit=200) if event["locker"] == self.locker.id]

    def types_since(self, seq: int) -> list[str]:
        return [event["type"] for event in self.events() if event["seq"] > seq]

    def last_seq(self) -> int:
        return max((event["seq"] for event in self.events()), default=0)

    def wait_event(self, kind: str, since: int, wait_s: float = 60.0) -> News:
        """The first event of that type after `since` in the books."""

        def found() -> News | None:
            return next((event for event in self.events() if event["seq"] > since and event["type"] == kind), None)

        return self.stack.wait_for(f"event {kind}", found, wait_s)

    def assert_books_exact(self) -> None:
        """Every event of the locker once, in order, none missing."""
        seqs = [event["seq"] for event in self.events()]
        assert seqs == list(range(1, len(seqs) + 1))

    def pulses(self) -> int:
        return len(self.cabinet.state()["pulses"])

    def cut_power(self) -> None:
        """For a moment, in the middle of whatever it does; the board that starts afterwards is another process."""
        before = self.cabinet.state()["board_pid"]
        self.cabinet.kill()
        self.cabinet.wait_until(lambda state: state["board_pid"] not in (None, before))

    def knock(self) -> None:
        """Somebody at the panel, until the locker itself says that it is online: it dials at once, but not with every
        key. The books call it online until somebody misses it, and a cable that is up is not yet a link."""
        self.cabinet.wait_until(lambda state: any(state["screen"]))
        self.stack.wait_for("the locker's link", self._answers_the_door, LINK_WAIT_S)

    def _answers_the_door(self) -> bool:
        self.cabinet.keys("*")  # and what broke before has been noticed by the time that this was seen
        return self.link()["state"] == "online"

    def link(self) -> News:
        """What the locker's console says of it."""
        with open_port(self.locker.console) as port:
            return Session(port).ask("net")

    def screen(self) -> str:
        return "\n".join(self.cabinet.state()["screen"])

    def code(self, part: Play) -> str:
        pickup = self.stack.api.get(f"/v1/parcels/{part.parcel}/pickup")
        return "".join(filter(str.isdigit, pickup["code"]))

    def sealed(self, command: messages.Message, id8: bytes, issued_s: int | None = None, ttl_s: int = 60) -> bytes:
        """A command as the gateway would seal it for this locker, of whatever age."""
        issued = int(time.time()) if issued_s is None else issued_s
        return self.envelope(messages.encode(messages.Down(id8, issued, ttl_s, command)))

    def envelope(self, payload: bytes) -> bytes:
        key = HmacKey(sub_key(self.locker.bundle.key, "down"))
        return cose.mac0(key, bytes([self.locker.bundle.generation]), payload)

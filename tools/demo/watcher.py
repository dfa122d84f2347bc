"""Everything one locker does and shows, told to the feed: doors, screen, console, and what the books say of it."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from tools.client import Failed, Gateway
from tools.demo.feed import Feed, News
from tools.demo.game import picture
from tools.demo.journey import push
from tools.demo.serial_line import SerialLine
from tools.demo.stack import RunningLocker
from tools.locker.client import CabinetClient, CabinetError

LOOK_S = 1.0  # how often the gateway is asked when nothing moves
SETTLE_S = 0.25  # an event reaches the books a moment after the door moved
COIL_WAIT_S = 2.0
# A word of the page for what the gateway says of a compartment (its availability).
STATES = {
    "free": "free",
    "reserved": "reserved",
    "occupied": "held",
    "quarantined": "fault",
    "out_of_service": "out",
    "open": "free",
}
HOLDINGS = {"depositing": "depositing", "revoked": "revoked"}
FAULTY_DOORS = ("jammed", "forced", "faulty", "left_open")


class Watcher:
    def __init__(self, locker: RunningLocker, api: Gateway, feed: Feed) -> None:
        self.locker = locker
        self._api = api
        self._feed = feed
        self._hands = threading.Lock()  # one order at a time through the control socket
        self._online = False
        self._open = True
        self._events = CabinetClient(locker.control)
        self.serial = SerialLine(locker.cabinet.type)
        self._moved = threading.Event()
        self._books: list[News] = []
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._watch, self._look)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._open = False
        self._moved.set()
        for thread in self._threads:
            thread.join(2)
        self._events.close()

    def order(self, order: Mapping[str, Any]) -> None:
        """One act of a person's hands. Raises CabinetError, or KeyError and ValueError for what is no order."""
        does, cabinet = order["do"], self.locker.cabinet
        place = int(order.get("compartment", 0))
        acts = {
            "keys": lambda: cabinet.keys(str(order["keys"])),
            "scan": lambda: cabinet.scan(str(order["text"])),
            "push": lambda: push(cabinet, place, COIL_WAIT_S),  # a quick hand waits for the latch
            "pull": lambda: cabinet.pull(place),
            "jam": lambda: cabinet.jam(place, bool(order["on"])),
            "stick": lambda: cabinet.stick(place, bool(order["on"])),
            "cable": lambda: cabinet.cable(str(order["cut"])),
            "power": lambda: cabinet.power(bool(order["on"])),
            "kill": cabinet.kill,
        }
        with self._hands:
            acts[does]()
        if does not in ("keys", "scan"):
            self._feed.tell(**self.standing())
        self._moved.set()

    def standing(self) -> News:
        """How the cabinet stands, for a page that just opened."""
        state = self.locker.cabinet.state()
        return {
            "locker": self.locker.id,
            "event": "state",
            "powered": state["powered"],
            "online": state["powered"] and state["cut"] == "none" and self._online,
            "screen": state["screen"],
            "qr": state["qr"] and picture(state["qr"]),
            "cable": state["cut"],
            "compartments": state["compartments"],
        }

    def books(self) -> News:
        """How the gateway's books have each compartment, in the page's words."""
        rows = self._api.pages(f"/v1/lockers/{self.locker.id}/compartments", limit=200)
        return {
            "locker": self.locker.id,
            "event": "books",
            "compartments": [{"number": row["number"], "state": state_of(row)} for row in rows],
        }

    def _watch(self) -> None:
        self._events.watch()
        while self._open:
            try:
                for news in self._events.events(1.0):
                    if news["event"] == "console":
                        self.serial.hear(news["text"])
                    if news["event"] == "qr":
                        news["picture"] = news["text"] and picture(news["text"])
                    self._feed.tell(self.locker.id, **{key: news[key] for key in news if key not in ("locker", "at")})
                    self._moved.set()
            except TimeoutError:
                continue
            except (CabinetError, OSError):
                return  # its process has ended

    def _look(self) -> None:
        """Ask the gateway whenever something moved, and now and then."""
        last: News = {}
        while self._open:
            if self._moved.wait(LOOK_S):
                self._moved.clear()
                time.sleep(SETTLE_S)
            try:
                online = bool(self._api.get(f"/v1/lockers/{self.locker.id}")["online"])
                books = self.books()
                if online != self._online:
                    self._online = online
                    self._feed.tell(**self.standing())
            except (Failed, CabinetError, OSError):
                continue  # being restarted, or on its way out
            if books != last:
                last = books
                self._feed.tell(**books)


def state_of(row: Mapping[str, Any]) -> str:
    if row["holding"] in HOLDINGS:
        return HOLDINGS[row["holding"]]
    if row["door"] in FAULTY_DOORS and row["availability"] not in ("occupied", "out_of_service"):
        return "fault"
    return STATES.get(row["availability"], "unknown")

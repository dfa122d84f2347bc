"""What goes wrong and when, drawn from one seed: every kind of fault in turn, in an order of its own each round."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = (
    "cut_power",  # SIGKILL to a locker's MicroPython, best in the middle of something
    "kill_gateway",
    "kill_broker",
    "cable_reset",  # the cabinet's line is cut: refused
    "kill_all",  # gateway, broker and every locker at once
    "cable_hole",  # half-open: bytes go in, nothing comes out
    "forget_queue",  # the broker is killed and what it kept on disk is gone
    "twin",  # a second client with a locker's name, password and client id
    "disk_full",  # the gateway can write no file any longer
    "restore",  # the books of minutes ago are put back
    "flash_full",  # a locker's flash has no room for the journal
    "blackout",  # every locker loses its power while the gateway is down
)
OF_A_LOCKER = ("cut_power", "cable_reset", "cable_hole", "twin", "flash_full")
HOLD_S = {"flash_full": (8.0, 15.0), "disk_full": (3.0, 10.0), "cable_hole": (5.0, 20.0), "twin": (3.0, 8.0)}
HOLD_USUAL_S = (0.0, 8.0)
CALM_S = (1.0, 6.0)  # after one fault, before the next
FIRST_S = 8.0  # the first parcels are on their way


@dataclass(frozen=True)
class Fault:
    """`locker`: "" for what concerns the gateway. `busy`: strike while that locker is doing something."""

    at_s: float
    kind: str
    locker: str
    hold_s: float
    busy: bool

    def __str__(self) -> str:
        where = f" {self.locker}" if self.locker else ""
        return f"{self.at_s:6.1f} s  {self.kind}{where}, for {self.hold_s:.1f} s{', while busy' if self.busy else ''}"


def schedule(seed: int, seconds: float, lockers: Sequence[str], kinds: Sequence[str] = KINDS) -> list[Fault]:
    """`at_s`: from the start, if nothing takes longer than planned; the order and the pauses hold in any case."""
    chance = random.Random(f"{seed} faults")
    faults: list[Fault] = []
    deck: list[str] = []
    at_s = FIRST_S
    while True:
        if not deck:
            deck = list(kinds)
            chance.shuffle(deck)
        kind = deck.pop()
        hold_s = chance.uniform(*HOLD_S.get(kind, HOLD_USUAL_S))
        if at_s + hold_s > seconds:
            return faults
        locker = chance.choice(list(lockers)) if kind in OF_A_LOCKER else ""
        faults.append(Fault(round(at_s, 1), kind, locker, round(hold_s, 1), chance.random() < 0.7))
        at_s += hold_s + chance.uniform(*CALM_S)

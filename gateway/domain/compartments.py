"""Compartments: what is known of one box, and whether it may be offered.

Two words make one availability: the locker's (door, holding, quarantine) and the gateway's (is it allocated?).
What is not known to be closed and empty is never offered: unknown is a state.
"""

from dataclasses import dataclass

from protocol.numbers import DEPOSITING, DOOR_STATES, FREE, HELD, LEAVING_FLAG, QUARANTINED_FLAG, REVOKED

SIZES = ("S", "M", "L")  # smallest first
RANK = {size: rank for rank, size in enumerate(SIZES)}
HOLDINGS = {FREE: "free", DEPOSITING: "depositing", HELD: "held", REVOKED: "revoked"}

# Whether there is such a compartment by its locker's word: it is, it ought to be, or it never will be again.
PRESENT, MISSING, RETIRED = "present", "missing", "retired"

AVAILABILITIES = ("free", "reserved", "occupied", "out_of_service", "quarantined", "open", "unknown")


@dataclass(slots=True)
class Compartment:
    """One box as the books know it. Changed in place while a batch of events is taken up."""

    locker: str
    number: int
    module: str
    size: str
    width_mm: int
    height_mm: int
    depth_mm: int
    x_mm: int
    bottom_mm: int  # of its floor, above the ground
    accessible: bool
    door: str = "unknown"  # one of DOOR_STATES
    holding: int = FREE
    deposit: int = 0  # number of its last deposit
    quarantined: bool = False
    out_of_service: bool = False
    cycles: int = 0  # openings of its lock
    module_id: str = ""  # of the cabinet part; stays when its lock board is replaced
    presence: str = PRESENT
    leaving: bool = False  # its module is: nothing is put in any more, and what lies inside is fetched as ever

    @property
    def closed_to_deposits(self) -> bool:
        """As out of service to whoever has something to put in. Whoever has something to fetch finds it occupied, and
        a doubt stays a doubt."""
        return self.out_of_service or (self.leaving and self.holding == FREE and not self.quarantined)


@dataclass(frozen=True, slots=True)
class CompartmentStatus:
    """A compartment beside what the gateway allocated it to."""

    compartment: Compartment
    availability: str
    parcel: int | None


# States of a door through which nobody can fetch a parcel. One is unknown when its locker said so: its board is lost.
FAULTS = ("jammed", "faulty", "forced", "out_of_service", "unknown")


def availability(compartment: Compartment, allocated: bool) -> str:
    """One of AVAILABILITIES; only "free" may be offered."""
    box = compartment
    if box.presence != PRESENT:
        return "unknown"
    return availability_of(box.door, box.holding, box.quarantined, box.closed_to_deposits, allocated)


def availability_of(door: str, holding: int, quarantined: bool, out_of_service: bool, allocated: bool) -> str:
    """The same, of what is known of many compartments alike."""
    if out_of_service or door == "out_of_service":
        return "out_of_service"
    if quarantined:
        return "quarantined"
    if holding != FREE:
        return "occupied"
    if allocated:
        return "reserved"
    if door == "closed":
        return "free"
    return "open" if door in ("open", "opening", "left_open") else "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """One compartment's byte in a Birth, read."""

    door: str
    holding: int
    quarantined: bool
    leaving: bool = False


def standing(byte: int) -> Standing | None:
    """None for a byte that names no door state: a peer's error, which changes nothing."""
    door = byte & 0x0F
    if door >= len(DOOR_STATES):
        return None
    return Standing(DOOR_STATES[door], byte >> 4 & 0x03, bool(byte & QUARANTINED_FLAG), bool(byte & LEAVING_FLAG))

"""Compartments: what is known of one box, and whether it may be offered.

Two words make one availability: the locker's (door, holding, quarantine) and the gateway's (is it allocated?).
What is not known to be closed and empty is never offered: unknown is a state.
"""

from dataclasses import dataclass

from protocol.numbers import DEPOSITING, DOOR_STATES, FREE, HELD, QUARANTINED_FLAG, REVOKED

SIZES = ("S", "M", "L")  # smallest first
RANK = {size: rank for rank, size in enumerate(SIZES)}
HOLDINGS = {FREE: "free", DEPOSITING: "depositing", HELD: "held", REVOKED: "revoked"}

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
    if compartment.out_of_service or compartment.door == "out_of_service":
        return "out_of_service"
    if compartment.quarantined:
        return "quarantined"
    if compartment.holding != FREE:
        return "occupied"
    if allocated:
        return "reserved"
    if compartment.door == "closed":
        return "free"
    return "open" if compartment.door in ("open", "opening", "left_open") else "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """One compartment's byte in a Birth, read."""

    door: str
    holding: int
    quarantined: bool


def standing(byte: int) -> Standing | None:
    """None for a byte that names no door state: a peer's error, which changes nothing."""
    door = byte & 0x0F
    if door >= len(DOOR_STATES):
        return None
    return Standing(DOOR_STATES[door], byte >> 4 & 0x03, bool(byte & QUARANTINED_FLAG))

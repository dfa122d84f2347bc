"""The lockers that the bench's gateway knows and its crowd plays. Their keys come from a master of their own that
opens nothing else, so both processes can work them out."""

from gateway.keys import Keys
from protocol.messages import DoorClosed, DoorOpened, Message

GENERATION = 1
COMPARTMENTS = 14


def keys() -> Keys:
    return Keys.from_secrets(bytes(range(32)), bytes(32))


def names(count: int) -> list[str]:
    return [f"bench-{number}" for number in range(1, count + 1)]


def event(seq: int) -> Message:
    """One door after the other opens and closes."""
    compartment = seq // 2 % COMPARTMENTS + 1
    return DoorOpened(compartment) if seq % 2 else DoorClosed(compartment)

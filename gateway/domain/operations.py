"""Operations: what somebody ordered a locker to do, followed to its end; and the outbox's commands.

An operation ends when the locker says so, or when its last command ran out: never because a message was sent.
"""

from dataclasses import dataclass

from gateway.domain.ids import OperationNumber, ParcelNumber, operation_id
from protocol.messages import Down

OPEN, TAKE_BACK, SERVICE, RELEASE = "open", "take_back", "service", "release"
KINDS = (OPEN, TAKE_BACK, SERVICE, RELEASE)

# waiting: not yet carried out. authorised: the locker is about to open. opened: the door was seen to open.
STATES = ("waiting", "authorised", "opened", "done", "failed")


@dataclass(frozen=True, slots=True)
class Operation:
    """`code`: a word of protocol.errors.CODES once it failed. `by`: the name of the key that ordered it."""

    number: OperationNumber
    kind: str
    locker: str
    compartment: int
    parcel: ParcelNumber | None
    reason: str
    by: str
    state: str
    code: str | None
    made_s: int
    ended_s: int | None = None

    @property
    def id(self) -> str:
        return operation_id(self.number)


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the outbox. `state`: waiting (to be sent), sent, done, refused, expired."""

    locker: str
    down: Down
    state: str
    operation: OperationNumber | None = None
    parcel: ParcelNumber | None = None
    compartment: int | None = None
    code: int | None = None

"""Operations: what somebody ordered a locker to do, followed to its end; and the outbox's commands.

An operation ends when the locker says so, or when its last command ran out: never because a message was sent.
"""

from dataclasses import dataclass

from gateway.domain.errors import Refusal
from gateway.domain.ids import OperationNumber, ParcelNumber, operation_id
from gateway.limits import REASON_SIZE_MAX
from protocol.messages import Down

OPEN, TAKE_BACK, SERVICE, RELEASE = "open", "take_back", "service", "release"
REISSUE, REVOKE_TOKEN = "reissue", "revoke_token"
KINDS = (OPEN, TAKE_BACK, SERVICE, RELEASE, REISSUE, REVOKE_TOKEN)

# waiting: not yet carried out. authorised: the locker is about to open. opened: the door was seen to open.
STATES = ("waiting", "authorised", "opened", "done", "failed")

_OLD_CODE_STAYS = ("the old code still opens: order it again once nobody stands at the locker", "or take it back")
# What a person should know and do about an operation of this kind in this state; nothing for the others.
NEXT_ACTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    (REISSUE, "waiting"): (
        "until the locker has answered, the old code still opens",
        "its delegations end with the old code: make them anew once this is done",
        "read the new code with GET /v1/parcels/{parcel}/pickup once this is done",
    ),
    (REISSUE, "done"): (
        "read the new code with GET /v1/parcels/{parcel}/pickup and give it to the recipient",
        "its delegations have ended with the old code: make them anew",
    ),
    (REISSUE, "failed"): _OLD_CODE_STAYS,
    (REVOKE_TOKEN, "waiting"): ("it may still open the door until the locker has answered",),
    (REVOKE_TOKEN, "failed"): ("it still opens the door: order it again, or re-issue the parcel's code",),
}


def check_reason(reason: str) -> None:
    """Why somebody wants it: it stands in the log of acts, and on the wire. Raises Refusal("bad_value")."""
    if not 0 < len(reason) <= REASON_SIZE_MAX or not reason.isprintable():
        raise Refusal("bad_value", f"reason: 1 to {REASON_SIZE_MAX} printable characters")


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

    @property
    def next_actions(self) -> tuple[str, ...]:
        if self.code == "spent":
            return ("read the parcel again: by then its code opened nothing any more",)
        return NEXT_ACTIONS.get((self.kind, self.state), ())


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

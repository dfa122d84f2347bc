"""Parcels: what one is, and the table of its life. A pair that is not in the table is an error.

expected -> reserved -> deposited -> collected
                            |-> expired -> taken_back
                            '-> disputed
"""

from dataclasses import dataclass

from gateway.domain import contracts
from gateway.domain.compartments import SIZES
from gateway.domain.contracts import GOOD, Standing
from gateway.domain.errors import Refusal
from gateway.domain.ids import OperationNumber, ParcelNumber, parcel_id
from gateway.domain.people import check_slug
from gateway.limits import MAIL_SIZE_MAX, NAME_SIZE_MAX, PHONE_SIZE_MAX, RECIPIENT_REF_SIZE_MAX
from protocol.limits import LABEL_SIZE_MAX
from protocol.topics import is_locker_id

STATES = ("expected", "reserved", "deposited", "collected", "expired", "taken_back", "disputed")
STEPS = ("reserve", "release", "deposit", "collect", "expire", "take_back", "dispute")

TABLE = {
    ("expected", "reserve"): "reserved",
    # The reservation ran out, or the answer was lost, while the courier stood there: the locker's word wins.
    ("expected", "deposit"): "deposited",
    ("reserved", "reserve"): "reserved",  # another door
    ("reserved", "release"): "expected",
    ("reserved", "deposit"): "deposited",
    ("deposited", "collect"): "collected",
    ("deposited", "expire"): "expired",
    ("deposited", "take_back"): "taken_back",
    ("deposited", "dispute"): "disputed",
    ("expired", "collect"): "collected",  # the customer was quicker than the Revoke
    ("expired", "take_back"): "taken_back",
    ("expired", "dispute"): "disputed",
    ("disputed", "collect"): "collected",
    ("disputed", "take_back"): "taken_back",
}
ENDED = ("collected", "taken_back")  # the label may be used again, and the personal fields have to go

# What a person can do about a parcel in this state.
NEXT_ACTIONS = {
    "expected": ("reserve a compartment", "let the courier scan its label at the locker"),
    "reserved": ("let the courier scan its label at the locker", "release the reservation"),
    "deposited": (
        "read its pickup code",
        "make a delegation for whoever collects instead",
        "re-issue its code if a stranger may know it",
        "take it back",
    ),
    "collected": (),
    "expired": ("take it back",),
    "taken_back": (),
    "disputed": ("look at the compartment, then take the parcel back",),
}


@dataclass(frozen=True, slots=True)
class NewParcel:
    """`recipient_ref`: the sender's own number for the recipient. Equal ones open each other's doors, so it is said
    on purpose: a carrier that writes its own mail into every order must not join all of them."""

    label: str
    locker: str
    size: str
    carrier: str
    merchant: str = ""
    recipient_name: str | None = None
    recipient_mail: str | None = None
    recipient_phone: str | None = None
    recipient_ref: str | None = None
    accessible: bool = False
    heavy: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """`compartment` and `deposit`: where it is reserved, lies or lay last. `delegation`: whose token opened its door
    last; None: the recipient's own code. `group`: of the deposits that its recipient opens in turn, as ordered;
    `joined`: the locker has said so. `announced`: somebody expected it; a locker that was alone takes in others too.
    `by_receipt`: its deposit is known from the locker's receipt, and its events are still to come.
    `paused_s`: since when its days stand still. `vouched`: its carrier or the operator said so; else a merchant's word
    alone, and `standing` is what that is worth now. `handed`: how often its recipient was taken back."""

    number: ParcelNumber
    label: str
    locker: str
    size: str
    carrier: str
    merchant: str
    accessible: bool
    heavy: bool
    state: str
    expected_s: int
    compartment: int | None = None
    deposit: int | None = None
    deposited_s: int | None = None
    deadline_s: int | None = None
    ended_s: int | None = None
    delegation: bytes | None = None
    group: int | None = None
    joined: bool = False
    announced: bool = True
    by_receipt: bool = False
    paused_s: int | None = None
    vouched: bool = True
    handed: int = 0
    standing: Standing = GOOD

    @property
    def held_back(self) -> Standing | None:
        """Why no door opens for it; None: one does, or it is past that."""
        to_come = self.state in ("expected", "reserved") and self.ended_s is None
        return self.standing if to_come and self.standing != GOOD else None

    @property
    def next_actions(self) -> tuple[str, ...]:
        return NEXT_ACTIONS[self.state] if self.held_back is None else contracts.NEXT_ACTIONS[self.held_back]

    @property
    def deadline_paused(self) -> bool:
        return self.state == "deposited" and self.paused_s is not None

    @property
    def id(self) -> str:
        return parcel_id(self.number)

    @property
    def told_as(self) -> str:
        """Its state as people are told it: one that was announced and never came is no longer expected."""
        return "never_came" if self.state == "expected" and self.ended_s is not None else self.state

    @property
    def collected_by(self) -> str | None:
        if self.state != "collected":
            return None
        return "recipient" if self.delegation is None else "delegate"


@dataclass(frozen=True, slots=True)
class Reservation:
    """A compartment kept for a parcel. `until_s` None: the parcel lies in it."""

    parcel: ParcelNumber
    locker: str
    compartment: int
    made_s: int
    until_s: int | None


@dataclass(frozen=True, slots=True)
class Pickup:
    """What the recipient needs. Worked out on demand, never stored, never logged.

    `reissue`: the operation that will make this code worthless and give another one. `opens_also`: the other doors
    that it opens in turn.
    """

    parcel: ParcelNumber
    code: str
    token: str
    locker: str
    locker_name: str
    compartment: int
    deposit: int
    deadline_s: int
    reissue: OperationNumber | None = None
    opens_also: tuple[int, ...] = ()


def can(state: str, step: str) -> bool:
    assert state in STATES and step in STEPS
    return (state, step) in TABLE


def after(state: str, step: str) -> str:
    """The state that follows. Raises Refusal("wrong_state")."""
    if not can(state, step):
        raise Refusal("wrong_state", f"a parcel that is {state} cannot take the step {step}", NEXT_ACTIONS[state])
    return TABLE[state, step]


def check_parcel(new: NewParcel) -> None:
    """Raises Refusal("bad_value")."""
    if not 0 < len(new.label) <= LABEL_SIZE_MAX or not new.label.isascii() or not new.label.isprintable():
        raise Refusal("bad_value", f"label: 1 to {LABEL_SIZE_MAX} printable ASCII characters")
    if not is_locker_id(new.locker):
        raise Refusal("unknown_locker", "there is no such locker")
    if new.size not in SIZES:
        raise Refusal("bad_value", f"size: one of {', '.join(SIZES)}")
    check_slug(new.carrier, "carrier")
    if new.merchant:
        check_slug(new.merchant, "merchant")
    limits = (
        ("recipient_name", new.recipient_name, NAME_SIZE_MAX),
        ("recipient_mail", new.recipient_mail, MAIL_SIZE_MAX),
        ("recipient_phone", new.recipient_phone, PHONE_SIZE_MAX),
    )
    for name, text, size_max in limits:
        if text is not None and not 0 < len(text) <= size_max:
            raise Refusal("bad_value", f"{name}: 1 to {size_max} characters, or left out")
    ref = new.recipient_ref
    if ref is not None and not (ref.isascii() and ref.isprintable() and 0 < len(ref) <= RECIPIENT_REF_SIZE_MAX):
        raise Refusal("bad_value", f"recipient_ref: 1 to {RECIPIENT_REF_SIZE_MAX} printable ASCII, or left out")

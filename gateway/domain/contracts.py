"""Whose word about a label counts. A label is its carrier's, which may always say whose parcel it is; a merchant's
word is good under a contract with that carrier, and as long as no other merchant says the same label is its own.

A merchant that brings its parcels by itself is its own carrier: that is a contract too.
"""

from dataclasses import dataclass
from typing import Literal

from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber, parcel_id
from gateway.domain.people import check_slug
from gateway.limits import CONTRACTS_AT_ONCE_MAX

# What an announcement is worth at this moment. It gets a door if it is good, and no other.
GOOD, NO_CONTRACT, CONTESTED = "good", "no_contract", "contested"
Standing = Literal["good", "no_contract", "contested"]

CODES = {NO_CONTRACT: "no_contract", CONTESTED: "label_contested"}
DETAILS = {
    NO_CONTRACT: "this merchant has no contract with this carrier",
    CONTESTED: "two merchants have announced this label",
}
NEXT_ACTIONS = {
    NO_CONTRACT: ("ask the operator for a contract with this carrier", "or let the carrier announce it"),
    CONTESTED: ("let the carrier announce it: it says whose it is", "or announce yours under another label"),
}


@dataclass(frozen=True, slots=True)
class Contract:
    merchant: str
    carrier: str
    since_s: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A merchant and a carrier. `since_s` None: without a contract. `waiting`: parcels that the merchant alone has
    announced and that were not put in; without a contract they get no door."""

    merchant: str
    carrier: str
    since_s: int | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Claim:
    """`merchant` announced the label of a parcel that is, or became, somebody else's. `decided`: its carrier has said
    whose it is; else it gets no door, or its code opens nothing, until then."""

    parcel: ParcelNumber
    label: str
    carrier: str
    locker: str
    merchant: str
    made_s: int
    decided: bool

    @property
    def parcel_id(self) -> str:
        return parcel_id(self.parcel)


def refusal(standing: Standing) -> Refusal:
    return Refusal(CODES[standing], DETAILS[standing], NEXT_ACTIONS[standing])


def check_pair(merchant: str, carrier: str) -> None:
    """Raises Refusal("bad_value")."""
    check_slug(merchant, "merchant")
    check_slug(carrier, "carrier")


def check_carriers(merchant: bool, carriers: tuple[str, ...]) -> None:
    """Of a new key. Raises Refusal("bad_value")."""
    if carriers and not merchant:
        raise Refusal("bad_value", "carriers: for a merchant's key only")
    if len(carriers) > CONTRACTS_AT_ONCE_MAX:
        raise Refusal("bad_value", f"carriers: {CONTRACTS_AT_ONCE_MAX} at the most")
    for carrier in carriers:
        check_slug(carrier, "carriers")

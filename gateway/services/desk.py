"""The desk: what every use case works with. Time and randomness come in here and nowhere else."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.compartments import Compartment
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber, number_from
from gateway.domain.lockers import Locker, Meeting
from gateway.domain.parcels import Parcel
from gateway.domain.people import OPERATOR, Principal
from gateway.services.ports import Keys, Settings, Store, Transaction

_DAY_S = 86_400


def unix_s() -> int:
    return int(time.time())


@dataclass(frozen=True)
class Desk:
    store: Store
    keys: Keys
    settings: Settings
    clock: Callable[[], int] = unix_s
    randomness: Callable[[int], bytes] = secrets.token_bytes
    meeting: Meeting | None = None  # told to lockers when they are provisioned

    @property
    def pickup_s(self) -> int:
        """How long a parcel waits for its recipient."""
        return self.settings.pickup_days * _DAY_S

    def pickup_s_at(self, tx: Transaction, locker: str) -> int:
        """At this locker, where its operator may have set another time."""
        found = tx.locker(locker)
        days = None if found is None else found.pickup_days
        return self.pickup_s if days is None else days * _DAY_S

    def number(self) -> int:
        """A new random 63-bit number for a parcel, an operation or a credential."""
        return number_from(self.randomness(8))


def must_operate(who: Principal, scope: str) -> None:
    """For those who run the lockers, and have the scope. Raises Refusal("not_allowed")."""
    who.must(scope)
    if who.role != OPERATOR:
        raise Refusal("not_allowed", "this is for whoever runs the lockers")


def known_locker(tx: Transaction, locker: str) -> Locker:
    """Raises Refusal("unknown_locker")."""
    found = tx.locker(locker)
    if found is None:
        raise Refusal("unknown_locker", "there is no such locker", ("list the lockers",))
    return found


def known_parcel(tx: Transaction, who: Principal, number: ParcelNumber) -> Parcel:
    """Somebody else's parcel is as unknown as none. Raises Refusal("unknown_parcel")."""
    parcel = tx.parcel(number)
    if parcel is None or not who.may_see(parcel.carrier, parcel.merchant):
        raise Refusal("unknown_parcel", "there is no such parcel", ("list your parcels",))
    return parcel


def known_compartment(tx: Transaction, locker: str, number: int) -> Compartment:
    """Raises Refusal("unknown_locker" or "unknown_compartment")."""
    known_locker(tx, locker)
    found = tx.compartment(locker, number)
    if found is None:
        raise Refusal("unknown_compartment", "this locker has no such compartment", ("list its compartments",))
    return found

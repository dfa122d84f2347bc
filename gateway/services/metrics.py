"""What whoever runs the lockers measures: numbers of the books, without a parcel or a person in them."""

from collections import Counter
from dataclasses import dataclass

from gateway.domain.compartments import availability
from gateway.domain.parcels import STATES
from gateway.domain.people import Principal
from gateway.domain.readings import Reading
from gateway.limits import LOCKER_ALIVE_S
from gateway.services.deliveries import RESULTS
from gateway.services.desk import Desk, must_operate

_LAG_EVENTS = 100  # the latest: a lag that is over is no longer told


@dataclass(frozen=True, slots=True)
class Measures:
    """`compartments` by locker, size and availability; the other dictionaries by what their name says."""

    compartments: dict[tuple[str, str, str], int]
    parcels: dict[str, int]
    deposits: int
    pickups: int
    lockers: int
    lockers_online: int
    alarms: dict[str, int]
    commands_waiting: int
    event_lag_s: int
    deliveries: dict[str, int]
    webhooks: dict[str, int]
    readings: list[Reading]


def may_measure(who: Principal) -> None:
    """Raises Refusal("not_allowed")."""
    must_operate(who, "lockers:read")


def measure(desk: Desk, who: Principal) -> Measures:
    """One view of the books. Raises Refusal("not_allowed")."""
    may_measure(who)
    compartments: Counter[tuple[str, str, str]] = Counter()
    with desk.store.reading() as tx:
        for like, allocated, count in tx.count_compartments():
            compartments[like.locker, like.size, availability(like, allocated)] += count
        tallies = tx.tallies()
        lockers, online = tx.count_lockers(desk.clock() - LOCKER_ALIVE_S)
        active, failing, disabled = tx.count_webhooks_by_status()
        return Measures(
            compartments=dict(compartments),
            parcels={state: tallies.get(f"parcels_{state}", 0) for state in STATES},
            deposits=tallies.get("deposits", 0),
            pickups=tallies.get("pickups", 0),
            lockers=lockers,
            lockers_online=online,
            alarms=tx.count_alarms(),
            commands_waiting=tx.count_commands_waiting(),
            event_lag_s=tx.latest_lag_s(_LAG_EVENTS) or 0,
            deliveries={result: tallies.get(f"deliveries_{result}", 0) for result in RESULTS},
            readings=tx.readings_since(desk.clock() - LOCKER_ALIVE_S),  # an old value would look like a new one
            webhooks={"active": active, "failing": failing, "disabled": disabled},
        )

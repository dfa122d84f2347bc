"""How much each section does. FULL is what `make bench` prints; QUICK only shows that every section still runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Everything is bounded by a count, so a slow machine is slow and never endless."""

    # gateway
    pairs: int  # durable and echo, in turns
    lockers: int
    events_each: int  # per locker and run
    rate: int  # open loop, events a second
    rate_s: int
    # http
    connections: int
    rounds: int  # reservation and release, per connection and run
    # latency
    cabinets: int  # one after the other: a locker's coils may be on for 6 s a minute, which is 20 openings
    openings: int  # of each of four kinds, per cabinet
    # round
    parcels: int  # of one courier at one locker
    hand_s: float  # what the courier's hands take for each
    # crypto
    repeats: int
    # drain
    month: bool  # thirty days and 10,000 events; otherwise two and 400
    # reconnect
    fleet: int
    minutes: int  # of the longer outage
    # memory
    boxes: tuple[int, ...]


FULL = Counts(
    pairs=5,
    lockers=1_000,
    events_each=30,
    rate=2_000,
    rate_s=5,
    connections=8,
    rounds=40,
    cabinets=6,
    openings=5,
    parcels=40,
    hand_s=3.0,
    repeats=40,
    month=True,
    fleet=1_000,
    minutes=3,
    boxes=(14, 48, 100),
)
QUICK = Counts(
    pairs=1,
    lockers=5,
    events_each=4,
    rate=50,
    rate_s=1,
    connections=2,
    rounds=2,
    cabinets=1,
    openings=1,
    parcels=6,
    hand_s=0.3,
    repeats=1,
    month=False,
    fleet=20,
    minutes=0,
    boxes=(14,),
)

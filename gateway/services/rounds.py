"""Use cases of a courier's round: what is to be done at which locker, and doors kept for all of it in one act."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.domain.compartments import RANK, SIZES
from gateway.domain.contracts import refusal
from gateway.domain.errors import Refusal
from gateway.domain.ids import ParcelNumber
from gateway.domain.lockers import Locker
from gateway.domain.operations import TAKE_BACK, Operation
from gateway.domain.parcels import Parcel, Reservation, after
from gateway.domain.people import COURIER, Principal
from gateway.limits import LOCKER_ALIVE_S, LOCKERS_WITH_ROOM_MAX, ROUND_LOCKERS_MAX, ROUND_PARCELS_MAX
from gateway.services import allocations, parcels
from gateway.services.desk import Desk, known_locker, known_parcel
from gateway.services.ports import Transaction
from gateway.services.reissues import running_for

TO_DEPOSIT, TO_TAKE_BACK, LYING = ("expected", "reserved"), ("expired",), ("deposited", "disputed")


@dataclass(frozen=True)
class Stop:
    """One locker of a round. `free`: size -> doors that may be offered; all 0 while the locker is not heard of."""

    locker: Locker
    alive: bool
    free: dict[str, int]
    to_deposit: int = 0
    to_take_back: int = 0
    lying: int = 0

    @property
    def idle(self) -> bool:
        return not (self.to_deposit or self.to_take_back or self.lying)


@dataclass(frozen=True)
class ToDeposit:
    parcel: Parcel
    kept: Reservation | None


@dataclass(frozen=True)
class ToTakeBack:
    """`running`: it was ordered, and has not ended."""

    parcel: Parcel
    running: Operation | None


@dataclass(frozen=True)
class AtLocker:
    """All of one carrier at one locker, ROUND_PARCELS_MAX of each kind at the most; `stop` counts all."""

    stop: Stop
    to_deposit: list[ToDeposit]
    to_take_back: list[ToTakeBack]
    lying: list[Parcel]

    @property
    def without_door(self) -> list[Parcel]:
        return [row.parcel for row in self.to_deposit if row.kept is None and row.parcel.held_back is None]


def todays_round(desk: Desk, who: Principal) -> list[Stop]:
    """Lockers with something to do first, then those where parcels only lie, then the others. ROUND_LOCKERS_MAX."""
    carrier = _carrier(who)
    with desk.store.reading() as tx:
        counts = tx.round_counts(carrier)
        mine = tx.lockers_of(counts)
        others = [locker for locker in tx.lockers() if locker.id not in mine]
        shown = [*mine.values(), *others][:ROUND_LOCKERS_MAX]
        stops = _stops(desk, tx, shown, counts)
    return sorted(stops, key=lambda stop: (not (stop.to_deposit or stop.to_take_back), stop.idle, stop.locker.name))


def at_locker(desk: Desk, who: Principal, locker: str) -> AtLocker:
    """Raises Refusal("unknown_locker")."""
    carrier = _carrier(who)
    with desk.store.reading() as tx:
        (stop,) = _stops(desk, tx, [known_locker(tx, locker)], tx.round_counts(carrier))
        kept = tx.reservations_at(locker)
        expired = tx.parcels_on_round(carrier, locker, TO_TAKE_BACK, ROUND_PARCELS_MAX)
        return AtLocker(
            stop,
            [ToDeposit(one, kept.get(one.number)) for one in _to_deposit(tx, carrier, locker)],
            [ToTakeBack(one, running_for(tx, one, TAKE_BACK)) for one in expired],
            tx.parcels_on_round(carrier, locker, LYING, ROUND_PARCELS_MAX),
        )


def room_elsewhere(desk: Desk, who: Principal, locker: str, sizes: Iterable[str]) -> dict[str, list[Stop]]:
    """For each size, lockers with a free door that is big enough: those of this round first, because the courier
    passes there anyway. Nothing in the books says which one is near."""
    wanted = sorted(set(sizes), key=RANK.__getitem__)
    others = [stop for stop in todays_round(desk, who) if stop.locker.id != locker] if wanted else []
    return {size: [stop for stop in others if _fits(stop, size)][:LOCKERS_WITH_ROOM_MAX] for size in wanted}


def reserve_all(desk: Desk, who: Principal, locker: str) -> tuple[list[Reservation], list[Parcel]]:
    """A door for each parcel that is to be put in there and has none: what was given, and what found no room. Those
    with the hardest wish first, so that as many as can be find one. Raises Refusal: unknown_locker, locker_offline."""
    who.must("parcels:write")
    carrier = _carrier(who)
    given: list[Reservation] = []
    left: list[Parcel] = []
    with desk.store.transaction() as tx:
        _heard(desk, known_locker(tx, locker))
        kept = tx.reservations_at(locker)
        coming = _to_deposit(tx, carrier, locker)
        waiting = [one for one in coming if one.number not in kept and one.held_back is None]
        boxes = tx.compartments_of(locker)
        for parcel in sorted(waiting, key=lambda one: (not one.accessible, -RANK[one.size], one.label)):
            if allocations.reserve(desk, tx, parcel, boxes, allocations.wish_of(parcel)) is None:
                left.append(parcel)
                continue
            made = tx.allocation_of(parcel.number)
            assert made is not None
            given.append(made)
    return given, left


def change_size(desk: Desk, who: Principal, number: ParcelNumber, size: str) -> tuple[Parcel, Reservation | None]:
    """It is bigger or smaller than was said. A door that was kept is given back and another one kept, if there is one:
    the size is true either way. Raises Refusal: unknown_parcel, wrong_state, bad_value."""
    who.must("parcels:write")
    if size not in SIZES:
        raise Refusal("bad_value", f"size: one of {', '.join(SIZES)}")
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        after(parcel.state, "reserve")
        had = tx.allocation_of(number)
        if size == parcel.size:
            return parcel, had
        parcel = replace(allocations.release(desk, tx, parcel), size=size)
        tx.keep_parcel(parcel)
        if had is None or not _alive(desk, known_locker(tx, parcel.locker)):
            return parcel, None
        boxes = tx.compartments_of(parcel.locker)
        given = allocations.reserve(desk, tx, parcel, boxes, allocations.wish_of(parcel))
        return (parcel, None) if given is None else (given[0], tx.allocation_of(number))


def move(desk: Desk, who: Principal, number: ParcelNumber, locker: str) -> Reservation:
    """Put in at another locker, with a door kept there at once. Raises Refusal: unknown_parcel, unknown_locker,
    wrong_state, locker_offline, no_room."""
    who.must("parcels:write")
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        after(parcel.state, "reserve")
        kept = tx.allocation_of(number)
        if kept is not None and kept.locker == locker:
            return kept
        if parcel.held_back is not None:
            raise refusal(parcel.held_back)
        _heard(desk, known_locker(tx, locker))
        parcel = replace(allocations.release(desk, tx, parcel), locker=locker)
        if allocations.reserve(desk, tx, parcel, tx.compartments_of(locker), allocations.wish_of(parcel)) is None:
            raise Refusal("no_room", "no free compartment fits there", ("choose another locker",))
        made = tx.allocation_of(number)
        assert made is not None
        return made


def take_back(desk: Desk, who: Principal, number: ParcelNumber) -> Operation:
    """parcels.take_back, for whoever stands there: an order to a locker that hears nothing would run out while they
    wait. Raises Refusal: unknown_parcel, wrong_state, locker_offline."""
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        after(parcel.state, "take_back")
        _heard(desk, known_locker(tx, parcel.locker))
        return parcels.take_back(desk, who, number)


def next_to_take_back(desk: Desk, who: Principal, locker: str) -> Parcel | None:
    """None: nothing, or all of it is ordered already."""
    rows = at_locker(desk, who, locker).to_take_back
    return next((row.parcel for row in rows if row.running is None), None)


def parcel_under_way(desk: Desk, who: Principal, label: str) -> Parcel | None:
    """The carrier's parcel of this label that has not ended, wherever it is."""
    carrier = _carrier(who)
    with desk.store.reading() as tx:
        return tx.parcel_of_label(carrier, label)


def _carrier(who: Principal) -> str:
    who.must("parcels:read")
    if who.role != COURIER:
        raise Refusal("not_allowed", "a round is a carrier's")
    return who.tenant


def _to_deposit(tx: Transaction, carrier: str, locker: str) -> list[Parcel]:
    return tx.parcels_on_round(carrier, locker, TO_DEPOSIT, ROUND_PARCELS_MAX)


def _alive(desk: Desk, locker: Locker) -> bool:
    return locker.alive_at(desk.clock(), LOCKER_ALIVE_S)


def _heard(desk: Desk, locker: Locker) -> None:
    if not _alive(desk, locker):
        raise Refusal("locker_offline", "this locker is not heard of", ("wait until it is back", "tell the operator"))


def _fits(stop: Stop, size: str) -> bool:
    return any(count for other, count in stop.free.items() if RANK[other] >= RANK[size])


def _stops(desk: Desk, tx: Transaction, lockers: Iterable[Locker], counts: dict[str, dict[str, int]]) -> list[Stop]:
    shown = list(lockers)
    alive = {locker.id for locker in shown if _alive(desk, locker)}
    free = tx.free_doors(alive)

    def number(locker: Locker, states: tuple[str, ...]) -> int:
        return sum(counts.get(locker.id, {}).get(state, 0) for state in states)

    return [
        Stop(
            locker,
            locker.id in alive,
            {size: free.get(locker.id, {}).get(size, 0) for size in SIZES},
            number(locker, TO_DEPOSIT),
            number(locker, TO_TAKE_BACK),
            number(locker, LYING),
        )
        for locker in shown
    ]

"""Taking up what lockers say: one transaction for all that has arrived, and answers only for what is committed.

Each custody event is applied once, in order (lockers.last_seq is the guard): repeats are acknowledged again, a gap
is asked for. Nothing a locker says can raise here; what cannot be true is an alarm.
"""

from collections.abc import Callable

from gateway.domain.compartments import Compartment
from gateway.domain.events import Answer, Arrival
from gateway.domain.ids import ParcelNumber
from gateway.domain.lockers import Locker
from gateway.services import (
    births,
    layouts,
    requests,
    told_alone,
    told_deposits,
    told_doors,
    told_sensors,
    told_technicians,
)
from gateway.services.batch import Batch, Turn
from gateway.services.desk import Desk
from protocol.errors import number_of
from protocol.messages import (
    Birth,
    BucketRefilled,
    CodeRefused,
    Collected,
    CommandDone,
    ContentsDoubted,
    DepositAbandoned,
    DepositAuthorised,
    Deposited,
    DepositRequested,
    DoorClosed,
    DoorFaulted,
    DoorOpened,
    Layout,
    Lost,
    Measured,
    Message,
    OfflineDepositAuthorised,
    OpeningAuthorised,
    PickupAuthorised,
    Reject,
    TokenRevoked,
    Up,
)

# Custody events about one compartment. A class in neither table is kept in the log and changes nothing.
OF_A_COMPARTMENT: dict[type[Message], Callable[[Batch, Compartment, Up], ParcelNumber | None]] = {
    DoorOpened: told_doors.door_opened,
    DoorClosed: told_doors.door_closed,
    DoorFaulted: told_doors.door_faulted,
    ContentsDoubted: told_doors.contents_doubted,
    OpeningAuthorised: told_doors.opening_authorised,
    DepositAuthorised: told_deposits.deposit_authorised,
    OfflineDepositAuthorised: told_alone.deposit_authorised,
    Deposited: told_deposits.deposited,
    DepositAbandoned: told_deposits.deposit_abandoned,
    PickupAuthorised: told_deposits.pickup_authorised,
    Collected: told_deposits.collected,
}
OF_THE_LOCKER: dict[type[Message], Callable[[Batch, Locker, Up], ParcelNumber | None]] = {
    CodeRefused: told_doors.code_refused,
    BucketRefilled: told_doors.bucket_refilled,
    CommandDone: told_technicians.command_done,
    TokenRevoked: told_doors.token_revoked,
}
# Told once, with no number: about the link and the people in front.
TOLD_ONCE: dict[type[Message], Callable[[Batch, Turn, Up], None]] = {
    Birth: births.birth,
    Layout: layouts.told,
    Lost: births.lost,
    DepositRequested: requests.deposit_requested,
    Measured: told_sensors.measured,
}


def take_up(desk: Desk, arrivals: list[Arrival]) -> list[Answer]:
    """Commits before it returns."""
    places = {(arrival.locker, number) for arrival in arrivals if (number := _compartment(arrival.up))}
    with desk.store.transaction() as tx:
        batch = Batch(desk, tx, {arrival.locker for arrival in arrivals}, places)
        strangers = [_take(batch, arrival) for arrival in arrivals]
        answers = batch.flush()
    return answers + [answer for answer in strangers if answer is not None]


def _compartment(up: Up) -> int | None:
    return getattr(up.event, "compartment", None)


def _take(batch: Batch, arrival: Arrival) -> Answer | None:
    turn = batch.turns.get(arrival.locker)
    up = arrival.up
    if turn is None:
        return Answer(arrival.locker, [Reject(up.seq, number_of("unknown_locker"))])
    locker = turn.locker
    event = type(up.event)
    if event is not Lost and up.boot >= locker.boot:
        batch.hear(locker)
        locker.seen_s = batch.now
        locker.online = True
    if up.seq == 0:
        handler = TOLD_ONCE.get(event)
        if handler is not None:
            handler(batch, turn, up)
    elif up.seq > locker.last_seq + 1:
        turn.highest = max(turn.highest, up.seq)
    else:
        turn.acknowledged = True
        if up.seq == locker.last_seq + 1:
            _apply(batch, turn, up)
    return None


def _apply(batch: Batch, turn: Turn, up: Up) -> None:
    locker = turn.locker
    locker.last_seq = up.seq
    # Its birth may be on its way still: come late, it must not look as if the locker had woken and lost what it said.
    locker.boot = max(locker.boot, up.boot)
    parcel = _hear(batch, locker, up)
    batch.taken.append((locker.id, up, parcel))
    if locker.birth_seq == up.seq:
        births.reconcile(batch, locker)


def _hear(batch: Batch, locker: Locker, up: Up) -> ParcelNumber | None:
    """Change the books as the event says; whose parcel it is about, if anyone's."""
    event = type(up.event)
    handler = OF_A_COMPARTMENT.get(event)
    if handler is not None:
        number = _compartment(up)
        assert number is not None
        box: Compartment | None = batch.box(locker.id, number)
        if box is None:
            batch.alarm(locker.id, number, "unknown_compartment")
            return None
        batch.touch(box)
        return handler(batch, box, up)
    other = OF_THE_LOCKER.get(event)
    return None if other is None else other(batch, locker, up)

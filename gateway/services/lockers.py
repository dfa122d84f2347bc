"""Use cases about lockers: register, look, provision."""

from dataclasses import replace

from gateway.domain.acts import LOCKER_CONFIGURED
from gateway.domain.compartments import Compartment, CompartmentStatus, availability
from gateway.domain.errors import Refusal
from gateway.domain.guarantees import Guarantee
from gateway.domain.lockers import (
    Configuration,
    Locker,
    NewLocker,
    Provisioning,
    check_configuration,
    check_locker,
)
from gateway.domain.people import Principal
from gateway.services import acts, greetings, revocations, trust_orders
from gateway.services.desk import Desk, known_locker, must_operate
from gateway.services.ports import Transaction
from protocol.numbers import FREE

_GENERATION_MAX = 255  # it is the one byte of a COSE key id


def register_locker(desk: Desk, who: Principal, new: NewLocker) -> Locker:
    """Raises Refusal: not_allowed, bad_value, already_exists."""
    who.must("lockers:write")
    check_locker(new)
    locker = Locker(new.id, new.name, new.code_digits, 0, 0, 0, False, None, "", desk.clock())
    boxes = [
        Compartment(
            locker=new.id,
            number=box.number,
            module=module.name,
            size=box.size,
            width_mm=box.width_mm,
            height_mm=box.height_mm,
            depth_mm=box.depth_mm,
            x_mm=box.x_mm,
            bottom_mm=box.bottom_mm,
            accessible=box.accessible,
        )
        for module in new.modules
        for box in module.compartments
    ]
    with desk.store.transaction() as tx:
        if tx.locker(new.id) is not None:
            raise Refusal("already_exists", "a locker of this id is registered", ("choose another id",))
        tx.add_locker(locker, boxes)
    return locker


def list_lockers(desk: Desk, who: Principal) -> list[Locker]:
    who.must("lockers:read")
    with desk.store.reading() as tx:
        return tx.lockers()


def get_locker(desk: Desk, who: Principal, locker: str) -> Locker:
    who.must("lockers:read")
    with desk.store.reading() as tx:
        return known_locker(tx, locker)


def configure_locker(desk: Desk, who: Principal, locker: str, wanted: Configuration) -> Locker:
    """In place of what was set before; what is inside already keeps its deadline and its door. Raises Refusal:
    not_allowed, unknown_locker, bad_value."""
    must_operate(who, "lockers:write")
    check_configuration(wanted)
    with desk.store.transaction() as tx:
        known = known_locker(tx, locker)
        tx.configure_locker(locker, wanted.name, wanted.pickup_days)
        tx.keep_guarantees(locker, wanted.shares)
        acts.note(desk, tx, who, LOCKER_CONFIGURED, desk.clock(), place=(locker, None))
    return replace(known, name=wanted.name, pickup_days=wanted.pickup_days)


def guarantees_of(desk: Desk, who: Principal, locker: str) -> list[Guarantee]:
    must_operate(who, "lockers:read")
    with desk.store.reading() as tx:
        known_locker(tx, locker)
        return tx.guarantees(locker)


def list_compartments(desk: Desk, who: Principal, locker: str) -> list[CompartmentStatus]:
    """In order of number. Whose parcel lies where is shown only to those who may know of that parcel."""
    who.must("lockers:read")
    with desk.store.reading() as tx:
        known_locker(tx, locker)
        allocated = tx.allocated(locker)
        found: list[CompartmentStatus] = []
        for box in tx.compartments_of(locker):
            parcel = allocated.get(box.number)
            shown = parcel if parcel is not None and _may_know(tx, who, parcel) else None
            found.append(CompartmentStatus(box, availability(box, parcel is not None), shown))
        return found


def _may_know(tx: Transaction, who: Principal, number: int) -> bool:
    parcel = tx.parcel(number)
    return parcel is not None and who.may_see(parcel.carrier, parcel.merchant)


def provision_locker(desk: Desk, who: Principal, locker: str) -> Provisioning:
    """A new key generation: what was on the locker before is worth nothing, and its events count from 1 again."""
    who.must("lockers:write")
    with desk.store.transaction() as tx:
        known = known_locker(tx, locker)
        if known.generation >= _GENERATION_MAX:
            raise _worn_out()
        before = known.last_seq
        known.generation = desk.keys.new_generation(locker, known.generation)
        if known.generation > _GENERATION_MAX:
            raise _worn_out()
        known.boot = known.last_seq = 0
        known.online = False
        known.birth_seq = known.birth_doors = None
        tx.keep_lockers([(known, before)])
        tx.keep_compartments(_from_the_start(tx.compartments_of(locker)))
        tx.drop_requests_of(locker)
        trusted = desk.keys.trusted
        trust_orders.starts_with(desk, tx, locker, trusted)
        greetings.starts_with(desk, tx, locker)
        revocations.tell_again(desk, tx, locker)
    return Provisioning(
        locker=locker,
        generation=known.generation,
        key=desk.keys.locker_key(locker, known.generation),
        mqtt_password=desk.keys.mqtt_password(locker, known.generation),
        trusted={kid.hex(): table for kid, table in trusted.items()},
        meeting=desk.meeting,
    )


def _from_the_start(boxes: list[Compartment]) -> list[Compartment]:
    """With a new key deposit numbers begin again, and a receipt is judged by them. What holds something keeps its."""
    return [replace(box, deposit=0) for box in boxes if box.holding == FREE]


def _worn_out() -> Refusal:
    return Refusal("wrong_state", "this locker has had all its key generations", ("register it under a new id",))


def generation_of(desk: Desk, locker: str) -> int | None:
    """Of the only key this locker may use. None: unknown, or not yet provisioned."""
    with desk.store.reading() as tx:
        found = tx.locker(locker)
    return None if found is None else found.generation or None


def provisioned(desk: Desk) -> list[tuple[str, int]]:
    """(locker, generation) of all that may connect."""
    with desk.store.reading() as tx:
        return [(locker.id, locker.generation) for locker in tx.lockers() if locker.generation]

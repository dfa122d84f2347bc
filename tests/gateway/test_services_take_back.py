"""A parcel goes back to its sender: its code ends and its door opens, both or neither for good."""

from pathlib import Path

import pytest
from books_town import COLIBRI, OPERATOR, Town, authorised, done, open_town, refused

from gateway.limits import TTL_OPEN_S
from gateway.services import commands, parcels
from gateway.services.told_doors import UNKNOWN_ORDER
from protocol.messages import DoorClosed, DoorOpened, Open, OpeningAuthorised, Revoke
from protocol.numbers import COMMAND, CONSOLE


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return open_town(tmp_path)


def test_the_code_is_revoked_no_later_than_the_door_may_open(town: Town) -> None:
    """A Revoke that came a day later would take the code from a parcel that stays."""
    town.locker("S")
    parcel = town.deposited("L-1")
    town.sent()
    parcels.take_back(town.desk, COLIBRI, parcel.number)
    due = {type(down.command): down.ttl_s for _, down in commands.due_commands(town.desk, 50)}
    assert due == {Revoke: TTL_OPEN_S, Open: TTL_OPEN_S}


def test_a_code_that_was_revoked_for_a_door_that_did_not_open_is_not_handed_out(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("L-1")
    town.sent()
    assert parcels.pickup_code(town.desk, OPERATOR, parcel.number).code
    parcels.take_back(town.desk, COLIBRI, parcel.number)
    assert parcel.compartment is not None and parcel.deposit is not None
    revoke = done(town, Revoke(parcel.compartment, parcel.deposit), value=parcel.deposit)
    town.says("mairie-1", revoke, done(town, Open(parcel.compartment, "take_back"), "rate_limited"))
    error = refused("wrong_state", parcels.pickup_code, town.desk, OPERATOR, parcel.number)
    assert "take it back again" in error.next_actions
    assert parcels.take_back(town.desk, COLIBRI, parcel.number).state == "waiting", "and that can be done"


def test_a_door_that_somebody_else_opens_later_gives_no_parcel_back(town: Town) -> None:
    """The order was carried out, but the door did not open. A technician who looks inside takes nothing away."""
    town.locker("S")
    parcel = town.deposited("L-1")
    town.sent()
    operation = parcels.take_back(town.desk, COLIBRI, parcel.number)
    assert parcel.compartment is not None and parcel.deposit is not None
    box = parcel.compartment
    town.says("mairie-1", done(town, Revoke(box, parcel.deposit), value=parcel.deposit), authorised(town, box))
    town.says("mairie-1", OpeningAuthorised(box, CONSOLE, "anna", None, None), DoorOpened(box), DoorClosed(box))
    with town.store.reading() as tx:
        found = tx.operation(operation.number)
    assert found is not None and (found.state, found.code) == ("failed", "wrong_state")
    assert town.parcel(parcel.number).state == "deposited"


def test_a_door_opened_by_an_order_that_nobody_here_gave_is_looked_at_by_a_person(town: Town) -> None:
    """Somebody has the gateway's keys, or its books were restored; what is behind that door is not known any more."""
    town.locker("S")
    parcel = town.deposited("L-1")
    assert parcel.compartment is not None
    box = parcel.compartment
    town.says("mairie-1", OpeningAuthorised(box, COMMAND, "none", b"unheard!", town.now[0]))
    assert UNKNOWN_ORDER in town.alarms() and town.availability() == ["quarantined"]
    assert parcels.pickup_code(town.desk, OPERATOR, parcel.number).code, "its recipient is not made to wait"

"""A parcel goes back to its sender: its code ends and its door opens, both or neither for good."""

from pathlib import Path

import pytest
from books_town import COLIBRI, OPERATOR, Town, done, open_town, refused

from gateway.limits import TTL_OPEN_S
from gateway.services import commands, parcels
from protocol.messages import Open, Revoke


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

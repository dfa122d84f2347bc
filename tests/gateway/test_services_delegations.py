"""A neighbour collects: with a token of their own, once, and not any more when the locker has taken it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import BOOKSHOP, COLIBRI, OPERATOR, RIVAL, Town, cabinet, done, open_town, refused, token_revoked

from gateway.domain.delegations import Delegation
from gateway.domain.ids import OperationNumber
from gateway.domain.lockers import NewLocker
from gateway.domain.operations import Operation
from gateway.domain.parcels import Parcel
from gateway.domain.people import COURIER, Principal
from gateway.limits import DELEGATIONS_MAX, DELEGATIONS_OPEN_MAX, EXTENSION_S
from gateway.services import commands, delegations, doors, expiry, lockers, parcels, reissues
from protocol import tokens
from protocol.messages import (
    Collected,
    DoorClosed,
    DoorOpened,
    PickupAuthorised,
    Reissue,
    RevokeToken,
    TokenRevoked,
)
from protocol.numbers import KEYPAD, SCANNER

DAY_S = 86_400
NAME = "Zsófia Kanarek"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    made.locker("S", "S")
    yield made
    made.store.close()


def entrust(town: Town, parcel: Parcel, name: str = NAME) -> Delegation:
    return delegations.delegate(town.desk, COLIBRI, parcel.number, name)


def states(town: Town, parcel: Parcel) -> list[str]:
    return [one.state for one in delegations.list_delegations(town.desk, COLIBRI, parcel.number)]


def take_back(town: Town, made: Delegation) -> Operation:
    return delegations.revoke_delegation(town.desk, COLIBRI, made.parcel, made.id)


def now(town: Town, number: OperationNumber) -> Operation:
    return doors.get_operation(town.desk, COLIBRI, number)


# ------------------------------------------------------------------ making one
def test_a_delegates_token_opens_that_deposit_until_the_deadline_and_names_nobody(town: Town) -> None:
    parcel = town.deposited("label-1")
    town.sent()
    made = entrust(town, parcel)
    assert made.token is not None
    token = tokens.open_token(made.token, town.desk.keys.trusted)
    assert (token.role, token.subject, token.id) == (tokens.DELEGATE, "", made.id)
    assert (token.locker, token.compartment, token.deposit) == ("mairie-1", 1, 1)
    assert token.expiry_s == made.expiry_s == parcel.deadline_s
    (listed,) = delegations.list_delegations(town.desk, COLIBRI, parcel.number)
    assert (listed.name, listed.state, listed.token) == (NAME, "open", None)
    assert town.outbox() == [], "nothing is told to the locker"


def test_only_what_lies_in_a_locker_is_entrusted_and_only_by_whom_it_concerns(town: Town) -> None:
    refused("wrong_state", entrust, town, town.expect("label-0"))
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    for stranger in (RIVAL, BOOKSHOP):
        refused("unknown_parcel", delegations.delegate, town.desk, stranger, parcel.number, NAME)
        refused("unknown_parcel", delegations.list_delegations, town.desk, stranger, parcel.number)
        refused("unknown_parcel", delegations.revoke_delegation, town.desk, stranger, parcel.number, made.id)
    reader = Principal(COURIER, "colibri", frozenset({"codes:read", "parcels:write"}), "reads codes")
    refused("not_allowed", delegations.delegate, town.desk, reader, parcel.number, NAME)
    refused("not_allowed", delegations.list_delegations, town.desk, reader, parcel.number)
    refused("not_allowed", delegations.revoke_delegation, town.desk, reader, parcel.number, made.id)
    for wrong in ("", "x" * 81, "line\nbreak"):
        refused("bad_value", entrust, town, parcel, wrong)
    other = town.deposited("label-2")
    refused("unknown_delegation", delegations.revoke_delegation, town.desk, COLIBRI, other.number, made.id)


def test_a_locker_without_a_scanner_says_what_to_do_instead(town: Town) -> None:
    blind = cabinet("S", locker="gare-1")
    lockers.register_locker(town.desk, OPERATOR, NewLocker(blind.id, blind.name, blind.modules, 16))
    lockers.provision_locker(town.desk, OPERATOR, "gare-1")
    town.wake("gare-1", 1)
    parcel = town.deposited("label-1", locker="gare-1")
    refusal = refused("no_scanner", entrust, town, parcel)
    assert any("share" in action for action in refusal.next_actions)


def test_a_parcel_has_a_few_open_delegations_and_not_many_in_all(town: Town) -> None:
    parcel = town.deposited("label-1")
    made = [entrust(town, parcel) for _ in range(DELEGATIONS_OPEN_MAX)]
    assert refused("wrong_state", entrust, town, parcel).next_actions
    for place in range(DELEGATIONS_MAX - DELEGATIONS_OPEN_MAX):
        take_back(town, made[place])
        refused("wrong_state", entrust, town, parcel)
        town.says("mairie-1", token_revoked(town, made[place].id))
        made.append(entrust(town, parcel))
    take_back(town, made[-1])
    town.says("mairie-1", token_revoked(town, made[-1].id))
    assert "has had" in refused("wrong_state", entrust, town, parcel).detail


# ------------------------------------------------------------------ using one
def test_the_books_say_that_the_delegate_collected_and_which_one(town: Town) -> None:
    parcel = town.deposited("label-1")
    first, second = entrust(town, parcel, "Anna"), entrust(town, parcel, "Bruno")
    town.fetch(parcel, SCANNER, second.id)
    gone = town.parcel(parcel.number)
    assert (gone.state, gone.collected_by, gone.delegation) == ("collected", "delegate", second.id)
    assert states(town, parcel) == ["ended", "used"]
    used = delegations.list_delegations(town.desk, COLIBRI, parcel.number)[1]
    assert (used.name, used.used_s) == ("Bruno", town.now[0])
    assert refused("wrong_state", take_back, town, first).next_actions
    assert town.alarms() == []


def test_the_recipient_who_collects_ends_every_delegation(town: Town) -> None:
    parcel = town.deposited("label-1")
    entrust(town, parcel)
    town.fetch(parcel)
    gone = town.parcel(parcel.number)
    assert (gone.collected_by, gone.delegation, states(town, parcel)) == ("recipient", None, ["ended"])


def test_who_opened_last_collected(town: Town) -> None:
    """The delegate's door jammed; the recipient came and took it. And once more by the same hand changes nothing."""
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    town.says("mairie-1", PickupAuthorised(1, 1, SCANNER, 0, made.id))
    assert town.parcel(parcel.number).collected_by is None
    assert states(town, parcel) == ["used"]
    town.says("mairie-1", PickupAuthorised(1, 1, KEYPAD, 0, None), DoorOpened(1), Collected(1, 1))
    town.says("mairie-1", PickupAuthorised(1, 1, SCANNER, 1, made.id), DoorOpened(1), DoorClosed(1))
    gone = town.parcel(parcel.number)
    assert (gone.collected_by, gone.delegation, town.alarms()) == ("recipient", None, [])


def test_a_token_that_the_books_do_not_know_is_an_alarm_and_the_pickup_counts(town: Town) -> None:
    parcel, other = town.deposited("label-1"), town.deposited("label-2")
    theirs = entrust(town, other)
    town.says("mairie-1", PickupAuthorised(1, 1, SCANNER, 0, theirs.id))
    assert (town.alarms(), states(town, other)) == (["pickup_by_an_unknown_delegate"], ["open"])
    town.fetch(parcel, SCANNER, b"8 bytes!")
    assert town.parcel(parcel.number).collected_by == "delegate"


def test_a_delegation_ends_with_the_parcels_deadline(town: Town) -> None:
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    town.later(town.desk.settings.pickup_days * DAY_S)
    expiry.expire_due(town.desk)
    assert states(town, parcel) == ["ended"]
    town.fetch(parcel, SCANNER, made.id)  # quicker than the Revoke: the locker's word counts
    assert (town.parcel(parcel.number).collected_by, states(town, parcel)) == ("delegate", ["used"])
    assert town.alarms() == []


def test_a_reissue_ends_the_delegations_and_none_is_made_while_it_waits(town: Town) -> None:
    parcel = town.deposited("label-1")
    entrust(town, parcel)
    reissues.reissue(town.desk, COLIBRI, parcel.number)
    assert states(town, parcel) == ["open"], "the locker still takes it"
    assert refused("wrong_state", entrust, town, parcel).next_actions
    town.says("mairie-1", done(town, Reissue(1, 1), value=2))
    assert states(town, parcel) == ["ended"]
    again = entrust(town, town.parcel(parcel.number))
    assert again.token is not None
    assert tokens.open_token(again.token, town.desk.keys.trusted).deposit == 2


def test_a_take_back_and_a_dispute_end_the_delegations(town: Town) -> None:
    parcel = town.deposited("label-1")
    entrust(town, parcel)
    parcels.take_back(town.desk, COLIBRI, parcel.number)
    refused("wrong_state", entrust, town, parcel)
    other = town.expect("label-2")
    town.put_in("mairie-1", 1, 2, other.number)
    assert (town.parcel(parcel.number).state, states(town, parcel)) == ("disputed", ["ended"])


# ------------------------------------------------------------------ taking one back
def test_a_delegation_is_revoked_when_the_locker_has_said_so_and_not_before(town: Town) -> None:
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    operation = take_back(town, made)
    assert (operation.kind, operation.state) == ("revoke_token", "waiting")
    assert any("may still open" in action for action in operation.next_actions)
    assert town.outbox() == [RevokeToken(made.id, made.expiry_s + EXTENSION_S)]
    assert states(town, parcel) == ["revoking"]
    assert take_back(town, made) == operation and len(town.outbox()) == 1
    town.says("mairie-1", token_revoked(town, made.id))
    assert (now(town, operation.number).state, states(town, parcel)) == ("done", ["revoked"])
    assert take_back(town, made).number == operation.number, "asked again it is the same operation"
    assert town.outbox() == []


def test_a_revocation_that_the_locker_has_no_room_for_failed_and_can_be_ordered_again(town: Town) -> None:
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    operation = take_back(town, made)
    town.says("mairie-1", done(town, RevokeToken(made.id, made.expiry_s + EXTENSION_S), "no_room"))
    failed = now(town, operation.number)
    assert (failed.state, failed.code, states(town, parcel)) == ("failed", "no_room", ["open"])
    assert any("still opens" in action for action in failed.next_actions)
    assert take_back(town, made).number != operation.number


def test_a_delegate_who_was_quicker_than_the_revocation_used_it(town: Town) -> None:
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    operation = take_back(town, made)
    answer = token_revoked(town, made.id)
    town.fetch(parcel, SCANNER, made.id)
    town.says("mairie-1", answer)
    assert (states(town, parcel), now(town, operation.number).state) == (["used"], "done")
    assert (town.parcel(parcel.number).collected_by, town.alarms()) == ("delegate", [])


def test_a_locker_that_opens_for_what_it_took_back_is_an_alarm(town: Town) -> None:
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    take_back(town, made)
    town.says("mairie-1", token_revoked(town, made.id), PickupAuthorised(1, 1, SCANNER, 0, made.id))
    assert town.alarms() == ["pickup_by_a_revoked_delegate"]


def test_a_revocation_that_nobody_answers_is_ordered_anew_until_the_token_ends(town: Town) -> None:
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    operation = take_back(town, made)
    for _ in range(2):
        town.sent()
        town.now[0] += DAY_S + 31
        assert town.outbox() == []
        commands.expire_commands(town.desk)
        assert town.outbox() == [RevokeToken(made.id, made.expiry_s + EXTENSION_S)]
    assert (now(town, operation.number).state, states(town, parcel)) == ("waiting", ["revoking"])
    town.now[0] = made.expiry_s + DAY_S + 31
    commands.expire_commands(town.desk)
    assert town.outbox() == []
    assert (now(town, operation.number).state, now(town, operation.number).code) == ("failed", "expired")


def test_an_answer_whose_order_the_books_have_lost_still_counts(town: Town) -> None:
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    operation = take_back(town, made)
    town.says("mairie-1", TokenRevoked(b"unknown!", town.now[0], made.id, made.expiry_s))
    assert (states(town, parcel), now(town, operation.number).state) == (["revoked"], "done")
    town.says("mairie-1", TokenRevoked(b"unknown?", town.now[0], b"stranger", 1))
    assert town.alarms() == []


def test_another_locker_cannot_say_that_it_was_taken_back_here(town: Town) -> None:
    parcel = town.deposited("label-1")
    town.locker("S", locker="gare-1")
    made = entrust(town, parcel)
    operation = take_back(town, made)
    town.says("gare-1", token_revoked(town, made.id))
    assert (states(town, parcel), now(town, operation.number).state) == (["revoking"], "waiting")
    assert town.outbox() == [RevokeToken(made.id, made.expiry_s + EXTENSION_S)]


# ------------------------------------------------------------------ what is kept
def test_the_name_is_in_no_order_and_forgotten_thirty_days_after_the_parcel_left(town: Town) -> None:
    parcel = town.deposited("label-1")
    made = entrust(town, parcel)
    assert made.token is not None and not any(made.token in row for row in town.dump())
    take_back(town, made)
    assert not any("Kanarek" in str(message.values()) for message in town.outbox())
    town.fetch(parcel, SCANNER, made.id)
    town.now[0] += 30 * DAY_S - 1
    expiry.expire_due(town.desk)
    assert any("Kanarek" in row for row in town.dump())
    town.now[0] += 1
    expiry.expire_due(town.desk)
    assert not any("Kanarek" in row for row in town.dump())
    assert delegations.list_delegations(town.desk, COLIBRI, parcel.number) == []
    assert town.parcel(parcel.number).collected_by == "delegate"

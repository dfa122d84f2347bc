"""A badge is lost: every locker is told, also one that sleeps, is full, or is provisioned only later."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import CLOSED, COLIBRI, OPERATOR, RIVAL, Town, cabinet, done, open_town, refused, token_revoked

from gateway.domain.people import OPERATOR as OPERATOR_ROLE
from gateway.domain.people import SCOPES, Badge, Principal
from gateway.limits import REVOCATION_NO_ROOM_RETRY_S, REVOCATION_RETRY_S, TECHNICIAN_DAYS_MAX
from gateway.services import commands, expiry, lockers, people
from gateway.services.take_up import take_up
from protocol import tokens
from protocol.errors import number_of
from protocol.messages import Decline, DoorOpened, RevokeToken, TokenRevoked
from protocol.numbers import FIRST

DAY_S = 86_400


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    for locker in ("gare-1", "mairie-1"):
        made.locker("S", locker=locker)
    yield made
    made.store.close()


def lose(town: Town, badge: Badge) -> RevokeToken:
    people.revoke_badge(town.desk, OPERATOR, badge.id)
    return RevokeToken(badge.id, badge.expiry_s)


def told(town: Town, badge: Badge) -> tuple[int, int]:
    (found,) = [one for one in people.list_badges(town.desk, OPERATOR) if one.id == badge.id]
    return found.lockers_done, found.lockers_total


def due(town: Town) -> list[str]:
    return [name for name, down in commands.due_commands(town.desk, 500) if isinstance(down.command, RevokeToken)]


# ------------------------------------------------------------------ every locker is told
def test_a_lost_badge_is_revoked_at_every_locker_that_has_a_key(town: Town) -> None:
    badge = town.badge()
    lockers.register_locker(town.desk, OPERATOR, cabinet("S", locker="port-9"))
    order = lose(town, badge)
    assert town.outbox() == [order, order] and due(town) == ["gare-1", "mairie-1"]
    assert told(town, badge) == (0, 2)
    town.says("gare-1", token_revoked(town, badge.id, "gare-1"))
    assert told(town, badge) == (1, 2)
    town.says("mairie-1", token_revoked(town, badge.id))
    assert (told(town, badge), town.outbox(), town.alarms()) == ((2, 2), [], [])
    lose(town, badge)
    assert town.outbox() == [], "revoked once is enough"


def test_a_badge_that_has_expired_needs_no_order(town: Town) -> None:
    badge = town.badge()
    town.now[0] = badge.expiry_s
    lose(town, badge)
    assert (town.outbox(), told(town, badge)) == ([], (0, 0))


def test_an_order_that_nobody_answers_is_given_anew_until_the_badge_ends(town: Town) -> None:
    badge = town.badge()
    order = lose(town, badge)
    for _ in range(2):
        town.sent()
        town.now[0] += DAY_S + 31
        commands.expire_commands(town.desk)
        assert town.outbox() == [order, order]
    town.now[0] = badge.expiry_s + DAY_S + 31
    commands.expire_commands(town.desk)
    expiry.expire_due(town.desk)
    assert (town.outbox(), town.alarms(), told(town, badge)) == ([], [], (0, 0))


@pytest.mark.parametrize(
    ("why", "pause_s", "alarms"),
    [
        ("no_clock", REVOCATION_RETRY_S, []),
        ("no_room", REVOCATION_NO_ROOM_RETRY_S, ["no_room_for_revocations"]),
    ],
)
def test_a_locker_that_cannot_take_it_back_now_is_asked_again(
    town: Town, why: str, pause_s: int, alarms: list[str]
) -> None:
    badge = town.badge()
    order = lose(town, badge)
    town.says("gare-1", token_revoked(town, badge.id, "gare-1"))
    town.says("mairie-1", done(town, order, why))
    assert (town.alarms(), told(town, badge)) == (alarms, (1, 2))
    town.now[0] += pause_s - 1
    expiry.expire_due(town.desk)
    assert town.outbox() == []
    town.now[0] += 1
    expiry.expire_due(town.desk)
    expiry.expire_due(town.desk)
    assert town.outbox() == [order] and due(town) == ["mairie-1"]
    town.says("mairie-1", token_revoked(town, badge.id))
    assert (town.alarms(), told(town, badge)) == ([], (2, 2))


def test_a_locker_with_a_new_key_is_told_of_every_badge_that_would_still_be_good(town: Town) -> None:
    short, long = town.badge(), people.issue_badge(town.desk, OPERATOR, "rival", "r-1", 90)
    for badge in (short, long):
        lose(town, badge)
        town.says("mairie-1", token_revoked(town, badge.id))
        town.says("gare-1", token_revoked(town, badge.id, "gare-1"))
    town.now[0] += 40 * DAY_S
    lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
    assert town.outbox() == [RevokeToken(long.id, long.expiry_s)] and due(town) == ["mairie-1"]
    assert told(town, long) == (1, 2)
    lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
    assert len(town.outbox()) == 1, "what the key before was to be told is not sent twice"
    lockers.register_locker(town.desk, OPERATOR, cabinet("S", locker="port-9"))
    lockers.provision_locker(town.desk, OPERATOR, "port-9")
    assert due(town) == ["mairie-1", "port-9"]
    assert told(town, long) == (1, 3)


def test_a_locker_whose_journal_lost_its_end_is_told_again(town: Town) -> None:
    badge = town.badge()
    order = lose(town, badge)
    town.says("gare-1", token_revoked(town, badge.id, "gare-1"))
    town.says("mairie-1", token_revoked(town, badge.id), DoorOpened(1))
    town.boots["mairie-1"], town.seqs["mairie-1"] = 2, 0
    town.wake("mairie-1", 1, bytes([CLOSED]))
    assert town.outbox() == [order] and due(town) == ["mairie-1"]
    assert told(town, badge) == (1, 2)


def test_an_answer_heard_twice_or_of_an_unknown_order_counts_once(town: Town) -> None:
    badge = town.badge()
    lose(town, badge)
    answer = TokenRevoked(b"unknown!", town.now[0], badge.id, badge.expiry_s)
    arrival = town.up("mairie-1", answer, 1)
    take_up(town.desk, [arrival, arrival])
    assert told(town, badge) == (1, 2)


def test_a_revoked_badge_is_declined_here_at_once_whatever_the_lockers_know(town: Town) -> None:
    town.expect("label-1")
    badge = town.badge()
    lose(town, badge)
    assert isinstance(town.ask("mairie-1", badge, "label-1"), Decline)


# ------------------------------------------------------------------ technicians
def test_a_technicians_token_names_the_staff_number_and_its_lockers(town: Town) -> None:
    one = people.issue_technician(town.desk, OPERATOR, "anne-3", 7, "mairie-1")
    every = people.issue_technician(town.desk, OPERATOR, "anne-3", TECHNICIAN_DAYS_MAX)
    for badge, locker in ((one, "mairie-1"), (every, None)):
        assert badge.token is not None
        token = tokens.open_token(badge.token, town.desk.keys.trusted)
        assert (token.role, token.subject, token.locker) == (tokens.TECHNICIAN, "anne-3", locker)
        assert (token.id, token.expiry_s, token.deposit) == (badge.id, badge.expiry_s, None)
    listed = people.list_badges(town.desk, OPERATOR)
    assert sorted((badge.role, badge.locker or "") for badge in listed) == [
        ("technician", ""),
        ("technician", "mairie-1"),
    ]
    assert people.list_badges(town.desk, COLIBRI) == []


def test_a_technicians_badge_that_cannot_be_is_refused(town: Town) -> None:
    for holder, days in (("anne-3", TECHNICIAN_DAYS_MAX + 1), ("anne-3", 0), ("Anne Bertin", 7)):
        refused("bad_value", people.issue_technician, town.desk, OPERATOR, holder, days)
    refused("unknown_locker", people.issue_technician, town.desk, OPERATOR, "anne-3", 7, "nowhere")
    badge_maker = Principal(OPERATOR_ROLE, "", SCOPES - {"technicians:write"}, "front desk")
    for who in (COLIBRI, badge_maker):
        assert "technicians:write" in refused("not_allowed", people.issue_technician, town.desk, who, "a", 7).detail
    made = people.issue_technician(town.desk, OPERATOR, "anne-3", 7)
    refused("not_allowed", people.revoke_badge, town.desk, badge_maker, made.id)
    for courier in (COLIBRI, RIVAL):
        refused("unknown_badge", people.revoke_badge, town.desk, courier, made.id)


def test_a_technician_of_one_locker_is_revoked_at_that_one(town: Town) -> None:
    badge = people.issue_technician(town.desk, OPERATOR, "anne-3", 7, "gare-1")
    lose(town, badge)
    assert (due(town), told(town, badge)) == (["gare-1"], (0, 1))
    lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
    assert due(town) == ["gare-1"]


def test_a_technicians_badge_gets_no_compartment(town: Town) -> None:
    town.expect("label-1")
    badge = people.issue_technician(town.desk, OPERATOR, "anne-3", 7)
    answer = town.ask("mairie-1", badge, "label-1", FIRST)
    assert isinstance(answer, Decline) and answer.code == number_of("not_allowed")

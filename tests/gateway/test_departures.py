"""Somebody who works here leaves: what they had stops opening at once, and their name ends with the log of acts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import COLIBRI, OPERATOR, Town, open_town, refused

from gateway.domain.departures import Departure
from gateway.domain.people import OPERATOR as OPERATORS
from gateway.domain.people import SCOPES, SCOPES_OF, Principal
from gateway.limits import TRAIL_KEPT_S
from gateway.services import alarms, audit, departures, expiry, people
from protocol.messages import RevokeToken

DAY_S = 86_400
NAME = "guichet-kanarek"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = open_town(tmp_path)
    town.locker("S", "S", "S")
    yield town
    town.store.close()


def hired(town: Town, tenant: str = "") -> Principal:
    """A key, and badges of both kinds."""
    role = "courier" if tenant else OPERATORS
    scopes = SCOPES_OF[role]
    made, secret = people.issue_credential(town.desk, OPERATOR, role, tenant, scopes, NAME)
    if tenant:
        people.issue_badge(town.desk, OPERATOR, tenant, NAME, 400)
    else:
        people.issue_technician(town.desk, OPERATOR, NAME, 30)
    who = people.authenticate(town.desk, secret)
    assert who.credential == made.number
    return who


def leave(town: Town, tenant: str = "") -> Departure:
    return departures.leave(town.desk, OPERATOR, NAME, tenant)


def rows_with(town: Town, name: str) -> list[str]:
    """Of the books; bytes are shown as hex there."""
    return [row for row in town.dump() if name in row or name.encode().hex().upper() in row]


def test_who_leaves_opens_nothing_and_what_they_looked_after_is_everybodys(town: Town) -> None:
    gone, namesake = hired(town), hired(town, "colibri")
    with town.store.transaction() as tx:
        tx.raise_alarm("mairie-1", 1, "door_jammed", None, town.now[0])
    (alarm,) = alarms.open_alarms(town.desk, gone)
    assert alarms.look_after(town.desk, gone, alarm.id).owner == NAME
    town.sent()

    left = leave(town)
    assert (len(left.keys), len(left.badges), left.alarms, left.reports) == (1, 1, 1, 0)
    assert not people.is_good(town.desk, gone) and people.is_good(town.desk, namesake), "another tenant's namesake"
    assert [type(order) for order in town.outbox()] == [RevokeToken], "every locker is told of the badge"
    assert alarms.open_alarms(town.desk, OPERATOR)[0].owner is None
    again = leave(town)
    assert (again.keys, again.badges, again.person) == ((), (), left.person)
    found = {(one.tenant, one.name): one.left_s for one in departures.everybody(town.desk, OPERATOR)}
    assert found == {("", NAME): town.now[0], ("colibri", NAME): None}


def test_the_name_is_in_the_books_until_its_term_and_nowhere_after_it_and_the_chain_is_whole(town: Town) -> None:
    gone = hired(town, "colibri")
    town.later(100 * DAY_S)
    people.issue_badge(town.desk, gone, "colibri", "c-9", 30)
    town.later(200 * DAY_S)
    left = leave(town, "colibri")
    ends_s = left.person.name_ends_s
    assert ends_s is not None and TRAIL_KEPT_S <= ends_s - town.now[0] <= TRAIL_KEPT_S + DAY_S
    town.now[0] += TRAIL_KEPT_S - 1
    expiry.expire_due(town.desk)
    assert rows_with(town, NAME), "who did what can be proved until then"
    assert audit.check(town.desk, OPERATOR).wrong == []
    people.issue_badge(town.desk, COLIBRI, "colibri", "c-10", 30)  # the log's last row stays: somebody else's
    town.now[0] = ends_s
    expiry.expire_due(town.desk)
    assert rows_with(town, NAME) == []
    check = audit.check(town.desk, OPERATOR)
    assert check.wrong == [] and check.acts


def test_nobody_takes_their_own_access_nor_that_of_a_name_nobody_has(town: Town) -> None:
    who = hired(town)
    refused("not_allowed", departures.leave, town.desk, who, NAME, "")
    refused("unknown_credential", departures.leave, town.desk, OPERATOR, "nobody", "")
    refused("not_allowed", departures.leave, town.desk, COLIBRI, NAME, "colibri")
    narrow = Principal(OPERATORS, "", SCOPES - {"technicians:write"}, "narrow")
    refused("not_allowed", departures.leave, town.desk, narrow, NAME, "")
    assert people.is_good(town.desk, who), "refused as a whole"

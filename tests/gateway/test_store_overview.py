"""What the operator's pages ask of the books: each question by an index, and right about the edges."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books_town import BOOKSHOP, COLIBRI, OPERATOR, Town, open_town, refused

from gateway.domain.parcels import Parcel
from gateway.domain.search import ParcelSearch
from gateway.services import alarms, expiry, fleet, history, lockers, openings, reports, searches
from gateway.store.migrations import migrations

# What may be read from end to end: what is as large as the fleet (c: its compartments; l, place: lists we give).
SMALL = {"c", "compartments", "lockers", "l", "place", "signing_keys", "locker_keys", "badges", "CONSTANT", "sites"}
# What is open now, by an index of nothing else; and pages: newest first and only so many, along the order of the rows.
ALONG = (
    "INDEX open_alarm",
    "INDEX alarms_open",
    "INDEX live_opening",
    "INDEX reports_open",
    "INDEX sqlite_autoindex_parcels_1",
)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = open_town(tmp_path)
    yield made
    made.store.close()


def look_at_everything(town: Town, parcel: Parcel) -> None:
    history.parcel_past(town.desk, OPERATOR, parcel.number)
    for asked in (
        ParcelSearch(),
        ParcelSearch("lab"),
        ParcelSearch(state="deposited"),
        ParcelSearch(locker="mairie-1"),
    ):
        for after in (None, parcel.number):
            searches.find_parcels(town.desk, OPERATOR, asked, after)
    searches.find_parcels(town.desk, OPERATOR, ParcelSearch("lab", "collected", "colibri", "", "mairie-1"))
    searches.find_parcels(town.desk, COLIBRI, ParcelSearch())
    searches.find_parcels(town.desk, BOOKSHOP, ParcelSearch("l"))
    for locker in (None, "mairie-1"):
        fleet.use(town.desk, OPERATOR, locker)
        fleet.days(town.desk, OPERATOR, locker)
        for before in (None, 3):
            history.events_page(town.desk, OPERATOR, locker, before)
            history.acts_page(town.desk, OPERATOR, locker, before)
    fleet.glances(town.desk, OPERATOR)
    fleet.mapped(town.desk, OPERATOR)
    reports.list_reports(town.desk, OPERATOR, True)
    lockers.guarantees_of(town.desk, OPERATOR, "mairie-1")
    history.door(town.desk, OPERATOR, "mairie-1", 2)
    alarms.open_alarms(town.desk, OPERATOR)
    alarms.alarms_of(town.desk, OPERATOR, "mairie-1")
    openings.waiting_openings(town.desk, OPERATOR)


def test_no_question_of_a_page_reads_a_table_that_grows_from_end_to_end(town: Town) -> None:
    said: set[str] = set()
    town.locker("S", "S", "M")
    town.fetch(town.deposited("label-1"))
    parcel = town.deposited("label-2")
    with town.store.transaction() as tx:
        tx.sql.set_trace_callback(said.add)
        look_at_everything(town, parcel)
        tx.sql.set_trace_callback(None)
        steps = [
            (step[3], statement)
            for statement in said
            if statement.startswith("SELECT")
            for step in tx.sql.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        ]
    bad = [
        (step, statement)
        for step, statement in steps
        if step.startswith("SCAN")
        and not step.startswith("SCAN (subquery")  # what an index has found already
        and step.split()[1] not in SMALL
        and not any(way in step for way in ALONG)
    ]
    assert len(said) > 25 and not bad


def test_counting_has_an_end_even_where_nothing_was_ever_put_in(town: Town) -> None:
    town.locker("S")
    used = fleet.use(town.desk, OPERATOR)
    assert (used.collected, used.waited_s, used.deposits, used.failures) == (0, None, {}, [])
    assert used.occupancy == {"S": {"free": 1}}


def test_half_and_nine_tenths_of_the_waiting_times_are_what_they_say(town: Town) -> None:
    town.locker("S")
    for hours in range(1, 11):
        parcel = town.deposited(f"label-{hours}")
        town.later(hours * 3_600)
        town.fetch(parcel)
    used = fleet.use(town.desk, OPERATOR)
    assert (used.collected, used.waited_s) == (10, (5 * 3_600, 9 * 3_600))
    assert sum(used.deposits.values()) == 10


def test_what_is_for_the_operator_is_refused_to_others(town: Town) -> None:
    town.locker("S")
    for act in (fleet.glances, fleet.use, alarms.open_alarms):
        refused("not_allowed", act, town.desk, COLIBRI)
    refused("not_allowed", history.door, town.desk, BOOKSHOP, "mairie-1", 1)
    refused("not_allowed", openings.ask_to_open, town.desk, COLIBRI, "mairie-1", 1, "look")


def test_the_gateway_itself_is_no_second_person(town: Town) -> None:
    town.locker("S")
    town.deposited("label-1")
    refused("not_allowed", openings.ask_to_open, town.desk, OPERATOR, "mairie-1", 1, "look")


def test_alarms_from_before_this_version_have_no_owner(town: Town) -> None:
    """The migration adds columns to rows that are there."""
    assert [step.version for step in migrations()] == list(range(1, len(migrations()) + 1))
    with town.store.transaction() as tx:
        tx.raise_alarm("mairie-1", 0, "events_lost", None, town.now[0])
    (alarm,) = alarms.open_alarms(town.desk, OPERATOR)
    assert (alarm.owner, alarm.owned_s, alarm.asleep_at(town.now[0])) == (None, None, False)


def test_no_index_of_the_pages_takes_the_clockworks_place(town: Town) -> None:
    """It looks every few seconds, by indexes that hold only what it is about."""
    said: set[str] = set()
    town.locker("S", "S")
    town.deposited("label-1")
    with town.store.transaction() as tx:
        tx.sql.set_trace_callback(said.add)
        expiry.expire_due(town.desk)
        tx.sql.set_trace_callback(None)
        steps = [
            step[3]
            for statement in said
            if statement.startswith(("SELECT", "UPDATE"))
            for step in tx.sql.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        ]
    for index in ("parcels_by_deadline", "parcels_expired"):
        assert any(f"INDEX {index}" in step for step in steps), (index, steps)
    assert not any("parcels_of_state" in step for step in steps)

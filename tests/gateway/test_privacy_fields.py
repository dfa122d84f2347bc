"""Every column of the books is classified, what is personal ends at its term, and the page says so."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from books_town import OPERATOR, Town, open_town
from privacy_page import PAGE, with_tables

from gateway.domain.errors import Refusal
from gateway.domain.personal import BASES, NOT_PERSONAL, PERSONAL, STAFF, TIMERS
from gateway.domain.privacy import Contact, digits_of
from gateway.limits import KEEPING_BATCH_MAX, RECIPIENT_WAITS_S, TRAIL_KEPT_S
from gateway.services import expiry, parcels
from gateway.store.queries.keeping import RULES
from gateway.store.queries.privacy import EXPORTED

DAY_S = 86_400


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = open_town(tmp_path)
    town.locker("S", "S", "S")
    yield town
    town.store.close()


def columns_of(books: sqlite3.Connection) -> dict[str, set[str]]:
    tables = [row[0] for row in books.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: {row[1] for row in books.execute(f"PRAGMA table_info({table})")} for table in tables}


def personal_columns() -> set[tuple[str, str]]:
    return {(each.table, column) for each in PERSONAL for column in each.columns}


def test_every_column_is_personal_with_a_purpose_and_a_term_or_is_said_not_to_be(town: Town) -> None:
    with town.store.reading() as tx:
        there = columns_of(tx.sql)
    personal = personal_columns()
    assert len(personal) == sum(len(each.columns) for each in PERSONAL), "a column stands twice"
    for table, columns in there.items():
        classified = set(NOT_PERSONAL.get(table, "").split())
        mine = {column for name, column in personal if name == table}
        assert not classified & mine, f"{table}: both"
        assert columns == classified | mine, (
            f"{table}: {sorted(columns ^ (classified | mine))}: say in gateway/domain/personal.py why the books have"
            " it and how long, or that it names nobody"
        )
    assert set(NOT_PERSONAL) == set(there)
    for each in PERSONAL:
        assert each.fr and each.en and each.basis in BASES and each.timer in TIMERS, each


def test_the_page_about_privacy_is_as_the_table_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, "python tests/gateway/privacy_page.py"


# ------------------------------------------------------------------ terms
def rows_for(number: int, now: int) -> dict[str, dict[str, Any]]:
    """What a row needs beside its personal fields, to have ended now."""
    door = {"locker": "mairie-1", "compartment": 1}
    return {
        "recipients": {"parcel": number, "ended_s": now, "made_s": now},
        "letters": {"parcel": number, "kind": "arrived", "deposit": 1, "channel": "mail", "made_s": now, "due_s": now},
        "reports": {"number": 1, "parcel": number, "kind": "empty", "found": "collected", "locker": "mairie-1"}
        | {"made_s": now, "after_event": 0, "left_s": now, "closed_s": now},
        "delegations": {"id": b"12345678", "parcel": number, "made_s": now, "expiry_s": now, "left_s": now},
        "operations": {"number": 1, "kind": "open", "state": "done", "made_s": now, "ended_s": now, **door},
        "openings": {"number": 1, "deposit": 1, "credential": 1, "made_s": 1, "until_s": now, **door},
        "alarms": {"kind": "k", "raised_s": 1, "cleared_s": now, **door},
        "credentials": {"number": 1, "digest": b"1", "role": "r", "tenant": "", "scopes": "", "made_s": 1}
        | {"revoked_s": now},
        "badges": {"id": b"b", "carrier": "c", "made_s": 1, "expiry_s": now},
        "token_revocations": {"locker": "mairie-1", "expiry_s": now},
        "answers": {"id": b"a", "fingerprint": b"f", "kept_s": now},
        "deposit_requests": {"locker": "mairie-1", "boot": 9, "request": 9, "command": b"c", "asked_s": now},
        "events": {"locker": "mairie-1", "boot": 1, "seq": 1, "type": 1, "t_mono_ms": 1, "taken_s": now},
        "commands": {"id": b"c", "locker": "mairie-1", "type": 1, "issued_s": now, "ttl_s": 1, "state": "done"},
        "acts": {"id": 50, "kind": "open", "made_s": now},
        "salts": {"salt": b"s", "made_s": now},
    }


# The newest row of a log stays for its number's sake; so there is another one after what is planted.
NEWER = (
    "INSERT INTO acts (id, kind, made_by, reason, made_s) VALUES (99, 'open', 'x', '', 1)",
    "INSERT INTO events (locker, boot, seq, type, t_mono_ms, taken_s, fields) VALUES ('x', 1, 1, 1, 1, 1, x'80')",
    "INSERT INTO commands (id, locker, type, fields, issued_s, ttl_s) VALUES (x'01', 'x', 1, x'80', 1, 1)",
    "INSERT INTO alarms (locker, compartment, kind, raised_s) VALUES ('x', 1, 'k', 1)",
)


def plant(town: Town) -> dict[tuple[str, str], Any]:
    """A parcel that left just now with something in every personal field; where -> what."""
    parcel = town.deposited("label-1")
    town.fetch(parcel)
    planted: dict[tuple[str, str], Any] = {("parcels", "label"): "label-1", ("parcels", "accessible"): 1}
    planted["handovers", "badge"] = b"\xca"
    with town.store.transaction() as tx:
        tx.sql.execute("UPDATE parcels SET accessible = 1 WHERE number = ?", (parcel.number,))
        tx.sql.execute("UPDATE handovers SET badge = x'CA' WHERE parcel = ?", (parcel.number,))
        for table, values in rows_for(parcel.number, town.now[0]).items():
            types = {row[1]: row[2] for row in tx.sql.execute(f"PRAGMA table_info({table})")}
            for column in sorted(column for name, column in personal_columns() if name == table):
                canary: Any = f"canary {column}" if types[column] == "TEXT" else f"canary {column}".encode()
                values[column] = parcel.number if types[column] == "INTEGER" else canary
                planted[table, column] = values[column]
            names, places = ", ".join(values), ", ".join("?" * len(values))
            tx.sql.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", tuple(values.values()))
        for statement in NEWER:
            tx.sql.execute(statement)
    return planted


def left(town: Town, planted: dict[tuple[str, str], Any]) -> set[tuple[str, str]]:
    """Where the planted is still found."""
    with town.store.reading() as tx:
        return {
            (table, column)
            for (table, column), value in planted.items()
            if tx.sql.execute(f"SELECT count(*) FROM {table} WHERE {column} IS ?", (value,)).fetchone()[0]
        }


def test_each_personal_field_ends_at_its_term_and_not_a_second_before(town: Town) -> None:
    planted = plant(town)
    assert set(planted) == personal_columns() == left(town, planted)
    terms = {(each.table, column): TIMERS[each.timer].kept_s for each in PERSONAL for column in each.columns}
    began = town.now[0]
    for term in sorted(set(terms.values())):
        town.now[0] = began + term - 1
        expiry.expire_due(town.desk)
        early = {where for where, kept_s in terms.items() if kept_s >= term} - left(town, planted)
        assert not early, f"gone too soon: {early}"
        town.now[0] = began + term + 1
        expiry.expire_due(town.desk)
        late = {where for where, kept_s in terms.items() if kept_s <= term} & left(town, planted)
        assert not late, f"still there: {late}"
    with town.store.reading() as tx:
        kept = tx.sql.execute("SELECT state, compartment, deposited_s IS NOT NULL FROM parcels").fetchall()
        assert kept == [("collected", 1, 1)], "which parcel lay where is known for ever"
        assert tx.tallies()["pickups"] == 1


def test_a_parcel_that_never_comes_keeps_neither_its_recipient_nor_its_label_for_ever(town: Town) -> None:
    parcel, other = town.expect("label-1", ref="customer-7"), town.expect("label-2", ref="customer-8")
    town.later(RECIPIENT_WAITS_S - 1)
    expiry.expire_due(town.desk)
    with town.store.reading() as tx:
        assert tx.sql.execute("SELECT count(*) FROM recipients").fetchone() == (2,)
    assert town.parcel(parcel.number).label == "label-1" and town.parcel(parcel.number).told_as == "expected"
    town.later(1)
    expiry.expire_due(town.desk)
    with town.store.reading() as tx:
        assert tx.sql.execute("SELECT count(*) FROM recipients").fetchone() == (0,)
    gone = [town.parcel(one.number) for one in (parcel, other)]
    assert [one.told_as for one in gone] == ["never_came"] * 2 and {one.label[0] for one in gone} == {"*"}
    assert gone[0].ended_s == town.now[0]
    again = town.expect("label-1")
    assert again.number != parcel.number, "its carrier may use the number again"
    with pytest.raises(Refusal, match="never came"):
        parcels.reserve_compartment(town.desk, OPERATOR, parcel.number)


def test_a_locker_that_tells_of_it_after_all_is_believed(town: Town) -> None:
    """Two of one carrier, put in while nobody heard the locker for longer than an announcement is kept."""
    late = [town.expect(f"label-{number}") for number in (1, 2)]
    town.later(RECIPIENT_WAITS_S)
    expiry.expire_due(town.desk)
    assert [town.parcel(one.number).told_as for one in late] == ["never_came"] * 2
    for box, one in enumerate(late, start=1):
        town.put_in("mairie-1", box, 1, one.number)
    now = [town.parcel(one.number) for one in late]
    assert [(one.state, one.ended_s) for one in now] == [("deposited", None)] * 2


def test_what_has_piled_up_goes_in_batches_and_the_evidence_of_an_open_report_stays(town: Town) -> None:
    first, count = town.now[0], KEEPING_BATCH_MAX + 200
    town.deposited("label-1")
    evidence = "SELECT count(*) FROM events WHERE locker = 'mairie-1'"
    with town.store.transaction() as tx:
        add = (
            "INSERT INTO events (locker, boot, seq, type, t_mono_ms, taken_s, fields) VALUES (?, 1, 1, 1, 1, ?, x'80')"
        )
        tx.sql.executemany(add, [("mairie-1", first)] * KEEPING_BATCH_MAX)
        tx.sql.executemany(add, [("gare-1", first)] * count)
        tx.sql.execute(
            "INSERT INTO reports (number, parcel, kind, found, locker, made_s, after_event)"
            " SELECT 1, number, 'empty', 'collected', 'mairie-1', 1, 0 FROM parcels"
        )
        kept = tx.sql.execute(evidence).fetchone()[0]
        newest = tx.newest_event()
    town.later(TRAIL_KEPT_S)
    rounds: list[int] = []
    for _ in range(4):
        expiry.expire_due(town.desk)
        with town.store.reading() as tx:
            rounds.append(tx.sql.execute("SELECT count(*) FROM events WHERE locker = 'gare-1'").fetchone()[0])
    assert rounds[-1] == 1 and count - KEEPING_BATCH_MAX <= rounds[0] < count, rounds
    with town.store.reading() as tx:
        assert tx.newest_event() == newest, "no number of an event is given twice"
        assert 0 < kept <= tx.sql.execute(evidence).fetchone()[0]


def test_every_timer_finds_what_is_due_without_reading_what_is_not(town: Town) -> None:
    with town.store.reading() as tx:
        for rule in RULES:
            plan = [step[3] for step in tx.sql.execute(f"EXPLAIN QUERY PLAN {rule.due}", (1, 1))]
            walked = [step for step in plan if step.startswith("SCAN") and "INDEX" not in step]
            bounded = "ORDER BY e.id LIMIT" in rule.due or "ORDER BY position LIMIT" in rule.due
            assert bounded or not walked, (rule.due, plan)


# ------------------------------------------------------------------ exports, addresses
def test_an_export_holds_every_personal_field_of_a_recipient_and_of_no_staff() -> None:
    for each in PERSONAL:
        if each.whose != STAFF:
            assert set(each.columns) <= set(EXPORTED[each.table][1].split(", ")), each
    staff = {"made_by", "closed_by", "confirmed_by", "owner", "holder", "badge"}
    assert not any(staff & set(columns.split(", ")) for _, columns in EXPORTED.values())


def test_an_address_is_found_however_it_is_written() -> None:
    same = ("+33 6 99 88 77 66", "06.99.88.77.66", "0033699887766", "(06) 99 88 77 66", "+33 (0)6 99 88 77 66")
    assert {digits_of(phone) for phone in same} == {"699887766"}
    assert digits_of("+49 30 1234567") != digits_of("030 1234567")
    assert Contact(mail=" Anne@Exemple.FR").fits("anne@exemple.fr", None)
    assert not Contact(mail="anne@exemple.fr").fits("banne@exemple.fr", "0699887766")
    assert not Contact(phone="06 99 88 77 66").fits("x", None)

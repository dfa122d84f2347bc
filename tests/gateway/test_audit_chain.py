"""The log of acts is a chain: what was changed, cut out or put in is named, and erasing a person does not break it."""

import sqlite3
from pathlib import Path

import pytest
from books_town import OPERATOR, Town, open_town

from gateway.domain.audit import ALTERED, CUT_OFF, HIDDEN, MISSING, RELABELLED, UNCHAINED
from gateway.limits import AUDIT_BATCH, TRAIL_KEPT_S
from gateway.services import acts, audit, erasures, expiry, parcels
from gateway.store.migrations import migrate, migrations

DAY_S = 86_400


@pytest.fixture
def town(tmp_path: Path) -> Town:
    town = open_town(tmp_path)
    town.locker("S", "S", "S")
    for label in ("label-1", "label-2", "label-3"):
        parcels.show_code(town.desk, OPERATOR, town.deposited(label).number)
    return town


def wrong(town: Town) -> list[tuple[int, str]]:
    return audit.check(town.desk, OPERATOR).wrong


def tamper(town: Town, statement: str) -> None:
    with town.store.transaction() as tx:
        assert tx.sql.execute(statement).rowcount


def test_a_log_as_it_was_written_is_whole_and_says_how_long_it_is(town: Town) -> None:
    check = audit.check(town.desk, OPERATOR)
    assert check.wrong == [] and check.acts == check.head_id > 3
    assert audit.head(town.desk) == (check.head_id, check.head_hash.hex())


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE acts SET kind = 'badge_made' WHERE id = 2", [(2, ALTERED)]),
        ("UPDATE acts SET made_s = made_s - 60 WHERE id = 2", [(2, ALTERED)]),
        ("UPDATE acts SET compartment = 3 WHERE id = 2", [(2, ALTERED)]),
        ("UPDATE acts SET made_by = 'somebody' WHERE id = 2", [(2, RELABELLED)]),
        ("UPDATE acts SET credential = 7 WHERE id = 2", [(2, RELABELLED)]),
        ("UPDATE acts SET reason = 'other' WHERE id = 2", [(2, RELABELLED)]),
        ("UPDATE acts SET parcel = (SELECT max(number) FROM parcels) + 1 WHERE id = 2", [(2, RELABELLED)]),
        ("UPDATE acts SET hash = zeroblob(32) WHERE id = 2", [(2, ALTERED), (3, ALTERED)]),
        ("UPDATE acts SET hash = NULL WHERE id = 2", [(2, UNCHAINED), (3, ALTERED)]),
        ("DELETE FROM acts WHERE id = 2", [(3, MISSING), (3, ALTERED)]),
        ("DELETE FROM acts WHERE id = (SELECT max(id) FROM acts)", CUT_OFF),
        ("UPDATE acts SET parcel = NULL, reason = '' WHERE parcel IS NOT NULL", HIDDEN),
    ],
)
def test_what_was_tampered_with_is_named(town: Town, statement: str, named: list[tuple[int, str]] | str) -> None:
    tamper(town, statement)
    found = wrong(town)
    assert found == named or [what for _, what in found] == [named], found


def test_erasing_a_person_unlinks_the_acts_and_the_chain_still_holds(town: Town) -> None:
    with town.store.reading() as tx:
        (number,) = tx.sql.execute("SELECT number FROM parcels WHERE label = 'label-2'").fetchone()
    town.fetch(town.parcel(number))
    before = audit.check(town.desk, OPERATOR)
    assert erasures.erase(town.desk, OPERATOR, number).state == "erased"
    after = audit.check(town.desk, OPERATOR)
    assert after.wrong == [] and after.unlinked == 2, "the code that was shown, and the wish to be erased"
    assert after.acts == before.acts + 2
    with town.store.reading() as tx:
        assert tx.acts_of_parcel(number, 10) == []
        assert tx.sql.execute("SELECT count(*) FROM salts WHERE parcel = ?", (number,)).fetchone() == (0,)


def test_acts_go_at_their_term_and_what_is_left_is_still_a_chain(town: Town) -> None:
    first = audit.check(town.desk, OPERATOR).acts
    town.later(TRAIL_KEPT_S - DAY_S)
    parcels.show_code(town.desk, OPERATOR, town.deposited("label-9", locker=town.locker("S", locker="gare-1")).number)
    town.later(DAY_S)
    expiry.expire_due(town.desk)
    check = audit.check(town.desk, OPERATOR)
    assert check.wrong == [] and 0 < check.acts < first, (check.acts, first)
    tamper(town, "DELETE FROM acts WHERE id = (SELECT min(id) FROM acts)")
    assert MISSING in [what for _, what in wrong(town)]


def test_acts_from_before_the_chain_are_left_alone(tmp_path: Path) -> None:
    books = sqlite3.connect(tmp_path / "consigne.db", isolation_level=None)
    migrate(books, migrations()[:12])
    books.execute("INSERT INTO acts (kind, made_by, reason, made_s) VALUES ('badge_made', 'desk', '', 1)")
    books.close()
    town = open_town(tmp_path)
    with town.store.transaction() as tx:
        acts.note(town.desk, tx, OPERATOR, "badge_made", town.now[0])
    check = audit.check(town.desk, OPERATOR)
    assert (check.acts, check.head_id, check.wrong) == (1, 2, [])


def test_a_long_chain_is_read_in_batches(town: Town) -> None:
    with town.store.transaction() as tx:
        for _ in range(AUDIT_BATCH + 1):
            acts.note(town.desk, tx, OPERATOR, "badge_made", town.now[0])
    assert audit.check(town.desk, OPERATOR).acts > AUDIT_BATCH and wrong(town) == []

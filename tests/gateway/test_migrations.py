"""The schema changes as a whole or not at all, whatever statement breaks."""

import sqlite3
from pathlib import Path

import pytest

from gateway.store.migrations import Migration, StoreError, migrate, migrations, split, version
from gateway.store.queries.parcels import PARCEL
from gateway.store.sqlite import SqliteStore

ALL = migrations()
BREAKS = [(step.version, place) for step in ALL for place in range(len(step.statements) + 1)]


def opened() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def fill(books: sqlite3.Connection) -> None:
    """Something to lose, as soon as there are tables."""
    if version(books):
        books.execute("INSERT INTO lockers (id, name, code_digits, made_s) VALUES ('mairie-1', 'Mairie', 12, 1)")


@pytest.mark.parametrize(("broken", "place"), BREAKS)
def test_a_migration_that_breaks_anywhere_leaves_the_books_as_they_were(broken: int, place: int) -> None:
    books = opened()
    if broken > 1:
        migrate(books, ALL[: broken - 1])
        fill(books)
    before = (list(books.iterdump()), version(books))
    whole = ALL[broken - 1].statements
    bad = Migration(broken, (*whole[:place], "INSERT INTO nowhere VALUES (1)", *whole[place:]))
    with pytest.raises(sqlite3.OperationalError):
        migrate(books, [*ALL[: broken - 1], bad])
    assert (list(books.iterdump()), version(books)) == before
    migrate(books, ALL)
    assert version(books) == ALL[-1].version


def test_badges_revoked_before_lockers_could_be_told_are_told_to_every_locker_with_a_key() -> None:
    books = opened()
    migrate(books, ALL[:2])
    fill(books)
    books.execute(
        "INSERT INTO lockers (id, name, code_digits, generation, made_s) VALUES ('gare-1', 'Gare', 12, 1, 1)"
    )
    for id8, revoked_s in (("good", None), ("lost", 5)):
        books.execute("INSERT INTO badges VALUES (?, 'colibri', 's-1', 1, 99, ?)", (id8.encode(), revoked_s))
    migrate(books, ALL)
    told = books.execute("SELECT token, locker, expiry_s, done_s, retry_s FROM token_revocations").fetchall()
    assert told == [(b"lost", "gare-1", 99, None, 0)]
    assert books.execute("SELECT DISTINCT role, locker FROM badges").fetchall() == [("courier", None)]


def test_a_merchant_has_contracts_with_those_whose_couriers_put_in_for_it_and_its_word_alone_gets_no_door() -> None:
    books = opened()
    migrate(books, ALL[:18])
    fill(books)
    told = [("came", "fleurs", 7, 9), ("comes", "fleurs", None, None), ("attack", "mallory", None, None)]
    for number, (label, merchant, inside_s, ended_s) in enumerate([*told, ("own", "", None, None)], 1):
        books.execute(
            "INSERT INTO parcels (number, position, label, locker, size, carrier, merchant, accessible, heavy, state,"
            " expected_s, deposited_s, ended_s)"
            " VALUES (?1, ?1, ?2, 'mairie-1', 'S', 'colibri', ?3, 0, 0, ?4, 5, ?5, ?6)",
            (number, label, merchant, "expected" if inside_s is None else "collected", inside_s, ended_s),
        )
    migrate(books, ALL)
    assert books.execute("SELECT * FROM contracts").fetchall() == [("fleurs", "colibri", 7)]
    rows = books.execute(f"SELECT {PARCEL} FROM parcels ORDER BY number").fetchall()
    assert [row[-1] for row in rows] == ["good", "good", "no_contract", "good"]
    assert books.execute("SELECT label FROM parcels WHERE NOT vouched").fetchall() == [("comes",), ("attack",)]


def test_migrating_twice_changes_nothing() -> None:
    books = opened()
    migrate(books, ALL)
    fill(books)
    before = list(books.iterdump())
    migrate(books, ALL)
    assert list(books.iterdump()) == before


def test_books_from_the_future_are_refused_and_left_alone(tmp_path: Path) -> None:
    SqliteStore.open(tmp_path / "books.db").close()
    books = sqlite3.connect(tmp_path / "books.db", isolation_level=None)
    books.execute(f"PRAGMA user_version = {ALL[-1].version + 1}")
    books.close()
    with pytest.raises(StoreError, match="install a newer one"):
        SqliteStore.open(tmp_path / "books.db")


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "books.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError):
        SqliteStore.open(tmp_path / "books.db")


def test_a_script_is_split_at_its_statements_and_nowhere_else() -> None:
    script = "-- why; because\nCREATE TABLE a (\n  b TEXT DEFAULT ';'\n);\nCREATE TABLE c (d);\n"
    assert len(split(script)) == 2

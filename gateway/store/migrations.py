"""The schema: numbered files of SQL. Each is one transaction together with its version: all of it or nothing."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

SCHEMA = Path(__file__).parent / "schema"


class StoreError(Exception):
    """The books cannot be opened; the text says why and what to do."""


@dataclass(frozen=True)
class Migration:
    version: int
    statements: tuple[str, ...]


def split(script: str) -> tuple[str, ...]:
    """The statements of a script. executescript() would commit between them."""
    statements: list[str] = []
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            statements.append(gathered.strip())
            gathered = ""
    assert not gathered.strip(), "the script ends in the middle of a statement"
    return tuple(statements)


def migrations(folder: Path = SCHEMA) -> list[Migration]:
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    found = [Migration(int(path.name[:4]), split(path.read_text())) for path in files]
    assert [migration.version for migration in found] == list(range(1, len(found) + 1))
    return found


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, todo: list[Migration]) -> None:
    """Bring the books up to the last of `todo`. `connection` must be in autocommit mode (isolation_level None)."""
    known = todo[-1].version
    if version(connection) > known:
        raise StoreError(
            f"the books have version {version(connection)}, this gateway knows {known}: install a newer one"
        )
    for migration in todo:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Looked up inside: another process may have migrated while we waited for the lock.
            if version(connection) < migration.version:
                for statement in migration.statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {migration.version:d}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

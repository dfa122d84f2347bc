"""Books with nothing in them, at once: the schema is made once in a process, and its file is copied.

Each of twelve hundred tests has books of its own. To make the schema takes fifteen times as long as to open them, and
it waits for the disk at each of its steps; test_migrations.py is about those.
"""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from gateway.store.sqlite import SqliteStore


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "consigne.db"
        SqliteStore.open(path).close()
        return path.read_bytes()


def open_books(folder: Path, clock: Callable[[], int] | None = None) -> SqliteStore:
    """In that folder; books that are there already are opened as they are."""
    path = folder / "consigne.db"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(_empty())
    return SqliteStore.open(path, clock) if clock is not None else SqliteStore.open(path)

"""The books in one SQLite file: WAL, synchronous=FULL, one writer, every commit on the disk before it is told.

transaction() is re-entrant in a thread: what a use case does inside a caller's transaction is committed with it.
"""

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from gateway.limits import BUSY_WAIT_MS, CHECKPOINT_PAGES, SCRUB_WAIT_MS
from gateway.store.migrations import StoreError, migrate, migrations
from gateway.store.queries.acts import ActQueries
from gateway.store.queries.commands import CommandQueries
from gateway.store.queries.contracts import ContractQueries
from gateway.store.queries.counts import CountQueries
from gateway.store.queries.customers import CustomerQueries
from gateway.store.queries.delegations import DelegationQueries
from gateway.store.queries.greetings import GreetingQueries
from gateway.store.queries.history import HistoryQueries
from gateway.store.queries.keeping import KeepingQueries
from gateway.store.queries.keys import KeyQueries
from gateway.store.queries.letters import LetterQueries
from gateway.store.queries.lockers import LockerQueries
from gateway.store.queries.log import LogQueries
from gateway.store.queries.overview import OverviewQueries
from gateway.store.queries.parcels import ParcelQueries
from gateway.store.queries.people import PeopleQueries
from gateway.store.queries.privacy import PrivacyQueries
from gateway.store.queries.readings import ReadingQueries
from gateway.store.queries.reports import ReportQueries
from gateway.store.queries.rounds import RoundQueries
from gateway.store.queries.search import SearchQueries
from gateway.store.queries.webhooks import WebhookQueries

_FULL = 2
Clock = Callable[[], int]


def unix_s() -> int:
    return int(time.time())


class SqliteTransaction(
    LockerQueries,
    ParcelQueries,
    RoundQueries,
    DelegationQueries,
    LetterQueries,
    CommandQueries,
    PeopleQueries,
    KeyQueries,
    ContractQueries,
    LogQueries,
    WebhookQueries,
    CountQueries,
    GreetingQueries,
    ReadingQueries,
    CustomerQueries,
    ReportQueries,
    ActQueries,
    KeepingQueries,
    PrivacyQueries,
    HistoryQueries,
    OverviewQueries,
    SearchQueries,
):
    """Every question and every change; alive as long as its `with`. `moved`: lockers whose reservations have changed
    since they were told; a hint only, which a start forgets and a rollback may leave too large. `clock` dates the
    changes of parcels."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock = unix_s) -> None:
        self.sql = connection
        self.clock = clock
        self.moved: set[str] = set()


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_WAIT_MS:d}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


class _Reader:
    """One thread's connection. The thread's end ends it, and with it the file handles."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class SqliteStore:
    def __init__(self, path: Path, clock: Clock = unix_s) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._depth = 0  # of transactions in the thread that holds the lock
        self._owner: int | None = None
        self._local = threading.local()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()  # each lives as long as its thread
        self._readers_lock = threading.Lock()  # not the writer's: a new reader waits for no transaction
        self._writer = connect(path)
        self._writer.execute("PRAGMA journal_mode = WAL")  # a property of the file: readers need not ask for it
        self._writer.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES:d}")
        self._writer.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only let go
        self._writer.execute("PRAGMA temp_store = MEMORY")  # nothing personal in a temporary file
        self._check_pragmas()
        migrate(self._writer, migrations())
        self._transaction = SqliteTransaction(self._writer, clock)

    @staticmethod
    def open(path: Path, clock: Clock = unix_s) -> "SqliteStore":
        """Makes the file, or brings it up to date. Raises StoreError."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            return SqliteStore(path, clock)
        except (OSError, sqlite3.DatabaseError) as error:
            raise StoreError(f"{path}: {error}")

    def close(self) -> None:
        with self._lock, self._readers_lock:
            for reader in list(self._readers):
                reader.connection.close()
            self._writer.close()

    @contextmanager
    def transaction(self) -> Generator[SqliteTransaction]:
        """BEGIN IMMEDIATE … COMMIT; inside another one of this thread, a savepoint of it."""
        with self._lock:
            self._owner = threading.get_ident()
            begin, commit, rollback = _ways(self._depth)
            self._writer.execute(begin)
            self._depth += 1
            try:
                yield self._transaction
                self._writer.execute(commit)
            except BaseException:
                # A full disk may have rolled all of it back already.
                if self._writer.in_transaction:
                    for statement in rollback:
                        self._writer.execute(statement)
                raise
            finally:
                self._depth -= 1
                if not self._depth:
                    self._owner = None

    @contextmanager
    def reading(self) -> Generator[SqliteTransaction]:
        """One consistent view that waits for no writer. Re-entrant; in a transaction of this thread, that one."""
        if self._owner == threading.get_ident():
            yield self._transaction
            return
        connection = self._reader()
        if connection.in_transaction:  # joins the view that is open in this thread
            yield SqliteTransaction(connection, self._clock)
            return
        connection.execute("BEGIN")
        try:
            yield SqliteTransaction(connection, self._clock)
        finally:
            connection.execute("ROLLBACK")

    def scrub(self) -> bool:
        """What was deleted is overwritten in the files too: the personal tables are written anew, the log emptied.

        False: a reader is in the way of the log; ask again. In no transaction.
        """
        with self._lock:
            assert not self._depth
            self._writer.execute("PRAGMA foreign_keys = OFF")
            try:
                with self.transaction() as tx:
                    tx.rewrite_personal()
            finally:
                self._writer.execute("PRAGMA foreign_keys = ON")
            self._writer.execute(f"PRAGMA busy_timeout = {SCRUB_WAIT_MS:d}")
            try:
                busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                self._writer.execute(f"PRAGMA busy_timeout = {BUSY_WAIT_MS:d}")
            return not busy

    def _reader(self) -> sqlite3.Connection:
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = _Reader(connect(self._path))
            reader.connection.execute("PRAGMA query_only = ON")
            with self._readers_lock:
                self._readers.add(reader)
        return reader.connection

    def _check_pragmas(self) -> None:
        """SQLite ignores what it cannot do; then nothing we say about durability would be true."""
        synchronous = self._writer.execute("PRAGMA synchronous").fetchone()[0]
        mode = self._writer.execute("PRAGMA journal_mode").fetchone()[0]
        if synchronous != _FULL or mode != "wal":
            raise StoreError(f"{self._path}: SQLite cannot write ahead here ({mode}); use a local disk")
        if not self._writer.execute("PRAGMA foreign_keys").fetchone()[0]:
            raise StoreError("this SQLite was built without foreign keys")


def _ways(depth: int) -> tuple[str, str, tuple[str, ...]]:
    if depth == 0:
        return "BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",)
    name = f"inner_{depth:d}"
    return f"SAVEPOINT {name}", f"RELEASE {name}", (f"ROLLBACK TO {name}", f"RELEASE {name}")

"""The gateway of the simulated town: the real pipeline, envelopes, use cases, outbox and SQL, on a real SQLite in
memory, one lap at a time. It is killed before a commit, after it, and between answers; it or its backup comes back.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from gateway import log
from gateway.config import Settings
from gateway.domain.errors import Refusal
from gateway.domain.events import Answer, Arrival
from gateway.domain.lockers import NewCompartment, NewLocker, NewModule
from gateway.domain.people import GATEWAY
from gateway.envelopes import Envelopes
from gateway.frames import Received
from gateway.keys import Keys
from gateway.outbox import Outbox
from gateway.pipeline import Pipeline
from gateway.services import commands, expiry, lockers
from gateway.services.desk import Desk
from gateway.services.take_up import take_up
from gateway.store.migrations import migrate, migrations
from gateway.store.sqlite import SqliteStore, SqliteTransaction
from tools.sim.broker import Broker
from tools.sim.world import MINUTE, SECOND, World

OPERATOR = GATEWAY
_LOG = log.event
LAP_MS = 5
TIMER_MS = 10 * MINUTE  # the product looks every 5 s; between events nothing else changes


class Killed(BaseException):
    """The process is gone, at this line."""


class MemoryStore(SqliteStore):
    """The product's store on a database that lives in memory: what is committed is kept, what is not is lost."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._owner: int | None = None
        self._writer = connection
        self._transaction = SqliteTransaction(connection)
        self.before_commit: Callable[[], None] = lambda: None

    @contextlib.contextmanager
    def transaction(self) -> Generator[SqliteTransaction]:
        with super().transaction() as tx:
            yield tx
            if self._depth == 1:
                self.before_commit()

    @contextlib.contextmanager
    def reading(self) -> Generator[SqliteTransaction]:
        yield self._transaction


def _template() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(connection, migrations())
    return connection


_EMPTY: list[sqlite3.Connection] = []


def new_books() -> sqlite3.Connection:
    """Empty books; the schema is built once a process."""
    if not _EMPTY:
        _EMPTY.append(_template())
    return copy_of(_EMPTY[0])


def copy_of(books: sqlite3.Connection) -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=256)
    books.backup(made)
    made.execute("PRAGMA foreign_keys = ON")
    return made


class FalseConnection:
    """Between the pipeline and the false broker. `die_at`: killed at the n-th answer of the next lap."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.ready = True
        self.die_at = -1

    def take(self) -> Sequence[Received]:
        return self._broker.take()

    def publish(self, topic: str, payload: bytes) -> None:
        self._step()
        self._broker.to_locker(topic, payload)

    def acknowledge(self, received: Sequence[Received]) -> None:
        if received:
            self._step()
        self._broker.acknowledged(list(received))

    def _step(self) -> None:
        if self.die_at == 0:
            self.die_at = -1
            raise Killed
        self.die_at = max(-1, self.die_at - 1)

    def flush(self) -> None:
        pass

    def wake(self) -> None:
        pass

    def drop(self) -> None:
        pass

    def close(self) -> None:
        pass


class Town:
    """`looked(town)`: called after every lap, by the rules."""

    def __init__(self, world: World, broker: Broker) -> None:
        self.world = world
        self.broker = broker
        self.keys = Keys.from_secrets(world.chance.randbytes(32), world.chance.randbytes(32))
        self.running = False
        self.looked: Callable[[], None] = lambda: None
        self.failed: Callable[[str, dict[str, Any]], None] = lambda _what, _fields: None
        self.kill_before_commit = False
        self._books = new_books()
        self._lap_due = False
        broker.arrived = self.lap_soon
        setattr(log, "event", self._logged)  # noqa: B010 - a log of many lockers' years would be all one saw
        self._open()

    def close(self) -> None:
        setattr(log, "event", _LOG)  # noqa: B010
        self._books.close()

    def _logged(self, name: str, /, **fields: Any) -> None:
        if name != "command_sent":
            self.world.note("gateway", name)
        self.failed(name, fields)

    def _open(self) -> None:
        self.store = MemoryStore(self._books)
        self.store.before_commit = self._before_commit
        self.desk = Desk(
            self.store,
            self.keys,
            Settings.default(Path("/nowhere")),
            lambda: self.world.unix_s,
            self.world.chance.randbytes,
        )
        envelopes = Envelopes(self.keys, self._generation_of)
        self.connection = FalseConnection(self.broker)
        outbox = Outbox(
            envelopes,
            lambda limit: commands.due_commands(self.desk, limit),
            lambda ids: commands.mark_sent(self.desk, ids),
        )
        self.outbox = outbox
        connection: Any = self.connection
        self.pipeline = Pipeline(
            self._take_up, envelopes, None, connection, self.desk.clock, self.world.chance.randbytes
        )
        self.envelopes = envelopes
        self.running = True

    def _generation_of(self, locker: str) -> int | None:
        found = self.store._transaction.locker(locker)
        return None if found is None else found.generation

    def _take_up(self, arrivals: Sequence[Arrival]) -> Sequence[Answer]:
        return take_up(self.desk, list(arrivals))

    # -------------------------------------------------------------- life
    def start(self) -> None:
        if not self.running:
            self._open()
        self.broker.served = True
        self.broker.nudge()
        self.broker.subscribe()
        self.lap_soon()

    def kill(self) -> None:
        self.running = self.broker.served = False
        self.kill_before_commit = False

    def _before_commit(self) -> None:
        if self.kill_before_commit:
            self.kill_before_commit = False
            raise Killed

    def back_up(self) -> sqlite3.Connection:
        return copy_of(self._books)

    def restore(self, backup: sqlite3.Connection) -> None:
        """The machine is lost; its books are as they were when that copy was made."""
        self.kill()
        self._books = copy_of(backup)

    def lap_soon(self) -> None:
        if not self._lap_due and self.running:
            self._lap_due = True
            self.world.after(LAP_MS, self._lap)

    def _lap(self) -> None:
        self._lap_due = False
        if not self.running or not self.broker.running:
            return
        try:
            self.pipeline.lap()
            while self.outbox.hand_over(self.connection.publish):
                pass
            self.outbox.mark()
        except Killed:
            self.died()
        self.looked()

    def died(self) -> None:
        self.kill()
        self.world.note("gateway killed")
        self.world.after(self.world.about(20 * SECOND), self.start)

    def timer(self) -> None:
        if self.running:
            try:
                expiry.expire_due(self.desk)
                commands.expire_commands(self.desk)
            except Killed:
                self.died()
            self.lap_soon()
        self.world.after(TIMER_MS, self.timer)

    def do(self, use_case: Callable[..., Any], *arguments: Any) -> Any:
        """A use case on the desk, as the HTTP API would call it; None when refused or nobody answers."""
        if not self.running:
            return None
        try:
            return use_case(self.desk, *arguments)
        except Refusal:
            return None
        except Killed:
            self.died()
            return None
        finally:
            self.lap_soon()

    # -------------------------------------------------------------- looking
    def rows(self, question: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return self._books.execute(question, arguments).fetchall()

    # -------------------------------------------------------------- building
    def add_locker(self, name: str, sizes: str) -> bytes:
        """Registered and provisioned; its key."""
        boxes = tuple(
            NewCompartment(place + 1, size, 440, 200, 500, 0, 100 + 250 * place, False)
            for place, size in enumerate(sizes)
        )
        new = NewLocker(name, name, (NewModule("A", boxes),))
        lockers.register_locker(self.desk, OPERATOR, new)
        lockers.provision_locker(self.desk, OPERATOR, name)
        return self.keys.locker_key(name, 1)

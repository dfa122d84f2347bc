"""The outbox, the couriers' requests, and operations in SQL."""

import json
import sqlite3
from collections.abc import Iterable, Sequence

import cbor2

from gateway.domain.ids import OperationNumber
from gateway.domain.operations import Command, Operation
from protocol.messages import COMMANDS, Down

_COMMAND = "locker, id, type, fields, issued_s, ttl_s, state, operation, parcel, compartment, code"
OPERATION = "number, kind, locker, compartment, parcel, reason, made_by, state, code, made_s, ended_s"


def _command(row: Sequence[object]) -> Command:
    locker, id8, number, fields, issued_s, ttl_s, state, operation, parcel, compartment, code = row
    message = COMMANDS[number](*cbor2.loads(fields))  # pyright: ignore
    down = Down(id8, issued_s, ttl_s, message)  # pyright: ignore[reportArgumentType]
    return Command(locker, down, state, operation, parcel, compartment, code)  # pyright: ignore[reportArgumentType]


class CommandQueries:
    sql: sqlite3.Connection

    def add_command(self, command: Command) -> None:
        down = command.down
        self.sql.execute(
            "INSERT INTO commands (id, locker, type, fields, issued_s, ttl_s, state, operation, parcel, compartment)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                down.id,
                command.locker,
                down.command.TYPE,
                cbor2.dumps(down.command.values()),
                down.issued_s,
                down.ttl_s,
                command.state,
                command.operation,
                command.parcel,
                command.compartment,
            ),
        )

    def _commands(self, where: str, *values: object) -> list[Command]:
        return [_command(row) for row in self.sql.execute(f"SELECT {_COMMAND} FROM commands WHERE {where}", values)]

    def command(self, id8: bytes) -> Command | None:
        found = self._commands("id = ?", id8)
        return found[0] if found else None

    def last_command_about(self, parcel: int, number: int) -> Command | None:
        """Of this type, whatever became of it."""
        found = self._commands("parcel = ? AND type = ? ORDER BY position DESC LIMIT 1", parcel, number)
        return found[0] if found else None

    def due_commands(self, now_s: int, limit: int) -> list[Command]:
        return self._commands("state = 'waiting' AND issued_s + ttl_s >= ? ORDER BY position LIMIT ?", now_s, limit)

    def mark_sent(self, ids: Iterable[bytes]) -> None:
        self.sql.executemany(
            "UPDATE commands SET state = 'sent' WHERE id = ? AND state = 'waiting'", [(id8,) for id8 in ids]
        )

    def queue_again(self, locker: str) -> None:
        """What this locker has not answered is sent once more, under the same ids."""
        self.sql.execute(
            "UPDATE commands SET state = 'waiting'"
            # The second condition is the index's own: without it SQLite would read every command there ever was.
            " WHERE locker = ? AND state = 'sent' AND state IN ('waiting', 'sent')",
            (locker,),
        )

    def queue_command_again(self, id8: bytes) -> None:
        self.sql.execute("UPDATE commands SET state = 'waiting' WHERE id = ? AND state = 'sent'", (id8,))

    def finish_command(self, id8: bytes, state: str, code: int | None) -> None:
        self.sql.execute("UPDATE commands SET state = ?, code = ? WHERE id = ?", (state, code, id8))

    def commands_past_end(self, before_s: int, limit: int) -> list[Command]:
        """Unfinished ones whose time was up before `before_s`."""
        return self._commands(
            "state IN ('waiting', 'sent') AND issued_s + ttl_s < ? ORDER BY issued_s + ttl_s LIMIT ?", before_s, limit
        )

    def supersede(self, parcel: int, number: int) -> None:
        """Unfinished commands of this type about a parcel mean nothing any more."""
        self.sql.execute(
            "UPDATE commands SET state = 'expired' WHERE parcel = ? AND type = ? AND state IN ('waiting', 'sent')",
            (parcel, number),
        )

    def supersede_at(self, locker: str, number: int) -> None:
        """Unfinished commands of this type to a locker, for which no operation waits."""
        self.sql.execute(
            "UPDATE commands SET state = 'expired' WHERE locker = ? AND type = ? AND operation IS NULL"
            " AND state IN ('waiting', 'sent')",
            (locker, number),
        )

    # -------------------------------------------------------------- couriers' requests
    def answer_to(self, locker: str, boot: int, request: int) -> bytes | None:
        row = self.sql.execute(
            "SELECT command FROM deposit_requests WHERE locker = ? AND boot = ? AND request = ?",
            (locker, boot, request),
        ).fetchone()
        return None if row is None else row[0]

    def keep_request(  # noqa: PLR0917 - a row
        self, locker: str, boot: int, request: int, command: bytes, now_s: int, badge: bytes
    ) -> None:
        self.sql.execute(
            "INSERT INTO deposit_requests (locker, boot, request, command, asked_s, badge) VALUES (?, ?, ?, ?, ?, ?)",
            (locker, boot, request, command, now_s, badge),
        )

    def drop_requests(self, before_s: int) -> None:
        self.sql.execute("DELETE FROM deposit_requests WHERE asked_s < ?", (before_s,))

    def drop_requests_of(self, locker: str) -> None:
        """A new key generation counts its boots from the start again."""
        self.sql.execute("DELETE FROM deposit_requests WHERE locker = ?", (locker,))

    # -------------------------------------------------------------- operations
    def add_operation(self, operation: Operation) -> None:
        self.sql.execute(
            f"INSERT INTO operations ({OPERATION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                operation.number,
                operation.kind,
                operation.locker,
                operation.compartment,
                operation.parcel,
                operation.reason,
                operation.by,
                operation.state,
                operation.code,
                operation.made_s,
                operation.ended_s,
            ),
        )

    def operation(self, number: OperationNumber) -> Operation | None:
        row = self.sql.execute(f"SELECT {OPERATION} FROM operations WHERE number = ?", (number,)).fetchone()
        return None if row is None else Operation(*row)

    def keep_operation(self, operation: Operation) -> None:
        self.sql.execute(
            "UPDATE operations SET state = ?, code = ?, ended_s = ? WHERE number = ?",
            (operation.state, operation.code, operation.ended_s, operation.number),
        )

    def running_at(self, locker: str, compartment: int) -> list[Operation]:
        rows = self.sql.execute(
            f"SELECT {OPERATION} FROM operations WHERE locker = ? AND compartment = ? AND ended_s IS NULL",
            (locker, compartment),
        )
        return [Operation(*row) for row in rows]

    def running_places(self, lockers: Iterable[str]) -> set[tuple[str, int]]:
        rows = self.sql.execute(
            "SELECT o.locker, o.compartment FROM json_each(?) AS l CROSS JOIN operations o"
            " ON o.locker = l.value AND o.ended_s IS NULL",
            (json.dumps(list(lockers)),),
        )
        return set(rows.fetchall())

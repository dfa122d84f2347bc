"""What the rules are checked on: a locker's journal as its flash holds it, and the gateway's books in their file."""

import sqlite3
import struct
from binascii import crc32
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from protocol import cbor, messages

_HEAD = struct.Struct(">BBHQI")  # magic, kind, size, seq, CRC-32
_MAGIC, _RECORD = 0xC5, 2
JOURNAL = "/journal/"


@dataclass(frozen=True)
class Entry:
    """One custody event: the bytes, and what they say. `name`: the message's class."""

    raw: bytes
    seq: int
    boot: int
    mono_ms: int
    wall_s: int | None
    name: str
    event: Any

    @staticmethod
    def of(raw: bytes) -> "Entry":
        up = messages.decode_up(raw)
        return Entry(raw, up.seq, up.boot, up.t_mono_ms, up.t_wall_s, type(up.event).__name__, up.event)

    def __str__(self) -> str:
        return f"{self.seq} {self.name}"


@dataclass(frozen=True)
class Pulse:
    """A lock pin that went high, as the cabinet saw it, in the board's own time; boot 0: nobody knows in which."""

    door: int
    boot: int
    mono_ms: float


@dataclass(frozen=True)
class Allocation:
    """A row of the books; `ended_s` None: live."""

    parcel: int
    locker: str
    door: int
    made_s: int
    ended_s: int | None


@dataclass
class Standing:
    """How a compartment stands, in the books of either side, or at the cabinet."""

    door: str
    holding: int = 0
    deposit: int = 0
    flagged: bool = False


@dataclass
class Locker:
    """Everything about one locker at the end."""

    name: str
    journal: list[Entry]
    books: list[Entry]
    pulses: list[Pulse] = field(default_factory=list[Pulse])
    at_gateway: dict[int, Standing] = field(default_factory=dict[int, Standing])


def journal_of(files: Mapping[str, bytes]) -> list[Entry]:
    """The records that a flash image's files still hold, in the order of their segments."""
    entries: list[Entry] = []
    for path in sorted(files):
        if path.startswith(JOURNAL) and path.endswith(".log"):
            entries += _segment(files[path])
    return entries


def _segment(content: bytes) -> list[Entry]:
    """Whole frames up to the first that is not: a torn tail is never written behind."""
    entries: list[Entry] = []
    place = 0
    while place + _HEAD.size <= len(content):
        magic, kind, size, _seq, checksum = _HEAD.unpack_from(content, place)
        payload = content[place + _HEAD.size : place + _HEAD.size + size]
        if magic != _MAGIC or len(payload) < size:
            break
        if crc32(payload, crc32(content[place : place + _HEAD.size - 4])) == checksum and kind == _RECORD:
            entries.append(Entry.of(payload))
        place += _HEAD.size + size
    return entries


class Books:
    """The gateway's file, read beside it. Each look opens and closes it: it may be replaced at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(statement, values).fetchall()

    def events(self, locker: str) -> list[Entry]:
        """In the order in which they were committed, as the very bytes that the locker must have journalled."""
        columns = "boot, seq, t_mono_ms, t_wall_s, type, fields"
        rows = self.rows(f"SELECT {columns} FROM events WHERE locker = ? ORDER BY id", locker)
        return [
            Entry.of(cbor.encode([messages.VERSION, boot, seq, mono, wall, kind, cbor.decode(fields)]))
            for boot, seq, mono, wall, kind, fields in rows
        ]

    def last_seq(self, locker: str) -> int:
        return int(self.rows("SELECT last_seq FROM lockers WHERE id = ?", locker)[0][0])

    def standings(self, locker: str) -> dict[int, Standing]:
        columns = "number, door, holding, deposit, quarantined OR out_of_service"
        rows = self.rows(f"SELECT {columns} FROM compartments WHERE locker = ? ORDER BY number", locker)
        return {number: Standing(door, holding, deposit, bool(flag)) for number, door, holding, deposit, flag in rows}

    def allocations(self) -> list[Allocation]:
        rows = self.rows("SELECT parcel, locker, compartment, made_s, ended_s FROM allocations ORDER BY id")
        return [Allocation(*row) for row in rows]

    def alarms(self) -> dict[str, int]:
        return dict(self.rows("SELECT kind, count(*) FROM alarms GROUP BY kind ORDER BY kind"))

    def copy(self, into: Path) -> None:
        """A backup, taken while the gateway works on."""
        into.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as source,
            closing(sqlite3.connect(into)) as target,
        ):
            source.backup(target)

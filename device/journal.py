"""The journal: what the agent saved, in order, on flash; it loses nothing that append() returned for.

A folder of segments named after their first seq, each begun with a snapshot of the books, then records. Files
only grow; a new segment is written beside and renamed. Every frame carries length, kind, seq and CRC-32, so a
torn tail is seen, left as it is, and followed by a new segment. Only acknowledged segments are ever removed.
"""

import os
import struct
import sys
from binascii import crc32
from typing import TYPE_CHECKING

from protocol.limits import JOURNAL_RECORDS_KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SEGMENT_RECORDS = 128  # replayed at boot at most; a few hundred ms on a board
SPARE_RECORDS = 256  # below `free` = 0, so that a full locker can still note its boots and doors
RESERVE_BLOCKS = 16  # LittleFS copies blocks on write, and a new segment's snapshot needs room
RECORD_BYTES = 96  # planned size of a record with its frame, for the sums
ACKED_STEP = 64  # the acknowledged seq is written down this often: it only spares re-sending

_ENOSPC = 28
_EIO = 5
_MAGIC = 0xC5
_SNAPSHOT, _RECORD = 1, 2
_HEAD = ">BBHQ"
_HEAD_SIZE = 12
_FRAME_SIZE = _HEAD_SIZE + 4
_SUFFIX = ".log"
_UNBOUNDED = 1 << 29


class JournalError(OSError):
    """The journal cannot be used as it stands, and guessing would lose parcels."""


def _frame_head(kind: int, seq: int, payload: bytes) -> bytes:
    head = struct.pack(_HEAD, _MAGIC, kind, len(payload), seq)
    return head + crc32(payload, crc32(head)).to_bytes(4, "big")


class _Reader:
    """The whole frames of one segment. `torn`: something broken follows the last one."""

    def __init__(self, path: str, offset: int = 0, snapshots: bool = False) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed by close()
        self._file.seek(offset)
        self._snapshots = snapshots
        self.offset = offset  # of the frame that next() reads
        self.torn = False

    def next(self) -> "tuple[int, int, bytes] | None":
        """(kind, seq, payload)"""
        while True:
            head = self._file.read(_FRAME_SIZE)
            if len(head) == 0:
                return None
            self.torn = True
            if len(head) < _FRAME_SIZE:
                return None
            magic, kind, size, seq = struct.unpack(_HEAD, head[:_HEAD_SIZE])
            if magic != _MAGIC:
                return None
            if kind == _SNAPSHOT and not self._snapshots:
                self._file.seek(self.offset + _FRAME_SIZE + size - 1)
                self.torn = not self._file.read(1)
                self.offset += _FRAME_SIZE + size
                continue
            payload = self._file.read(size)
            self.offset += _FRAME_SIZE + size
            if crc32(payload, crc32(head[:_HEAD_SIZE])) == int.from_bytes(head[_HEAD_SIZE:], "big"):
                self.torn = False
                return kind, seq, payload
            # One rotten frame, if whole ones follow; nothing is ever written behind a torn one.

    def close(self) -> None:
        self._file.close()


class Journal:
    """Open with load(); while `due`, rotate(snapshot of the books as they stand after last_seq) before append()."""

    def __init__(
        self,
        folder: str,
        capacity: "int | None" = None,
        segment_records: int = SEGMENT_RECORDS,
        spare: int = SPARE_RECORDS,
        kept: int = JOURNAL_RECORDS_KEPT,
    ) -> None:
        self._folder = folder
        self._capacity = capacity
        self._segment_records = segment_records
        self._spare = spare
        self._kept = kept
        self._segments: list[int] = []  # first seqs, ascending
        self._file: Any = None
        self._torn = True  # nothing may be appended to what is not known to be whole
        self._room = 0  # records that fit into the file system's free space, as last measured
        self._place = (0, 0, 0)  # (segment, seq, offset): where read() left off
        self.last_seq = 0
        self.acked = 0

    # -------------------------------------------------------------- at boot
    def load(self) -> "tuple[bytes | None, Iterator[bytes]]":
        """The newest snapshot, and the records after it. Raises OSError."""
        self.close()
        self._refuse_fat()
        self._segments = sorted([int(name[: -len(_SUFFIX)]) for name in os.listdir(self._folder) if _is_segment(name)])
        self.acked = self._read_acked()
        place = len(self._segments) - 1
        snapshot: bytes | None = None
        while place >= 0:
            snapshot = self._snapshot_of(self._segments[place])
            if snapshot is not None:
                break
            place -= 1
        if place < 0 and self._segments:
            raise JournalError(_EIO, "no snapshot is readable")
        self._torn = True
        self.last_seq = self._segments[place] - 1 if self._segments else 0
        for first in self._segments[max(place, 0) :]:
            self._torn = self._scan(first)
        self._torn = self._torn or place < len(self._segments) - 1  # the newest snapshot is rotten: make another
        self.acked = min(self.acked, self.last_seq)
        self._measure()
        return snapshot or None, self._records(self._segments[max(place, 0) :])

    def _snapshot_of(self, first: int) -> "bytes | None":
        reader = _Reader(self._path(first), 0, True)
        try:
            found = reader.next()
        finally:
            reader.close()
        return found[2] if found is not None and found[0] == _SNAPSHOT else None

    def _scan(self, first: int) -> bool:
        """Follow one segment up to its last whole record; whether something broken follows it."""
        reader = _Reader(self._path(first))
        try:
            found = reader.next()
            while found is not None:
                self.last_seq = max(self.last_seq, found[1])
                found = reader.next()
        finally:
            reader.close()
        return reader.torn

    def _records(self, segments: "list[int]") -> "Iterator[bytes]":
        for first in segments:
            reader = _Reader(self._path(first))
            found = reader.next()
            while found is not None:
                if found[0] == _RECORD:
                    yield found[2]
                found = reader.next()
            reader.close()

    def _refuse_fat(self) -> None:
        if sys.implementation.name != "micropython":
            return
        try:
            os.stat(self._folder.upper())
        except OSError:
            return
        # Names that ignore case: a FAT file system, which loses whole files in a power cut.
        raise JournalError(_EIO, "not LittleFS")

    # -------------------------------------------------------------- growing
    @property
    def due(self) -> bool:
        """A new segment should be begun."""
        return self._torn or self.last_seq - self._segments[-1] + 1 >= self._segment_records

    def append(self, seq: int, record: bytes) -> None:
        """Durable when it returns. After OSError nothing is known: load() again."""
        assert seq == self.last_seq + 1, "a seq is missing"
        if self._torn:
            raise JournalError(_EIO, "not begun")
        if self._left() <= 0:
            self._drop(1)
            if self._left() <= 0:
                raise OSError(_ENOSPC, "the journal is full")
        self._torn = True  # until the write is known to have reached the flash whole
        if self._file is None:
            self._file = open(self._path(self._segments[-1]), "ab")  # noqa: SIM115 - stays open
        self._file.write(_frame_head(_RECORD, seq, record) + record)
        self._file.flush()  # lfs2_file_sync: LittleFS keeps appended data only from here on
        self._torn = False
        self.last_seq = seq
        self._room -= 1

    def rotate(self, snapshot: bytes) -> None:
        """Begin a new segment. Raises OSError; the old one then stays in use, if it was whole."""
        first = self.last_seq + 1
        temporary = self._folder + "/segment.new"
        with open(temporary, "wb") as file:
            file.write(_frame_head(_SNAPSHOT, self.last_seq, snapshot))
            file.write(snapshot)
        self._close_file()
        os.rename(temporary, self._path(first))
        if not self._segments or self._segments[-1] != first:
            self._segments.append(first)
        self._torn = False
        self._write_acked()
        self._drop(0)
        self._measure()

    # -------------------------------------------------------------- reading and forgetting
    @property
    def first_seq(self) -> int:
        """The oldest record that can still be read; last_seq + 1 when there is none."""
        return self._segments[0] if self._segments else self.last_seq + 1

    def read(self, first: int, count: int) -> "list[bytes]":
        """Up to `count` records from seq `first` on. Raises OSError."""
        records: list[bytes] = []
        if first > self.last_seq or not self._segments:
            return records
        place = 0
        while place + 1 < len(self._segments) and self._segments[place + 1] <= first:
            place += 1
        while place < len(self._segments) and len(records) < count:
            self._read_segment(self._segments[place], first, count, records)
            place += 1
        return records

    def _read_segment(self, segment: int, first: int, count: int, records: "list[bytes]") -> None:
        known, seq, offset = self._place
        reader = _Reader(self._path(segment), offset if known == segment and seq < first else 0)
        try:
            while len(records) < count:
                found = reader.next()
                if found is None:
                    break
                if found[0] == _RECORD and found[1] >= first:
                    records.append(found[2])
                self._place = (segment, found[1], reader.offset)
        finally:
            reader.close()

    def forget(self, seq: int) -> None:
        """Everything up to `seq` is in the gateway's books; it may go when its room is needed."""
        before = self.acked
        self.acked = max(self.acked, min(seq, self.last_seq))
        if before // ACKED_STEP != self.acked // ACKED_STEP:
            self._write_acked()

    @property
    def free(self) -> int:
        """How many records may still be saved, not counting the spare ones."""
        return max(0, self._left() - self._spare)

    def close(self) -> None:
        self._close_file()
        self._torn = True

    # -------------------------------------------------------------- room
    def _left(self) -> int:
        left = self._room + self._droppable()
        if self._capacity is not None:
            left = min(left, self._capacity + self._spare - (self.last_seq - self.acked))
        return left

    def _droppable(self) -> int:
        """Records in segments that are wholly acknowledged; never the newest segment."""
        dropped = 0
        for place in range(len(self._segments) - 1):
            if self._segments[place + 1] - 1 > self.acked:
                break
            dropped = self._segments[place + 1] - self._segments[0]
        return dropped

    def _drop(self, needed: int) -> None:
        """Remove acknowledged segments: those past their keeping time, and more while `needed` records lack room."""
        removed = False
        while len(self._segments) > 1 and self._segments[1] - 1 <= self.acked:
            old = self.last_seq - (self._segments[1] - 1) > self._kept
            if not old and self._room >= needed + self._spare:
                break
            os.remove(self._path(self._segments[0]))
            self._segments.pop(0)
            self._place = (0, 0, 0)
            removed = True
            self._measure()
        if removed:
            self._measure()

    def _measure(self) -> None:
        """LittleFS walks the whole flash for this, so it is done per segment, and counted on in between."""
        found = os.statvfs(self._folder)
        blocks = min(found[3] - RESERVE_BLOCKS, _UNBOUNDED // found[0])
        self._room = max(0, blocks * (found[0] // RECORD_BYTES))

    # -------------------------------------------------------------- files
    def _path(self, first: int) -> str:
        return f"{self._folder}/{first:08d}{_SUFFIX}"

    def _close_file(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError:
                return  # a file whose last write failed; what of it is whole is found out by reading it

    def _read_acked(self) -> int:
        try:
            with open(self._folder + "/acked", "rb") as file:
                text = file.read(16)
        except OSError:
            return 0
        return int(text) if text.isdigit() else 0

    def _write_acked(self) -> None:
        """A small file of its own: LittleFS keeps it inside its folder's block and replaces it in one step."""
        temporary = self._folder + "/acked.new"
        with open(temporary, "wb") as file:
            file.write(b"%d" % self.acked)
        os.rename(temporary, self._folder + "/acked")


def _is_segment(name: str) -> bool:
    return name.endswith(_SUFFIX) and name[: -len(_SUFFIX)].isdigit()

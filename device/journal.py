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
RESERVE_BLOCKS = 16  # LittleFS copies blocks on write, and a new segment's snapshot needs room
RECORD_BYTES = 96  # planned size of a record with its frame, for the sums
ACKED_STEP = 64  # the acknowledged seq is written down this often: it only spares re-sending
BOOTS_SKIPPED = 1_000_000  # when the count of boots is unreadable: more than there can have been without a record

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
    """The whole frames of one segment. `torn`: something broken follows the last one. What is broken in between is
    passed over, byte by byte, up to the next whole frame with a later seq."""

    def __init__(self, path: str, offset: int = 0, snapshots: bool = False) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed by close()
        self._file.seek(offset)
        self._snapshots = snapshots
        self._seq = -1
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
            if magic == _MAGIC and seq > self._seq:
                kept = kind != _SNAPSHOT or self._snapshots
                payload = self._file.read(size) if kept else b""
                crc = crc32(payload, crc32(head[:_HEAD_SIZE])) if kept else self._pass(size, crc32(head[:_HEAD_SIZE]))
                if crc == int.from_bytes(head[_HEAD_SIZE:], "big"):
                    self.offset += _FRAME_SIZE + size
                    self.torn = False
                    self._seq = seq
                    if not kept:
                        continue
                    return kind, seq, payload
            self.offset += 1
            self._file.seek(self.offset)

    def _pass(self, size: int, crc: int) -> int:
        """The checksum of what follows, without holding it: a snapshot may be kilobytes."""
        while size > 0:
            piece = self._file.read(min(size, 128))
            if not piece:
                return -1
            crc = crc32(piece, crc)
            size -= len(piece)
        return crc

    def close(self) -> None:
        self._file.close()


class Journal:
    """Open with load(); while `due`, rotate(snapshot of the books as they stand after last_seq) before append()."""

    def __init__(
        self,
        folder: str,
        capacity: "int | None" = None,
        segment_records: int = SEGMENT_RECORDS,
        kept: int = JOURNAL_RECORDS_KEPT,
    ) -> None:
        self._folder = folder
        self._capacity = capacity
        self._segment_records = segment_records
        self._kept = kept
        self._segments: list[int] = []  # first seqs, ascending
        self._file: Any = None
        self._torn = True  # nothing may be appended to what is not known to be whole
        self._snapshot_size = 0
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
        self.acked = self._read_number("acked") or 0
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
        self._snapshot_size = len(snapshot or b"")
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
            parent, _slash, name = self._folder.rpartition("/")
            os.stat(parent + "/" + name.upper())
        except OSError:
            return
        # Names that ignore case: a FAT file system, which loses whole files in a power cut.
        raise JournalError(_EIO, "not LittleFS")

    def count_boot(self, latest: int) -> int:
        """The number of the boot that begins, durable; none before had it. `latest`: the newest in the books,
        which know only of boots that saved something. Raises OSError."""
        counted = self._read_number("boot")
        if counted is None:
            counted = latest + BOOTS_SKIPPED if self._segments else 0
        boot = max(counted, latest) + 1
        self._write_number("boot", boot)
        return boot

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
        try:
            with open(temporary, "wb") as file:
                file.write(_frame_head(_SNAPSHOT, self.last_seq, snapshot))
                file.write(snapshot)
        except OSError:
            os.remove(temporary)  # half of it would take room that records need
            raise
        self._close_file()
        os.rename(temporary, self._path(first))
        if not self._segments or self._segments[-1] != first:
            self._segments.append(first)
        self._torn = False
        self._write_number("acked", self.acked)
        self._snapshot_size = len(snapshot)
        self._measure()
        self._drop(self._segment_records)

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
            self._write_number("acked", self.acked)

    @property
    def free(self) -> int:
        """How many records may still be saved."""
        return max(0, self._left())

    def close(self) -> None:
        self._close_file()
        self._torn = True

    # -------------------------------------------------------------- room
    def _left(self) -> int:
        left = self._room + self._droppable()
        if self._capacity is not None:
            left = min(left, self._capacity - (self.last_seq - self.acked))
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
        while len(self._segments) > 1 and self._segments[1] - 1 <= self.acked:
            old = self.last_seq - (self._segments[1] - 1) > self._kept
            if not old and self._room >= needed:
                break
            os.remove(self._path(self._segments[0]))
            self._segments.pop(0)
            self._place = (0, 0, 0)
            self._measure()

    def _measure(self) -> None:
        """LittleFS walks the whole flash for this, so it is done per segment, and counted on in between."""
        found = os.statvfs(self._folder)
        blocks = min(found[3] - RESERVE_BLOCKS, _UNBOUNDED // found[0])
        size = self._segment_records * RECORD_BYTES + self._snapshot_size  # each segment begins with a snapshot
        self._room = max(0, blocks * self._segment_records // -(-size // found[0]))

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

    def _read_number(self, name: str) -> "int | None":
        """None: not there, or rotten."""
        try:
            with open(f"{self._folder}/{name}", "rb") as file:
                text, _space, check = file.read(32).partition(b" ")
        except OSError:
            return None
        return int(text) if text.isdigit() and check == b"%d" % crc32(text) else None

    def _write_number(self, name: str, number: int) -> None:
        """A small file of its own: LittleFS keeps it inside its folder's block and replaces it in one step."""
        path = f"{self._folder}/{name}"
        text = b"%d" % number
        with open(path + ".new", "wb") as file:
            file.write(text + b" %d" % crc32(text))
        os.rename(path + ".new", path)


def _is_segment(name: str) -> bool:
    return name.endswith(_SUFFIX) and name[: -len(_SUFFIX)].isdigit()

"""What the journal takes of the heap: the snapshot once, at the start, and never for a record."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

from device.journal import Journal

SNAPSHOT_BYTES = 60_000  # so large that little else matters


def peak_bytes(act: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def grown(folder: Path) -> Journal:
    """Some segments, each with its snapshot."""
    journal = Journal(str(folder), segment_records=8)
    journal.load()
    for seq in range(1, 41):
        if journal.due:
            journal.rotate(bytes(SNAPSHOT_BYTES))
        journal.append(seq, b"record %d" % seq)
    return journal


def test_reading_old_records_does_not_read_the_snapshot_before_them(tmp_path: Path):
    journal = grown(tmp_path)
    assert peak_bytes(lambda: journal.read(20, 8)) < SNAPSHOT_BYTES // 2
    assert journal.read(20, 2) == [b"record 20", b"record 21"]


def test_a_start_holds_one_snapshot_and_not_two(tmp_path: Path):
    grown(tmp_path).close()
    journal = Journal(str(tmp_path), segment_records=8)

    def start() -> None:
        _snapshot, records = journal.load()
        assert [*records] == [b"record %d" % seq for seq in range(33, 41)]

    assert peak_bytes(start) < SNAPSHOT_BYTES * 3 // 2


def test_a_rotten_newest_snapshot_is_made_anew(tmp_path: Path):
    grown(tmp_path).close()
    newest = max(path for path in tmp_path.iterdir() if path.name[0].isdigit())
    content = bytearray(newest.read_bytes())
    content[SNAPSHOT_BYTES // 2] ^= 1
    newest.write_bytes(content)
    journal = Journal(str(tmp_path), segment_records=8)
    snapshot, records = journal.load()
    assert snapshot is not None and [*records][-1] == b"record 40"
    assert journal.last_seq == 40 and journal.due

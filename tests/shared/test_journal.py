"""The journal over a folder: the same on both interpreters. Power cuts on LittleFS: tests/device/test_littlefs.py."""

import os
from binascii import hexlify

from device.journal import BOOTS_SKIPPED, Journal, JournalError


class Folder:
    """An empty folder of its own; `close` takes it away again."""

    def __init__(self) -> None:
        base = os.getenv("TMPDIR") or "/tmp"
        self.path = base + "/journal-" + str(hexlify(os.urandom(6)), "ascii")
        os.mkdir(self.path)

    def close(self) -> None:
        for name in os.listdir(self.path):
            os.remove(self.path + "/" + name)
        os.rmdir(self.path)

    def segments(self) -> "list[str]":
        return sorted([name for name in os.listdir(self.path) if name.endswith(".log")])

    def bytes_of(self, name: str) -> bytes:
        with open(self.path + "/" + name, "rb") as file:
            return file.read()

    def write(self, name: str, content: bytes) -> None:
        with open(self.path + "/" + name, "wb") as file:
            file.write(content)


def record(seq: int) -> bytes:
    return b"record %d" % seq


def opened(folder: Folder, snapshot: bytes = b"start", capacity: "int | None" = None, **options: int) -> Journal:
    journal = Journal(folder.path, capacity, **options)
    journal.load()
    if journal.due:
        journal.rotate(snapshot)
    return journal


def filled(folder: Folder, last: int, **options: int) -> Journal:
    """Records 1 to `last`, with a rotation whenever one is due; snapshots say their last seq."""
    journal = opened(folder, b"after 0", None, **options)
    for seq in range(journal.last_seq + 1, last + 1):
        journal.append(seq, record(seq))
        if journal.due:
            journal.rotate(b"after %d" % seq)
    return journal


def replay(folder: Folder) -> "tuple[bytes | None, list[bytes], Journal]":
    journal = Journal(folder.path)
    snapshot, records = journal.load()
    return snapshot, list(records), journal


def test_an_empty_journal_has_nothing_and_wants_a_segment():
    folder = Folder()
    journal = Journal(folder.path)
    snapshot, records = journal.load()
    assert snapshot is None and list(records) == []
    assert journal.due and journal.last_seq == 0 and journal.first_seq == 1
    folder.close()


def test_what_was_appended_comes_back_in_order():
    folder = Folder()
    filled(folder, 20)
    snapshot, records, journal = replay(folder)
    assert snapshot == b"after 0"
    assert records == [record(seq) for seq in range(1, 21)]
    assert journal.last_seq == 20
    folder.close()


def test_only_the_newest_segment_is_replayed():
    folder = Folder()
    filled(folder, 25, segment_records=10)
    snapshot, records, journal = replay(folder)
    assert snapshot == b"after 20"
    assert records == [record(seq) for seq in range(21, 26)]
    assert journal.last_seq == 25 and journal.first_seq == 1
    folder.close()


def test_nothing_is_appended_before_the_tail_is_known_to_be_whole():
    folder = Folder()
    filled(folder, 3)
    journal = Journal(folder.path)
    try:
        journal.append(1, b"too early")
        raise AssertionError("appended")
    except OSError:
        pass
    folder.close()


def test_a_missing_seq_is_our_own_mistake():
    folder = Folder()
    journal = filled(folder, 3)
    try:
        journal.append(5, record(5))
        raise RuntimeError("appended")
    except AssertionError:
        assert journal.last_seq == 3
    folder.close()


def test_a_tail_torn_at_every_byte_loses_the_torn_record_and_nothing_else():
    folder = Folder()
    filled(folder, 5)
    name = folder.segments()[0]
    whole = folder.bytes_of(name)
    last_frame = 16 + len(record(5))
    for cut in range(len(whole) - last_frame, len(whole)):
        folder.write(name, whole[:cut])
        _snapshot, records, journal = replay(folder)
        assert records == [record(seq) for seq in range(1, 5)], cut
        assert journal.last_seq == 4
        # With the frame gone to its last byte there is nothing torn; with any of it left, a segment is begun.
        assert journal.due == (cut > len(whole) - last_frame)
        if journal.due:
            journal.rotate(b"after 4")
        journal.append(5, b"another")
        assert replay(folder)[1][-1] == b"another"
        assert folder.bytes_of(name)[:cut] == whole[:cut], "a torn tail is left as it is"
        for made in folder.segments()[1:]:
            os.remove(folder.path + "/" + made)
    folder.close()


def test_a_tail_of_garbage_is_not_read_as_records():
    folder = Folder()
    filled(folder, 5)
    name = folder.segments()[0]
    whole = folder.bytes_of(name)
    for garbage in (
        b"\xff" * 40,
        b"\x00" * 40,
        b"\xc5" * 40,
        whole[-24:-1],
        b"\xc5\x02\x00\x04" + bytes(12) + b"abcd",
    ):
        folder.write(name, whole + garbage)
        _snapshot, records, journal = replay(folder)
        assert len(records) == 5 and journal.last_seq == 5 and journal.due
    folder.close()


def test_a_rotten_record_in_the_middle_costs_itself_only():
    folder = Folder()
    filled(folder, 5)
    name = folder.segments()[0]
    rotten = bytearray(folder.bytes_of(name))
    frame = 16 + len(record(1))
    rotten[-2 * frame - 1] ^= 1  # the last byte of record 3
    folder.write(name, bytes(rotten))
    _snapshot, records, journal = replay(folder)
    assert records == [record(1), record(2), record(4), record(5)]
    assert journal.last_seq == 5, "a seq is never used twice"
    folder.close()


def test_a_rotten_snapshot_falls_back_on_the_one_before():
    folder = Folder()
    filled(folder, 25, segment_records=10)
    newest = folder.segments()[-1]
    rotten = bytearray(folder.bytes_of(newest))
    rotten[17] ^= 1
    folder.write(newest, bytes(rotten))
    snapshot, records, journal = replay(folder)
    assert snapshot == b"after 10"
    assert records == [record(seq) for seq in range(11, 26)]
    assert journal.last_seq == 25
    folder.close()


def test_a_journal_without_any_readable_snapshot_is_refused():
    folder = Folder()
    filled(folder, 5)
    name = folder.segments()[0]
    folder.write(name, b"\x00" * len(folder.bytes_of(name)))
    try:
        Journal(folder.path).load()
        raise RuntimeError("guessed")
    except JournalError:
        pass
    folder.close()


def test_a_segment_whose_writing_was_cut_off_is_not_there():
    folder = Folder()
    filled(folder, 5)
    folder.write("segment.new", b"half a snap")
    snapshot, records, _journal = replay(folder)
    assert snapshot == b"after 0" and len(records) == 5
    folder.close()


def test_old_records_are_read_by_seq_across_segments():
    folder = Folder()
    journal = filled(folder, 35, segment_records=10)
    for first in (1, 7, 10, 11, 25, 35, 2):
        expected = [record(seq) for seq in range(first, min(first + 8, 36))]
        assert journal.read(first, 8) == expected, first
    assert journal.read(36, 8) == []
    folder.close()


def test_reading_on_where_the_last_reading_ended_gives_the_same():
    folder = Folder()
    journal = filled(folder, 35, segment_records=10)
    seen: list[bytes] = []
    first = 1
    while records := journal.read(first, 3):
        seen.extend(records)
        first += len(records)
    assert seen == [record(seq) for seq in range(1, 36)]
    folder.close()


def test_a_record_can_be_read_right_after_it_was_appended():
    folder = Folder()
    journal = filled(folder, 3)
    assert journal.read(3, 8) == [record(3)]
    journal.append(4, record(4))
    assert journal.read(4, 8) == [record(4)]
    folder.close()


def test_only_acknowledged_segments_go_and_only_after_their_keeping_time():
    folder = Folder()
    journal = filled(folder, 30, segment_records=10, kept=15)
    assert len(folder.segments()) == 4, "nothing is acknowledged, so everything stays"
    journal.forget(30)
    for seq in range(31, 41):
        journal.append(seq, record(seq))
    journal.rotate(b"after 40")
    assert journal.first_seq == 21, "the first 20 have more than 15 newer ones"
    assert journal.read(21, 1) == [record(21)]
    folder.close()


def test_the_acknowledged_seq_survives_a_restart_roughly():
    folder = Folder()
    journal = filled(folder, 200)
    journal.forget(150)
    journal.close()
    assert 64 <= replay(folder)[2].acked <= 150
    folder.close()


def test_an_acknowledgement_of_what_was_never_written_is_cut_down():
    folder = Folder()
    journal = filled(folder, 5)
    journal.forget(1000)
    assert journal.acked == 5
    folder.close()


def test_a_full_journal_says_so_and_overwrites_nothing():
    folder = Folder()
    journal = opened(folder, capacity=20)
    for seq in range(1, 21):
        assert journal.free == 21 - seq
        journal.append(seq, record(seq))
    assert journal.free == 0
    try:
        journal.append(21, record(21))
        raise RuntimeError("appended")
    except OSError as error:
        assert error.errno == 28  # ENOSPC
    assert len(replay(folder)[1]) == 20
    folder.close()


def test_acknowledgements_make_room_again():
    folder = Folder()
    journal = opened(folder, capacity=20)
    for seq in range(1, 21):
        journal.append(seq, record(seq))
    assert journal.free == 0
    journal.forget(12)
    assert journal.free == 12
    journal.append(21, record(21))
    folder.close()


def test_rot_at_any_byte_costs_one_record_and_no_seq_is_used_twice():
    """One bit at every byte behind the snapshot, the length of a frame included."""
    folder = Folder()
    filled(folder, 6)
    name = folder.segments()[0]
    whole = folder.bytes_of(name)
    begin = len(whole) - 6 * (16 + len(record(1)))
    for place in range(begin, len(whole)):
        rotten = bytearray(whole)
        rotten[place] ^= 1 << place % 8
        folder.write(name, bytes(rotten))
        _snapshot, records, journal = replay(folder)
        lost = (place - begin) // (16 + len(record(1))) + 1
        assert records == [record(seq) for seq in range(1, 7) if seq != lost], place
        if lost < 6:
            assert journal.last_seq == 6 and not journal.due
        else:  # nobody can tell it from one that was being written
            assert journal.last_seq == 5 and journal.due
    folder.close()


def test_rot_at_any_byte_of_a_segment_s_head_falls_back_on_the_one_before_and_loses_no_record():
    folder = Folder()
    filled(folder, 25, segment_records=10)
    newest = folder.segments()[-1]
    whole = folder.bytes_of(newest)
    for place in range(16 + len(b"after 20")):
        rotten = bytearray(whole)
        rotten[place] ^= 0x10
        folder.write(newest, bytes(rotten))
        snapshot, records, journal = replay(folder)
        assert snapshot == b"after 10" and journal.last_seq == 25
        assert records == [record(seq) for seq in range(11, 26)], place
    folder.close()


def test_a_frame_of_an_older_seq_in_the_middle_of_rot_is_not_believed():
    folder = Folder()
    filled(folder, 5)
    name = folder.segments()[0]
    whole = folder.bytes_of(name)
    frame = whole[-(16 + len(record(5))) :]
    folder.write(name, whole + b"\xc5" + frame)
    _snapshot, records, journal = replay(folder)
    assert records == [record(seq) for seq in range(1, 6)] and journal.due
    folder.close()


def test_every_boot_has_a_number_of_its_own():
    folder = Folder()
    journal = Journal(folder.path)
    journal.load()
    assert journal.count_boot(0) == 1, "before the first segment, as the shell does it"
    assert [opened(folder).count_boot(0) for _ in range(2)] == [2, 3]
    assert opened(folder).count_boot(7) == 8, "the books may know better"
    assert opened(folder).count_boot(0) == 9
    folder.close()


def test_a_count_of_boots_that_is_missing_or_rotten_leaps_ahead_and_never_goes_back():
    folder = Folder()
    filled(folder, 3)
    path = folder.path + "/boot"
    assert opened(folder).count_boot(5) == 5 + BOOTS_SKIPPED + 1, "missing, while there is a journal"
    os.remove(path)
    newest = 2 * BOOTS_SKIPPED
    for _ in range(3):
        opened(folder).count_boot(newest)
    whole = folder.bytes_of("boot")
    for place in range(len(whole)):
        for bit in range(8):
            rotten = bytearray(whole)
            rotten[place] ^= 1 << bit
            folder.write("boot", bytes(rotten))
            assert opened(folder).count_boot(newest) > newest + 3, place
    for cut in range(len(whole)):
        folder.write("boot", whole[:cut])
        assert opened(folder).count_boot(newest) > newest + 3, cut
    folder.close()


def test_a_rotten_acknowledgement_frees_nothing():
    folder = Folder()
    journal = filled(folder, 30, segment_records=10)
    journal.forget(20)
    journal.rotate(b"after 30")
    journal.close()
    assert replay(folder)[2].acked == 20
    whole = folder.bytes_of("acked")
    for place in range(len(whole)):
        rotten = bytearray(whole)
        rotten[place] ^= 1 << place % 8
        folder.write("acked", bytes(rotten))
        assert replay(folder)[2].acked == 0, place
    folder.close()

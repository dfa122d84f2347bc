"""Runs in MicroPython: what a journal does to a flash of 2 MB, and what it does when one is full (of BLOCKS blocks).

flash_endurance.py RECORDS STARTS BLOCKS. Prints one line of JSON; raises AssertionError at the first thing that is
not as promised.
"""

import gc
import json
import os
import sys

from flash_chip import BLOCK, ERASED, Chip
from locker_on_chip import FOLDER, MOUNT, OnJournal, SeededOs, formatted, vfs

import device.shell
from device.agent import events as on
from device.agent.books import Books
from device.agent.outbox import seq_of
from device.journal import ACKED_STEP, SEGMENT_RECORDS, Journal, JournalError
from protocol.limits import JOURNAL_RESERVE_RECORDS
from protocol.messages import (
    Collected,
    DepositAuthorised,
    Deposited,
    DoorClosed,
    DoorOpened,
    PickupAuthorised,
    Up,
    encode,
)

BLOCKS = 512
DOORS = 14
ERASES_OF_A_SECTOR = 100_000
RECORDS_A_DAY = 5_000
STARTS_A_BOOT = 50  # of the counted starts, one reads the journal as well


def mounted(chip: Chip) -> None:
    vfs.mount(vfs.VfsLfs2(chip), MOUNT)


def opened() -> Journal:
    journal = Journal(FOLDER)
    journal.load()
    journal.count_boot(0)
    if journal.due:
        journal.rotate(Books(list(range(1, DOORS + 1))).snapshot())
    return journal


def custody(seq: int) -> bytes:
    """As pickups and deposits follow each other, one record after the other."""
    number, deposit = 1 + seq // 6 % DOORS, 1 + seq // 90
    event = (
        DepositAuthorised(number, deposit, seq % 100, seq, seq.to_bytes(8, "big"), 1_800_000_000 + seq),
        DoorOpened(number),
        Deposited(number, deposit, seq),
        PickupAuthorised(number, deposit, 1, 0, None),
        DoorOpened(number),
        Collected(number, deposit),
    )[seq % 6]
    return encode(Up(3, seq, 1_000 * seq, 1_800_000_000 + seq, event))


def wear(records: int) -> "dict[str, object]":
    """Every record acknowledged, a start each 500; the erases of the hottest block."""
    chip = formatted(BLOCKS)
    chip.erases = [0] * BLOCKS
    mounted(chip)
    journal = opened()
    books = Books(list(range(1, DOORS + 1))).snapshot()
    size = 0
    for seq in range(1, records + 1):
        record = custody(seq)
        size += len(record)
        journal.append(seq, record)
        journal.forget(seq)
        if journal.due:
            journal.rotate(books)
        if seq % 500 == 0:
            journal.close()
            journal = opened()
    hottest = max(chip.erases)
    vfs.umount(MOUNT)
    return {
        "records": records,
        "record_bytes": size // records,
        "erases": sum(chip.erases),
        "hottest_block": hottest,
        "mean_block": sum(chip.erases) // BLOCKS,
        "years": ERASES_OF_A_SECTOR * records // hottest // RECORDS_A_DAY // 365,
    }


class FullLocker(OnJournal):
    """The rig's agent, made by the shell's own `replayed` from a journal that nobody ever acknowledged."""

    def power_on(self) -> None:
        self.dead, self.cut_at, self.now, self._queue = False, -1, 0, []
        self.boots += 1
        self.journal = Journal(FOLDER)
        self.agent = device.shell.replayed(self)
        self._perform(self.agent.start(0, "power"))
        self._queue.append(on.JournalMeasured(self.journal.free))
        for number in self.config.numbers:
            self._queue.append(on.DoorSensed(number, self.closed[number]))
        self.settle()

    def step(self, event: object) -> None:
        super().step(event)
        if self.journal.due:
            self.journal.rotate(self.agent.snapshot())

    def _save(self, effect: object) -> None:
        self.journal.append(effect.seq, effect.record)

    def _pulse(self, number: int) -> None:
        self.pulses.append(number)
        self.closed[number] = False
        self._queue.append(on.DoorSensed(number, False))


def fill(journal: Journal, books: Books, until: int) -> int:
    """Deposits behind every door, then doors that open and close, up to where only `until` records fit."""
    events = []
    for number in books.numbers:
        events += [DepositAuthorised(number, 1, 1, number, None, None), Deposited(number, 1, number)]
    while journal.free > until:
        seq = journal.last_seq + 1
        event = events[seq - 1] if seq <= len(events) else (DoorOpened(1), DoorClosed(1))[seq % 2]
        up = Up(1, seq, 1_000 * seq, 1_800_000_000 + seq, event)
        journal.append(seq, encode(up))
        books.apply(up)
        if journal.due:
            journal.rotate(books.snapshot())
    return journal.last_seq


def full(starts: int, blocks: int) -> "dict[str, object]":
    chip = formatted(blocks)
    mounted(chip)
    numbers = list(range(1, DOORS + 1))
    journal = Journal(FOLDER)
    books = Books(numbers)
    journal.load()
    journal.count_boot(0)
    journal.rotate(books.snapshot())
    kept = fill(journal, books, JOURNAL_RESERVE_RECORDS - SEGMENT_RECORDS)  # whatever the next start measures
    journal.close()
    boots = count_starts(starts)
    device.shell.os = SeededOs()
    locker = FullLocker(numbers)
    assert locker.agent.boot > boots and locker.journal.last_seq == kept, "a start took a record"
    assert not locker.agent.ledger.has_room, locker.journal.free
    for number in numbers:
        locker.keys("*" + locker.code(number, 1))
        assert locker.pulses[-1] == number, locker.screen
        locker.push(number)
    collected = locker.journal.last_seq - kept
    assert collected == 3 * DOORS
    pickups = 0
    journal = locker.journal
    while journal.free >= 3:  # a start measures anew, and finds what was counted too carefully
        pickups += more_pickups(journal, locker.agent.books)
        journal.close()
        journal = Journal(FOLDER)
        journal.load()
    journal.close()
    # To the last record: it still starts, and everything is still there.
    boots = count_starts(STARTS_A_BOOT)
    last = FullLocker(numbers)
    assert last.agent.boot > boots and last.journal.free == 0
    seq = 1
    while seq <= kept:
        for record in last.journal.read(seq, 64):
            assert seq_of(record) == seq, "overwritten"
            seq += 1
    vfs.umount(MOUNT)
    return {"full_at": kept, "served": DOORS, "pickups": DOORS + pickups, "starts": starts + 2 * STARTS_A_BOOT}


def count_starts(starts: int) -> int:
    """So many starts without network: each counts itself, and some read the journal as well. The newest number."""
    journal = Journal(FOLDER)
    journal.load()
    free, last, boot = journal.free, journal.last_seq, 0
    for start in range(starts):
        if start % STARTS_A_BOOT == 0:
            journal.load()
        number = journal.count_boot(0)
        assert number > boot
        boot = number
    journal.load()
    assert (journal.free, journal.last_seq) == (free, last), "a start took room"
    return boot


def more_pickups(journal: Journal, books: Books) -> int:
    """Until the flash holds no more: (authorised, opened, collected) of so many."""
    count = 0
    while journal.free >= 3:
        for event in (PickupAuthorised(1, 1, 1, 0, None), DoorOpened(1), Collected(1, 1)):
            seq = journal.last_seq + 1
            up = Up(2, seq, 1_000 * seq, None, event)
            journal.append(seq, encode(up))
            books.apply(up)
            if journal.due:
                journal.rotate(books.snapshot())
        count += 1
    while journal.free:
        seq = journal.last_seq + 1
        up = Up(2, seq, 0, None, DoorOpened(1))
        journal.append(seq, encode(up))
        books.apply(up)
    try:
        journal.append(journal.last_seq + 1, b"one too many")
    except OSError:
        return count
    raise AssertionError("the last record was not the last")


def rot(flips: int) -> "dict[str, int]":
    """One bit of the flash at a time, anywhere in what is written: what is read is what was saved, or nothing is."""
    chip = formatted(64)
    mounted(chip)
    journal = opened()
    saved = [custody(seq) for seq in range(1, 301)]
    for seq, record in enumerate(saved, 1):
        journal.append(seq, record)
        if journal.due:
            journal.rotate(b"snapshot")
    journal.close()
    vfs.umount(MOUNT)
    written = [place for place in range(64) if chip.blocks[place] != ERASED]
    found = {"flips": flips, "unharmed": 0, "lost_records": 0, "refused": 0}
    for flip in range(flips):
        harmed = chip.copy()
        place = written[flip * 7919 % len(written)]
        offset = flip * 104_729 % BLOCK
        harmed.put(place, offset, bytes([chip.blocks[place][offset] ^ 1 << flip % 8]))
        try:
            mounted(harmed)
        except OSError:
            found["refused"] += 1
            continue
        try:
            journal = Journal(FOLDER)
            journal.load()
            records = []
            while more := journal.read(seq_of(records[-1]) + 1 if records else 1, 64):
                records += more
            seqs = [seq_of(record) for record in records]
            assert seqs == sorted(set(seqs))
            assert records == [saved[seq - 1] for seq in seqs], "a record changed"
            found["lost_records"] += len(saved) - len(records)
            found["unharmed"] += len(saved) == len(records)
        except OSError:
            found["refused"] += 1
        vfs.umount(MOUNT)
        gc.collect()
    return found


class Sectors(Chip):
    """FAT wants sectors that are written in place."""

    def writeblocks(self, block: int, buffer: bytearray, _offset: int = 0) -> int:
        for start in range(0, len(buffer), BLOCK):
            self.put(block + start // BLOCK, 0, memoryview(buffer)[start : start + BLOCK])
        return 0

    def readblocks(self, block: int, buffer: bytearray, _offset: int = 0) -> int:
        for start in range(0, len(buffer), BLOCK):
            memoryview(buffer)[start : start + BLOCK] = self.blocks[block + start // BLOCK]
        return 0


def fat_is_refused() -> bool:
    chip = Sectors([ERASED] * 128)
    vfs.VfsFat.mkfs(chip)
    vfs.mount(vfs.VfsFat(chip), MOUNT)
    os.mkdir(FOLDER)
    try:
        Journal(FOLDER).load()
    except JournalError:
        return True
    finally:
        vfs.umount(MOUNT)
    raise AssertionError("a journal on FAT")


def main(records: int, starts: int, blocks: int) -> None:
    found = {"acked_step": ACKED_STEP, "wear": wear(records), "full": full(starts, blocks), "rot": rot(starts // 50)}
    found["fat_refused"] = fat_is_refused()
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

"""Runs in MicroPython: the journal on LittleFS, its power cut at every single flash operation, torn and clean.

Prints one line of figures; raises AssertionError when an appended record was lost, changed or made up.
"""

import os
import sys

from device.journal import Journal

try:
    import vfs
except ImportError:
    import os as vfs

BLOCK = 4096
BLOCKS = 48
RECORDS = 24
SEGMENT = 10


class Chip:
    """Flash in memory whose power fails at its `left`th write or erase; torn: half of that one happens."""

    def __init__(self):
        self.cells = bytearray(b"\xff" * BLOCK * BLOCKS)
        self.left = -1
        self.torn = False

    def readblocks(self, block, buffer, offset=0):
        start = block * BLOCK + offset
        buffer[:] = memoryview(self.cells)[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * BLOCK + offset
        size = self.allowed(len(buffer))
        self.cells[start : start + size] = memoryview(buffer)[:size]
        if size < len(buffer):
            raise OSError(5)

    def allowed(self, size):
        """How much of an operation of this size still happens."""
        if self.left < 0:
            return size
        if self.left > 0:
            self.left -= 1
            return size
        torn, self.torn = self.torn, False
        return size // 2 if torn else 0

    def ioctl(self, operation, block):
        if operation == 6:
            size = self.allowed(BLOCK)
            for place in range(block * BLOCK, block * BLOCK + size):
                self.cells[place] = 0xFF
            return 0 if size == BLOCK else -5
        return {4: BLOCKS, 5: BLOCK}.get(operation, 0)


def record(seq):
    return b"%d:" % seq + b"x" * (seq * 7 % 90)


def mounted(chip):
    system = vfs.VfsLfs2(chip)
    vfs.mount(system, "/cut")
    return system


def run(journal):
    """Append until the power fails; the last seq that append() returned for."""
    done = 0
    try:
        journal.load()
        done = journal.last_seq
        if journal.due:
            journal.rotate(b"after %d" % done)
        for seq in range(done + 1, RECORDS + 1):
            journal.append(seq, record(seq))
            done = seq
            journal.forget(seq - 3)
            if journal.due:
                journal.rotate(b"after %d" % seq)
    except OSError:
        return done, False
    return done, True


def check(done):
    """What a restart finds: everything that was appended, perhaps the one that was being written, nothing else."""
    journal = Journal("/cut/journal", segment_records=SEGMENT)
    snapshot, records = journal.load()
    first = int(snapshot.split()[1]) + 1 if snapshot else 1
    found = list(records)
    assert journal.last_seq in (done, done + 1), (done, journal.last_seq)
    assert found == [record(seq) for seq in range(first, journal.last_seq + 1)], done
    every = []
    while True:
        more = journal.read(len(every) + 1, 8)
        if not more:
            break
        every.extend(more)
    assert every == [record(seq) for seq in range(1, journal.last_seq + 1)], done
    return journal


def cut_at(place, torn):
    """One life that ends at the `place`th write, and the next one; whether the first one ended by itself."""
    chip = Chip()
    vfs.VfsLfs2.mkfs(chip)
    mounted(chip)
    os.mkdir("/cut/journal")
    chip.left = place
    chip.torn = torn
    journal = Journal("/cut/journal", segment_records=SEGMENT)
    done, ended = run(journal)
    journal.close()
    chip.left = -1
    vfs.umount("/cut")
    mounted(chip)
    check(done)
    # The next life goes on where this one ended.
    journal = Journal("/cut/journal", segment_records=SEGMENT)
    after, whole = run(journal)
    journal.close()
    assert whole and after == RECORDS, (place, after)
    check(after)
    vfs.umount("/cut")
    return ended


cuts = 0
for torn in (False, True):
    place = 0
    while not cut_at(place, torn):
        place += 1
        cuts += 1
print("cuts", cuts)
sys.exit(0)

"""Runs in MicroPython: the power goes at flash operations of a scripted day, and what the next start makes of it.

power_cuts.py CUTS WORKER WORKERS [control]: so many cuts evenly over the day (0: all), each clean and each torn, of
which this worker does its part. Prints one line of JSON; raises AssertionError at the first thing that is wrong.
"""

import gc
import json
import sys

from flash_chip import ERASED
from locker_on_chip import FOLDER, MOUNT, NUMBERS, ForgetfulJournal, LockerOnChip, formatted, vfs
from scripted_day import DAY, close_all, end_of_day, online, play

import device.journal
from device.agent.books import CODES_KEPT, Books
from device.journal import Journal
from protocol import messages
from protocol.limits import REOPEN_MS
from protocol.numbers import HELD

BLOCKS = 256  # a megabyte: with segments this short, enough room to take deposits
DAYS = 2
SECOND_CUT_EVERY = 5
ACKED_STEP = 8
_NEVER = 1 << 30  # a boot number that compares equal to itself


class Mark:
    """What was known when an operation began."""

    def __init__(self, locker: LockerOnChip) -> None:
        self.scene = locker.scene
        self.saved = len(locker.flash.records)
        self.unsure = locker.unsure
        self.acknowledged = locker.gateway.seq
        self.commands = locker.gateway._count
        self.now_ms = locker.gateway.now_ms
        self.boot = locker.boots_used
        self.closed = dict(locker.closed)
        self.online = locker.online

    def same(self, locker: LockerOnChip) -> bool:
        return (
            self.saved == len(locker.flash.records)
            and self.unsure is locker.unsure
            and self.acknowledged == locker.gateway.seq
            and self.commands == locker.gateway._count
            and self.boot == locker.boots_used
            and self.scene == locker.scene
            and self.closed == locker.closed
        )


class Day:
    """The whole day, played once with power all along."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        chip = formatted(BLOCKS)
        self.start = chip.copy()
        chip = self.start.copy()
        chip.operations = []
        chip.on_operation = self._note
        self.marks: "list[Mark]" = []
        self._locker = None
        LockerOnChip.scene = 0
        locker = Started(self, chip, kind)
        play(locker, 0, DAYS * len(DAY) - 1)
        assert not locker.dead
        locker.power_off()
        self.records = locker.flash.records
        self.operations = chip.operations
        self.pulses = len(locker.pulses)
        self.folds = folds(self.records)

    def _note(self) -> None:
        locker = self._locker
        if not self.marks or not self.marks[-1].same(locker):
            self.marks.append(Mark(locker))
        else:
            self.marks.append(self.marks[-1])


class Started(LockerOnChip):
    """The one of the whole day: known to the day from its first operation on."""

    def __init__(self, day: Day, chip: object, kind: type) -> None:
        day._locker = self
        super().__init__(chip, kind)


def normal(books: Books) -> bytes:
    """The books without what only says which boot it is."""
    boot, opens = books.boot, books.opens_ms
    books.begin(_NEVER, 0)
    snapshot = books.snapshot()
    books.boot, books.opens_ms = boot, opens
    return snapshot


def folds(records: "list[bytes]") -> "list[bytes]":
    """The books after each record, added up from the very first."""
    books = Books(NUMBERS)
    found = [normal(books)]
    for record in records:
        books.apply(messages.decode_up(record))
        found.append(normal(books))
    return found


class Restarted(LockerOnChip):
    """After a cut: doors and the gateway as they were, the records as the flash has them."""

    def __init__(self, day: Day, chip: object, mark: Mark) -> None:
        self._mark = mark
        self._day = day
        super().__init__(chip, day.kind)

    def power_on(self) -> None:
        mark = self._mark
        if mark is not None:
            self._mark = None
            self.closed.update(mark.closed)
            self.online = False
            self.boots_used = mark.boot
            self.gateway.seq, self.gateway._count, self.gateway.now_ms = mark.acknowledged, mark.commands, mark.now_ms
            self.flash.records = self._day.records[: mark.saved]  # a list of its own
            self.unsure = mark.unsure
        unsure = self.unsure
        saved = len(self.flash.records)
        self._read_first(saved, unsure)
        super().power_on()

    def _read_first(self, saved: int, unsure: "bytes | None") -> None:
        """What the flash holds: all that was saved, perhaps the one that was being saved, and nothing else."""
        vfs.mount(vfs.VfsLfs2(self.chip), MOUNT)
        journal = Journal(FOLDER)
        snapshot, records = journal.load()
        books = Books.replay(NUMBERS, snapshot, records)
        found = journal.last_seq
        self.lost = max(0, saved - found)
        if self.lost:
            self.flash.records = self.flash.records[:found]
        else:
            assert found == saved or (found == saved + 1 and unsure is not None), "a record was made up"
            if found > saved:
                self.flash.records.append(unsure)
            assert journal.first_seq <= self.gateway.seq + 1, "a record is gone that the gateway does not have"
            assert self.gateway.seq <= found, "the gateway has a record that the flash does not"
            assert journal.acked <= self.gateway.seq
            seq = journal.first_seq
            while seq <= found:
                for record in journal.read(seq, 16):
                    assert record == self.flash.records[seq - 1], "a record changed"
                    seq += 1
            assert books.seq == found
            assert normal(books) == fold_of(self._day, self.flash.records), "the books differ"
        journal.close()
        vfs.umount(MOUNT)


def fold_of(day: Day, records: "list[bytes]") -> bytes:
    count = len(records)
    if count <= len(day.records) and (count == 0 or records[-1] == day.records[count - 1]):
        return day.folds[count]
    return folds(records)[-1]


def used_codes_open_nothing(locker: LockerOnChip) -> int:
    """Type every code that fetched a parcel, or was taken back or replaced; how many opened a door."""
    twice = 0
    locker.wait(REOPEN_MS + 1)  # until then whoever collected may open again
    books = locker.agent.books
    live = {(NUMBERS[p], books.deposit(p)) for p in range(len(NUMBERS)) if books.holdings[p] == HELD}
    # What the flash has from before the cut, too.
    ever = {
        (event.compartment, event.deposit)
        for event in [messages.decode_up(record).event for record in locker.flash.records]
        if type(event) is messages.Deposited
    }
    for number, deposit in sorted(ever - live):
        code = locker.code(number, deposit)
        if books.deposit(number - 1) - deposit < CODES_KEPT and books.was_collected(number - 1, deposit):
            locker.wait(6_000)
            pulses = len(locker.pulses)
            locker.keys("*" + code)
            twice += locker.pulses[pulses:].count(number)
            close_all(locker)
            locker.keys("*")
        else:  # a guess by now: it would only empty the bucket
            twice += locker.agent._access._codes.find(code) is not None
    return twice


def live_codes_open_their_doors(locker: LockerOnChip) -> int:
    books = locker.agent.books
    count = 0
    close_all(locker)
    for place in range(len(NUMBERS)):
        if books.holdings[place] == HELD:
            locker.wait(11_000)
            pulses = len(locker.pulses)
            locker.keys("*" + locker.code(NUMBERS[place], books.deposit(place)))
            assert locker.pulses[pulses:] == [NUMBERS[place]], (NUMBERS[place], locker.screen)
            locker.push(NUMBERS[place])
            assert books.holdings[place] != HELD
            count += 1
    return count


class Tally:
    def __init__(self) -> None:
        self.cuts = {"prog clean": 0, "prog torn": 0, "erase clean": 0, "erase torn": 0}
        self.second_cuts = 0
        self.failed = 0
        self.losing = 0  # cuts after which a saved record was missing
        self.lost = 0  # records, in all of these together
        self.twice = 0
        self.opened = 0
        self.restarts = 0


def cut_at(day: Day, chip: object, place: int, torn: bool, tally: Tally) -> None:
    """`chip`: as it was before that operation."""
    block, offset, data = day.operations[place]
    if torn:
        content = ERASED if data is None else data
        chip.put(block, offset, content[: len(content) // 2])
    tally.cuts[("erase" if data is None else "prog") + (" torn" if torn else " clean")] += 1
    mark = day.marks[place]
    tally.restarts += 1
    try:
        locker = Restarted(day, chip, mark)
    except Exception:
        tally.failed += 1
        raise
    tally.lost += locker.lost
    tally.losing += locker.lost > 0
    if day.kind is not Journal:
        locker.power_off()
        return
    assert not locker.lost, "a record is lost that append() had returned for"
    tally.twice += used_codes_open_nothing(locker)
    at_once = place % 2 == 0
    if at_once:
        tally.opened += live_codes_open_their_doors(locker)
    if place % SECOND_CUT_EVERY == 0:
        chip.left = place * 7 % 400
        chip.torn = not torn
    close_all(locker)
    online(locker)
    play(locker, mark.scene + 1, end_of_day(mark.scene))
    if locker.dead:
        tally.second_cuts += 1
        tally.restarts += 1
        unsure = locker.unsure
        locker.power_off()
        locker.chip = chip.copy()
        locker.unsure = unsure
        locker.power_on()
        assert not locker.lost
        tally.twice += used_codes_open_nothing(locker)
    chip.left = -1
    tally.opened += live_codes_open_their_doors(locker)
    tally.twice += used_codes_open_nothing(locker)
    locker.power_off()
    locker._read_first(len(locker.flash.records), None)
    assert not locker.lost and not tally.twice


def main(cuts: int, worker: int, workers: int, control: bool) -> None:
    device.journal.ACKED_STEP = ACKED_STEP  # the file is written that much oftener than in the field
    day = Day(ForgetfulJournal if control else Journal)
    count = 2 * len(day.operations)
    if cuts == 0 or cuts > count:
        cuts = count
    tally = Tally()
    base, done = day.start.copy(), 0
    for turn in range(worker, cuts, workers):
        place, torn = turn * count // cuts // 2, turn % 2 == 1
        while done < place:
            block, offset, data = day.operations[done]
            base.put(block, offset, ERASED if data is None else data)
            done += 1
        cut_at(day, base.copy(), place, torn, tally)
        gc.collect()
    found = dict(tally.__dict__)
    found.update({"operations": len(day.operations), "records": len(day.records), "day_pulses": day.pulses})
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:] == ["control"])

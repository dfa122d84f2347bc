"""The rig's locker with the real journal, made by the shell's own `replayed`, on a LittleFS on a chip in memory."""

import os

from flash_chip import BLOCK, ERASED, Chip
from rig import Rig

import device.shell
from device.agent import effects as do
from device.agent import events as on
from device.journal import Journal
from protocol import messages

try:
    import vfs
except ImportError:
    import os as vfs

MOUNT = "/cut"
FOLDER = MOUNT + "/journal"
NUMBERS = [1, 2, 3, 4]
SEGMENT = 16
KEPT = 24  # acknowledged records, so that some are dropped within the day
ACKED_STEP = 8  # of product's 64: the file is written that much oftener


class SeededOs:
    """What device.shell takes from `os`: the same bytes in every run."""

    def __init__(self) -> None:
        self._count = 0

    def urandom(self, size: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(4, "big") * (size // 4)


def formatted(blocks: int) -> Chip:
    chip = Chip([ERASED] * blocks)
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip), MOUNT)
    os.mkdir(FOLDER)
    vfs.umount(MOUNT)
    assert len(chip.blocks[0]) == BLOCK
    return chip


class ForgetfulJournal(Journal):
    """The control: what it appends stays in the file's buffer. Lives in this file alone."""

    def append(self, seq: int, record: bytes) -> None:
        if self._file is None and not self._torn:
            self._file = _Unflushed(open(self._path(self._segments[-1]), "ab"))  # noqa: SIM115
        super().append(seq, record)


class _Unflushed:
    def __init__(self, file: object) -> None:
        self.write = file.write
        self.close = file.close

    def flush(self) -> None:
        pass


class OnJournal(Rig):
    """A rig that device.shell.replayed() takes for a board."""

    modules = b""
    paused = False

    @property
    def console(self) -> "OnJournal":
        return self

    @property
    def watchdog(self) -> "OnJournal":
        return self

    def feed(self) -> None:
        pass

    def report(self, error: Exception) -> None:
        raise error


class LockerOnChip(OnJournal):
    """`flash.records`: what append() returned for. `unsure`: what it was called for and did not return yet."""

    def __init__(self, chip: Chip, kind: type = Journal) -> None:
        self.chip = chip
        self._kind = kind
        self.unsure: "bytes | None" = None
        self.boots_used = 0
        self.deposits: "set[tuple[int, int]]" = set()
        device.shell.os = SeededOs()
        super().__init__(NUMBERS)

    def power_on(self) -> None:
        vfs.mount(vfs.VfsLfs2(self.chip), MOUNT)
        self.boots += 1
        self.dead = False
        self.cut_at = -1
        self._queue = []
        self.now = 0
        self.unsure = None
        self.journal = self._kind(FOLDER, None, SEGMENT, KEPT)
        try:
            self.agent = device.shell.replayed(self)
            assert self.agent.boot > self.boots_used, "a boot number was used before"
            self.boots_used = self.agent.boot
            self._free = -1
            self._perform(self.agent.start(0, "power"))
            for number in self.config.numbers:
                self._queue.append(on.DoorSensed(number, self.closed[number]))
            self.settle()
        except OSError:
            if not self.chip.gone:
                raise
            self.dead = True

    def power_off(self) -> None:
        self.dead = True
        self.journal.close()
        vfs.umount(MOUNT)

    def step(self, event: object) -> None:
        """As Shell._serve: the effects in order, then the journal's upkeep."""
        if self.dead:
            return
        try:
            super().step(event)
            if self.journal.due:
                self.journal.rotate(self.agent.snapshot())
            self.agent.first_seq = self.journal.first_seq
            if self.journal.free != self._free:
                self._free = self.journal.free
                self._queue.append(on.JournalMeasured(self._free))
        except OSError:
            if not self.chip.gone:
                raise
            self.dead = True

    def jump(self, ms: int) -> None:
        """A long time in which nobody comes."""
        self.now += ms
        self.gateway.now_ms += ms
        self.do(on.Ticked())

    def _save(self, effect: "do.Save") -> None:
        self.unsure = effect.record
        self.journal.append(effect.seq, effect.record)
        self.unsure = None
        super()._save(effect)
        event = messages.decode_up(effect.record).event
        if isinstance(event, messages.Deposited):
            self.deposits.add((event.compartment, event.deposit))

    def _wire(self, effect: "object") -> None:
        if isinstance(effect, do.ReadJournal):
            self._queue.append(on.JournalRead(effect.first, self.journal.read(effect.first, effect.count)))
        elif isinstance(effect, do.Forget):
            self.journal.forget(effect.seq)
        else:
            super()._wire(effect)

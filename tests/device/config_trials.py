"""Runs in MicroPython: a configuration is put beside, tried, confirmed, with the power cut at each operation of the
flash. Whatever is there afterwards, the next start has one that is whole; and after a cut in a trial, the old one.
"""

import json
import os
import sys

from flash_chip import ERASED, Chip

from device import settings
from device.agent.config import Config
from device.agent.console_modules import Configure
from device.drivers.flash import read_config
from device.trial import CONFIG, Trial

try:
    import vfs
except ImportError:
    import os as vfs

ROOT = "/chip"
BOXES = [{"number": 1, "size": "S", "lock": 1}, {"number": 2, "size": "M", "lock": 2}]
OLD = {
    "version": 1,
    "locker": "test-1",
    "generation": 1,
    "buses": [{"uart": 1}],
    "modules": [{"name": "A", "driver": "cu16", "compartments": BOXES}],
}
STEPS = ("module replace A driver=cu48 address=1", "config try", "start", "config confirm", "start")


class Table:
    """What device.settings asks of a board."""

    def __init__(self) -> None:
        self.config = Config.parse(OLD, bytes(32), {})
        self.sources = []
        self.clock = self
        self.doors = None
        self.restarts = 0

    def now_ms(self) -> int:
        return 0

    def restart(self) -> None:
        self.restarts += 1


def order(board, line, held=()):
    events = []
    settings.carry_out(board, 0, Configure(line.split(" "), list(held), 2), events, ROOT)
    return events[0].code, events[0].answer


def start(board):
    """The word of how it came to its configuration, and that module's driver."""
    document = read_config(ROOT)
    board.sources = [Trial(board, document)] if document.get("trial") == "trial" else []
    Config.parse(document, bytes(32), {})
    return document.get("trial", ""), document["modules"][0]["driver"]


def formatted():
    chip = Chip([ERASED] * 64)
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip), ROOT)
    with open(ROOT + CONFIG, "w") as file:
        json.dump(OLD, file)
    vfs.umount(ROOT)
    return chip


def play(board):
    """How many steps were done."""
    done = 0
    for step in STEPS:
        if step == "start":
            start(board)
        elif order(board, step)[0]:
            break
        done += 1
    return done


def cut(first, left, torn):
    """(steps that were done, what the next start and the one after found)"""
    chip = first.copy()
    chip.left, chip.torn = left, torn
    board = Table()
    done = 0
    try:
        vfs.mount(vfs.VfsLfs2(chip), ROOT)
        done = play(board)
    except OSError:
        if not chip.gone:
            raise
    gone = chip.gone
    vfs.umount(ROOT)
    chip.left, chip.gone = -1, False
    vfs.mount(vfs.VfsLfs2(chip), ROOT)
    found = [start(Table()), start(Table())]
    vfs.umount(ROOT)
    return gone, done, found


def with_cuts():
    """At each operation, clean and torn."""
    first = formatted()
    seen = {}
    cuts = 0
    for torn in (False, True):
        left = 0
        while True:
            gone, done, found = cut(first, left, torn)
            if not gone:
                break
            cuts += 1
            left += 1
            drivers = [driver for _word, driver in found]
            assert drivers in (["cu16", "cu16"], ["cu48", "cu16"], ["cu48", "cu48"]), (left, done, found)
            if drivers == ["cu48", "cu48"]:
                assert done >= 3, "confirmed before anybody confirmed"
            if drivers == ["cu48", "cu16"]:
                assert found[0][0] == "trial" and found[1][0] == "back"
            seen[str(drivers)] = seen.get(str(drivers), 0) + 1
        assert found == [("", "cu48"), ("", "cu48")] and done == len(STEPS)
    return {"cuts": cuts, "seen": seen}


def by_hand():
    """What is refused, and that nobody's silence is a yes."""
    chip = formatted()
    vfs.mount(vfs.VfsLfs2(chip), ROOT)
    board = Table()
    said = [order(board, "config confirm"), order(board, "config try"), order(board, "config cancel")]
    said.append(order(board, "module retire A", [2]))
    said.append(order(board, "module replace A driver=cu48 address=77"))
    said.append(order(board, "module replace A driver=cu48"))
    with open(ROOT + "/config.new", "w") as file:
        file.write('{"version": 1, "locker": "test-1", "generation": 1, "modules": [{"name": "A", ')
        file.write('"driver": "cu48", "address": 99, "compartments": [{"number": 1, "lock": 1}, ')
        file.write('{"number": 2, "lock": 2}]}], "buses": [{"uart": 1}]}')
    said.append(order(board, "config try"))
    with open(ROOT + "/config.new", "w") as file:
        file.write("nonsense")
    said.append(order(board, "config try"))
    said.append(order(board, "config cancel"))
    order(board, "module replace A driver=cu48")
    order(board, "config try")
    said.append(start(board))
    said.append(order(board, "module retire A"))
    trial = board.sources[0]
    trial.gather(59_999, [])
    assert board.restarts == 0
    trial.gather(60_000, [])
    assert board.restarts == 1
    said.append(start(board))
    said.append(order(board, "module"))
    vfs.umount(ROOT)
    return said


assert hasattr(os, "sync") or sys.implementation.name == "micropython"
print(">", json.dumps(with_cuts()))
for line in by_hand():
    print(">", json.dumps(line))

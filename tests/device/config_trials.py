"""Runs in MicroPython: a configuration is put beside, tried, confirmed, with the power cut at each operation of the
flash. Whatever is there afterwards, the next start has one that is whole; and after a cut in a trial, the old one.
"""

import json
import os
import sys

from flash_chip import ERASED, Chip

from device.agent.console import load
from device.agent.described import layout, parse
from device.desk import settings
from device.desk.orders import find
from device.desk.trial import CONFIG, Trial
from device.drivers.flash import read_config

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
    """A board, the desk at it, and the agent behind: what device.desk.settings asks of them."""

    root = ROOT
    doors = None
    lost = {}  # noqa: RUF012 - never changed
    language = "en"

    def __init__(self) -> None:
        self.config = parse(OLD, bytes(32), {})
        self.sources = []
        self.trial = None
        self.board = self.agent = self.console = self.clock = self.books = self.openings = self
        self.now = self.restarts = 0
        self.numbers = [1, 2]
        self.present = 2
        self.holdings = bytearray(2)
        self.effects = []
        self.notes = []
        self.said = ("", "")
        self.lines = []
        self.flags = [0, 0]

    def has(self, place, _flag) -> bool:
        return self.flags[place] != 0

    def place(self, number) -> int:
        return number - 1

    def hands(self) -> None:
        return None

    def is_under_way(self, _place) -> bool:
        return False

    def now_ms(self) -> int:
        return self.now

    def restart(self) -> None:
        self.restarts += 1

    def may_act(self) -> bool:
        return True

    def note(self, action) -> None:
        self.notes.append(action)

    def ok(self, document) -> None:
        self.said = ("", document)

    def err(self, code, text) -> None:
        self.said = (code, text)


def order(board, line, held=()):
    board.holdings = bytes([number in held for number in board.numbers])
    name, _space, rest = line.partition(" ")
    words = rest.split() if name == "config" else [rest] if rest else []
    board.lines = [line for line in load(find(name)[0]).ORDERS[name](board, words) or () if line]
    return board.said


def start(board):
    """The word of how it came to its configuration, and that module's driver."""
    document = read_config(ROOT)
    board.trial = Trial(board, document) if document.get("trial") == "trial" else None
    board.sources = [board.trial] if board.trial else []
    parse(document, bytes(32), {})
    board.modules = layout(document)
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
        elif order(board, step)[0] not in ("", None):
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


def tried(board, content):
    """What a start says of that /config.new."""
    with open(ROOT + "/config.new", "w") as file:
        file.write(content)
    order(board, "config try")
    assert start(board) == ("back", "cu16")
    return order(board, "config")[1]["refused"]


def by_hand():
    """What is refused, and that nobody's silence is a yes."""
    chip = formatted()
    vfs.mount(vfs.VfsLfs2(chip), ROOT)
    board = Table()
    said = [order(board, "config confirm"), order(board, "config try"), order(board, "config cancel")]
    said.append(order(board, "module replace"))
    said.append(order(board, "module replace A driver=cu48"))
    said.append(order(board, "config cancel"))
    wrong = dict(OLD)
    wrong["modules"] = [{"name": "A", "driver": "cu48", "address": 99, "compartments": BOXES}]
    said.extend([tried(board, "replace A address=77 driver=cu48\n"), tried(board, json.dumps(wrong))])
    said.extend([tried(board, "{nonsense"), tried(board, "nonsense"), tried(board, "retire A\n")])
    wrong["modules"] = [{"name": "Z", "compartments": [{"number": 3, "lock": 1, "door": 2}]}]
    wrong["retired"] = [1, 2]
    board.holdings = b"\x02\x00"
    with open(ROOT + "/config.new", "w") as file:
        file.write(json.dumps(wrong))
    settings.ORDERS["config"](board, ["try"])
    start(board)
    said.append(order(board, "config")[1]["refused"])
    restarts = len(board.effects)
    order(board, "module replace A driver=cu48")
    order(board, "config try")
    assert len(board.effects) == restarts + 1
    said.append(start(board))
    said.append(order(board, "module retire A"))
    trial = board.trial
    trial.gather(59_999, [])
    assert board.restarts == 0
    trial.gather(60_000, [])
    assert board.restarts == 1
    said.append(start(board))
    board.flags[0] = 1
    said.extend([order(board, "module"), board.lines])
    vfs.umount(ROOT)
    return said


assert hasattr(os, "sync") or sys.implementation.name == "micropython"
print(">", json.dumps(with_cuts()))
for line in by_hand():
    print(">", json.dumps(line))

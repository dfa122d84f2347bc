"""Runs in MicroPython, on LittleFS and with a virtual board's pins: what boot.py does to them beside a /config.try."""

import json
import os
import sys

import machine
from flash_chip import ERASED, Chip

try:
    import vfs
except ImportError:
    import os as vfs

PINS = {"name": "A", "compartments": [{"number": 1, "lock": 12}, {"number": 2, "lock": 13}]}
CHIP = {"name": "B", "driver": "hc595", "enable": 16, "compartments": [{"number": 3, "lock": 1}]}
PORT = {"name": "C", "driver": "mcp23017", "reset": 26, "compartments": [{"number": 5, "lock": 2}]}
MORE = {"compartments": [{"number": 4, "lock": 14}]}
OLD = {"buses": [{"uart": 1, "de": 5}], "modules": [PINS, CHIP, PORT, MORE]}
ON_BOARD = {"name": "A", "driver": "cu16", "compartments": PINS["compartments"]}
AS_IT_WAS = json.dumps(OLD)
ON_A_BOARD = json.dumps({"buses": [{"uart": 1}, {"uart": 2, "rx": 13}], "modules": [ON_BOARD, CHIP, PORT, MORE]})
TRIED = (
    ("the same again", "4\n" + AS_IT_WAS),
    ("a document: A on a board", "4\n" + ON_A_BOARD),
    ("a document: the other level", "4\n" + json.dumps(dict(OLD, lock_on=0))),
    ("lines: A on a board", "4\nreplace A driver=cu16 uart=2 rx=13\n"),
    ("lines: B and C go, another comes", "4\nretire B\nretire C\nadd D locks=16 doors=6 sizes=S\n"),
    ("nothing", None),
    ("empty", ""),
    ("torn first line", "4"),
    ("torn after it", "4\n"),
    ("torn document", "4\n" + ON_A_BOARD[:-9]),
    ("torn line", "4\nreplace A driver=cu16"),
    ("unknown line", "4\nretire B\nreplaced A driver=cu16\n"),
    ("no numbers first", "replace A driver=cu16\nreplace A driver=cu16\n"),
    ("no document", '4\n{"modules": 7}'),
    ("no text", b"\xff\xfe\x00\n{\x80"),
    ("too long", "4\nreplace A driver=cu16\n" + 400 * "add D driver=cu16 sizes=S\n"),
)
seen = {}


class Pin(machine.Pin):
    """And how it was left."""

    def __init__(self, number, mode, pull=None, *, value=None) -> None:
        super().__init__(number, mode, pull, value=value)
        pulled = {Pin.PULL_UP: "pulled up", Pin.PULL_DOWN: "pulled down"}
        seen[number] = ("high" if value else "low") if mode == Pin.OUT else pulled.get(pull, "floats")


def boot(tried):
    """What each pin is after a start beside that /config.try; which stays as it is."""
    if tried is not None:
        with open("/config.try", "wb" if isinstance(tried, bytes) else "w") as file:
            file.write(tried)
    before = os.listdir("/")
    seen.clear()
    exec(PROGRAM, {"__name__": "__main__"})
    assert os.listdir("/") == before
    if tried is not None:
        os.remove("/config.try")
    return [seen.pop(pin, "untouched") for pin in (12, 13, 14, 16, 26, 5)] + sorted(seen)


def tell(name, tried):
    print(">", json.dumps({"beside": name, "pins": boot(tried)}))


def sources():
    """Where ours are, in this PC's files."""
    for path in sys.path:
        try:
            os.stat(path + "/device/boot.py")
            return path
        except OSError:
            continue


machine.Pin = Pin
folder = sources()
with open(folder + "/device/boot.py") as file:
    PROGRAM = compile(file.read(), "boot.py", "exec")
vfs.umount("/")
chip = Chip([ERASED] * 64)
vfs.VfsLfs2.mkfs(chip)
vfs.mount(vfs.VfsLfs2(chip), "/")
with open("/config.json", "w") as file:
    file.write(AS_IT_WAS)
sys.path[:] = ["/nowhere"]  # with none at all `machine` would be the built-in one
tell("no code beside it", "4\nreplace A driver=cu16\n")
vfs.mount(vfs.VfsPosix(folder), "/rom")
sys.path[:] = ["/rom", "/rom/device/lib"]
for name, content in TRIED:
    tell(name, content)
with open("/config.json", "w") as file:
    file.write('{"modules": [{"compartments": [{"lock": 12}]}, {}]}')
tell("what holds is broken", None)

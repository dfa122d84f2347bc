"""Runs in MicroPython: a month of tools.reconnect.board.month in the flash image of a virtual locker.

live.py FLASH.IMG TICKETS LOCKER COMPARTMENTS DAYS ROUND_DOORS; its counts come out as JSON.
"""

import json
import os
import sys
from typing import TYPE_CHECKING

from device.agent.config import Config
from tools.attack.board.tickets import read_tickets
from tools.reconnect.board.month import Month

if TYPE_CHECKING:
    from typing import Any

chip: "Any" = __import__("blocks")  # of the virtual locker
device: "Any" = __import__("device.journal")  # the board's own code, which nothing else in tools/ leans on
FOLDER = "/flash/journal"
image, tickets_path, locker = sys.argv[1:4]
compartments, days, round_doors = [int(word) for word in sys.argv[4:7]]
with open(tickets_path) as file:
    tickets = read_tickets(file.read().split("\n"))
chip.vfs.mount(chip.vfs.VfsLfs2(chip.FileBlocks(image)), "/flash")
with open("/flash/key", "rb") as file:
    key = file.read()
os.mkdir(FOLDER)
config = Config(
    locker, 1, key, list(range(1, compartments + 1)), {tickets.kid: tickets.table}, 12, True, bytes(compartments)
)
print(json.dumps(Month(config, tickets, device.journal.Journal(FOLDER), days, round_doors).live()))
chip.vfs.umount("/flash")

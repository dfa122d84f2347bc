"""Runs in MicroPython: what the agent's code takes of the heap, and what its books, codes and doors take then.

    agent_memory.py COMPARTMENTS [ROM.IMG]

With an image the code is run in place, as in a virtual locker and on a board with ROMFS; without, from sources.
Every compartment holds a parcel with a live code. One line of JSON comes out.
"""

import gc
import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

COUNT = int(sys.argv[1])
AGENT = ("core", "link", "console", "orders", "panel", "openings", "commands", "books", "config")
PROTOCOL = ("messages", "cose", "tokens", "ed25519", "otp", "keys", "topics")


def mount(path: str) -> None:
    """The image, in memory that is not the interpreter's heap: on a board it is flash."""
    ffi: Any = __import__("ffi")
    uctypes: Any = __import__("uctypes")
    vfs: Any = __import__("vfs")
    size = os.stat(path)[6]
    image = uctypes.bytearray_at(ffi.open(None).func("p", "malloc", "L")(size), size)
    with open(path, "rb") as file:
        file.readinto(image)
    vfs.mount(vfs.VfsRom(image), "/rom")
    sys.path[:] = ["/rom"]


def taken() -> int:
    gc.collect()
    measure: Any = getattr(gc, "mem_alloc")  # noqa: B009 - MicroPython's own
    return measure()


def agent_with_parcels() -> "Any":
    from device.agent.books import Books
    from device.agent.config import Config
    from device.agent.core import Agent
    from protocol import messages

    numbers = list(range(1, COUNT + 1))
    books = Books(numbers)
    for number in numbers:
        authorised = messages.DepositAuthorised(number, 1, 1, number, None, None)
        books.apply(messages.Up(1, 2 * number - 1, 0, None, authorised))
        books.apply(messages.Up(1, 2 * number, 0, None, messages.Deposited(number, 1, number)))
    agent = Agent(Config("bench-1", 1, bytes(32), numbers, {}, 12, True), books, bytes(32), 1)
    agent.start(0, "power")
    return agent


if len(sys.argv) > 2:
    mount(sys.argv[2])
before = taken()
for name in PROTOCOL:
    __import__("protocol." + name)
protocol = taken()
for name in AGENT:
    __import__("device.agent." + name)
code = taken()
kept = agent_with_parcels()
after = taken()
live = sum([1 for holding in kept.books.holdings if holding == 2])
print(
    json.dumps({"protocol": protocol - before, "code": code - before, "state": after - code, "codes": live})
)

"""Runs in MicroPython: what the agent's code takes of the heap, and what its books, codes and doors take then.

    agent_memory.py COMPARTMENTS [ROM.IMG]

With an image the code is run in place, as in a virtual locker and on a board with ROMFS; without, from sources.
Every compartment holds a parcel with a live code. What MicroPython says of its names comes out, then one line of
JSON.
"""

import gc
import json
import os
import sys
from typing import TYPE_CHECKING

import micropython

if TYPE_CHECKING:
    from typing import Any

COUNT = int(sys.argv[1])
AGENT = (
    "device.agent.core",
    "device.agent.link",
    "device.agent.console",
    "device.agent.panel",
    "device.agent.openings",
    "device.agent.commands",
    "device.agent.books",
    "device.agent.config",
)
PROTOCOL = (
    "protocol.messages",
    "protocol.cose",
    "protocol.tokens",
    "protocol.ed25519",
    "protocol.otp",
    "protocol.keys",
    "protocol.topics",
)


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


def module(name: str) -> "Any":
    """Imported when it is asked for: each import is measured."""
    __import__(name)
    return sys.modules[name]


def agent_of(numbers: "list[int]") -> "Any":
    config = module("device.agent.config").Config("bench-1", 1, bytes(32), numbers, {}, 12, True, bytes(len(numbers)))
    agent = module("device.agent.core").Agent(config, module("device.agent.books").Books(numbers), 1, bytes(32), 1)
    agent.start(0, "power")
    return agent


def deposit_everywhere(agent: "Any") -> int:
    """A parcel in every compartment; how many codes are live then."""
    messages = module("protocol.messages")
    books = agent.books
    for number in books.numbers:
        authorised = messages.DepositAuthorised(number, 1, 1, number, None, None)
        for event in (authorised, messages.Deposited(number, 1, number)):
            books.apply(messages.Up(1, books.seq + 1, 0, None, event))
    return sum([1 for holding in books.holdings if holding == module("protocol.numbers").HELD])


if len(sys.argv) > 2:
    mount(sys.argv[2])
before = taken()
for name in PROTOCOL:
    module(name)
protocol = taken()
for name in AGENT:
    module(name)
code = taken()
micropython.qstr_info()
kept = agent_of(list(range(1, COUNT + 1)))
empty = taken()
live = deposit_everywhere(kept)
full = taken()
print(
    json.dumps(
        {
            "protocol": protocol - before,
            "code": code - before,
            "empty": empty - code,
            "codes_bytes": full - empty,
            "codes": live,
            "verify_path": module("protocol.paths").BEST.name,
        }
    )
)

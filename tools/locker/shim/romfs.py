"""A partition for a ROMFS, as some firmwares have it: flash that code is run from in place, behind `vfs.rom_ioctl`.

MicroPython for Unix has VfsRom, and no partition for it. As on a board the firmware mounts what is in it at /rom
before boot.py; nothing when it begins with no header. Erasing makes ones, writing can only make zeros of them, and
what was written is there after a power cut.
"""

import sys
from typing import TYPE_CHECKING

from blocks import SIZE, vfs

if TYPE_CHECKING:
    from typing import Any

# The operations of extmod/vfs.h.
_SEGMENTS, _SEGMENT, _PREPARE, _WRITE, _COMPLETE, _PREPARED_MIN = 1, 2, 3, 4, 5, 6
_WRITTEN_MIN = 16
_EINVAL = -22


class Vfs:
    """What `import vfs` finds on this board. `memory`: the partition as it is read, outside of the heap."""

    VfsLfs2, VfsRom = vfs.VfsLfs2, vfs.VfsRom
    mount, umount = vfs.mount, vfs.umount
    memory = bytearray()
    file: "Any" = None

    @staticmethod
    def rom_ioctl(operation: int, number: int = 0, start: int = 0, rest: "Any" = None) -> "Any":
        answers: "dict[int, Any]" = {_SEGMENTS: 1, _SEGMENT: Vfs.memory, _COMPLETE: 0, _PREPARED_MIN: SIZE}
        if operation == _PREPARE and number == 0:  # (size), or newer: (start, size)
            return _erase(*((0, start) if rest is None else (start, rest)))
        if operation == _WRITE and number == 0:
            return _write(start, rest)
        return answers.get(operation, _EINVAL) if number == 0 else _EINVAL


def _erase(start: int, size: int) -> int:
    for place in range(start, start + size, SIZE):
        Vfs.memory[place : place + SIZE] = b"\xff" * SIZE
        _keep(place, SIZE)
    return _WRITTEN_MIN


def _write(start: int, data: bytes) -> int:
    for place in range(len(data)):
        Vfs.memory[start + place] &= data[place]
    _keep(start, len(data))
    return 0


def _keep(start: int, size: int) -> None:
    Vfs.file.seek(start)
    Vfs.file.write(memoryview(Vfs.memory)[start : start + size])
    Vfs.file.flush()


def install(path: str, memory: bytearray) -> None:
    Vfs.file = open(path, "r+b")  # noqa: SIM115 - stays open as long as the board lives
    Vfs.memory = memory
    sys.modules["vfs"] = Vfs  # pyright: ignore[reportArgumentType]


def mount() -> None:
    """Once the flash is the root."""
    try:
        vfs.mount(vfs.VfsRom(Vfs.memory), "/rom")
    except (OSError, ValueError):
        return
    sys.path += ["/rom", "/rom/lib"]

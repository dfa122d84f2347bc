"""Runs in MicroPython: a LittleFS image from files, or the files of one. One `path hex` line a file.

IMAGE=FLASH.IMG flash.py write < lines      IMAGE=FLASH.IMG flash.py read > lines

An argument would be a name of MicroPython's, which has 255 bytes at the most; a path may be longer.
"""

import os
import sys
from binascii import hexlify, unhexlify
from typing import TYPE_CHECKING

from blocks import FileBlocks, vfs

if TYPE_CHECKING:
    from typing import Any

_FOLDER = 0x4000
_list: "Any" = getattr(os, "ilistdir")  # noqa: B009 - MicroPython's own


def write(path: str, content: bytes) -> None:
    folder = ""
    for name in path.strip("/").split("/")[:-1]:
        folder += "/" + name
        try:
            os.mkdir("/flash" + folder)
        except OSError:
            continue  # made for an earlier file
    with open("/flash" + path, "wb") as file:
        file.write(content)


def read(folder: str) -> None:
    for name, kind, _node, _size in _list("/flash" + folder):
        path = folder + "/" + name
        if kind == _FOLDER:
            read(path)
        else:
            with open("/flash" + path, "rb") as file:
                print(path, hexlify(file.read()).decode())


order = sys.argv[1]
chip = FileBlocks(str(os.getenv("IMAGE")))
try:
    system = vfs.VfsLfs2(chip)
except OSError:
    vfs.VfsLfs2.mkfs(chip)
    system = vfs.VfsLfs2(chip)
vfs.mount(system, "/flash")
if order == "write":
    for line in sys.stdin:
        words = line.split()
        write(words[0], unhexlify(words[1]) if len(words) > 1 else b"")
else:
    read("")
vfs.umount("/flash")

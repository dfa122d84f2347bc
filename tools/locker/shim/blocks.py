"""A file as a flash chip: erased to ones, in blocks of 4096 bytes, for LittleFS; and where `vfs` is found."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

SIZE = 4096
BLOCKS = 512  # 2 MB, as the file system of a 4 MB board
_COUNT, _BLOCK_SIZE = 4, 5  # ioctl operations that have an answer

try:
    vfs: "Any" = __import__("vfs")
except ImportError:  # before 1.23
    vfs = __import__("os")


class FileBlocks:
    def __init__(self, path: str) -> None:
        self._file = open(path, "r+b")  # noqa: SIM115 - stays open as long as the board lives

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        self._file.seek(block * SIZE + offset)
        found = self._file.readinto(buffer)
        for place in range(found, len(buffer)):
            buffer[place] = 0xFF

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> None:
        self._file.seek(block * SIZE + offset)
        self._file.write(buffer)

    def ioctl(self, operation: int, _argument: int) -> int:
        return {_COUNT: BLOCKS, _BLOCK_SIZE: SIZE}.get(operation, 0)

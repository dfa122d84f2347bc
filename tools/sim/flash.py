"""The lockers' flash as a file system that keeps what LittleFS keeps: appended data counts from flush() or close() on,
renaming and removing happen wholly or not at all. Power may go before, inside or after each operation; a write that it
goes inside of leaves a part, which is more than LittleFS ever would.
"""

import random
from collections.abc import Callable
from typing import Any

BLOCK = 4096
_ENOENT, _ENOSPC = 2, 28


class PowerCut(BaseException):
    """The power of the locker that runs at the moment is gone."""


class Flash:
    """All lockers' files, by whole path. `spend(kind)`: called for each operation, says whether the power goes at it
    ("before", "inside", "after", "")."""

    def __init__(self, chance: random.Random, spend: Callable[[str], str]) -> None:
        self.files: dict[str, bytes] = {}
        self.blocks: dict[str, int] = {}  # folder -> size of that locker's flash
        self.full: set[str] = set()  # folders that take nothing more
        self._chance = chance
        self._spend = spend

    # -------------------------------------------------------------- what device.journal uses of os
    def listdir(self, folder: str) -> list[str]:
        start = folder.rstrip("/") + "/"
        return sorted(path[len(start) :] for path in self.files if path.startswith(start))

    def statvfs(self, folder: str) -> tuple[int, ...]:
        used = sum(1 + len(data) // BLOCK for name, data in self.files.items() if name.startswith(folder))
        total = self.blocks.get(folder, 512)
        free = max(0, total - used)
        return (BLOCK, BLOCK, total, free, free, 0, 0, 0, 0, 255)

    def rename(self, old: str, new: str) -> None:
        if old not in self.files:
            raise OSError(_ENOENT, old)
        self._whole("rename", lambda: self.files.__setitem__(new, self.files.pop(old)))

    def remove(self, path: str) -> None:
        if path not in self.files:
            raise OSError(_ENOENT, path)
        self._whole("remove", lambda: self.files.pop(path))

    def open(self, path: str, mode: str = "rb", **_ignored: Any) -> "File":
        if "r" in mode and path not in self.files:
            raise OSError(_ENOENT, path)
        return File(self, path, mode)

    # -------------------------------------------------------------- how it fails
    def _whole(self, kind: str, act: Callable[[], object]) -> None:
        when = self._spend(kind)
        if when in ("before", "inside") and (when == "before" or self._chance.random() < 0.5):
            raise PowerCut
        act()
        if when:
            raise PowerCut

    def sync_file(self, path: str, before: bytes, added: bytes) -> None:
        """`added` behind `before` reaches the flash, or a part of it does."""
        folder = path.rpartition("/")[0]
        if folder in self.full:
            raise OSError(_ENOSPC, path)
        when = self._spend("write")
        if when == "before":
            raise PowerCut
        if when == "inside":
            self.files[path] = before + added[: self._chance.randrange(len(added) + 1)]
            raise PowerCut
        self.files[path] = before + added
        if when:
            raise PowerCut


class File:
    def __init__(self, flash: Flash, path: str, mode: str) -> None:
        self._flash = flash
        self._path = path
        self._reads = "r" in mode
        self._kept = flash.files.get(path, b"") if "r" in mode or "a" in mode else b""
        self._new = b""
        self._at = 0
        self._dirty = "w" in mode
        self._closed = False

    def read(self, size: int = -1) -> bytes:
        stop = len(self._kept) if size < 0 else self._at + size
        data = self._kept[self._at : stop]
        self._at += len(data)
        return data

    def seek(self, offset: int, _whence: int = 0) -> int:
        self._at = offset
        return offset

    def write(self, data: bytes) -> int:
        assert not self._reads and not self._closed
        self._new += bytes(data)
        self._dirty = True
        return len(data)

    def flush(self) -> None:
        if not self._dirty:
            return
        added, self._new, self._dirty = self._new, b"", False
        self._flash.sync_file(self._path, self._kept, added)
        self._kept += added

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.flush()

    def __enter__(self) -> "File":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        self._closed = True

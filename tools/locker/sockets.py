"""Where a virtual locker's Unix sockets lie: their whole path may hold about a hundred bytes, however deep the folder
is that somebody works in. A folder made for them is open to this user only."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

PATH_SIZE_MAX = 103  # sun_path with its final zero: 104 bytes on macOS, 108 on Linux
NAME_SIZE_MAX = 8  # of a socket in its folder
PREFIX = "consigne-"
_RANDOM_SIZE = 8  # what tempfile.mkdtemp adds
SHORT_FOLDERS = ("/tmp", "/var/tmp")  # everybody's, and never deep


@contextlib.contextmanager
def beside(folder: Path) -> Generator[Path]:
    """`folder` itself where a socket's path is short enough in it, else a private one as long as the block lasts."""
    if _fits(folder):
        yield folder
    else:
        with private() as short:
            yield short


@contextlib.contextmanager
def private() -> Generator[Path]:
    """A new folder that nobody else may look into; it goes with the block. Raises OSError where there is no place."""
    folder = _made()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made() -> Path:
    for place in dict.fromkeys((tempfile.gettempdir(), *SHORT_FOLDERS)):
        if _fits(Path(place, PREFIX + "x" * _RANDOM_SIZE)):
            with contextlib.suppress(OSError):  # not there, or not ours to write into: the next one
                return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    raise OSError("no folder for its sockets; set TMPDIR to one that you may write into, with a path below 70 bytes")


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) + 1 + NAME_SIZE_MAX <= PATH_SIZE_MAX

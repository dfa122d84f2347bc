"""What the desk asks of the board itself: texts, small files on its flash. The only file of the desk that does I/O."""

import gc
import os
from typing import TYPE_CHECKING

from device.drivers.display import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_FRESH = ".new"
_PROBE = "selftest"


class Hands:
    """`board`: a device.board.Board."""

    def __init__(self, board: "Any") -> None:
        self._board = board

    def text(self, language: str, name: str) -> str:
        """What the table of the desk's texts says under that name, in ASCII; "" when it says nothing."""
        screens = self._board.screens
        found = text_of(f"{screens}/desk/{language or self._board.language}.json", name)
        return ascii_text(found) if found else ""

    # -------------------------------------------------------------- small files of lines
    def lines(self, name: str) -> "Iterator[str]":
        """No line when there is no such file."""
        try:
            with open(f"{self._board.root}/{name}") as file:
                yield from file
        except OSError:
            pass  # nothing was kept yet

    def keep(self, name: str, key: str, line: str) -> None:
        """In the place of the line whose first word is `key`, or at the end; all or nothing. Raises OSError."""
        path = f"{self._board.root}/{name}"
        with open(path + _FRESH, "w") as file:
            for other in self.lines(name):
                if other.split(" ", 1)[0] != key:
                    file.write(other)
            file.write(line + "\n")
        os.rename(path + _FRESH, path)

    def records(self, first: int, count: int) -> "list[bytes]":
        """Of the journal. Raises OSError."""
        return self._board.journal.read(first, count)

    # -------------------------------------------------------------- its parts
    @staticmethod
    def heap_free() -> int:
        """Now, with all that is loaded for the order under way."""
        gc.collect()
        measure: Any = getattr(gc, "mem_free", None)
        return measure() if measure is not None else 0

    def flash_fault(self) -> str:
        """ "" or what became of a small file that was written and read again."""
        path = f"{self._board.root}/{_PROBE}"
        try:
            with open(path, "w") as file:
                file.write(_PROBE)
            with open(path) as file:
                same = file.read() == _PROBE
            os.remove(path)
        except OSError:
            return "not_writable"
        return "" if same else "not_readable"

    def rotten_keys(self) -> int:
        """How many files of trusted keys are on flash and no keys."""
        root: str = self._board.root
        try:
            names = os.listdir(root + "/trust")
        except OSError:
            return 0
        return len([name for name in names if "." not in name]) - len(self._board.config.trusted)

    @property
    def cause(self) -> str:
        """Why it started last."""
        return self._board.cause


def ascii_text(text: str) -> str:
    """The console speaks ASCII: every other byte of a serial line is noise. Byte by byte: a letter taken out of a text
    would stay in a board's heap for ever."""
    data = text.encode()
    for mark, plain in _MARKS:
        data = data.replace(mark, plain)
    out = bytearray()
    begun = False
    for byte in data:
        if byte == _ACCENTED:
            begun = True
            continue
        out.append(_PLAIN[byte & 0x3F] if begun else byte)
        begun = False
    return str(out, "utf-8")


_MARKS = (
    (b"\xc5\x93", b"oe"),
    (b"\xe2\x80\x99", b"'"),
    (b"\xc2\xab", b'"'),
    (b"\xc2\xbb", b'"'),
    (b"\xe2\x80\x93", b"-"),
)
_ACCENTED = 0xC3  # first byte of U+00C0 to U+00FF, whose plain letters are:
_PLAIN = b"AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty"
assert len(_PLAIN) == 64

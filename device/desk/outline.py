"""The modules of this locker without what a hundred doors' description takes, which a board at work has no room for:
from /config.json how each is wired, read byte by byte; from messages.Layout which compartments it has."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PIECE = 128  # bytes a step
_WHOLE, _MODULE = 1, 3  # how many brackets are open around the document's own fields, and around a module's
_QUOTE, _BACKSLASH, _COMMA = 0x22, 0x5C, 0x2C


def wirings(path: str) -> "Iterator[dict[str, Any] | None]":
    """The fields of each module, with 0 in the place of those that are no plain value; None: a pause. Raises OSError
    or ValueError."""
    reader = _Reader()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            for byte in piece:
                if reader.take(byte):
                    yield json.loads(b"{" + reader.said + b"}")
            yield None
    raise ValueError("config.json: has fewer modules")


class _Reader:
    """`said`: of the field of the whole document, or of the module, that is being read."""

    def __init__(self) -> None:
        self.said = bytearray()
        self._deep = 0  # brackets that are open
        self._inside = False  # of the list of modules
        self._quoted = self._escaped = False

    def take(self, byte: int) -> bool:
        """Whether it ends a module."""
        if self._quoted:
            self._quoted = self._escaped or byte != _QUOTE
            self._escaped = byte == _BACKSLASH and not self._escaped
        elif byte in b"[{":
            self._open()
            return False
        elif byte in b"]}":
            self._deep -= 1
            return self._inside and self._deep == _MODULE - 1
        elif byte == _QUOTE:
            self._quoted = True
        elif byte == _COMMA and self._deep == _WHOLE:
            self.said = bytearray()
        if self._deep == _WHOLE or (self._inside and self._deep == _MODULE):
            self.said.append(byte)
        return False

    def _open(self) -> None:
        if self._deep == _WHOLE:
            self._inside = b'"modules"' in bytes(self.said)
        self._deep += 1
        if self._deep <= _MODULE:
            self.said = bytearray()
        elif self._deep == _MODULE + 1:
            self.said.extend(b"0")


def laid(modules: bytes) -> "Iterator[tuple[str, list[int]]]":
    """(name, compartments) of each entry of messages.Layout; retired numbers have no name."""
    at = last = 0
    while at < len(modules):
        size = modules[at]
        name = str(modules[at + 1 : at + 1 + size], "utf-8")
        at += 1 + size
        at += 1 + modules[at]
        numbers: list[int] = []
        end = modules[at]
        at += 1
        while len(numbers) < end:
            step = modules[at] & 0x3F
            last = last + step if step else int.from_bytes(modules[at + 1 : at + 3], "big")
            at += 1 if step else 3
            numbers.append(last)
        yield name, numbers

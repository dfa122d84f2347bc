"""Short texts of code that comes and goes, which would stay in the heap as names for ever.

A text of up to ten letters is a name when mpy-cross compiles it, and names are never given back: a technician's
session left a hundred, and past 620 the next one takes 4.5 kB at once. In files that are loaded for an order or for
a start, and unloaded again, such a text is made of bytes where it is said, unless it is a name already. Lines stay
where they are.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping

from tools.locker.shared_names import rom_words, tree
from tools.locker.text_names import said

_NAME_MAX = 10  # letters: MICROPY_ALLOC_PARSE_INTERN_STRING_LEN
_ENCODING = "utf-8"  # a word of the ROM
# Files, or folders of them, that do not stay. The console's own two do for as long as somebody sits there.
PASSING = (
    "device/desk/",
    "device/assembly.py",
    "device/agent/described.py",
    "device/drivers/more.py",
    "device/drivers/locks/chips.py",
    "device/drivers/locks/kinds.py",
    "device/drivers/locks/mixed.py",
    "device/drivers/locks/wiring.py",
)


def without_passing_words(texts: Mapping[str, str], untouched: Iterable[str] = ()) -> dict[str, str]:
    """The same files, by their names."""
    passing = {name for name in texts if name.startswith(PASSING)} - set(untouched)
    known: set[str] = set(rom_words()) | {"", _ENCODING}
    for name, text in texts.items():
        known |= {one.word for one in said(text)} if name not in passing else _names(text)
        known |= set() if name in passing else {found[3] for found in _texts(text)}
    return {name: _said_as_bytes(text, known) if name in passing else text for name, text in texts.items()}


def _names(text: str) -> set[str]:
    return {one.word for one in said(text) if not one.quoted}


def _texts(text: str) -> Iterator[tuple[int, int, int, str]]:
    """(line, columns of its beginning and its end, the text itself) of each that is compiled as it stands: no
    annotation, no docstring, no part of an f-string."""
    skipped: set[int] = set()
    for node in ast.walk(tree(text)):
        parts = [getattr(node, field, None) for field in ("annotation", "returns")]
        if isinstance(node, ast.JoinedStr | ast.Expr):
            parts.append(node if isinstance(node, ast.JoinedStr) else node.value)
        for part in parts:
            if isinstance(part, ast.JoinedStr | ast.Constant):
                skipped.update(id(one) for one in ast.walk(part))
    for node in ast.walk(tree(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno - 1, node.col_offset, node.end_col_offset or 0, node.value


def _said_as_bytes(text: str, known: Collection[str]) -> str:
    lines = text.splitlines(keepends=True)
    for row, start, end, value in sorted(_texts(text), reverse=True):
        line = lines[row]
        if len(value) <= _NAME_MAX and value not in known and value.isascii() and line[start:end] == f'"{value}"':
            lines[row] = f'{line[:start]}str(b"{value}", "{_ENCODING}"){line[end:]}'
    return "".join(lines)

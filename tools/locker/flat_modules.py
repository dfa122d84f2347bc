"""Modules of one name where there were three.

MicroPython keeps a name for a module, one for its place among the folders and one for its file, each for ever: ninety
modules were half of a locker's names. What is compiled for a board lies in one folder, and a module is called by a
word of the ROM (shared_names.py). Those that code asks for by a name made up at run time keep theirs, behind a short
prefix. What boot.py and main.py ask for stays where it is, or has a line there that leads on. Only what is compiled
for a board changes; lines stay where they are.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from tools.locker.shared_names import tree

# Of what is loaded by name (device.agent.console.load): what stands there, in the place of its folder.
PREFIXES = {"device.desk.": "d_", "device.drivers.locks.": "l_"}
KINDS = tuple(f"device.drivers.locks.{name}" for name in ("cu16", "cu48", "board8a", "wkly", "modbus"))
STAY = ("device.board", "device.shell", "device.desk.tried")  # asked for by boot.py and main.py, which are texts
# In the ROM of every port, and no module of a firmware: ours would not be found.
MODULE_WORDS = Path(__file__).with_name("module_words.txt")
_PACKAGES = ("device/", "protocol/")


def flat_names(texts: Mapping[str, str], untouched: Collection[str] = ()) -> dict[str, str]:
    """Of each module that gets another name, by its full one. `untouched`: files that stay as they are."""
    free = iter(MODULE_WORDS.read_text().split())
    found: dict[str, str] = {}
    for name in sorted(texts):
        full = _full_name(name)
        if not name.startswith(_PACKAGES) or full in STAY or name.endswith("/__init__.py") or name in untouched:
            continue
        prefix = next((one for one in PREFIXES if full.startswith(one)), "")
        by_name = prefix == "device.desk." or full in KINDS
        found[full] = PREFIXES[prefix] + full.removeprefix(prefix) if by_name else next(free)
    return found


def modules_of(words: Mapping[str, str]) -> dict[str, str]:
    """Of all that has become another word."""
    return {name: word for name, word in words.items() if "." in name}


def flat_file(name: str, names: Mapping[str, str]) -> str:
    """Where a file lies, of all that is flashed."""
    flat = names.get(_full_name(name)) if name.endswith(".py") else None
    return name if flat is None else flat + ".py"


def leading_on(texts: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """Files for those that `texts`, which stay as they are, ask for where they lay before."""
    found: dict[str, str] = {}
    for text in texts:
        for node in ast.walk(tree(text)):
            if isinstance(node, ast.ImportFrom) and node.module is not None and node.module in names:
                asked = ", ".join(one.name for one in node.names)
                found[node.module.replace(".", "/") + ".py"] = f"from {names[node.module]} import {asked}\n"
    return found


def _full_name(name: str) -> str:
    return name.removesuffix(".py").replace("/", ".")


def with_flat_names(text: str, names: Mapping[str, str]) -> str:
    lines = text.splitlines(keepends=True)
    for row, start, end, fresh in sorted(_changes(text, names), reverse=True):
        lines[row] = lines[row][:start] + fresh + lines[row][end:]
    return "".join(lines)


def _changes(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, int, int, str]]:
    """(line, columns of its beginning and its end, what is to stand there)"""
    lines = text.splitlines()
    for node in ast.walk(tree(text)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            row, start = node.lineno - 1, node.col_offset
            if node.module in names:
                head = f"from {node.module} import"
                assert lines[row].startswith(head, start), lines[row]
                yield row, start, start + len(head), f"from {names[node.module]} import"
            elif f"{node.module}.{node.names[0].name}" in names:
                words = [f"{names[f'{node.module}.{one.name}']} as {one.asname or one.name}" for one in node.names]
                assert node.end_lineno == node.lineno, lines[row]
                yield row, start, node.end_col_offset or 0, "import " + ", ".join(words)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            fresh = names.get(node.value) or PREFIXES.get(node.value)
            row, start, end = node.lineno - 1, node.col_offset, node.end_col_offset or 0
            if fresh is not None and lines[row][start:end] == f'"{node.value}"':
                yield row, start, end, f'"{fresh}"'

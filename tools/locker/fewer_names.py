"""Fewer names for the board: each one that its code says is an entry of the heap, whatever it is for.

What only a type checker reads is left out. Numbers that have a name (in limits.py, numbers.py or the file that uses
them) stand where their name stood. What is left becomes a word of MicroPython's ROM (shared_names.py). Lines stay
where they are, so a traceback still names file and line; what its words stand for is in `names.json` beside the image.
Only what is compiled for a board changes; frozen firmware has its names in flash and needs none of this.
"""

import ast
import importlib
import re
from collections.abc import Collection, Mapping
from typing import Any, cast

from device.agent import door
from tools.locker.flat_modules import flat_file, flat_names, with_flat_names
from tools.locker.shared_names import with_shared_names
from tools.locker.text_names import renamed

_NUMBERS = ("protocol.limits", "protocol.numbers")
_DOOR = "device/agent/door.py"
_DOORS = re.compile(r"\bdoor\.([A-Z][A-Z0-9_]*)\b")  # its states, inputs and outcomes are numbers


Renamed = tuple[dict[str, str], dict[str, str]]  # the files, and what each name has become


def with_fewer_names(texts: Mapping[str, str], untouched: Collection[str] = ()) -> Renamed:
    """The files of the board, by their names, and all other names, modules' too. `untouched` stay as they are."""
    fewer = with_fewer_numbers(texts, untouched)
    modules = flat_names(fewer, untouched)
    files = {name: flat_file(name, modules) for name in fewer}  # whoever asks for a module asks for its file
    flat = {files[name]: text if name in untouched else with_flat_names(text, modules) for name, text in fewer.items()}
    short, words = with_shared_names(flat, {files[name] for name in untouched})
    return {name: short[file] for name, file in files.items()}, words | modules


def of_virtual_board(texts: Mapping[str, str], spoken: frozenset[str]) -> Renamed:
    """Its files, but for the names that the agent's files speak to it by."""
    return with_shared_names({name: _without_types(text) for name, text in texts.items()}, (), spoken)


def with_fewer_numbers(texts: Mapping[str, str], untouched: Collection[str] = ()) -> dict[str, str]:
    """The same without types, and with numbers in the place of their names."""
    return {name: text if name in untouched else _without_numbers(name, text) for name, text in texts.items()}


def _without_numbers(name: str, text: str) -> str:
    return _without_own_numbers(_without_names_of_numbers(_without_types(text)), public=name == _DOOR)


def _without_types(text: str) -> str:
    """Leave out `if TYPE_CHECKING:` and what is under it; where there is an `else`, it is `if False:`."""
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        checked = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        imported = isinstance(node, ast.ImportFrom) and node.module == "typing"
        if imported or (checked and not cast("ast.If", node).orelse):
            for row in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[row] = "\n"
    lines = ["\n" if line.startswith("@dataclass_transform(") else line for line in lines]
    return renamed("".join(lines), {"TYPE_CHECKING": "False"})


def _without_names_of_numbers(text: str) -> str:
    numbers: dict[str, str] = {}
    text = _DOORS.sub(lambda found: f"({getattr(door, found.group(1))})", text)
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if not isinstance(node, ast.ImportFrom) or node.module not in _NUMBERS:
            continue
        values = vars(importlib.import_module(node.module))
        kept: list[str] = []
        for alias in node.names:
            name = alias.asname or alias.name
            if not _is_number(values[alias.name]):
                kept.append(ast.unparse(alias))
            else:
                numbers[name] = f"({values[alias.name]})"
        for row in range(node.lineno - 1, node.end_lineno or node.lineno):
            lines[row] = "\n"
        if kept:
            lines[node.lineno - 1] = f"from {node.module} import {', '.join(kept)}\n"
    return renamed("".join(lines), numbers, attributes=False)


def _without_own_numbers(text: str, public: bool) -> str:
    """Numbers that this file names for itself: `_TOLD_MS = 8_000`; the public ones too, where the others know them."""
    lines = text.splitlines(keepends=True)
    module = ast.parse(text)
    stored = [node.id for node in ast.walk(module) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    numbers: dict[str, str] = {}
    for node in module.body:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target = node.targets[0]
        names = [
            one.id for one in (target.elts if isinstance(target, ast.Tuple) else [target]) if isinstance(one, ast.Name)
        ]
        row = _row_of(_value_of(node.value)) if isinstance(target, ast.Tuple) else [_value_of(node.value)]
        once = all(name.isupper() and (public or name[0] == "_") and stored.count(name) == 1 for name in names)
        if once and len(names) == len(row) and all(type(one) is int for one in row):
            numbers |= {name: f"({number})" for name, number in zip(names, row, strict=True)}
            for line in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[line] = "\n"
    return renamed("".join(lines), numbers, attributes=False)


def _value_of(node: ast.expr) -> Any:
    try:
        return eval(ast.unparse(node), {"__builtins__": {}})
    except Exception:  # names something else
        return None


def _row_of(value: Any) -> list[Any]:
    return list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else [value]


def _is_number(value: Any) -> bool:
    """A whole number, or a row of them."""
    return all(type(one) is int for one in _row_of(value))

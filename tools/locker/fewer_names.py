"""Fewer names for the board: each one that its code says is an entry of the heap, whatever it is for.

Half of those of device/ and protocol/ are private to one file: names that begin with one underscore become `_a`, `_b`
and so on in each file anew, so that the files share them; so do parameters that no call names. Numbers that have a
name in limits.py or numbers.py stand where their name stood. What only a type checker reads is left out. Lines stay
where they are, so a traceback still names file and line. Only what is compiled for a board changes; frozen firmware
has its names in flash and needs none of this.
"""

import ast
import builtins
import functools
import importlib
import io
import itertools
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from device.agent import door

_PRIVATE = re.compile(r"(?<![A-Za-z0-9_])_[A-Za-z]\w*")
_PLAIN = re.compile(r"(?<![A-Za-z0-9_.])[A-Z]\w*")  # as constants are written
_CONSTANT = re.compile(r"(?<![A-Za-z0-9_.])_?[A-Z][A-Z0-9_]*\b")
_LOCAL = re.compile(r"(?<![A-Za-z0-9_.])[a-z]\w*")
_ROOT = Path(__file__).resolve().parents[2]
CALLERS = (_ROOT / "protocol", _ROOT / "device", _ROOT / "tools" / "locker" / "shim")
_NUMBERS = ("protocol.limits", "protocol.numbers")
_DOOR = "device/agent/door.py"
_DOORS = re.compile(r"\bdoor\.([A-Z][A-Z0-9_]*)\b")  # its states, inputs and outcomes are numbers
_BRACES = re.compile(r"\{[^{}]*\}")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def with_fewer_names(name: str, text: str) -> str:
    """The text of the file of this name. No other may say its private names (lint holds that), nor inherit them."""
    text = _without_names_of_numbers(_without_types(text))
    text = _without_own_numbers(text, public=name == _DOOR)
    words = sorted({word for _row, _column, word in _private(text)})
    short = dict(zip([*words, *_parameters(text)], _names(), strict=False))
    return _renamed(_renamed(text, short, _PRIVATE), short, _LOCAL)


def _without_types(text: str) -> str:
    """`if TYPE_CHECKING:` and what is under it, unless something else is."""
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not node.orelse:
            for row in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[row] = "\n"
    return "".join(lines)


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
    return _renamed("".join(lines), numbers, _PLAIN)


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
    return _renamed("".join(lines), numbers, _CONSTANT)


def _parameters(text: str) -> list[str]:
    """Names of parameters that nothing outside their functions can say: no call names them, and in this file they are
    nothing else. A board keeps each with its function."""
    said: set[str] = set()
    taken = set(dir(builtins)) | keywords()
    for scope in ast.walk(ast.parse(text)):
        if isinstance(scope, ast.FunctionDef | ast.Lambda):
            arguments = scope.args
            said.update(one.arg for one in (*arguments.posonlyargs, *arguments.args))
            taken.update(one.arg for one in arguments.kwonlyargs)
        if isinstance(scope, ast.FunctionDef | ast.ClassDef):
            taken.add(scope.name)
        elif isinstance(scope, ast.alias):
            taken.update((scope.asname or scope.name).split("."))
        elif isinstance(scope, ast.Global | ast.Nonlocal):
            taken.update(scope.names)
        if isinstance(scope, ast.Module | ast.ClassDef):
            taken.update(_bound(scope.body))
    return sorted(word for word in said - taken if word[0] != "_" and word != "self")


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    """What these statements give a name to, outside functions."""
    for statement in body:
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id


@functools.cache
def keywords() -> frozenset[str]:
    """Every word that some call on the board gives an argument by."""
    found: set[str] = set()
    for folder in CALLERS:
        for path in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.keyword) and node.arg is not None:
                    found.add(node.arg)
    return frozenset(found)


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


def _names() -> Iterator[str]:
    """_a, _b, … _aa, _ab, …"""
    for size in (1, 2):
        yield from ("_" + word for word in _words(size))


def _words(size: int) -> Iterator[str]:
    return ("".join(letters) for letters in itertools.product(_LETTERS, repeat=size))


def _private(text: str) -> list[tuple[int, int, str]]:
    return _said(text, _PRIVATE)


def _said(text: str, pattern: re.Pattern[str]) -> list[tuple[int, int, str]]:
    """(line from 1, column, word), in order; also inside the braces of f-strings, which Python 3.11 reads as one."""
    found: list[tuple[int, int, str]] = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        row, column = token.start
        attribute = before == "."
        before = token.string
        if (
            token.type == tokenize.NAME
            and pattern.fullmatch(token.string)
            and not (attribute and pattern is not _PRIVATE)
        ):
            found.append((row, column, token.string))
        elif token.type == tokenize.STRING and token.string[0] in "fF":
            for inside in _BRACES.finditer(token.string):
                words = pattern.finditer(token.string, *inside.span())
                found.extend((row, column + word.start(), word.group()) for word in words)
    return found


def _renamed(text: str, short: Mapping[str, str], pattern: re.Pattern[str]) -> str:
    lines = text.splitlines(keepends=True)
    for row, column, word in reversed(_said(text, pattern)):
        line = lines[row - 1]
        if word in short:
            lines[row - 1] = line[:column] + short[word] + line[column + len(word) :]
    return "".join(lines)

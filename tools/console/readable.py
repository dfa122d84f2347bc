"""An answer as people read it, at 40 columns too: a field a line, numbers in a row as `1-12`."""

import textwrap
from typing import Any, cast

from tools.console.script import as_document

WIDTH_MIN = 20


def readable(said: str, width: int) -> list[str]:
    """An ERR stays as it is."""
    answer = as_document(said).get("answer")
    if not isinstance(answer, dict):
        return textwrap.wrap(said, max(WIDTH_MIN, width)) or [said]
    document = cast(dict[str, Any], answer)
    indent = max((len(name) for name in document), default=0) + 2
    lines: list[str] = []
    for name, value in document.items():
        for place, part in enumerate(_parts(value)):
            start = (name if not place else "").ljust(indent)
            lines += textwrap.wrap(
                part, max(WIDTH_MIN, width), initial_indent=start, subsequent_indent=" " * indent
            ) or [start.rstrip()]
    return lines or ["OK"]


def _parts(value: Any) -> list[str]:
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value)
        return [f"{name}  {_cell(part)}" for name, part in fields.items()] or ["-"]
    return [_cell(value)]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value)
        return ", ".join(f"{name} {_cell(part)}" for name, part in fields.items()) or "-"
    if isinstance(value, list):
        items = cast(list[Any], value)
        whole = all(isinstance(item, int) for item in items)
        return (_ranges(cast(list[int], items)) if whole else ", ".join(map(_cell, items))) or "-"
    return str(value)


def _ranges(numbers: list[int]) -> str:
    """1, 2, 3, 7 -> 1-3, 7"""
    rows: list[list[int]] = []
    for number in sorted(numbers):
        if rows and number == rows[-1][-1] + 1:
            rows[-1] = [rows[-1][0], number]
        else:
            rows.append([number])
    return ", ".join("-".join(map(str, row)) for row in rows)

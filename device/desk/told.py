"""The modules as /config.json has them: two lines each in words, and an answer for scripts. Loaded on request."""

from typing import TYPE_CHECKING

from device.agent.books import LEAVING
from device.desk.outline import laid, wirings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.desk.seat import Desk

_FIELDS = ("id", "bus", "i2c", "spi", "address")  # as they stand there, where they do


def module(desk: "Desk", _words: "list[str]", address: str) -> "Iterator[str]":
    """`address`: the word for one, by which the language is known."""
    board = desk.agent.console.board
    rows: dict[str, Any] = {}
    retired: list[int] = []
    wired = wirings(board.root + ("/config.json" if board.trial is None else "/config.trial"))
    try:
        for name, numbers in laid(board.modules):
            if not name:
                retired.extend(numbers)
                continue
            fields = next(wired)
            while fields is None:
                yield ""
                fields = next(wired)
            rows[name] = _row(desk, len(rows), fields, numbers)
    except (OSError, ValueError) as error:
        desk.err("fault", f"flash: {error}")
        return
    for name in sorted(rows):
        yield from _lines(name, rows[name], address)
    desk.ok({"modules": rows, "retired": _ranges(retired)})


def _row(desk: "Desk", place: int, module: "dict[str, Any]", numbers: "list[int]") -> "dict[str, Any]":
    row = {field: module[field] for field in _FIELDS if field in module}
    row["board"] = module.get("driver", "gpio")
    if "driver" in module and "i2c" not in row and "spi" not in row:
        row.setdefault("bus", 0)
    row["doors"] = _ranges(numbers)
    row["state"] = desk.agent.lost.get(place, "ok")
    at = desk.agent.books.place(numbers[0])
    if at is not None and desk.agent.books.has(at, LEAVING):
        row["leaving"] = True
    return row


def _lines(name: str, row: "dict[str, Any]", address: str) -> "Iterator[str]":
    yield f"{name}: {row['doors']}" + (" (" + row["id"] + ")" if "id" in row else "")
    fields = [field for field in _FIELDS[1:] if field in row]
    words = [row["board"]]
    words.extend([f"{address if field == 'address' else field} {row[field]}" for field in fields])
    words.append(row["state"])
    if "leaving" in row:
        words.append("leaving" if address == "address" else "sur le depart")
    yield "    " + ", ".join(words)


def _ranges(numbers: "list[int]") -> str:
    """1-4,7"""
    parts: list[str] = []
    first = 0
    for place, number in enumerate(numbers):
        if place == 0 or number != numbers[place - 1] + 1:
            first = number
            parts.append(str(number))
        else:
            parts[-1] = f"{first}-{number}"
    return ",".join(parts)

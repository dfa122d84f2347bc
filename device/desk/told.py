"""The modules as /config.json has them: two lines each in words, and an answer for scripts. Loaded on request."""

from typing import TYPE_CHECKING

from device.agent.books import LEAVING
from device.desk.trial import CONFIG, ON_TRIAL, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.desk.seat import Desk

_FIELDS = ("id", "bus", "i2c", "spi", "address")  # as they stand there, where they do


def module(desk: "Desk", _words: "list[str]", address: str) -> "Iterator[str] | None":
    """`address`: the word for one."""
    board = desk.agent.console.board
    try:
        document = read(board.root + (CONFIG if board.trial is None else ON_TRIAL))
    except (OSError, ValueError) as error:
        desk.err("fault", f"flash: {error}")
        return None
    except MemoryError:
        desk.err("no_memory", "reboot, then once more")
        return None
    rows: dict[str, Any] = {}
    for place, module in enumerate(document["modules"]):
        rows[module.get("name", chr(ord("A") + place))] = _row(desk, place, module)
    return _lines(desk, rows, _ranges(document.get("retired", [])), address)


def _row(desk: "Desk", place: int, module: "dict[str, Any]") -> "dict[str, Any]":
    row = {field: module[field] for field in _FIELDS if field in module}
    row["board"] = module.get("driver", "gpio")
    if "driver" in module and "i2c" not in row and "spi" not in row:
        row.setdefault("bus", 0)
    numbers = [box["number"] for box in module["compartments"]]
    row["doors"] = _ranges(numbers)
    row["state"] = desk.agent.lost.get(place, "ok")
    at = desk.agent.books.place(numbers[0])
    if at is not None and desk.agent.books.has(at, LEAVING):
        row["leaving"] = True
    return row


def _lines(desk: "Desk", rows: "dict[str, Any]", retired: str, address: str) -> "Iterator[str]":
    for name in sorted(rows):
        row = rows[name]
        yield f"{name}: {row['doors']}" + (" (" + row["id"] + ")" if "id" in row else "")
        fields = [field for field in _FIELDS[1:] if field in row]
        words = [row["board"]]
        words.extend([f"{address if field == 'address' else field} {row[field]}" for field in fields])
        words.append(row["state"])
        if "leaving" in row:
            words.append("leaving" if address == "address" else "sur le depart")
        yield "    " + ", ".join(words)
    desk.ok({"modules": rows, "retired": retired})


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

"""`module …` and `config …`: what a technician wants changed of /config.json, put beside, tried, confirmed or dropped.
What comes of it is found out at the next start (device.desk.trial), since a board at work has no room for it.
"""

import gc
import os
from typing import TYPE_CHECKING

from device.agent.books import LEAVING
from device.agent.console import load
from device.agent.effects import Restart
from device.desk.people import says, wired
from device.desk.trial import CONFIG, ON_TRIAL, PART, REFUSED, STAGED, TRY, is_there, read
from protocol.limits import SCAN_HEAP_MIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.desk.seat import Desk

_WIRES = ("id", "bus", "i2c", "spi", "address")  # its serial number, and what its board hangs on, where that is said


class _RefusedError(Exception):
    """Why not: a code and a text."""


def _module(desk: "Desk", rest: "list[str]") -> "Iterator[str] | None":
    return _obey(desk, "module", rest[0].split() if rest else [])


def _config(desk: "Desk", words: "list[str]") -> "Iterator[str] | None":
    return _obey(desk, "config", words)


def _obey(desk: "Desk", name: str, words: "list[str]") -> "Iterator[str] | None":
    """Looking is free; whatever changes something, or takes the buses' time, needs a login and is journalled. Whatever
    fails, the locker goes on as it was."""
    act = _ACTS.get((name + " " + (words[0] if words else "")).rstrip())
    if act is None:
        desk.misused(name)
        return None
    if words:
        if not desk.may_act():
            return None
        desk.note(name + " " + " ".join(words))
    gc.collect()
    lines = _guarded(desk, act, words)
    gc.collect()
    return lines


def _guarded(desk: "Desk", act: "Any", words: "list[str]") -> "Iterator[str] | None":
    try:
        return act(desk, words, desk.agent.console.board)
    except _RefusedError as why:
        desk.err(why.args[0], why.args[1])
    except (OSError, ValueError) as error:
        desk.err("fault", f"flash: {error}")
    except MemoryError:
        if act is _retire:  # it may have acted: what it did, a new agent learns from the journal
            raise
        desk.err("no_memory", "reboot, then once more")
    return None


# ------------------------------------------------------------------ looking
def _list(desk: "Desk", _words: "list[str]", board: "Any") -> "Iterator[str]":
    document = read(board.root + (CONFIG if board.trial is None else ON_TRIAL))
    rows: dict[str, Any] = {}
    for place, module in enumerate(document["modules"]):
        row = {field: module[field] for field in _WIRES if field in module}
        row["board"] = module.get("driver", "gpio")
        if "driver" in module and "i2c" not in row and "spi" not in row:
            row.setdefault("bus", 0)
        numbers = [box["number"] for box in module["compartments"]]
        row["doors"] = _ranges(numbers)
        row["state"] = desk.agent.lost.get(place, "ok")
        at = desk.agent.books.place(numbers[0])
        if at is not None and desk.agent.books.has(at, LEAVING):
            row["leaving"] = True
        rows[module.get("name", chr(ord("A") + place))] = row
    return _told(desk, rows, _ranges(document.get("retired", [])))


def _told(desk: "Desk", rows: "dict[str, Any]", retired: str) -> "Iterator[str]":
    """Two lines a module in words; the answer is for scripts."""
    for name in sorted(rows):
        row = rows[name]
        yield f"{name}: {row['doors']}" + (" (" + row["id"] + ")" if "id" in row else "")
        words = [row["board"]]
        words.extend(wired(desk, {field: row[field] for field in _WIRES if field in row and field != "id"}))
        words.append(row["state"])
        if "leaving" in row:
            words.append(says(desk, "wired leaving"))
        yield "    " + ", ".join(words)
    desk.ok({"modules": rows, "retired": retired})


def _state(desk: "Desk", _words: "list[str]", board: "Any") -> None:
    answer: dict[str, Any] = {"staged": is_there(board.root + STAGED), "trial": board.trial is not None}
    if board.trial is not None:
        answer["left_s"] = max(0, board.trial.until - desk.now) // 1000
    elif is_there(board.root + REFUSED):
        with open(board.root + REFUSED) as file:
            answer["refused"] = file.read()
    desk.ok(answer)


def _scan(desk: "Desk", words: "list[str]", board: "Any") -> None:
    buses = [source for source in getattr(board.doors, "sources", ()) if hasattr(source, "baud")]
    place = words[1] if len(words) > 1 else "0"
    if not place.isdigit() or int(place) >= len(buses):
        raise _RefusedError("bad_value", f"there are {len(buses)} buses, from 0")
    gc.collect()
    free: Any = getattr(gc, "mem_free", None)
    if free is not None and free() < SCAN_HEAP_MIN:
        raise MemoryError
    desk.task = load("scan").Scan(buses[int(place)], int(place))


# ------------------------------------------------------------------ changing
def _may_change(words: "list[str]", board: "Any") -> None:
    if board.trial is not None:
        raise _RefusedError("wrong_state", "first: config confirm, or config cancel")
    if len(words) < 2:
        raise _RefusedError("bad_value", "usage: module add|replace|retire NAME")


def _retire(desk: "Desk", words: "list[str]", board: "Any") -> None:
    """The change itself is put beside once nothing is left in that module."""
    _may_change(words, board)
    staged = is_there(board.root + STAGED)
    load("leaving").retire(desk, words, (board.modules, staged), lambda: _guarded(desk, _change, words))


def _change(desk: "Desk", words: "list[str]", board: "Any") -> None:
    """One more line: several changes are tried at once."""
    _may_change(words, board)
    before = ""
    if is_there(board.root + STAGED):
        with open(board.root + STAGED) as file:
            before = file.read()
    with open(board.root + PART, "w") as file:
        file.write(before + " ".join(words) + "\n")
    os.rename(board.root + PART, board.root + STAGED)
    desk.ok({"staged": True, "next": "config try"})


def _in_use(desk: "Desk", held: bool) -> "list[int]":
    """Compartments at whose doors somebody stands; and, if `held`, those that hold something."""
    books, openings = desk.agent.books, desk.agent.openings
    places = range(books.present)
    return [books.numbers[at] for at in places if openings.is_under_way(at) or (held and books.holdings[at])]


def _restart(desk: "Desk") -> None:
    desk.ok({"restart": True})
    desk.effects.append(Restart("config"))


def _wait_for_people(desk: "Desk") -> None:
    used = _in_use(desk, held=False)
    if used:
        raise _RefusedError("wrong_state", f"somebody is at door {used[0]}; wait")


def _try(desk: "Desk", _words: "list[str]", board: "Any") -> None:
    if board.trial is not None or not is_there(board.root + STAGED):
        raise _RefusedError("wrong_state", "nothing to try: module add, replace or retire")
    _wait_for_people(desk)
    if is_there(board.root + REFUSED):
        os.remove(board.root + REFUSED)
    must_stay = [max(desk.agent.books.numbers)]
    must_stay.extend(_in_use(desk, held=True))
    with open(board.root + STAGED) as file, open(board.root + PART, "w") as part:
        part.write(" ".join([str(number) for number in must_stay]) + "\n")
        while piece := file.read(256):
            part.write(piece)
    os.rename(board.root + PART, board.root + TRY)
    _restart(desk)


def _confirm(desk: "Desk", _words: "list[str]", board: "Any") -> None:
    if board.trial is None:
        raise _RefusedError("wrong_state", "no configuration is on trial")
    os.rename(board.root + ON_TRIAL, board.root + CONFIG)
    board.sources.remove(board.trial)
    board.trial = None
    desk.ok({"confirmed": True})


def _cancel(desk: "Desk", _words: "list[str]", board: "Any") -> None:
    """On trial: the next start takes the former one."""
    if board.trial is not None:
        _wait_for_people(desk)
        _restart(desk)
        return
    if not is_there(board.root + STAGED):
        raise _RefusedError("wrong_state", "nothing is put beside")
    os.remove(board.root + STAGED)
    desk.ok({"staged": False})


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


_ACTS: "dict[str, Any]" = {
    "module": _list,
    "module scan": _scan,
    "module add": _change,
    "module replace": _change,
    "module retire": _retire,
    "config": _state,
    "config try": _try,
    "config confirm": _confirm,
    "config cancel": _cancel,
}
ORDERS = {"module": _module, "config": _config}

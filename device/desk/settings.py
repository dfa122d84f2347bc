"""`module …` and `config …`: what a technician changes of /config.json, put beside, tried, confirmed or dropped
(device.desk.trial says how), and never one that the locker could not start with.
"""

import gc
import json
import os
from typing import TYPE_CHECKING

from device.agent.config import ConfigError
from device.agent.console import load
from device.agent.effects import Restart
from device.desk.modules import change, check, on_board, owners
from device.desk.trial import CONFIG, ON_TRIAL, STAGED, TRY, is_there, read

if TYPE_CHECKING:
    from typing import Any

    from device.desk.seat import Desk

_WRITING = "/config.part"


class _RefusedError(Exception):
    """Why not: a code and a text."""


def _module(desk: "Desk", rest: "list[str]") -> None:
    _obey(desk, "module", rest[0].split() if rest else [])


def _config(desk: "Desk", words: "list[str]") -> None:
    _obey(desk, "config", words)


def _obey(desk: "Desk", name: str, words: "list[str]") -> None:
    """Looking is free; whatever changes something, or takes the buses' time, needs a login and is journalled. Whatever
    fails, the locker goes on as it was."""
    act = _ACTS.get((name + " " + (words[0] if words else "")).rstrip())
    if act is None:
        desk.misused(name)
        return
    if words:
        if not desk.may_act():
            return
        desk.note(name + " " + " ".join(words))
    gc.collect()
    try:
        act(desk, words, desk.agent.console.board)
    except _RefusedError as why:
        desk.err(why.args[0], why.args[1])
    except ConfigError as wrong:
        desk.err("bad_value", str(wrong))
    except (OSError, ValueError) as error:
        desk.err("fault", f"flash: {error}")
    except MemoryError:
        desk.err("no_memory", "reboot, then once more")
    gc.collect()


# ------------------------------------------------------------------ looking
def _list(desk: "Desk", _words: "list[str]", board: "Any") -> None:
    document = read(board.root + (CONFIG if board.trial is None else ON_TRIAL))
    rows: list[Any] = []
    for place, module in enumerate(document["modules"]):
        wire = [module.get("bus", 0), module.get("address", -1)] if on_board(module) else []
        numbers = _ranges([box["number"] for box in module["compartments"]])
        name = module.get("name", chr(ord("A") + place))
        state = desk.agent.lost.get(place, "ok")
        rows.append([name, module.get("id", ""), module.get("driver", "gpio"), wire, numbers, state])
    desk.ok({"modules": rows, "retired": _ranges(document.get("retired", []))})


def _state(desk: "Desk", _words: "list[str]", board: "Any") -> None:
    answer: dict[str, Any] = {"staged": is_there(board.root + STAGED), "trial": board.trial is not None}
    if board.trial is not None:
        answer["left_s"] = max(0, board.trial.until - desk.now) // 1000
    desk.ok(answer)


def _scan(desk: "Desk", words: "list[str]", board: "Any") -> None:
    buses = [source for source in getattr(board.doors, "sources", ()) if hasattr(source, "baud")]
    place = words[1] if len(words) > 1 else "0"
    if not place.isdigit() or int(place) >= len(buses):
        raise _RefusedError("bad_value", f"there are {len(buses)} buses, from 0")
    desk.task = load("scan").Scan(buses[int(place)])


# ------------------------------------------------------------------ changing
def _change(desk: "Desk", words: "list[str]", board: "Any") -> None:
    """What is changed is what was put beside last, so that several changes are tried at once."""
    if board.trial is not None:
        raise _RefusedError("wrong_state", "first: config confirm, or config cancel")
    before = owners(read(board.root + CONFIG))
    gc.collect()
    document = read(board.root + (STAGED if is_there(board.root + STAGED) else CONFIG))
    last = max(max(before), max(owners(document)), max(desk.agent.books.numbers))  # noqa: PLW3301 - no [*row] on a board
    change(document, words, last)
    _check(desk, board, document, before)
    with open(board.root + _WRITING, "w") as file:
        json.dump(document, file)
    os.rename(board.root + _WRITING, board.root + STAGED)
    desk.ok({"staged": True, "next": "config try"})


def _check(desk: "Desk", board: "Any", document: "Any", before: "dict[int, str]") -> None:
    config = board.config
    check(document, config.key, before, _in_use(desk, held=True))
    if document["locker"] != config.locker or document["generation"] != config.generation:
        raise ConfigError("locker, generation: must be what they are")
    if any([on_board(module) for module in document["modules"]]):
        from device.drivers.locks.wiring import described  # noqa: PLC0415 - its room in the heap only where it is needed

        described(document)


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
    before = owners(read(board.root + CONFIG))
    gc.collect()
    try:
        document = read(board.root + STAGED)
    except ValueError:
        raise ConfigError("config.new: must be JSON")
    _check(desk, board, document, before)
    os.rename(board.root + STAGED, board.root + TRY)
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
    "module retire": _change,
    "config": _state,
    "config try": _try,
    "config confirm": _confirm,
    "config cancel": _cancel,
}
ORDERS = {"module": _module, "config": _config}

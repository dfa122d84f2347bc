"""What a technician changes of /config.json: put beside, tried, confirmed or dropped (device.trial says how), and
never one that the locker could not start with. Loaded only when somebody asks.
"""

import gc
import json
import os
from typing import TYPE_CHECKING

from device.agent.config import ConfigError
from device.agent.console_modules import Configured
from device.agent.modules import change, check, on_board, owners
from device.trial import CONFIG, ON_TRIAL, STAGED, TRY, Trial, is_there, read

if TYPE_CHECKING:
    from typing import Any

    from device.agent.console_modules import Configure

_WRITING = "/config.part"


class _RefusedError(Exception):
    """Why not: a code and a text."""


def carry_out(board: "Any", now: int, order: "Configure", events: "list[Any]", root: str = "") -> None:
    """Configured follows, at once or when a scan is over. Raises nothing: the locker goes on as it was."""
    gc.collect()
    words = order.words
    row = _ORDERS.get(" ".join(words[:2]))
    try:
        if row is None:
            raise _RefusedError("bad_value", "usage: " + _USAGE[words[0]])
        answer = row(board, now, order, root)
    except _RefusedError as why:
        events.append(Configured(why.args[0], why.args[1]))
    except ConfigError as wrong:
        events.append(Configured("bad_value", str(wrong)))
    except (OSError, ValueError) as error:
        events.append(Configured("fault", f"flash: {error}"))
    except MemoryError:
        events.append(Configured("fault", "no memory; reboot, then at once again"))
    else:
        if answer is not None:
            events.append(Configured("", answer))
    gc.collect()


# ------------------------------------------------------------------ looking
def _list(_board: "Any", _now: int, _order: "Configure", root: str) -> "Any":
    document = read(root + _in_force(root))
    rows: list[Any] = []
    for place, module in enumerate(document["modules"]):
        wire = [module.get("bus", 0), module.get("address", -1)] if on_board(module) else []
        numbers = _ranges([box["number"] for box in module["compartments"]])
        name = module.get("name", chr(ord("A") + place))
        rows.append([name, module.get("id", ""), module.get("driver", "gpio"), wire, numbers])
    return {"modules": rows, "retired": _ranges(document.get("retired", []))}


def _state(board: "Any", now: int, _order: "Configure", root: str) -> "Any":
    answer: dict[str, Any] = {"staged": is_there(root + STAGED), "trial": is_there(root + ON_TRIAL)}
    for trial in _trials(board):
        answer["left_s"] = max(0, trial.until - now) // 1000
    return answer


def _trials(board: "Any") -> "list[Any]":
    """The one there is, if there is one."""
    return [source for source in board.sources if isinstance(source, Trial)]


def _scan(board: "Any", _now: int, order: "Configure", _root: str) -> "Any":
    buses = [source for source in getattr(board.doors, "sources", ()) if hasattr(source, "baud")]
    place = order.words[2] if len(order.words) > 2 else "0"
    if not place.isdigit() or int(place) >= len(buses):
        raise _RefusedError("bad_value", f"there are {len(buses)} buses, from 0")
    from device.drivers.locks.scan import Scan  # noqa: PLC0415 - its room in the heap only when it is used

    Scan(board.sources, buses[int(place)])


# ------------------------------------------------------------------ changing
def _change(board: "Any", _now: int, order: "Configure", root: str) -> "Any":
    """What is changed is what was put beside last, so that several changes are tried at once."""
    if is_there(root + ON_TRIAL):
        raise _RefusedError("wrong_state", "first: config confirm, or config cancel")
    before = owners(read(root + CONFIG))
    document = read(root + (STAGED if is_there(root + STAGED) else CONFIG))
    highest = max(max(before), max(owners(document)))  # noqa: PLW3301 - MicroPython has no [*row]
    change(document, order.words[1:], max(order.last, highest))
    _check(board, document, before, order)
    with open(root + _WRITING, "w") as file:
        json.dump(document, file)
    os.rename(root + _WRITING, root + STAGED)
    return {"staged": True, "next": "config try"}


def _check(board: "Any", document: "Any", before: "dict[int, str]", order: "Configure") -> None:
    config = board.config
    check(document, config.key, before, order.held)
    if document["locker"] != config.locker or document["generation"] != config.generation:
        raise ConfigError("locker, generation: must be what they are")
    if any([on_board(module) for module in document["modules"]]):
        from device.drivers.locks.wiring import described  # noqa: PLC0415

        described(document)


def _try(board: "Any", _now: int, order: "Configure", root: str) -> "Any":
    if not is_there(root + STAGED):
        raise _RefusedError("wrong_state", "nothing to try: module add, replace or retire")
    before = owners(read(root + CONFIG))
    try:
        document = read(root + STAGED)
    except ValueError:
        raise ConfigError("config.new: must be JSON")
    _check(board, document, before, order)
    os.rename(root + STAGED, root + TRY)
    return {"restart": True, "next": "config confirm"}


def _confirm(board: "Any", _now: int, _order: "Configure", root: str) -> "Any":
    if not is_there(root + ON_TRIAL):
        raise _RefusedError("wrong_state", "no configuration is on trial")
    os.rename(root + ON_TRIAL, root + CONFIG)
    for trial in _trials(board):
        board.sources.remove(trial)
    return {"confirmed": True}


def _cancel(_board: "Any", _now: int, _order: "Configure", root: str) -> "Any":
    """On trial: the next start takes the former one."""
    if is_there(root + ON_TRIAL):
        return {"restart": True}
    if not is_there(root + STAGED):
        raise _RefusedError("wrong_state", "nothing is put beside")
    os.remove(root + STAGED)
    return {"staged": False}


def _in_force(root: str) -> str:
    return ON_TRIAL if is_there(root + ON_TRIAL) else CONFIG


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


_ORDERS: "dict[str, Any]" = {
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
_USAGE = {"module": "module [scan|add|replace|retire]", "config": "config [try|confirm|cancel]"}

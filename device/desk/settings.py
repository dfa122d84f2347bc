"""`module add` and the like, and `config …`: what a technician wants changed of /config.json, put beside, tried,
confirmed or dropped. What comes of it is found out at the next start (device.desk.trial), since a board at work has no
room for it.
"""

import gc
import os
from typing import TYPE_CHECKING

from device.agent.effects import Restart
from device.desk.trial import CONFIG, ON_TRIAL, PART, REFUSED, STAGED, TRY, is_there

if TYPE_CHECKING:
    from typing import Any

    from device.desk.seat import Desk


class _RefusedError(Exception):
    """Why not: a code and a text."""


def module(desk: "Desk", words: "list[str]", _address: str) -> None:
    """`module add`, replace or retire."""
    _obey(desk, "module", words)


def _config(desk: "Desk", words: "list[str]") -> None:
    _obey(desk, "config", words)


def _obey(desk: "Desk", name: str, words: "list[str]") -> None:
    """Looking is free; whatever changes something needs a login and is journalled. Whatever fails, the locker goes on
    as it was."""
    act = _ACTS.get((name + " " + (words[0] if words else "")).rstrip())
    if act is None:
        desk.misused(name)
        return
    if words:
        if not desk.may_act():
            return
        desk.note(name + " " + " ".join(words))
    gc.collect()
    _guarded(desk, act, words)
    gc.collect()


def _guarded(desk: "Desk", act: "Any", words: "list[str]") -> None:
    try:
        act(desk, words, desk.agent.console.board)
    except _RefusedError as why:
        desk.err(why.args[0], why.args[1])
    except (OSError, ValueError) as error:
        desk.err("fault", f"flash: {error}")
    except MemoryError:
        desk.err("no_memory", "reboot, then once more")


# ------------------------------------------------------------------ looking
def _state(desk: "Desk", _words: "list[str]", board: "Any") -> None:
    answer: dict[str, Any] = {"staged": is_there(board.root + STAGED), "trial": board.trial is not None}
    if board.trial is not None:
        answer["left_s"] = max(0, board.trial.until - desk.now) // 1000
    elif is_there(board.root + REFUSED):
        with open(board.root + REFUSED) as file:
            answer["refused"] = file.read()
    desk.ok(answer)


# ------------------------------------------------------------------ changing
def put_beside(desk: "Desk", words: "list[str]") -> None:
    """What was journalled before."""
    _guarded(desk, _change, words)


def _change(desk: "Desk", words: "list[str]", board: "Any") -> None:
    """One more line: several changes are tried at once."""
    if board.trial is not None:
        raise _RefusedError("wrong_state", "first: config confirm, or config cancel")
    if len(words) < 2:
        raise _RefusedError("bad_value", "usage: module add|replace|retire NAME")
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


_ACTS: "dict[str, Any]" = {
    "module add": _change,
    "module replace": _change,
    "module retire": _change,
    "config": _state,
    "config try": _try,
    "config confirm": _confirm,
    "config cancel": _cancel,
}
ORDERS = {"config": _config}

"""Every door of a locker once: opened by its lock, and pushed shut by whoever stands there."""

import time
from collections.abc import Callable

from tools.client import Failed
from tools.console.doors import doors_of
from tools.console.session import Session

OPEN_WAIT_S = 10.0  # three tries of a lock
SHUT_WAIT_S = 60.0  # a person walks along
LOOK_S = 0.1


def see_every_door(session: Session, say: Callable[[str], None]) -> list[int]:
    """Numbers of those that did not open, or were not seen shut again. Somebody is logged in. Raises Failed."""
    wrong: list[int] = []
    for door in doors_of(session.ask("doors")):
        found = _see(session, door.number, say)
        say(f"  door {door.number}: {found or 'opened and shut'}")
        if found:
            wrong.append(door.number)
    return wrong


def _see(session: Session, number: int, say: Callable[[str], None]) -> str:
    """ "" or what was wrong."""
    state = _wait(session, number, lambda state: state != "unknown", OPEN_WAIT_S)  # it has only just started
    if state != "closed":
        return f"was {state} before it was opened"
    try:
        session.ask(f"open {number}")
    except Failed as failed:
        return f"was refused: {failed.text}"
    state = _wait(session, number, lambda state: state not in ("closed", "opening"), OPEN_WAIT_S)
    if state != "open":
        return f"did not open: {state}"
    say(f"  door {number} is open: push it shut")
    state = _wait(session, number, lambda state: state == "closed", SHUT_WAIT_S)
    return "" if state == "closed" else f"was not shut: {state}"


def _state(session: Session, number: int) -> str:
    return next((door.state for door in doors_of(session.ask("doors")) if door.number == number), "unknown")


def _wait(session: Session, number: int, wanted: Callable[[str], bool], wait_s: float) -> str:
    until = time.monotonic() + wait_s
    while not wanted(state := _state(session, number)) and time.monotonic() < until:
        time.sleep(LOOK_S)
    return state

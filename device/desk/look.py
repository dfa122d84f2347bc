"""What can be looked at without a login: the locker's state, its doors, its journal, its link."""

from typing import TYPE_CHECKING

from device.agent.books import OUT, QUARANTINED
from device.agent.config import FIRMWARE
from protocol.numbers import DOOR_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.agent.core import Agent
    from device.desk.seat import Desk

_HOLDING_WORDS = ("free", "depositing", "held", "revoked")
_COLUMNS = ("doors", "holds", "flags")  # of the answer, as they stand in doors_facts
_FAULTS = ("jammed", "forced", "faulty", "left_open")


def facts(agent: "Agent", now: int) -> "dict[str, Any]":
    """What `status` prints."""
    states = [DOOR_STATES[state] for state in agent.doors.states]
    return {
        "locker": agent.config.locker,
        "firmware": FIRMWARE,
        "boot": agent.boot,
        "uptime_s": now // 1000,
        "link": agent.link.state,
        "compartments": agent.books.present,
        "held": sum([1 for holding in agent.books.holdings if holding]),
        "faults": sum([1 for word in states if word in _FAULTS]),
        "modules": {str(module + 1): agent.lost[module] for module in agent.lost},
        "quarantined": sum([1 for flags in agent.books.flags if flags & QUARANTINED]),
        "keys": sorted([kid.hex() for kid in agent.trusted]),
        "tries_left": agent.books.bucket,
        "heap_free": agent.heap_free,
    }


def doors_facts(agent: "Agent") -> "Iterator[list[Any]]":
    """What `doors` prints: [number, state, holding, flags] of each compartment, in order. One at a time: a hundred of
    them are more than a board has free."""
    books = agent.books
    for place in range(len(books.numbers)):
        if place >= books.present and not books.holdings[place]:
            continue  # it is not there any more, and nobody misses anything
        flags = [word for flag, word in ((QUARANTINED, "quarantined"), (OUT, "out")) if books.has(place, flag)]
        state = DOOR_STATES[agent.doors.states[place]]
        yield [books.numbers[place], state, _HOLDING_WORDS[books.holdings[place]], flags]


def _status(desk: "Desk", _words: "list[str]") -> None:
    desk.ok(facts(desk.agent, desk.now))


def _doors(desk: "Desk", words: "list[str]") -> "Iterator[str] | None":
    """Numbers by state (short, however many there are), or all about one."""
    rows = doors_facts(desk.agent)
    if desk.people and not words:
        return _door_table(desk, rows)
    if words:
        found = [row for row in rows if str(row[0]) == words[0]]
        if found:
            number, state, holding, flags = found[0]
            desk.ok({"compartment": number, "door": state, "flags": flags, "holds": holding})
        else:
            desk.err("unknown_compartment", "see doors")
        return None
    document: dict[str, Any] = {name: {} for name in _COLUMNS}
    for row in rows:
        for column, name in enumerate(_COLUMNS, 1):
            for word in _words(row[column]):
                if word not in document[name]:
                    document[name][word] = _those(desk.agent, column, word)
    desk.ok(document)
    return None


def _those(agent: "Agent", column: int, word: str) -> "Iterator[int]":
    """The numbers of those that have this word there: counted while they are said."""
    for row in doors_facts(agent):
        if word in _words(row[column]):
            yield row[0]


def _words(cell: "Any") -> "list[str]":
    return [cell] if isinstance(cell, str) else cell


def _door_table(desk: "Desk", rows: "Iterator[list[Any]]") -> "Iterator[str]":
    """One row a compartment, of at most 40 columns."""
    for number, state, holding, flags in rows:
        mark = " " if state == "closed" and not flags else "!"
        yield f"{mark}{number:3d} {state:11s} {holding:10s} {' '.join(flags)[:11]}".rstrip()
    desk.ok({})


def _journal(desk: "Desk", _words: "list[str]") -> None:
    agent = desk.agent
    desk.ok(
        {
            "first": agent.first_seq,
            "last": agent.books.seq,
            "acked": agent.link.acked,
            "free": agent.ledger.journal_free,
        }
    )


def _heap(desk: "Desk", _words: "list[str]") -> None:
    """Free bytes now, while somebody sits here; and when it was last tidied."""
    hands = desk.hands()
    desk.ok({"free": hands.heap_free() if hands else None, "tidied": desk.agent.heap_free})


ORDERS = {"heap": _heap, "status": _status, "doors": _doors, "journal": _journal}

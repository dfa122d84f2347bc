"""`module …`: each part is in the heap only while it is needed. device.desk.told says which module is where, scan
which boards answer, leaving leads one out, staying takes that back; settings changes what /config.json says.
"""

import gc
from typing import TYPE_CHECKING

from device.agent.console import load
from protocol.limits import SCAN_HEAP_MIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.desk.seat import Desk


def _module(desk: "Desk", rest: "list[str]") -> "Iterator[str] | None":
    words = rest[0].split() if rest else []
    word = words[0] if words else ""
    if word == "retire" and len(words) > 1 and desk.agent.console.board.trial is None:
        return _retire(desk, words)
    if word == "scan":
        return _scan(desk, words)
    part = _part(desk, "settings" if words else "told")
    return None if part is None else part.module(desk, words, address_word(desk))


def _part(desk: "Desk", name: str) -> "Any":
    """None where there is no room for it, and that was answered: nothing has begun."""
    gc.collect()
    try:
        return load(name)
    except MemoryError:
        desk.err("no_memory", "reboot, then once more")
        return None


def _may(desk: "Desk", words: "list[str]") -> bool:
    """What changes something, or takes the buses' time, needs a login and is journalled."""
    if not desk.may_act():
        return False
    desk.note("module " + " ".join(words))
    return True


def _retire(desk: "Desk", words: "list[str]") -> None:
    left = _part(desk, "left") if _may(desk, words) else None
    if left is None:
        return
    places: list[int] = left.places_of(desk, words[1])
    if not places:
        return
    name, rest = words[1], words[2:]
    if not rest or rest == ["cancel"]:
        part = _part(desk, "staying" if rest else "leaving")
        if part is not None:
            part.retire(desk, name, places)
        return
    place = left.one_of(desk, name, places, rest[0])
    part = None if place < 0 else _part(desk, "settling" if len(rest) > 1 else "handing")
    if part is not None:
        part.retire(desk, name, places, place, " ".join(rest[1:]))


def address_word(desk: "Desk") -> str:
    """Said without the table of texts: a scan has no room for it."""
    return "address" if (desk.language or desk.agent.console.board.language) == "en" else "adresse"


def _scan(desk: "Desk", words: "list[str]") -> None:
    if not _may(desk, words):
        return
    buses = [source for source in getattr(desk.agent.console.board.doors, "sources", ()) if hasattr(source, "baud")]
    place = words[1] if len(words) > 1 else "0"
    if not place.isdigit() or int(place) >= len(buses):
        desk.err("bad_value", f"there are {len(buses)} buses, from 0")
        return
    gc.collect()
    free: Any = getattr(gc, "mem_free", None)
    if free is not None and free() < SCAN_HEAP_MIN:
        desk.err("no_memory", "reboot, then once more")
        return
    part = _part(desk, "scan")
    if part is not None:
        desk.task = part.Scan(buses[int(place)], int(place), address_word(desk))


ORDERS = {"module": _module}

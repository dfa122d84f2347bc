"""The journal's records, as they are on flash: one line of hex each, with their number and a checksum at the end. They
hold no code and no key; tools/console makes JSON lines of them."""

from binascii import crc32, hexlify
from typing import TYPE_CHECKING

from device.agent.outbox import seq_of
from device.desk.opening import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.desk.seat import Desk

_AT_ONCE = 4


def _log(desk: "Desk", words: "list[str]") -> "Iterator[str] | None":
    """Without an argument it says what there is."""
    agent = desk.agent
    first = agent.first_seq
    if not words:
        desk.ok({"first": first, "last": agent.books.seq})
        return None
    asked = number_of(words[1]) if len(words) > 1 else first
    hands = desk.hands()
    if words[0] != "export" or not asked:
        desk.misused("log")
    elif hands is None:
        desk.err("not_allowed", "this locker has no flash")
    else:
        desk.note("log export")
        return _export(desk, hands, max(first, asked), agent.books.seq)
    return None


def _export(desk: "Desk", hands: "Any", first: int, last: int) -> "Iterator[str]":
    """Up to `last`: what is saved meanwhile is another export's."""
    count = crc = 0
    seq = first
    while seq <= last:
        records = hands.records(seq, min(_AT_ONCE, last + 1 - seq))
        if not records:
            break
        for record in records:
            crc = crc32(record, crc)
            count += 1
            yield str(hexlify(record), "ascii")
        seq = seq_of(records[-1]) + 1
    desk.ok({"first": first, "last": last, "count": count, "crc": f"{crc:08x}"})


ORDERS = {"log": _log}

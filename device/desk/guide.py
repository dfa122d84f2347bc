"""Help: all orders and how each is used, what a question mark asks for, and what Tab makes of a word half typed."""

from typing import TYPE_CHECKING

from device.desk.orders import find, names
from device.desk.wrap import WIDTH, wrapped
from protocol.numbers import DOOR_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.desk.seat import Desk

_SHOWN_MAX = 12  # words that Tab shows of all that fit


def _help(desk: "Desk", words: "list[str]") -> "Iterator[str] | None":
    if words and find(words[0].lower()) is None:
        desk.err("unknown_type", "no such order; try help")
        return None
    return _one(desk, words[0].lower()) if words else _all(desk)


def _all(desk: "Desk") -> "Iterator[str]":
    for name in names():
        yield _usage(name)
    yield "* needs login"
    desk.ok({"orders": len(names())})


def _one(desk: "Desk", name: str) -> "Iterator[str]":
    yield from _about(desk, name)
    desk.ok({})


def _about(desk: "Desk", name: str) -> "list[str]":
    hands = desk.hands()
    text = hands.text(desk.language, name) if hands else ""
    return [_usage(name)] + ["    " + line for line in wrapped(text)]


def _usage(name: str) -> str:
    row = find(name)
    assert row is not None
    return (("* " if "*" in row[1] else "  ") + name + " " + row[2]).rstrip()


# ------------------------------------------------------------------ while a line is typed
def explain(desk: "Desk") -> None:
    """A question mark where a word begins: what may stand there."""
    words = _before(desk)[0]
    desk.write(b"?\r\n")
    if words and find(words[0].lower()) is not None:
        for line in _about(desk, words[0].lower()):
            desk.say(line)
    else:
        for name in names():
            desk.say(_usage(name))
    desk.prompt_and_line()


def complete(desk: "Desk") -> None:
    """Tab: the rest of the only word that fits, what all that fit have in common, or a list of them."""
    before, begun = _before(desk)
    fitting = [word for word in _fitting(desk, before) if word.startswith(begun)]
    if not fitting:
        return
    common = fitting[0]
    for word in fitting:
        while not word.startswith(common):
            common = common[:-1]
    more = common[len(begun) :] + (" " if len(fitting) == 1 else "")
    if more:
        echo = bytearray()
        desk.editor.insert(more.encode(), echo)
        desk.write(echo)
        return
    desk.write(b"\r\n")
    shown = fitting[:_SHOWN_MAX]
    if len(fitting) > len(shown):
        shown.append(f"({len(fitting)})")
    for line in wrapped(" ".join(shown), WIDTH):
        desk.say(line)
    desk.prompt_and_line()


def _before(desk: "Desk") -> "tuple[list[str], str]":
    """The whole words in front of the cursor, and the one that it stands in."""
    text = str(desk.editor.line[: desk.editor.cursor], "ascii")
    words = text.split()
    if text[-1:] == " " or not words:
        return words, ""
    return words[:-1], words[-1]


def _fitting(desk: "Desk", before: "list[str]") -> "list[str]":
    if not before:
        return names()
    row = find(before[0].lower())
    usage = row[2].replace("[", "").replace("]", "").split() if row else []
    place = len(before) - 1
    if place >= len(usage):
        return []
    word = usage[place]
    if word == "NUMBER":
        return [str(number) for number in desk.agent.books.numbers]
    if word == "ORDER":
        return names()
    if word == "STATE":
        return list(DOOR_STATES)
    return word.split("|") if word == word.lower() else []


ORDERS = {"help": _help}

"""What happened, as sentences in the reader's language: the event log's rows, and how an order ended."""

from gateway.domain.events import LoggedEvent
from gateway.domain.operations import Operation
from gateway.domain.readings import Reading
from gateway.words import Words
from protocol import errors, numbers
from protocol.messages import COMMANDS

_CHANNELS = {numbers.KEYPAD: "keypad", numbers.SCANNER: "scanner", numbers.CONSOLE: "console"} | {
    numbers.COMMAND: "command"
}


def event(found: LoggedEvent, words: Words) -> str:
    """One sentence. What a newer locker says with a word that we do not know is said as its number."""
    said: dict[str, object] = dict(found.fields)
    for field, table in _TABLES.items():
        value = found.fields.get(field)
        if isinstance(value, int):
            said[field] = _word(words, table, value)
    return words(f"event.{found.name}", **said)


def _word(words: Words, table: str, value: int) -> str:
    name = _names(table, value)
    key = f"{table}.{name}"
    return words(key) if words.has(key) else str(value)


def _names(table: str, value: int) -> str:
    if table == "door":
        return numbers.DOOR_STATES[value] if value < len(numbers.DOOR_STATES) else ""
    if table == "finding":
        return numbers.CONTENTS_FINDINGS[value] if value < len(numbers.CONTENTS_FINDINGS) else ""
    if table == "order_name":
        return COMMANDS[value].__name__ if value in COMMANDS else "other"
    return {"channel": _CHANNELS, "why_asked": numbers.REASONS, "code_word": errors.CODES}[table].get(value, "")


# A field that is a number on the wire -> the table of its words.
_TABLES = {
    "state": "door",
    "finding": "finding",
    "order": "order_name",
    "channel": "channel",
    "reason": "why_asked",
    "code": "code_word",
}


def outcome(operation: Operation, words: Words) -> str:
    """How an order stands, and why it failed if it did."""
    said = words(f"order_state.{operation.state}")
    if operation.code is None:
        return said
    key = f"code_word.{operation.code}"
    return f"{said} ({words(key) if words.has(key) else operation.code})"


def reading(found: Reading, words: Words) -> str:
    """A sensor's value with its unit, and the point of the reader's language."""
    if found.name == "tamper":
        return words("operator.reading.open" if found.value else "operator.reading.shut")
    number = found.as_shown.replace(".", words("operator.reading.point"))
    return f"{number}\N{NO-BREAK SPACE}{found.quantity.display}"

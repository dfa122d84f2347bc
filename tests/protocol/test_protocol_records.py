"""A record names its fields twice, for the machine and for the type checker: here the two are held together."""

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

import pytest
from refusal import refusal_of

import device.agent
import protocol
from protocol import kinds, messages
from protocol.record import Record


def modules_of(package: ModuleType) -> list[ModuleType]:
    """All but what MicroPython alone can compile."""
    found = [f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
    return [importlib.import_module(name) for name in sorted(found) if not name.endswith("_viper")]


MODULES = [*modules_of(protocol), *modules_of(device.agent)]
RECORDS = [
    cls
    for module in MODULES
    for _name, cls in inspect.getmembers(module, inspect.isclass)
    if issubclass(cls, Record) and cls is not Record and cls.__module__ == module.__name__
]
MESSAGES = [cls for cls in RECORDS if issubclass(cls, messages.Message) and cls is not messages.Message]
KINDS = {name: kind for name, kind in vars(kinds).items() if name.isupper() and isinstance(kind, tuple)}


def own_annotations(cls: type[Record]) -> dict[str, str]:
    written = {name: note for base in reversed(cls.__mro__) for name, note in inspect.get_annotations(base).items()}
    return {name: note if isinstance(note, str) else note.__name__ for name, note in written.items() if name.islower()}


def test_the_records_are_all_here():
    assert len(RECORDS) > 50 and len(MESSAGES) == len(messages.EVENTS) + len(messages.COMMANDS)


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_fields_and_annotations_name_the_same(cls: type[Record]):
    assert tuple(own_annotations(cls)) == cls.FIELDS
    assert len(set(cls.FIELDS)) == len(cls.FIELDS)


@pytest.mark.parametrize("cls", [cls for cls in RECORDS if cls.KINDS], ids=lambda cls: cls.__name__)
def test_kinds_and_annotations_say_the_same(cls: type[Record]):
    assert len(cls.KINDS) == len(cls.FIELDS)
    notes = own_annotations(cls)
    for name, kind in zip(cls.FIELDS, cls.KINDS, strict=True):
        if kind is None:  # an envelope's message: its type number says what it is
            assert notes[name] == "Message"
            continue
        wanted = kind[0].__name__ + (" | None" if kind[3] else "")
        assert notes[name] == wanted, f"{cls.__name__}.{name}"


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
def test_every_message_has_kinds_and_a_number_of_its_own(cls: type[messages.Message]):
    assert len(cls.KINDS) == len(cls.FIELDS)
    listed = [table for table in (messages.EVENTS, messages.COMMANDS) if table.get(cls.TYPE) is cls]
    assert len(listed) == 1, "in one of the two tables, under its number"
    assert 0 < cls.TYPE < 256


def test_the_tables_know_each_class_once():
    for table in (messages.EVENTS, messages.COMMANDS):
        assert len(set(table.values())) == len(table)
        assert all(number == cls.TYPE for number, cls in table.items())
    assert not set(messages.EVENTS.values()) & set(messages.COMMANDS.values())


def test_positional_and_named_arguments_make_the_same_record():
    for cls in RECORDS:
        marks: list[Any] = list(range(len(cls.FIELDS)))
        named = dict(zip(cls.FIELDS, marks, strict=True))
        assert cls(*marks) == cls(**named) and cls(*marks).values() == marks


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_takes_its_limits_and_nothing_beyond(name: str):
    wanted, lowest, highest, optional = KINDS[name]
    make: Any = {int: lambda size: size, bytes: bytes, str: lambda size: "x" * size}.get(wanted)
    for value, good in [(None, optional), (True, wanted is bool), (1.0, False), ([], False)]:
        assert accepts(KINDS[name], value) == good, value
    if wanted is bool:
        assert not accepts(KINDS[name], 0)
        return
    assert accepts(KINDS[name], make(lowest)) and accepts(KINDS[name], make(highest))
    assert not accepts(KINDS[name], make(highest + 1))
    if lowest > 0 or wanted is int:
        assert not accepts(KINDS[name], make(lowest - 1))
    for other in (5, b"12345678", "word"):
        if type(other) is not wanted:
            assert not accepts(KINDS[name], other), other


def accepts(kind: tuple[Any, ...], value: Any) -> bool:
    return refusal_of(kinds.check, kind, value, "field") == "accepted"

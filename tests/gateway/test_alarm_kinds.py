"""Every alarm there is, is said in every language, with what to do; and so is every event, order and right."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import services
from gateway.domain import acts, alarms, compartments, operations, parcels, people, signing_keys
from gateway.domain.events import LoggedEvent
from gateway.web import sentences
from gateway.words import LANGUAGES, Words
from protocol import errors, numbers
from protocol.messages import COMMANDS, EVENTS

SOURCES = sorted(Path(services.__file__ or "").parent.glob("*.py"))
RAISERS = {"alarm": 2, "suspect": 1, "raise_alarm": 2}  # the function, and which of its arguments is the kind
CUSTODY_MIN = 16  # below are births and heartbeats, which are not in the log
EVERY = pytest.mark.parametrize("words", LANGUAGES.values(), ids=lambda words: words.code)


def raised() -> Iterator[str]:
    """What the services raise, as it stands in their source; an f-string by its beginning, as `door_…`."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    said = {name: value for tree in trees for name, value in constants(tree)}
    for tree in trees:
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            place = RAISERS.get(getattr(call.func, "attr", ""))
            if place is not None and len(call.args) > place:
                yield from kinds_of(call.args[place], said)


def constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in (node for node in tree.body if isinstance(node, ast.Assign)):
        names = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else node.targets
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for name, value in zip(names, values, strict=False):
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield name.id, value.value


def kinds_of(node: ast.expr, said: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        yield f"{node.values[0].value}…"
    elif isinstance(node, ast.Name) and node.id in said:
        yield said[node.id]
    elif isinstance(node, ast.Attribute) and node.attr in said:
        yield said[node.attr]


def test_the_services_raise_no_alarm_that_is_not_on_the_list_and_all_that_are() -> None:
    found = set(raised())
    listed = {*alarms.KINDS, "door_…", "contents_…"} - {*alarms.DOORS, *alarms.CONTENTS, *alarms.SENSORS}
    assert found == listed


def test_every_fault_of_a_door_and_every_doubt_about_what_it_holds_is_on_the_list() -> None:
    assert {f"door_{state}" for state in (*compartments.FAULTS, "left_open")} <= set(alarms.DOORS)
    assert {f"contents_{finding}" for finding in numbers.CONTENTS_FINDINGS} <= set(alarms.CONTENTS)


@EVERY
@pytest.mark.parametrize("kind", alarms.KINDS)
def test_every_alarm_says_what_it_is_and_what_to_do(words: Words, kind: str) -> None:
    assert len(words(f"alarm.{kind}.title")) > 10
    assert len(words(f"alarm.{kind}.remedy")) > 30


@EVERY
def test_every_event_is_a_sentence(words: Words) -> None:
    for number, event in EVENTS.items():
        if number < CUSTODY_MIN:
            continue
        fields: dict[str, int | str | bool | None] = dict.fromkeys(event.FIELDS, 1)
        found = LoggedEvent(1, "mairie-1", 1, 1, number, None, 1, fields, None)
        assert sentences.event(found, words).endswith(".")
        newer = LoggedEvent(1, "mairie-1", 1, 1, number, None, 1, dict.fromkeys(event.FIELDS, 99), None)
        assert sentences.event(newer, words).endswith("."), "a word of a newer locker"


@EVERY
def test_every_word_that_a_page_can_need_is_there(words: Words) -> None:
    wanted = [f"act.{kind}" for kind in (*operations.KINDS, *acts.KINDS)]
    wanted += [f"order_kind.{kind}" for kind in operations.KINDS]
    wanted += [f"order_state.{place}{state}" for state in operations.STATES for place in ("", "next.")]
    wanted += [f"code_word.{code}" for code in errors.CODES.values()]
    wanted += [f"door.{state}" for state in numbers.DOOR_STATES]
    wanted += [f"availability.{part}{name}" for name in compartments.AVAILABILITIES for part in ("", "one.", "means.")]
    wanted += [f"parcel_state.{state}" for state in parcels.STATES]
    wanted += [f"order_name.{order.__name__}" for number, order in COMMANDS.items() if number >= CUSTODY_MIN]
    wanted += [f"scope.{scope}" for scope in people.SCOPES]
    wanted += [f"role.{role}" for role in (*people.ROLES, people.TECHNICIAN)]
    wanted += [f"key_state.{state}" for state in signing_keys.STATES]
    assert [name for name in wanted if not words.has(name)] == []

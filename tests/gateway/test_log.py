"""Log lines: one event each, fields that a program can read, and no secret or person in any of them."""

import ast
import contextlib
import io
import json
from pathlib import Path

import pytest

from gateway import log

ROOT = Path(__file__).parents[2]


def written(as_json: bool, what: str, **fields: log.Value) -> str:
    stream = io.StringIO()
    log.configure(as_json=as_json, stream=stream)
    try:
        log.event(what, **fields)
    finally:
        log.configure(as_json=False)
    return stream.getvalue()


def test_a_line_is_time_event_and_fields():
    line = written(False, "door_opened", locker="mairie-1", compartment=3, forced=False, note="a b", none=None)
    assert line.split(" ", 1)[1] == 'door_opened locker=mairie-1 compartment=3 forced=false note="a b" none=null\n'


def test_a_json_line_is_json():
    document = json.loads(written(True, "door_opened", locker="mairie-1", compartment=3))
    assert (document["event"], document["locker"], document["compartment"]) == ("door_opened", "mairie-1", 3)


def test_what_comes_from_outside_cannot_forge_a_second_line_or_field():
    line = written(False, "refused", detail='x\n2026 door_opened compartment=1\x1b[2J "q" k=v')
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert line.count(' detail="') == 1


def test_a_long_value_is_cut():
    assert len(written(True, "refused", detail="x" * 10_000)) < 400


def test_a_full_disk_under_the_log_stops_nobody():
    with open("/dev/full", "w") as stream:
        log.configure(as_json=False, stream=stream)
        try:
            log.event("database_failed", error="OperationalError")
        finally:
            log.configure(as_json=False)
            with contextlib.suppress(OSError):
                stream.close()


@pytest.mark.parametrize("name", ["code", "token", "name", "secret", "password", "label", "recipient_mail", "key"])
def test_a_field_that_may_hold_a_secret_or_a_person_is_refused(name: str):
    with pytest.raises(AssertionError, match=name):
        log.event("door_opened", **{name: "x"})


def test_no_log_call_in_the_gateway_uses_such_a_field():
    for path in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "log.event":
                used = {word.arg for word in node.keywords}
                assert not used & log.DENIED, f"{path}:{node.lineno}: log an id instead"


def test_a_repeated_event_is_let_through_once_in_its_time():
    now = [0.0]
    seldom = log.Seldom(60, lambda: now[0])
    assert [seldom.allows("a"), seldom.allows("a"), seldom.allows("b")] == [True, False, True]
    now[0] = 61
    assert seldom.allows("a")


def test_a_million_strangers_do_not_fill_the_memory():
    seldom = log.Seldom(60)
    for number in range(5000):
        seldom.allows(str(number))
    assert len(seldom._last) <= 1000

"""A new configuration is tried, and holds only if somebody says so; a power cut anywhere leaves one that is whole."""

import json

from on_board import run

WELL = {"modules": {"A": {"board": "cu16", "bus": 0, "doors": "1-2", "leaving": True, "state": "ok"}}, "retired": ""}
SAID = [
    ["wrong_state", "no configuration is on trial"],
    ["wrong_state", "nothing to try: module add, replace or retire"],
    ["wrong_state", "nothing is put beside"],
    ["bad_value", "usage: module add|replace|retire NAME"],
    ["", {"staged": True, "next": "config try"}],
    ["", {"staged": False}],
    "modules[0].address: must be 0 to 31",
    "modules[0].address: must be 0 to 31",
    "config.new: must be JSON, or lines of changes",
    "module: add, replace or retire, and a name",
    "modules: must be 1 to 400 compartments",
    "modules: a parcel is in 1, of A",
    ["trial", "cu48"],
    ["wrong_state", "first: config confirm, or config cancel"],
    ["back", "cu16"],
    ["", WELL],
    ["A: 1-2", "    cu16, bus 0, ok, leaving"],
]

# 12 and 13: locks of A; 14: of a module without a name; 16: B's, a chip's enable; 26: a chip's reset; 5: a bus's de.
AS_EVER = ["low", "low", "low", "high", "low", "low"]
LEFT_AS = {
    "no code beside it": AS_EVER,
    "the same again": AS_EVER,
    "a document: A on a board": ["pulled down", "pulled down", "low", "high", "low", "pulled down"],
    "a document: the other level": ["pulled down", "pulled down", "pulled down", "high", "low", "low"],
    "lines: A on a board": ["pulled down", "pulled down", "pulled down", "high", "low", "low"],
    "lines: B and C go, another comes": ["low", "low", "pulled down", "pulled up", "pulled down", "low"],
    "nothing": AS_EVER,
    "empty": AS_EVER,
    "torn first line": AS_EVER,
    "torn after it": AS_EVER,
    "torn document": AS_EVER,
    "torn line": AS_EVER,
    "unknown line": AS_EVER,
    "no numbers first": AS_EVER,
    "no document": AS_EVER,
    "no text": AS_EVER,
    "too long": AS_EVER,
    "what holds is broken": ["low", *["untouched"] * 5],
}


def test_a_tried_configuration_holds_when_it_is_confirmed_and_at_no_cut_is_there_none():
    lines = [json.loads(line[2:]) for line in run("config_trials.py") if line[:2] == "> "]
    print(lines[0])
    assert lines[0]["cuts"] >= 16 and set(lines[0]["seen"]) == {"['cu16', 'cu16']", "['cu48', 'cu16']"}
    assert lines[1:] == SAID


def test_a_start_only_pulls_at_the_outputs_that_may_be_something_else_in_what_is_tried_and_drives_all_others():
    lines = [json.loads(line[2:]) for line in run("boot_trials.py") if line[:2] == "> "]
    assert {line["beside"]: line["pins"] for line in lines} == LEFT_AS

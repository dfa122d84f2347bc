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


def test_a_tried_configuration_holds_when_it_is_confirmed_and_at_no_cut_is_there_none():
    lines = [json.loads(line[2:]) for line in run("config_trials.py") if line[:2] == "> "]
    print(lines[0])
    assert lines[0]["cuts"] >= 16 and set(lines[0]["seen"]) == {"['cu16', 'cu16']", "['cu48', 'cu16']"}
    assert lines[1:] == SAID

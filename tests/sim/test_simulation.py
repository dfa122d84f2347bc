"""Towns in virtual time: no rule is broken, each seed is one story for ever, and the rules do bite."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tools.sim.bugs import BUGS, planted
from tools.sim.run import KINDS, Options, Outcome, options_of, play, shrunk

ROOT = Path(__file__).parents[2]
SEEDS = 24
# Caught within the first few seeds, and the one to try first; the others are `make simulate-power`'s.
QUICK = {"pulse_before_save": 0, "delete_on_puback": 0, "gap_acknowledged": 0, "no_flush": 0, "coil_never_cut_off": 0,
         "collected_by_the_pulse": 0, "used_mark_in_ram_only": 2, "sequence_reset_at_boot": 0}  # fmt: skip


@functools.cache
def played(seed: int) -> Outcome:
    """Without a deliberate fault. Whoever asks first plays it: the same seed is the same story."""
    return play(options_of(seed))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_rule_is_broken_whatever_goes_wrong(seed: int) -> None:
    outcome = played(seed)
    assert not outcome.rule, f"{outcome.text}\nagain: python -m tools.sim {outcome.options.text()}"


def test_a_town_where_nothing_goes_wrong_delivers_every_parcel() -> None:
    outcome = play(Options(seed=1, lockers=1, doors=6, days=4, visits=3, kinds=()))
    assert not outcome.rule and outcome.figures["deposits"] >= 10, outcome
    assert outcome.figures["pickups"] >= 10


def test_modules_that_come_and_go_cost_nobody_a_parcel_and_books_that_forget_them_are_caught() -> None:
    options = Options(seed=0, lockers=1, doors=6, days=4, visits=3, kinds=("modules",))
    outcome = play(options)
    assert not outcome.rule and outcome.figures["pickups"] >= 10, outcome
    with planted("books_of_missing_doors_dropped"):
        assert play(options).rule == "I7"


@pytest.mark.parametrize(
    ("name", "seed", "kinds", "rule"),
    [
        ("leaving_forgotten_at_boot", 4, ("modules",), "I6"),
        ("leaving_door_offered", 4, ("modules",), "I6"),
        ("dead_code_untold", 2, ("modules",), "L4"),
        ("refused_order_takes_a_place", 1, ("power", "modules"), "own fault"),
    ],
)
def test_what_goes_wrong_with_modules_that_leave_or_are_away_is_caught(
    name: str, seed: int, kinds: tuple[str, ...], rule: str
) -> None:
    options = Options(seed=seed, lockers=1, doors=6, days=4, visits=3, kinds=kinds)
    with planted(name):
        assert play(options).rule == rule
    assert not play(options).rule


def test_the_same_seed_is_the_same_story_in_another_process_too() -> None:
    """Whatever order Python gives its sets there."""
    here = played(7).trace
    assert play(options_of(7)).trace == here
    for hash_seed in ("0", "1", "4711"):
        command = [sys.executable, "-m", "tools.sim", "--seed", "7"]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout.splitlines()[-1])["trace"] == here


def test_another_seed_is_another_story() -> None:
    assert len({played(seed).trace for seed in range(3)}) == 3


@pytest.mark.parametrize(("name", "first"), QUICK.items())
def test_a_deliberate_fault_is_caught(name: str, first: int) -> None:
    played(first)  # all that a simulation imports is there
    before = product()
    with planted(name):
        assert product() != before
        found = next((seed for seed in (first, *range(10)) if play(options_of(seed)).rule), None)
    assert found is not None, f"{name} broke no rule in 10 seeds"
    assert not played(found).rule, "and it is gone with the fault,"
    after = product()
    assert [name for name, value in before.items() if after.get(name) is not value] == [], "of which nothing is left"


def product() -> dict[tuple[str, ...], object]:
    """All that modules of ours, their classes and their tables hold. The desk's come and go."""
    held: dict[tuple[str, ...], object] = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(("device.", "gateway.", "protocol.", "tools.sim.")) and not name.startswith("device.desk"):
            for word, value in vars(module).items():
                held[name, word] = value
                held |= {(name, word, str(inner)): what for inner, what in _inside(value)}
    return held


def _inside(value: Any) -> Iterable[tuple[object, object]]:
    return (
        vars(value).items()
        if isinstance(value, type)
        else cast("dict[object, object]", value).items()
        if isinstance(value, dict)
        else ()
    )


def test_every_deliberate_fault_is_told_in_one_sentence() -> None:
    assert len(BUGS) >= 12 and all(bug.__doc__ for bug in BUGS.values())


def test_a_failing_seed_is_shrunk_to_a_smaller_one_that_breaks_the_same_rule() -> None:
    with planted("no_flush"):
        options = replace(options_of(3), kinds=KINDS)
        rule = play(options).rule
        small = shrunk(options)
        assert rule == "I7" and play(small).rule == rule
    assert len(small.kinds) < len(options.kinds) and small.days <= options.days


def test_a_simulation_leaves_nothing_of_it_in_the_process() -> None:
    import device.journal  # noqa: PLC0415
    import device.shell  # noqa: PLC0415
    from gateway import log  # noqa: PLC0415

    before = (device.shell.os, device.shell.gc, log.event, device.journal.os)
    play(options_of(0))
    assert (device.shell.os, device.shell.gc, log.event, device.journal.os) == before
    assert "open" not in vars(device.journal)


def test_what_came_into_a_module_that_was_tried_and_fell_back_is_handed_out_once_it_is_back() -> None:
    kinds = tuple(kind for kind in KINDS if kind not in {"flash", "captured"})
    found = play(Options(seed=50173, lockers=3, doors=4, days=8.0, visits=3.0, kinds=kinds))
    assert not found.rule, found.text

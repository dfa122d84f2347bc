"""The power fails between any two file operations of a rotation: the next start finds the state before or after.

A child process changes the keys and dies, without a word, before the n-th operation on a file that it would do.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.key_files import KeyFolder
from gateway.keys import Keys

ROOT = Path(__file__).parents[2]
CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from gateway.keys import Keys
folder, act, left = Path(sys.argv[2]), sys.argv[3], [int(sys.argv[4])]
keys = Keys.load(folder, {}) if act != "make" else None

def die(event, arguments):
    changes = event in ("os.mkdir", "os.link", "os.rename", "os.remove", "os.truncate")
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if changes or writes:
        if not left[0]:
            os._exit(9)
        left[0] -= 1

sys.addaudithook(die)
if act == "make":
    Keys.load(folder, {})
elif act == "drop":
    keys.let_go(keys.old_kid or keys.next_kid)
elif act == "generation":
    keys.new_generation("mairie-1", 0)
else:
    getattr(keys, act)()
os._exit(0)
"""
STEPS_MAX = 20


def states(keys: Keys) -> tuple[bytes, bytes | None, bytes | None]:
    return keys.kid, keys.next_kid, keys.old_kid


def crash(folder: Path, act: str, after: int) -> bool:
    """Whether the child died before its end."""
    child = [sys.executable, "-c", CHILD, str(ROOT), str(folder), act, str(after)]
    code = subprocess.run(child, check=False, timeout=120).returncode
    assert code in (0, 9)
    return code == 9


def crashes(tmp_path: Path, act: str, prepare: list[str]) -> list[tuple[Path, int]]:
    """A folder for each place to die at; the last one lived."""
    made: list[tuple[Path, int]] = []
    for after in range(STEPS_MAX):
        folder = tmp_path / str(after)
        keys = None if act == "make" else Keys.load(folder, {})
        for step in prepare:
            getattr(keys, step)()
        made.append((folder, after))
        before = None if keys is None else states(keys)
        died = crash(folder, act, after)
        found = states(Keys.load(folder, {}))
        assert before is None or found == before or after_of(act, before, found), (act, after)
        if not died:
            return made
    raise AssertionError("it never came to an end")


def after_of(act: str, before: tuple, found: tuple) -> bool:
    current, following, old = before
    return {
        "begin": found[0] == current and found[1] is not None and found[2] is None,
        "promote": found == (following, None, current),
        "drop": found == (current, None, None) and (old or following) is not None,
        "generation": found == before,
    }[act]


@pytest.mark.parametrize(
    ("act", "prepare", "places"),
    [
        ("make", [], 7),
        ("begin", [], 3),
        ("promote", ["begin"], 3),
        ("drop", ["begin", "promote"], 1),
        ("drop", ["begin"], 1),
        ("generation", [], 2),
    ],
)
def test_a_crash_anywhere_leaves_the_state_before_or_after_and_the_act_can_be_done_again(
    tmp_path: Path, act: str, prepare: list[str], places: int
):
    folders = crashes(tmp_path, act, prepare)
    assert len(folders) > places, "every file operation was tried"
    for folder, after in folders:
        keys = Keys.load(folder, {})
        if act == "begin":
            keys.begin()
            assert keys.next_kid is not None and Keys.load(folder, {}).trusted == keys.trusted
        elif act == "promote" and keys.next_kid is not None:
            first, following = keys.kid, keys.next_kid
            keys.promote()
            assert states(Keys.load(folder, {})) == (following, None, first), after
        elif act == "drop":
            keys.let_go(keys.old_kid or keys.next_kid or b"")
            assert states(Keys.load(folder, {})) == (keys.kid, None, None)
        elif act == "generation":
            assert Keys.load(folder, {}).new_generation("mairie-1", 0) in (1, 2)


def test_a_promotion_that_was_half_done_and_then_called_off_leaves_one_key(tmp_path: Path):
    keys = Keys.load(tmp_path, {})
    keys.begin()
    KeyFolder(tmp_path).promotion(keys.public_key)[0]()
    found = Keys.load(tmp_path, {})
    assert states(found) == (keys.kid, keys.next_kid, None)
    found.let_go(found.next_kid or b"")
    last = Keys.load(tmp_path, {})
    assert states(last) == (keys.kid, None, None) and set(last.trusted) == {keys.kid}


def test_what_a_crash_left_lying_is_named_to_the_operator(tmp_path: Path):
    folders = crashes(tmp_path, "begin", [])
    leftovers = [KeyFolder(folder).problems() for folder, _ in folders]
    assert any(leftovers) and not leftovers[0] and not leftovers[-1]
    assert all("left over" in line for lines in leftovers for line in lines)

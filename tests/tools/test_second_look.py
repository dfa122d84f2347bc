"""Who fails beside others and holds alone does not stop everybody, and is named; all else that is red stays red."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RACE = """
from pathlib import Path
def test_race():
    seen, mark = Path("seen").exists(), Path("seen").touch()
    assert seen
"""
ALWAYS = "def test_always(): assert 1 + 1 == 3\n"
HOLDS = "def test_holds(): Path('holds').open('a').write('x')\n"
BROKEN = "import nothing_of_this_name\n"


def suite(folder: Path, *files: str) -> tuple[int, str]:
    """As the Makefile's `test`: the suite, and where it fails the second look; its exit code and what it printed."""
    for number, text in enumerate(files):
        (folder / f"test_{number}.py").write_text(text)
    line = f"'{sys.executable}' -m pytest -q || PYTHONPATH='{ROOT}' '{sys.executable}' -m tools.second_look $?"
    others = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    plain = others | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        ["/bin/sh", "-c", line], check=False, cwd=folder, env=plain, capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout


def test_what_fails_beside_others_and_holds_alone_is_green_and_named_with_its_failure(tmp_path: Path):
    code, printed = suite(tmp_path, RACE, "from pathlib import Path\n" + HOLDS)
    assert code == 0, printed
    assert "assert False" in printed and printed.endswith("to be mended, told above:\n  test_0.py::test_race\n")
    assert (tmp_path / "holds").read_text() == "x", "what held is not run again"


def test_what_fails_again_is_red_also_beside_one_that_holds(tmp_path: Path):
    code, printed = suite(tmp_path, RACE, ALWAYS)
    assert code == 1 and "Once more, alone: test_0.py::test_race, test_1.py::test_always" in printed
    assert "Held when alone" not in printed


@pytest.mark.parametrize(("files", "ends"), [([RACE] * 4, 1), ([BROKEN, RACE], 2), ([], 5)])
def test_many_failures_a_broken_file_and_an_empty_suite_get_no_second_look(
    tmp_path: Path, files: list[str], ends: int
):
    made = [text.replace("seen", f"seen{number}") for number, text in enumerate(files)]
    code, printed = suite(tmp_path, *made)
    assert (code, "Once more" in printed) == (ends, False), printed

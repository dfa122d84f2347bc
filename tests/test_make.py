"""`make help` tells every target in one line, and continuous integration runs the same command as everybody."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WITHOUT_SETUP = {"help", "setup", "clean"}  # these must work on an empty machine


def targets() -> dict[str, str]:
    """Name of each target -> the targets it wants done first."""
    rules = re.findall(r"^([a-z-]+):([^#\n]*)", MAKEFILE, re.MULTILINE)
    return {name: first.strip() for name, first in rules}


def test_help_tells_every_target_in_one_line():
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^  make ([a-z-]+) +\S.*$", told, re.MULTILINE)
    assert sorted(lines) == sorted(targets())
    assert set(lines) == set((re.search(r"^\.PHONY:(.*)$", MAKEFILE, re.MULTILINE) or [""])[1].split())


def test_every_other_target_sets_up_first():
    for name, first in targets().items():
        assert (first == "setup") == (name not in WITHOUT_SETUP), f"make {name} wants {first or 'nothing'} first"


def test_continuous_integration_runs_make_test():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, "chmod +x .ci/run"
    assert script.read_text(encoding="utf-8").rstrip().endswith("exec make test")

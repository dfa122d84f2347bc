"""requirements.lock pins every package to a version and its files to hashes, and names no host."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)( ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def test_every_line_of_the_lock_file_is_a_pin_with_hashes_or_says_why():
    rest = PIN.sub("", LOCK)
    strange = [line for line in rest.splitlines() if line.strip() and not line.startswith("    #")]
    assert not strange, f"make it anew with `make lock`: {strange[:3]}"


def test_the_lock_file_names_no_host():
    assert "://" not in LOCK
    assert "index-url" not in LOCK and "find-links" not in LOCK


def test_every_declared_package_is_locked():
    locked = {match.group(1) for match in PIN.finditer(LOCK)}
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    absent = [name for name in declared if re.split(r"[\[<>=~ ]", name)[0] not in locked]
    assert not absent, f"{absent} in pyproject.toml but not locked: `make lock`"


def test_dependencies_are_few():
    assert len(PROJECT["dependencies"]) <= 11, "the gateway has as few dependencies as it can bear: which one can go?"

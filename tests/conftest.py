"""What holds for every test: the same examples each time, nobody's own settings, nothing left running."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# The same examples on every machine, so that a red run is red again.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=100)
settings.load_profile("repeatable")

# What a test may take from the user's environment: where fetched programs lie. The rest would change what it proves.
KEPT = {"CONSIGNE_CACHE", "CONSIGNE_CHROMIUM", "CONSIGNE_MICROPYTHON"}

for _name in [name for name in os.environ if name.startswith("CONSIGNE_") and name not in KEPT]:
    del os.environ[_name]


# Folders whose files take longest are begun first, so that no process is left with one at the end. A file stays in one
# process: what its tests share (a broker, a locker) is started once.
LONGEST = ("test_bench.py", "e2e/", "device/test_virtual", "pages/", "sim/", "device/", "gateway/test_main.py")
WORKERS_MAX = 4


@pytest.hookimpl(optionalhook=True)  # without xdist nobody asks
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: most of these tests wait for something real."""
    return min(WORKERS_MAX, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(item.nodeid))


def _turn(name: str) -> int:
    name = name.removeprefix("tests/")
    return next((turn for turn, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))


def _children() -> set[int]:
    """Direct children of this process, by pid; none on a system without /proc."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {int(word) for word in file.read().split()}
    except OSError:
        return set()


@pytest.fixture(autouse=True, scope="module")
def _nothing_left_running() -> Iterator[None]:
    before = _children()
    yield
    left = {pid: _command_of(pid) for pid in _children() - before}
    assert not left, f"started and never ended: {left}. End every process in a fixture or a `with`"


def _command_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return "?"

"""What holds for every test: the same examples each time, nobody's own settings, nothing left running."""

import gc
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tools.desk_shelf import put_up

# The same examples on every machine, so that a red run is red again.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=100)
settings.load_profile("repeatable")

# The desk of a locker's console is loaded thousands of times here.
put_up()

# What a test may take from the user's environment: where fetched programs lie. The rest would change what it proves.
KEPT = {"CONSIGNE_CACHE", "CONSIGNE_CHROMIUM", "CONSIGNE_MICROPYTHON"}

for _name in [name for name in os.environ if name.startswith("CONSIGNE_") and name not in KEPT]:
    del os.environ[_name]

# A hundred gateways and lockers are started here. Where Python is told to keep no bytecode, as containers like to, all
# of them would compile the same two thousand files anew: longer than all the rest of what a gateway does to start. It
# is kept, in a folder of its own, for the processes of the suite and for what they start.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    BYTECODE = Path(__file__).parents[1] / "build" / "bytecode"
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(BYTECODE)
    sys.dont_write_bytecode = False


# A shell ignores Ctrl-C for what it starts in the background, and so would all that is started here.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Files that mostly wait, for lockers, doors and pages. They are spread among those that keep a core busy, so that
# neither waits for the other, and none of them comes last.
WAITING = (
    "test_bench.py",
    "e2e/",
    "device/test_virtual",
    "pages/",
    "device/test_laptop",
    "device/test_visit",
    "chaos/",
)
LONGEST = (
    "sim/",
    "test_shared_on",
    "device/test_littlefs",
    "device/test_net",
    "gateway/test_http_",
    "gateway/test_main",
)
WORKERS_MAX = 6


@pytest.hookimpl(optionalhook=True)  # without xdist nobody asks
def pytest_xdist_auto_num_workers() -> int:
    """Four more than there are cores: of six, three or four are waiting for something."""
    return min(WORKERS_MAX, (os.cpu_count() or 1) + 4)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Each worker begins with other files of a folder. In a fresh copy of the project their bytecode is to be made,
    longer than all the rest of a collection; so most of it is made once instead of by each of six at the same time.
    """
    report = yield
    worker: dict[str, str | int] = getattr(collector.config, "workerinput", {})
    if worker and report.passed and isinstance(collector, pytest.Directory | pytest.Session):
        found = report.result
        first = len(found) * int(str(worker["workerid"]).removeprefix("gw")) // int(worker["workercount"])
        report.result = found[first:] + found[:first]
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays in one process: what its tests share (a broker, a locker) is started once."""
    items.sort(key=lambda item: item.path)  # the order is the same in each worker again
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0].removeprefix("tests/"), []).append(item)
    waiting = [name for name in files if name.startswith(WAITING)]
    busy = sorted((name for name in files if name not in waiting), key=lambda name: not name.startswith(LONGEST))
    each = max(1, len(busy) * 2 // (3 * len(waiting) + 1))  # so many after each: the last third are busy ones alone
    order: list[str] = []
    for name in waiting:
        order += [name, *busy[:each]]
        del busy[:each]
    items[:] = [item for name in order + busy for item in files[name]]


def pytest_collection_finish() -> None:
    """Five thousand tests and all that they import are a million objects."""
    _keep()


def _keep() -> None:
    """What is there now stays, and no collection looks through it again. The agent asks for one wherever it needs
    memory; each took a fifth of a second here.
    """
    gc.collect()
    gc.freeze()


def _children() -> set[int]:
    """Direct children of this process, by pid; none on a system without /proc."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {int(word) for word in file.read().split()}
    except OSError:
        return set()


@pytest.fixture(autouse=True, scope="module")
def _nothing_left_running() -> Iterator[None]:
    _keep()  # what the files before this one have left in caches
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

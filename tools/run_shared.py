"""Runs the test files of tests/shared in MicroPython, as pytest runs the same files in CPython.

A shared test is a plain function named test_… that asserts. Each file gets an interpreter of its own.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import micropython

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT / "tests" / "shared"
HEAP_KB = 4096  # tests hold vectors and traces that no locker holds; what the agent needs is measured elsewhere
FILE_TIMEOUT_S = 300  # a loop that never ends must not hang the suite

# Runs in MicroPython: every test function of one module, one line each, and the traceback of what failed.
RUNNER = """
import gc, sys
try:
    import protocol.paths  # native code is compiled here, while the stack is shallow; a board has it compiled
except ImportError:
    pass
module = __import__(sys.argv[1])
for name in sorted(dir(module)):
    if name.startswith("test_"):
        gc.collect()
        try:
            getattr(module, name)()
            print("passed", name)
        except BaseException as error:
            print("failed", name)
            sys.print_exception(error)
print("end")
"""


@dataclass(frozen=True)
class Outcome:
    """What one file's tests said; `trouble` is empty when all of them passed."""

    passed: list[str]
    trouble: str


def shared_files() -> list[Path]:
    return sorted(SHARED.glob("test_*.py"))


def run_file(interpreter: micropython.Interpreter, file: Path) -> Outcome:
    """One file in one MicroPython process; nothing is raised for what the tests do."""
    command = [*interpreter.command, *interpreter.heap_options(HEAP_KB), "-c", RUNNER, file.stem]
    folders = (ROOT, ROOT / "device" / "lib", file.parent)
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=interpreter.environment(*folders),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=FILE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome([], f"no end after {FILE_TIMEOUT_S} s")
    output = str(done.stdout, "utf-8", "replace")
    lines = output.splitlines()
    passed = [line.split(" ", 1)[1] for line in lines if line.startswith("passed test_")]
    failed = any(line.startswith("failed test_") for line in lines)
    if failed or done.returncode != 0 or lines[-1:] != ["end"] or not passed:
        return Outcome(passed, output or f"exit {done.returncode} without a word")
    return Outcome(passed, "")


def main(argv: Sequence[str]) -> int:
    """`python -m tools.run_shared [FILE…]`: exit 1 when a test failed."""
    interpreter = micropython.find(print)
    trouble = 0
    for file in [Path(name).resolve() for name in argv] or shared_files():
        outcome = run_file(interpreter, file)
        print(f"{file.name}: {len(outcome.passed)} passed{', and trouble:' if outcome.trouble else ''}", flush=True)
        if outcome.trouble:
            print(outcome.trouble, flush=True)
            trouble += 1
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The demonstration as a process of its own, in a folder of its own, ended with the block."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RunningDemo:
    process: subprocess.Popen[str]
    url: str
    consoles: list[str]  # the serial ports that it printed


def start(folder: Path, *flags: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tools.demo", *flags]
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


@contextmanager
def running_demo(folder: Path) -> Iterator[RunningDemo]:
    """`python -m tools.demo` when its page answers."""
    process = start(folder, "--no-browser")
    try:
        assert process.stdout
        consoles: list[str] = []
        for line in process.stdout:
            if " console " in line:
                consoles.append(line.split()[-1])
            if "http://" in line and "page" in line:
                yield RunningDemo(process, line.split()[-1], consoles)
                break
        else:
            raise AssertionError("the demonstration ended without a page")
    finally:
        process.kill()
        process.wait()

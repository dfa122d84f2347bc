"""Runs a script of this folder in a real MicroPython, with the shims of a virtual board."""

import subprocess
from pathlib import Path

from tools import micropython

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HEAP_KB = 2048
TIMEOUT_S = 240


def run(script: str) -> list[str]:
    """The lines it printed."""
    interpreter = micropython.find()
    done = subprocess.run(
        [*interpreter.command, *interpreter.heap_options(HEAP_KB), str(HERE / script)],
        env=interpreter.environment(ROOT / "tools" / "locker" / "shim", ROOT, ROOT / "device" / "lib"),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()

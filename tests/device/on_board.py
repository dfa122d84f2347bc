"""Runs a script of this folder in a real MicroPython, with the shims of a virtual board."""

from pathlib import Path

from tools import micropython

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HEAP_KB = 2048
TIMEOUT_S = 240


def run(script: str) -> list[str]:
    """The lines it printed."""
    interpreter = micropython.find()
    folders = (ROOT / "tools" / "locker" / "shim", ROOT, ROOT / "device" / "lib")
    return interpreter.run(HERE / script, heap_kb=HEAP_KB, folders=folders, timeout_s=TIMEOUT_S).splitlines()

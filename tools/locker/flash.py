"""LittleFS images, written and read by a real MicroPython."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools import micropython

SHIM = Path(__file__).parent / "shim"


def make_flash(path: Path, files: Mapping[str, bytes]) -> None:
    """A new image that holds `files` (absolute paths on the flash). Replaces what was there, in one step."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(b"")
    write_files(fresh, files)
    os.replace(fresh, path)


def write_files(path: Path, files: Mapping[str, bytes]) -> None:
    """Into an image that exists. Nothing else may have it open."""
    _run("write", path, "".join(f"{name} {content.hex()}\n" for name, content in sorted(files.items())))


def read_files(path: Path) -> dict[str, bytes]:
    """All files of an image."""
    pairs = [line.partition(" ") for line in _run("read", path, "").splitlines()]
    return {name: bytes.fromhex(text) for name, _space, text in pairs}


def _run(order: str, path: Path, lines: str) -> str:
    interpreter = micropython.find()
    done = subprocess.run(
        [*interpreter.command, str(SHIM / "flash.py"), order],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=interpreter.environment(SHIM.parents[2] / "device/lib") | {"IMAGE": str(path.absolute())},
    )
    if done.returncode != 0:
        raise OSError(f"{path}: {done.stdout}{done.stderr}")
    return done.stdout

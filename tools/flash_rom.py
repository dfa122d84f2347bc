"""Our code in a board's ROMFS partition, from where it runs in place: for a board whose heap has no room for it.

mpremote writes the image. There is one partition, and so no former version to go back to. While it is written,
/main.py starts nothing, so that what is half there never runs: wherever it breaks off, the board waits at its prompt
for the same command. Keys, description and journal lie on the board's file system, and are not touched.
"""

import hashlib
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mpremote.commands import do_romfs  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from serial import Serial

from tools.board_files import BoardFiles
from tools.client import REFUSED, Failed
from tools.serial_repl import Repl

DEPLOY_WAIT_S = 300.0
SILENCE_S = 40.0  # older firmwares erase it all in one go: 0.05 s, at worst 0.4 s, for each of 55 blocks
DIGEST_WAIT_S = 120.0
RESTART_TRIES = 5
MAIN = "/main.py"
HOLD = b'# Made by `consigne flash`, which has not ended: give it again.\nprint("ERR unfinished consigne flash")\n'
BEGINS = (
    "from here to the end the board has no code; should the cable come off or its power go, give this command again"
)
UNFINISHED = (
    "until it ends the board has no code and waits: check the cable, and give `consigne flash` again; "
    "keys and journal are as they were"
)
_TOOLS = """
import hashlib
from binascii import hexlify
def _rom():
    try:
        import vfs
        if vfs.rom_ioctl(1) > 0:
            d = vfs.rom_ioctl(2, 0)
            return None if isinstance(d, int) else d
    except (ImportError, AttributeError):
        pass
def _rom_size():
    d = _rom()
    if d is None:
        return 0
    return d.ioctl(4, 0) * d.ioctl(5, 0) if hasattr(d, "ioctl") else len(d)
def _rom_digest(size):
    h = hashlib.sha256()
    m = memoryview(_rom())
    for at in range(0, size, 512):
        h.update(m[at : min(at + 512, size)])
    return str(hexlify(h.digest()), "ascii")
"""


def partition_size(repl: Repl) -> int:
    """In bytes; 0: it has none, or its MicroPython (before 1.25) cannot write it."""
    repl.run(_TOOLS)
    return int(repl.ask("_rom_size()"))


def look(repl: Repl, files: BoardFiles, image: Path, starters: Mapping[str, bytes], size: int) -> dict[str, Any]:
    """What is to be done, as `consigne flash` says it. Raises Failed: the partition is too small."""
    content = image.read_bytes()
    if len(content) > size:
        raise Failed(
            f"its ROMFS has {size // 1024} kB, and {len(content) // 1024 + 1} are wanted",
            "a firmware with a larger ROMFS partition: device/README.md, Memory",
            REFUSED,
            "no_room",
        )
    digest = hashlib.sha256(content).hexdigest()
    here = files.digests(starters)
    sent = [path for path in starters if here.get(path) != hashlib.sha256(starters[path]).hexdigest()]
    is_there = _digest(repl, len(content)) == digest
    return {
        "version": digest[:8],
        "former": "",
        "files": 1 + len(starters),
        "sent": len(sent) + (not is_there),
        "sent_bytes": 0 if is_there else len(content),
        "copied": 0,
        "partition": size,
        "switched": False,
        "configured": bool(files.kind("/config.json")),
        "started": None,
    }


def bring(port: Serial, image: Path, starters: Mapping[str, bytes]) -> None:
    """All of it, after `look`: the board is told to start nothing, restarted, written, and started. Raises Failed."""
    print(BEGINS, file=sys.stderr)
    with Repl(port) as repl:
        BoardFiles(repl).write(MAIN, HOLD)
    try:
        for _try in range(RESTART_TRIES):
            with Repl(port) as repl:
                # What the partition holds must not be loaded while it is written, nor a watchdog count meanwhile. A
                # restart is lost where the next Ctrl-C comes before it: then this is still there.
                if repl.ask("'_kind' in globals()") == "True":
                    continue
                _write(repl, image, starters)
                return
        raise Failed("the board does not restart", "take its power away for a moment", REFUSED)
    except Failed as failed:
        raise Failed(failed.text, UNFINISHED, failed.exit_code, failed.code)


def _write(repl: Repl, image: Path, starters: Mapping[str, bytes]) -> None:
    content = image.read_bytes()
    wanted = hashlib.sha256(content).hexdigest()
    repl.run(_TOOLS)
    if _digest(repl, len(content)) != wanted:
        words = Namespace(command=["deploy"], path=str(image), partition=0, mpy=False)
        repl.lend(lambda transport: do_romfs(_State(transport), words), DEPLOY_WAIT_S, SILENCE_S)
        if _digest(repl, len(content)) != wanted:
            raise Failed("its ROMFS is not as it was sent", "do it again", REFUSED, "damaged")
    files = BoardFiles(repl)
    for path in sorted(starters, key=lambda path: path == MAIN):  # the last is what starts it all
        files.write(path, starters[path])


class _State(SimpleNamespace):
    """As much of mpremote's command line as a command of it asks for."""

    def __init__(self, transport: object) -> None:
        super().__init__(transport=transport, ensure_raw_repl=lambda: None, did_action=lambda: None)


def _digest(repl: Repl, size: int) -> str:
    return repl.run(f"print(_rom_digest({size}))", DIGEST_WAIT_S).strip()

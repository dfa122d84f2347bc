"""`consigne flash`: our code onto a board, over its serial port. Keys, description and journal stay as they are.

Where the heap has room for code, it comes as files; else into the board's ROMFS partition (flash_rom.py). As files, a
version lies in a folder of its own, /code/<digest>, named by what is in it. Only files that the board has nowhere
are sent; the rest it copies itself. Once every digest is right, one rename of /code/current switches over, and the
former version stays until the next time. So it can break off anywhere: the board starts what it started before, and
the same command goes on where it stopped.
"""

import hashlib
import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serial import Serial

from tools import flash_rom
from tools.board_files import BoardFiles
from tools.client import OK, REFUSED, Failed
from tools.console.ports import choose, open_port, usb_ports
from tools.console.session import Session
from tools.locker import rom
from tools.micropython import NATIVE, Interpreter, MicroPythonError
from tools.serial_repl import Repl

CODE, CURRENT = "/code", "/code/current"
BLOCK = 4096  # of LittleFS: a file takes whole ones
MARGIN = 64 * 1024  # folders, and a journal that goes on
HEAP_MIN = 168 * 1024  # the agent's 110 kB, and 58 kB of code that is loaded from the flash
HEAP_IN_PLACE_MIN = 104 * 1024  # what the largest locker takes, and some room: device/README.md, Memory
VERSION_MIN = (1, 22)
BOOT_WAIT_S = 30.0
ANSWER_WAIT_S = 3.0
NATIVES: tuple[str, ...] = (*NATIVE, "rv32imc")
NO_ROOM = "PSRAM, a ROMFS partition, or our code frozen into its firmware: device/README.md, Memory"
# Behind it comes device/main.py.
MAIN_HEAD = """\
# Made by `consigne flash`: the version that it put here last.
import sys
with open("/code/current") as _file:
    sys.path.insert(0, "/code/" + _file.read())
"""


@dataclass(frozen=True)
class Board:
    """What a board says of itself."""

    version: tuple[int, int]
    platform: str
    word_bits: int
    native: str
    heap: int

    @property
    def words(self) -> str:
        heap = f"heap {self.heap // 1024} kB"
        return (
            f"MicroPython {self.version[0]}.{self.version[1]} on {self.platform} ({self.native or 'bytecode'}), {heap}"
        )


def add_words(parser: ArgumentParser) -> None:
    parser.add_argument("--port", metavar="PORT", help="its serial port; if only one is there, none")
    parser.add_argument("--dry-run", action="store_true", help="look and say what would be sent; change nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(call=flash_board)


def flash_board(arguments: Namespace) -> int:
    """Exit code 1 when the new version did not start, and the former one runs again. Raises Failed."""
    with open_port(arguments.port or choose(usb_ports())) as port:
        return _say(arguments, flash_port(port, compiled, packed, arguments.dry_run))


def flash_port(
    port: Serial,
    code_for: Callable[[Board], Mapping[str, bytes]],
    image_for: Callable[[Board], Path],
    dry_run: bool = False,
) -> dict[str, Any]:
    """What was done. `code_for`: as `compiled`, `image_for`: as `packed`. Raises Failed."""
    with Repl(port) as repl:
        board = board_of(repl)
        size = 0 if board.heap >= HEAP_MIN else _partition_size(repl, board)
        image = image_for(board) if size else None
        if image:
            done = {"board": board.words} | flash_rom.look(repl, BoardFiles(repl), image, starters(), size)
        else:
            done = bring(BoardFiles(repl), code_for(board), dry_run, board)
    if image and done["sent"] and not dry_run:
        flash_rom.bring(port, image, starters())
        done["switched"] = True
    if done["switched"] and done["configured"]:
        done["started"] = starts(Session(port))
        if not done["started"] and done["former"]:
            with Repl(port) as repl:
                BoardFiles(repl).write(CURRENT, str(done["former"]).encode())
    return done


# ------------------------------------------------------------------ what is sent
def board_of(repl: Repl) -> Board:
    said = repl.run(
        "import sys, gc, json\ngc.collect()\ni = sys.implementation\n"
        "print(json.dumps([i[1][0], i[1][1], sys.platform, 64 if sys.maxsize > 0x7fffffff else 32,"
        " getattr(i, '_mpy', 0) >> 10 & 15, gc.mem_free() + gc.mem_alloc()]))"
    )
    fields: list[Any] = json.loads(said)
    major, minor, platform, bits, machine, heap = fields
    native: str = dict(enumerate(NATIVES)).get(int(machine), "")
    board = Board((major, minor), platform, bits, native, heap)
    if board.version < VERSION_MIN:
        raise Failed(f"MicroPython {major}.{minor} is too old", "flash 1.22 or newer (esptool)", REFUSED)
    return board


def _partition_size(repl: Repl, board: Board) -> int:
    """Of a board with too small a heap for files. Raises Failed when it has none, or its heap is too small for all."""
    size = flash_rom.partition_size(repl)
    wanted = HEAP_IN_PLACE_MIN if size else HEAP_MIN
    if board.heap < wanted:
        raise Failed(f"{board.words}: {wanted // 1024} kB are wanted", NO_ROOM, REFUSED, "no_heap")
    return size


def packed(board: Board) -> Path:
    """A ROMFS image. Raises Failed."""
    return _built(board) / "rom.img"


def _built(board: Board) -> Path:
    try:
        return rom.build(Interpreter((), board.version, board.word_bits, board.native))
    except (OSError, MicroPythonError) as problem:
        raise Failed(f"our code cannot be compiled: {problem}", "run make setup", REFUSED)


def compiled(board: Board) -> dict[str, bytes]:
    """Path below the version's folder -> content. Raises Failed."""
    folder = _built(board) / "compiled"
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name not in rom.RUN_AS_TEXT}


def version_of(code: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(code):
        digest.update(f"{name} {len(code[name])}\n".encode() + code[name])
    return digest.hexdigest()[:8]


def bring(files: BoardFiles, code: Mapping[str, bytes], dry_run: bool, board: Board) -> dict[str, Any]:
    """All of it onto the board, and switched over. What was done."""
    version = version_of(code)
    former = files.read(CURRENT).decode() if files.kind(CURRENT) else ""
    wanted = {f"{CODE}/{version}/{name}": content for name, content in code.items()}
    there = files.digests([*wanted, *(f"{CODE}/{former}/{name}" for name in code)])
    copied, sent = _sorted(wanted, there, version, former)
    done: dict[str, Any] = {
        "board": board.words,
        "version": version,
        "former": former if former != version else "",
        "files": len(wanted),
        "sent": len(sent),
        "sent_bytes": sum(len(wanted[path]) for path in sent),
        "copied": len(copied),
        "partition": 0,
        "switched": False,
        "configured": bool(files.kind("/config.json")),
        "started": None,
    }
    _check_room(files, wanted, [*sent, *copied])
    if dry_run:
        return done
    for stale in files.names(CODE):
        if stale not in (version, former, "current"):
            files.remove(f"{CODE}/{stale}")
    for path, source in copied.items():
        files.copy(source, path)
    for path in sent:
        files.write(path, wanted[path])
    found = files.digests(wanted)
    wrong = [path for path, content in wanted.items() if found.get(path) != hashlib.sha256(content).hexdigest()]
    if wrong:
        raise Failed(f"{wrong[0]} is not as it was sent", "do it again", REFUSED, "damaged")
    done["sent"] += len(files.write_missing(starters() | {"/main.py": main_text()}))
    done["switched"] = former != version
    if done["switched"]:
        files.write(CURRENT, version.encode())
    return done


def starters() -> dict[str, bytes]:
    """What a board runs by name, from its root."""
    return {f"/{name.rpartition('/')[2]}": (rom.SOURCES / name).read_bytes() for name in rom.AS_TEXT}


def main_text() -> bytes:
    return MAIN_HEAD.encode() + (rom.SOURCES / "device/main.py").read_bytes()


def _sorted(
    wanted: Mapping[str, bytes], there: Mapping[str, str], version: str, former: str
) -> tuple[dict[str, str], list[str]]:
    """(path -> where the board has the same bytes, paths that have to be sent)."""
    copied: dict[str, str] = {}
    sent: list[str] = []
    for path, content in wanted.items():
        digest = hashlib.sha256(content).hexdigest()
        before = path.replace(f"/{version}/", f"/{former}/", 1)
        if there.get(path) == digest:
            continue
        if former and there.get(before) == digest:
            copied[path] = before
        else:
            sent.append(path)
    return copied, sent


def _check_room(files: BoardFiles, wanted: Mapping[str, bytes], missing: list[str]) -> None:
    needed = sum(-(-len(wanted[path]) // BLOCK) * BLOCK for path in missing) + MARGIN
    free = files.free_bytes()
    if missing and free < needed:
        raise Failed(
            f"{free // 1024} kB of flash are free, and {needed // 1024} are wanted",
            "erase what is not ours, or give its file system a larger partition",
            REFUSED,
            "no_room",
        )


# ------------------------------------------------------------------ what came of it
def starts(session: Session) -> bool:
    """Whether a locker answers; a REPL's `OK` is none."""
    session.wait_s = ANSWER_WAIT_S
    until = time.monotonic() + BOOT_WAIT_S
    while time.monotonic() < until:
        try:
            if "locker" in session.ask("status"):
                return True
        except Failed:
            time.sleep(0.2)
    return False


def _say(arguments: Namespace, done: dict[str, Any]) -> int:
    if arguments.json:
        print(json.dumps(done, indent=2))
    else:
        print("\n".join(_lines(done, arguments.dry_run)))
    return REFUSED if done["started"] is False else OK


def _lines(done: Mapping[str, Any], dry_run: bool) -> list[str]:
    verb = "to be sent" if dry_run else "sent"
    size = f"{done['sent_bytes'] / 1024:.0f} kB"
    lines = [
        f"board: {done['board']}",
        f"version {done['version']}: {done['files']} files, {done['sent']} {verb} ({size})",
        f"its ROMFS of {done['partition'] // 1024} kB holds all but boot.py and main.py, and no former version"
        if done["partition"]
        else f"{done['copied']} were there in the former version",
    ]
    if dry_run:
        return lines
    if done["started"] is False and done["partition"]:
        lines.append("the new version does not start, and there is no former one: consigne console --raw shows why")
    elif done["started"] is False:
        lines.append(f"the new version does not start; {done['former'] or 'nothing'} is the one that runs")
    elif not done["configured"]:
        lines.append("the board is no locker yet: consigne provision")
    else:
        lines.append("it runs" if done["switched"] else "it had this version already, and goes on")
    return lines

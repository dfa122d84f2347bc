"""Our own Mosquitto: found or unpacked, configured, started, kept running, and ended with the gateway.

A locker may publish on its own topics and read its own orders, nothing else; its password follows from its
key, so there is nothing to store. What the broker says it did proves nothing: it only carries.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import digest
from pathlib import Path

from gateway import limits, log, packages
from gateway.authority import Authority
from gateway.broker_files import GATEWAY_USER, access_list, configuration, password_line, write_whole
from gateway.config import Address
from gateway.keys import Keys
from gateway.ports import lasting_port

_VERSION = re.compile(r"mosquitto version (\d+)\.(\d+)")
PROBE_S = 30  # a program that says nothing for so long is none, even on a machine that has much else to do
_VERSION_MIN = (2, 0)  # $7$ password hashes, MQTT 5 as we use it
_USUAL_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/usr/local/opt/mosquitto/sbin")
_STAMP = re.compile(r"^\d+: ")
_ROUTINE = (
    "Config loaded",
    "Note: It is recommended to replace",
    "Opening ",
    "Reloading config",
    "Saving in-memory",
    "mosquitto version",
)

# Started through this, so that the kernel ends Mosquitto when the gateway dies, however it dies (Linux: prctl
# PR_SET_PDEATHSIG). argv: our pid, library path, then the program and its arguments.
_TIED = """
import ctypes, os, signal, sys
parent, libraries, program = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
try:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
except (OSError, AttributeError):
    pass
if os.getppid() != parent:
    sys.exit(1)
os.execve(program[0], program, {"LD_LIBRARY_PATH": libraries} if libraries else {})
"""


class BrokerError(Exception):
    """No broker, and what to do about it."""


@dataclass(frozen=True)
class Secured:
    """A second listener, for lockers, behind TLS. `names`: what they may call it, the first is what they dial."""

    listen: Address
    names: tuple[str, ...]
    authority: Authority


@dataclass(frozen=True)
class Mosquitto:
    """A program that was seen to run."""

    binary: Path
    libraries: str = ""  # LD_LIBRARY_PATH for this process alone
    version: tuple[int, int] = _VERSION_MIN


def find_mosquitto(given: str = "", say: packages.Say = packages.say_on_stderr) -> Mosquitto:
    """The one named, else on this machine, else unpacked into the cache. Raises BrokerError."""
    if given:
        found = _tried(Path(given), "")
        if found is None:
            raise BrokerError(f"{given} is no Mosquitto of version 2.0 or later that runs here")
        return found
    names = [shutil.which("mosquitto"), *[f"{folder}/mosquitto" for folder in _USUAL_FOLDERS]]
    for name in names:
        if name and (found := _tried(Path(name), "")):
            return found
    return _unpacked(say)


def _unpacked(say: packages.Say) -> Mosquitto:
    release = packages.os_release()
    system = f"{release.get('ID', 'unknown')}-{release.get('VERSION_CODENAME', '')}-{os.uname().machine}"
    folder = packages.cache_folder() / f"mosquitto-{system}"
    try:
        packages.fetch_missing("mosquitto", folder, say=say)
        found = _in(folder)
        if found is None:  # unpacked on another state of this system: once more
            shutil.rmtree(folder)
            packages.fetch_missing("mosquitto", folder, say=say)
            found = _in(folder)
    except packages.PackageError as error:
        raise BrokerError(f"no Mosquitto: {error}. Install it with: {packages.install_command('mosquitto')}")
    if found is None:
        raise BrokerError(f"Mosquitto does not run here. Install it with: {packages.install_command('mosquitto')}")
    return found


def _in(folder: Path) -> Mosquitto | None:
    libraries = {str(path.parent) for path in folder.rglob("*.so.*")}
    return _tried(folder / "usr" / "sbin" / "mosquitto", ":".join(sorted(libraries)))


def _tried(binary: Path, libraries: str) -> Mosquitto | None:
    environment = {"LD_LIBRARY_PATH": libraries} if libraries else {}
    try:
        done = subprocess.run(
            [str(binary), "-h"], env=environment, capture_output=True, text=True, timeout=PROBE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(done.stdout + done.stderr)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    return Mosquitto(binary, libraries, version) if version >= _VERSION_MIN else None


class Broker:
    """One Mosquitto. start() returns when it listens; afterwards a thread keeps it running until stop()."""

    def __init__(
        self, folder: Path, mosquitto: Mosquitto, listen: Address, keys: Keys, secured: Secured | None = None
    ) -> None:
        self.folder = folder.absolute()
        self.secured = secured
        self._mosquitto = mosquitto
        self._keys = keys
        self._secret = keys.derived("broker")
        self._lines: dict[tuple[str, int], str] = {}
        self._process: subprocess.Popen[str] | None = None
        self._running = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._supervise, name="broker", daemon=True)
        self._last_words = ""
        self._seldom = log.Seldom(1.0)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = listen.port or self._kept_port(listen.host, "port")
        self.address = Address(listen.host, port, GATEWAY_USER, self._secret.hex())
        self.secure_address: Address | None = None
        if secured is not None:
            port = secured.listen.port or self._kept_port(secured.listen.host, "tls-port")
            self.secure_address = Address(secured.listen.host, port, tls=True)

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self, lockers: Sequence[tuple[str, int]] = ()) -> None:
        """Raises BrokerError when it does not come up."""
        tls_folder = self.secured.authority.folder if self.secured is not None else None
        text = configuration(self.folder, self.address, self.secure_address, tls_folder)
        write_whole(self.folder / "mosquitto.conf", text)
        write_whole(self.folder / "acl", access_list())
        self.sync(lockers)
        self._thread.start()
        if not self._running.wait(limits.BROKER_START_S_MAX):
            said = self._last_words or "nothing"
            self.stop()
            raise BrokerError(
                f"Mosquitto did not start listening on {self._listens_on()}; it said: {said}. If the port is taken, "
                f"end what holds it or choose another with --broker-listen HOST:PORT"
            )

    def stop(self) -> None:
        self._stopping.set()
        with self._lock:
            process = self._process
            if process is not None and process.poll() is None:
                process.terminate()
        if self._thread.is_alive():
            self._thread.join(limits.BROKER_STOP_S_MAX)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()

    def sync(self, lockers: Sequence[tuple[str, int]]) -> None:
        """Let exactly these lockers in, each with the password of its key's generation; and renew the certificate when
        it is due."""
        renewed = self.secured is not None and self.secured.authority.certify(self.secured.names)
        if renewed:
            log.event("broker_certificate_made", names=", ".join(self.secured.names) if self.secured else "")
        if self._keep_passwords(lockers) or renewed:
            with self._lock:
                if self._running.is_set() and self._process is not None and self._process.poll() is None:
                    self._process.send_signal(signal.SIGHUP)

    def _keep_passwords(self, lockers: Sequence[tuple[str, int]]) -> bool:
        """Whether they changed."""
        known = self._lines
        self._lines = {at: known.get(at) or self._line(*at) for at in lockers}
        gateway = password_line(GATEWAY_USER, self.address.password, self._salt(GATEWAY_USER))
        changed = write_whole(self.folder / "passwords", gateway + "".join(self._lines.values()))
        if changed:
            log.event("broker_passwords_written", lockers=len(self._lines))
        return changed

    def _listens_on(self) -> str:
        return f"{self.address} and {self.secure_address}" if self.secure_address else str(self.address)

    def _line(self, locker: str, generation: int) -> str:
        password = self._keys.mqtt_password(locker, generation)
        return password_line(locker, password, self._salt(f"{locker}/{generation}"))

    def _salt(self, subject: str) -> bytes:
        """Not random, so that the same lockers give the same file; still different for each and unknown outside."""
        return digest(self._secret, b"salt/" + subject.encode(), "sha256")[:12]

    def _kept_port(self, host: str, name: str) -> int:
        """The port of the last start: lockers have it in their flash."""
        path = self.folder / name
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text())
        port = lasting_port(host)
        write_whole(path, f"{port}\n")
        return port

    # -------------------------------------------------------------- the thread
    def _supervise(self) -> None:
        pause_s = limits.BROKER_BACKOFF_S_MIN
        while not self._stopping.is_set():
            began = time.monotonic()
            status = self._run_once()
            self._running.clear()
            if self._stopping.is_set():
                return
            if time.monotonic() - began > limits.BROKER_BACKOFF_S_MAX:
                pause_s = limits.BROKER_BACKOFF_S_MIN
            log.event("broker_died", status=status, restart_in_s=pause_s)
            self._stopping.wait(pause_s)
            pause_s = min(pause_s * 2, limits.BROKER_BACKOFF_S_MAX)

    def _run_once(self) -> int:
        """From start to end of one process; what it says is ours to log."""
        program = [str(self._mosquitto.binary), "-c", str(self.folder / "mosquitto.conf")]
        tied = [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), self._mosquitto.libraries, *program]
        with self._lock:
            if self._stopping.is_set():
                return 0
            process = self._process = subprocess.Popen(
                tied,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C in a terminal is for us; we end it when the lockers are answered
            )
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self._heard(line.strip())
        return process.wait()

    def _heard(self, line: str) -> None:
        line = _STAMP.sub("", line)
        self._last_words = line
        if line.endswith("running"):
            self._running.set()
            log.event("broker_running", address=str(self.address), pid=self.pid)
        elif not line.startswith(_ROUTINE) and self._seldom.allows(line):
            log.event("broker_said", line=line)

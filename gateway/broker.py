"""Our own Mosquitto: found or unpacked, configured, started, kept running, and ended with the gateway.

A locker may publish on its own topics and read its own orders, nothing else; its password follows from its
key, so there is nothing to store. What the broker says it did proves nothing: it only carries.
"""

import base64
import contextlib
import getpass
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import digest
from pathlib import Path

from gateway import limits, log, packages
from gateway.config import Address
from gateway.keys import Keys
from protocol.limits import MESSAGE_SIZE_MAX
from protocol.topics import PREFIX

GATEWAY_USER = "_gateway"  # no locker id has an underscore
_VERSION = re.compile(r"mosquitto version (\d+)\.(\d+)")
_VERSION_MIN = (2, 0)  # $7$ password hashes, MQTT 5 as we use it
_USUAL_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/usr/local/opt/mosquitto/sbin")
_ROUNDS = 101  # PBKDF2's stretching is for weak passwords; ours are 256 random bits
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
            [str(binary), "-h"], env=environment, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(done.stdout + done.stderr)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    return Mosquitto(binary, libraries, version) if version >= _VERSION_MIN else None


# ------------------------------------------------------------------ its files
def configuration(folder: Path, listen: Address) -> str:
    lines = [
        f"listener {listen.port} {listen.host}",
        "allow_anonymous false",
        "use_username_as_clientid true",  # a locker cannot push another off the broker by taking its client id
        f"password_file {folder}/passwords",
        f"acl_file {folder}/acl",
        f"user {getpass.getuser()}",  # started as root it would drop to a user who cannot read these files
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 60",
        # Its default of 1000 delivered 1,218 of 20,000 acknowledged messages in a burst; with 0 (no limit) 2.0.11
        # cuts off whoever sends one message that it drops.
        f"max_queued_messages {limits.BROKER_QUEUE_MESSAGES_MAX}",
        f"max_queued_bytes {limits.BROKER_QUEUE_BYTES_MAX}",
        f"max_inflight_messages {limits.BROKER_INFLIGHT_MAX}",
        f"message_size_limit {MESSAGE_SIZE_MAX}",  # a larger message is dropped …
        f"max_packet_size {limits.BROKER_PACKET_SIZE_MAX}",  # … and who announces a huge one is cut off unread
        "persistent_client_expiration 1d",
        "set_tcp_nodelay true",
        "sys_interval 0",
        "connection_messages false",
        "log_dest stderr",
        "log_timestamp false",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_type information",
    ]
    return "\n".join(lines) + "\n"


def access_list() -> str:
    """Locker A can neither publish as B nor read what is for B; %u is the user name, which is the locker id."""
    return (
        f"user {GATEWAY_USER}\n"
        f"topic read {PREFIX}/+/+/up\n"
        f"topic read {PREFIX}/+/+/state\n"
        f"topic write {PREFIX}/+/+/down\n"
        "\n"
        f"pattern write {PREFIX}/+/%u/up\n"
        f"pattern write {PREFIX}/+/%u/state\n"
        f"pattern read {PREFIX}/+/%u/down\n"
    )


def password_line(user: str, password: str, salt: bytes) -> str:
    """Mosquitto's $7$ form: PBKDF2 with SHA-512."""
    stretched = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"{user}:$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(stretched).decode()}\n"


def _write(path: Path, text: str) -> bool:
    """Whether it changed. Whole or not at all, and for our eyes only."""
    with contextlib.suppress(OSError):
        if path.read_text() == text:
            return False
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    fresh.replace(path)
    return True


class Broker:
    """One Mosquitto. start() returns when it listens; afterwards a thread keeps it running until stop()."""

    def __init__(self, folder: Path, mosquitto: Mosquitto, listen: Address, keys: Keys) -> None:
        self._folder = folder.absolute()
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
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = listen.port or self._kept_port(listen.host)
        self.address = Address(listen.host, port, GATEWAY_USER, self._secret.hex())

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self, lockers: Sequence[tuple[str, int]] = ()) -> None:
        """Raises BrokerError when it does not come up."""
        _write(self._folder / "mosquitto.conf", configuration(self._folder, self.address))
        _write(self._folder / "acl", access_list())
        self.sync(lockers)
        self._thread.start()
        if not self._running.wait(limits.BROKER_START_S_MAX):
            said = self._last_words or "nothing"
            self.stop()
            raise BrokerError(
                f"Mosquitto did not start listening on {self.address}; it said: {said}. If the port is taken, "
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
        """Let exactly these lockers in, each with the password of its key's generation."""
        known = self._lines
        self._lines = {at: known.get(at) or self._line(*at) for at in lockers}
        gateway = password_line(GATEWAY_USER, self.address.password, self._salt(GATEWAY_USER))
        if not _write(self._folder / "passwords", gateway + "".join(self._lines.values())):
            return
        log.event("broker_passwords_written", lockers=len(self._lines))
        with self._lock:
            if self._running.is_set() and self._process is not None and self._process.poll() is None:
                self._process.send_signal(signal.SIGHUP)

    def _line(self, locker: str, generation: int) -> str:
        password = self._keys.mqtt_password(locker, generation)
        return password_line(locker, password, self._salt(f"{locker}/{generation}"))

    def _salt(self, subject: str) -> bytes:
        """Not random, so that the same lockers give the same file; still different for each and unknown outside."""
        return digest(self._secret, b"salt/" + subject.encode(), "sha256")[:12]

    def _kept_port(self, host: str) -> int:
        """The port of the last start: lockers have it in their flash."""
        path = self._folder / "port"
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text())
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.bind((host, 0))
            port = int(probe.getsockname()[1])
        _write(path, f"{port}\n")
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
        program = [str(self._mosquitto.binary), "-c", str(self._folder / "mosquitto.conf")]
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

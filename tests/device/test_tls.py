"""A locker in a real MicroPython and a real Mosquitto behind TLS: who is spoken to, who is refused, and why."""

import contextlib
import datetime
import getpass
import ipaddress
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from locker_on_table import KEY, code_of, town_locker

from gateway.broker import find_mosquitto
from gateway.ports import lasting_port
from protocol.keys import console_answer
from tools.locker.client import VirtualLocker, start
from tools.locker.flash import read_files, write_files

LOCAL = "127.0.0.1"
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


class Authority:
    def __init__(self, name: str = "CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        built = self._builder(self._name, self._key, NOW - 30 * DAY, NOW + 3650 * DAY)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        self.der = built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        begin: datetime.datetime,
        end: datetime.datetime,
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        return builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)

    def certify(
        self, folder: Path, names: tuple[str, ...] = ("localhost",), begin: float = -1, end: float = 9
    ) -> None:
        """cert.pem and key.pem, valid from `begin` to `end` days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.9")))
        built = self._builder(_name("broker"), key, NOW + begin * DAY, NOW + end * DAY)
        made = built.add_extension(x509.SubjectAlternativeName(alternatives), False).sign(self._key, hashes.SHA256())
        (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


@contextlib.contextmanager
def mosquitto(folder: Path, port: int, tls: bool = True, anybody: bool = True) -> Iterator[None]:
    files = f"certfile {folder}/cert.pem\nkeyfile {folder}/key.pem\n" if tls else ""
    who = f"allow_anonymous {str(anybody).lower()}\nuser {getpass.getuser()}\n"
    (folder / "conf").write_text(f"listener {port} 127.0.0.1\n{who}{files}log_dest none\n")
    found = find_mosquitto()
    environment = {"LD_LIBRARY_PATH": found.libraries} if found.libraries else {}
    command = [str(found.binary), "-c", str(folder / "conf")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(lambda: _listens(port))
            yield
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _wait(test: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def ask(locker: VirtualLocker, line: str) -> dict[str, object]:
    with serial.Serial(locker.console, 115200, timeout=1) as port:
        port.reset_input_buffer()
        port.write(line.encode() + b"\r")
        text = b""
        until = time.monotonic() + 60
        while not (b"OK " in text and text.endswith((b"> ", b"# "))):
            text += port.read(1)
            assert time.monotonic() < until, text
    return json.loads(text[text.index(b"OK ") + 3 :].split(b"\r")[0])


@contextlib.contextmanager
def locker_at(folder: Path, port: int, ca: bytes) -> Iterator[VirtualLocker]:
    place = town_locker(folder / "one", held=[3], broker=("127.0.0.1", port), authorities=(ca,))
    with start(place) as locker:
        yield locker


def dialled(locker: VirtualLocker) -> dict[str, object]:
    """What came of it. Somebody at the panel makes it dial, but not more often than every 5 s, nor while it does."""
    locker.client.keys("*")
    return ask(locker, "net")


def reason(locker: VirtualLocker) -> object:
    """What the first try of the locker ended with."""
    _wait(lambda: dialled(locker)["last_error"] != "")
    return ask(locker, "net")["last_error"]


def test_a_locker_goes_online_behind_tls_serves_a_pickup_and_comes_back_after_a_restart_of_its_broker(tmp_path: Path):
    authority, port = Authority(), lasting_port(LOCAL)
    authority.certify(tmp_path)
    with contextlib.ExitStack() as first:
        first.enter_context(mosquitto(tmp_path, port))
        with locker_at(tmp_path, port, authority.der) as locker:
            _wait(lambda: dialled(locker)["state"] == "online")
            locker.client.keys(code_of(3))
            locker.client.wait_for_door(3, "open")
            locker.client.push(3)
            locker.client.wait_for_screen("Merci")
            first.close()
            _wait(lambda: ask(locker, "net")["state"] == "waiting")
            with mosquitto(tmp_path, port):
                _wait(lambda: dialled(locker)["state"] == "online")
                assert ask(locker, "net")["connects"] == 2


@pytest.mark.parametrize(
    ("wanted", "name", "days", "own"),
    [
        ("wrong_ca", "localhost", (-1, 9), False),
        ("wrong_host", "elsewhere.example", (-1, 9), True),
        ("cert_expired", "localhost", (-9, -1), True),
        ("cert_not_yet", "localhost", (2, 9), True),
    ],
)
def test_a_certificate_that_does_not_vouch_for_the_broker_is_refused_and_the_reason_named(
    tmp_path: Path, wanted: str, name: str, days: tuple[int, int], own: bool
):
    authority, port = Authority(), lasting_port(LOCAL)
    authority.certify(tmp_path, (name,), *days)
    ca = authority.der if own else Authority("other CA").der
    with mosquitto(tmp_path, port), locker_at(tmp_path, port, ca) as locker:
        assert reason(locker) == wanted


def test_a_certificate_that_has_ended_by_the_lockers_own_time_is_refused_whatever_the_boards_clock_says(
    tmp_path: Path,
):
    """Many boards' mbedTLS looks at no dates; then the locker does."""
    authority, port = Authority(), lasting_port(LOCAL)
    authority.certify(tmp_path)
    with locker_at(tmp_path, port, authority.der) as locker:
        challenge = str(ask(locker, "login anne")["challenge"])
        ask(locker, "answer " + console_answer(KEY, bytes.fromhex(challenge), "anne"))
        ask(locker, f"time set {int(time.time()) + 20 * 86400}")
        with mosquitto(tmp_path, port):
            _wait(lambda: dialled(locker)["last_error"] == "cert_expired")


def test_a_broker_that_speaks_no_tls_gets_nothing_from_a_locker_that_wants_it(tmp_path: Path):
    port = lasting_port(LOCAL)
    with mosquitto(tmp_path, port, tls=False), locker_at(tmp_path, port, Authority().der) as locker:
        assert reason(locker) == "not_tls"


def test_a_ca_that_rotted_on_the_flash_is_none_and_the_pickup_goes_on(tmp_path: Path):
    authority, port = Authority(), lasting_port(LOCAL)
    authority.certify(tmp_path)
    place = town_locker(tmp_path / "one", held=[3], broker=("127.0.0.1", port), authorities=(authority.der,))
    (name,) = [f"/tls/{path}" for path in _tls_files(place)]
    write_files(place / "flash.img", {name: authority.der[:-1] + b"\x00"})
    with mosquitto(tmp_path, port), start(place) as locker:
        assert reason(locker) == "no_ca"
        locker.client.keys(code_of(3))
        locker.client.wait_for_door(3, "open")


def _tls_files(place: Path) -> list[str]:
    return [name.removeprefix("/tls/") for name in read_files(place / "flash.img") if name.startswith("/tls/")]

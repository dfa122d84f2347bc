"""`net test` on a real locker's console: what can stand between it and its broker, by its name and in words."""

import contextlib
import json
import socket
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from locker_on_table import town_locker
from test_tls import Authority, mosquitto

from device.desk.net import is_portal
from gateway.ports import lasting_port
from tools.console.ports import open_port
from tools.console.session import Session
from tools.locker.client import start
from tools.locker.flash import read_files, write_files

HERE, PORTAL = "127.0.0.1", "127.0.0.2"
NOWHERE = "255.255.255.255"  # the machine has no way there, and says so
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://login.hotel.example/?to=x\r\n\r\n"
LOGIN_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>Welcome to our Wi-Fi</h1>"
GATEWAY = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"status":"ok"}'


class NameServer:
    """Answers every question with `says`: an address; "" says that there is no such name; None says nothing."""

    def __init__(self) -> None:
        self.says: str | None = ""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HERE, 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            asked, who = self._socket.recvfrom(512)
            says = self.says
            if says is not None:
                head = asked[:2] + (b"\x81\x80" if says else b"\x81\x83") + b"\0\1" + bytes([0, bool(says)]) + bytes(4)
                record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(says) if says else b""
                self._socket.sendto(head + asked[12:] + record, who)


@contextlib.contextmanager
def listening(host: str, port: int, says: bytes | None) -> Generator[None]:
    """Somebody who answers each connection with this, and closes; None: who takes what comes and says nothing."""
    with socket.create_server((host, port)) as server, contextlib.ExitStack() as kept:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    one = server.accept()[0]
                    if says is None:
                        kept.enter_context(one)
                        continue
                    with one:
                        one.recv(1024)
                        one.sendall(says)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@dataclass
class Site:
    """One locker, and what stands around it: its name server, its broker's port, and where plain HTTP is spoken."""

    session: Session
    names: NameServer
    authority: Authority
    folder: Path
    port: int
    probe: int

    def test(self, *, at: str | None = HERE, language: str = "en") -> tuple[dict[str, Any], str]:
        """The answer, and what was said to people before it. `at`: what the name server says."""
        self.names.says = at
        self.session.ask("language " + language)
        found = self.session.ask("net test")
        return found, " ".join(" ".join(self.session.told).split())


@contextlib.contextmanager
def site_in(folder: Path) -> Generator[Site]:
    names, authority, port, probe = NameServer(), Authority(), lasting_port(HERE), lasting_port(HERE)
    place = town_locker(folder / "one", authorities=(authority.der,))
    document = json.loads(read_files(place / "flash.img")["/config.json"])
    document["broker"] |= {"host": "broker.example", "port": port}
    document["broker"] |= {"dns": HERE, "dns_port": names.port, "probe_port": probe}
    write_files(place / "flash.img", {"/config.json": json.dumps(document).encode()})
    with start(place) as locker, open_port(locker.console) as cable:
        session = Session(cable, wait_s=70)
        yield Site(session, names, authority, folder, port, probe)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def swallowed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[tuple[dict[str, Any], str]]]:
    """A handshake has 12 s: a second locker waits for its end while the first is asked about the rest."""

    folder = tmp_path_factory.mktemp("swallowed")  # the factory is not made for two threads

    def wait() -> tuple[dict[str, Any], str]:
        with site_in(folder) as other, listening(HERE, other.port, None):
            return other.test()

    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(wait)


pytestmark = pytest.mark.usefixtures("swallowed")


# A locker that once knew its broker's address goes on with it when names fail: so names come first.
@pytest.mark.parametrize("says", ["", None])
def test_a_name_server_that_knows_no_such_name_or_is_silent_is_told(site: Site, says: str | None):
    found, said = site.test(at=says)
    assert found == {"cause": "dns", "failed": "dns", "passed": False}
    assert "network ok ! dns" in said and "unknown here" in said


def test_no_way_out_is_told_as_no_network(site: Site):
    found, said = site.test(at=NOWHERE)
    assert found == {"cause": "no_network", "failed": "network", "passed": False}
    assert "check antenna, plug" in said and "ok" not in said


@pytest.mark.parametrize(
    "says", [None, GATEWAY, b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"]
)
def test_a_port_that_refuses_is_told_as_one_and_a_gateway_beside_it_is_no_portal(site: Site, says: bytes | None):
    with listening(HERE, site.probe, says) if says else contextlib.nullcontext():
        found, said = site.test()
    assert found == {"cause": "refused", "failed": "tcp", "passed": False}
    assert "dns ok ! tcp" in said and "there and refuses" in said


@pytest.mark.parametrize("page", [REDIRECT, LOGIN_PAGE])
def test_a_portal_that_gives_its_own_address_for_every_name_is_told_as_one(site: Site, page: bytes):
    with listening(PORTAL, site.probe, page):
        found, said = site.test(at=PORTAL)
        assert found == {"cause": "portal", "failed": "tcp", "passed": False}
        assert "captive portal" in said
        with listening(PORTAL, site.port, page):  # and one that takes every port
            assert site.test(at=PORTAL)[0]["cause"] == "portal"


def test_a_portal_is_told_in_french_too(site: Site):
    with listening(PORTAL, site.probe, LOGIN_PAGE):
        assert "portail captif" in site.test(at=PORTAL, language="fr")[1]


@pytest.mark.parametrize(
    ("cause", "name", "days", "words"),
    [
        ("wrong_ca", "localhost", (-1, 9), "of another CA"),
        ("wrong_host", "elsewhere.example", (-1, 9), "for another name"),
        ("cert_expired", "localhost", (-9, -1), "has ended"),
    ],
)
def test_a_certificate_that_does_not_hold_is_told_in_words(
    site: Site, cause: str, name: str, days: tuple[int, int], words: str
):
    authority = Authority("other") if cause == "wrong_ca" else site.authority
    authority.certify(site.folder, (name,), *days)
    with mosquitto(site.folder, site.port):
        found, said = site.test()
    assert found == {"cause": cause, "failed": "tls", "passed": False}
    assert words in said and "tcp ok" in said


def test_a_broker_without_tls_is_told(site: Site):
    with mosquitto(site.folder, site.port, tls=False):
        found, said = site.test()
    assert found == {"cause": "not_tls", "failed": "tls", "passed": False}
    assert "speaks no TLS" in said


def test_a_broker_that_does_not_let_the_locker_in_is_told(site: Site):
    site.authority.certify(site.folder)
    with mosquitto(site.folder, site.port, anybody=False):
        found, said = site.test()
    assert found == {"cause": "not_authorised", "failed": "broker", "passed": False}
    assert "tls ok ! broker" in said and "does the gateway know it?" in said


def test_somebody_who_takes_every_byte_and_says_nothing_is_told(swallowed: Future[tuple[dict[str, Any], str]]):
    found, said = swallowed.result(600)
    assert found == {"cause": "tls_timeout", "failed": "tls", "passed": False}
    assert "tcp ok ! tls" in said and "does not end" in said


def test_a_good_broker_passes(site: Site):
    site.authority.certify(site.folder)
    with mosquitto(site.folder, site.port):
        assert site.test()[0] == {"cause": "", "failed": "", "passed": True}


@pytest.mark.parametrize(
    ("answer", "portal"),
    [
        (REDIRECT, True),
        (b"HTTP/1.0 511 Network Authentication Required\r\n\r\n", True),
        (b"HTTP/1.1 301 Moved\r\nLOCATION:  https://Broker.example:443/\r\n\r\n", False),  # its own page
        (b"HTTP/1.1 301 Moved\r\nLocation: /login\r\n\r\n", False),
        (LOGIN_PAGE, True),
        (GATEWAY, False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False),
        (b"SSH-2.0-x\r\n", False),
        (b"", False),
    ],
)
def test_a_portal_is_known_by_leading_elsewhere_or_by_a_page_for_everything(answer: bytes, portal: bool):
    assert is_portal(answer, "broker.example") == portal

"""`net test` on a real locker's console: what can stand between it and its broker, by its name and in words."""

from pathlib import Path
from typing import Any

import pytest
from locker_on_table import town_locker
from test_tls import Authority, free_port, mosquitto

from device.desk.net import leads_away
from tools.console.ports import open_port
from tools.console.session import Session
from tools.locker.client import start


def answer_of(folder: Path, port: int, *cas: bytes) -> tuple[dict[str, Any], str]:
    """The answer to `net test`, and what was said to people before it."""
    folder.mkdir(exist_ok=True)
    place = town_locker(folder / "one", broker=("127.0.0.1", port), authorities=cas)
    with start(place) as locker, open_port(locker.console) as cable:
        session = Session(cable, wait_s=70)
        session.ask("language en")
        found = session.ask("net test")
        return found, " ".join(" ".join(session.told).split())


@pytest.mark.parametrize(
    ("cause", "name", "days", "words"),
    [
        ("wrong_ca", "localhost", (-1, 9), "of another CA"),
        ("wrong_host", "elsewhere.example", (-1, 9), "for another name"),
        ("cert_expired", "localhost", (-9, -1), "has ended"),
    ],
)
def test_a_certificate_that_does_not_hold_is_told_in_words(
    tmp_path: Path, cause: str, name: str, days: tuple[int, int], words: str
):
    authority, port = Authority(), free_port()
    authority.certify(tmp_path, (name,), *days)
    with mosquitto(tmp_path, port):
        found, said = answer_of(tmp_path, port, Authority("other").der if cause == "wrong_ca" else authority.der)
    assert found == {"cause": cause, "failed": "tls", "passed": False}
    assert words in said and "tcp ok" in said


def test_a_good_broker_passes_and_one_without_tls_or_nobody_is_told(tmp_path: Path):
    authority, port = Authority(), free_port()
    authority.certify(tmp_path)
    with mosquitto(tmp_path, port):
        assert answer_of(tmp_path / "well", port, authority.der)[0] == {"cause": "", "failed": "", "passed": True}
    with mosquitto(tmp_path, port, tls=False):
        found, said = answer_of(tmp_path / "plain", port, authority.der)
        assert found == {"cause": "not_tls", "failed": "tls", "passed": False}
        assert "speaks no TLS" in said
    found, said = answer_of(tmp_path / "gone", port)
    assert (found["cause"], found["passed"]) == ("reset", False)
    assert "cut by the other side" in said  # the virtual cable is plugged in, and nobody is behind it


@pytest.mark.parametrize(
    ("answer", "portal"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://login.hotel.example/?to=x\r\n\r\n", True),
        (b"HTTP/1.0 511 Network Authentication Required\r\n\r\n", True),
        (b"HTTP/1.1 301 Moved\r\nLOCATION:  https://Broker.example:443/\r\n\r\n", False),  # its own page
        (b"HTTP/1.1 301 Moved\r\nLocation: /login\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\n", False),
        (b"SSH-2.0-x\r\n", False),
        (b"", False),
    ],
)
def test_a_portal_is_known_by_leading_elsewhere(answer: bytes, portal: bool):
    assert leads_away(answer, "broker.example") == portal

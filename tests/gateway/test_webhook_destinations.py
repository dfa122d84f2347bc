"""A webhook leads to the public internet and nowhere else, whatever its name answers and whenever."""

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from books_town import COLIBRI, Town, open_town, refused
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hook_town import Receiver, delivering, hook, look, patient, private_town, receiving, settle, waiting
from patience import wait_for

from gateway import reach
from gateway.config import Settings
from gateway.domain.destinations import destination_of, may_reach, reachable
from gateway.services import webhooks

NAME = "hooks.example"
REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # where clouds keep their machines' credentials
    "100.64.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.251",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%2",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "2002:a00:1::1",
    "2002:7f00:1::",
    "2001:0:a00:1::1",
    "",
    "localhost",
    "0x7f.1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not may_reach(address, allow_private=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4007:80e::2003"])
def test_a_public_address_is_taken(address: str) -> None:
    assert may_reach(address, allow_private=False) and may_reach(address, allow_private=True)


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.0.0.1", True),
        ("fd00::1", True),
        ("169.254.169.254", False),
        ("fd00:ec2::254", False),
        ("100.100.100.200", False),
        ("192.0.0.192", False),
        ("fe80::1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
    ],
)
def test_where_private_ones_are_allowed_those_of_no_network_are_not(address: str, taken: bool) -> None:
    assert may_reach(address, allow_private=True) == taken


def test_of_a_names_addresses_only_the_public_ones_are_connected_to() -> None:
    assert reachable(["10.0.0.1", "8.8.8.8", "8.8.8.8", "::1"], False) == ["8.8.8.8"]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "hooks.example",
        "https:///path",
        "https://",
        "https://user@hooks.example/",
        "https://user:word@hooks.example/",
        "https://hooks.example@10.0.0.1/",
        "https://hooks.example:22/",
        "https://hooks.example:80/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks.example:x/",
        "https://hooks.example:0443/",
        "https://hooks.example#fragment",
        "https://hooks.example/a b",
        "https://hooks.example\\@10.0.0.1/",
        "https://hooks.example/\t",
        "https://hooks.example/\r\nHost: x",
        "https://hóoks.example/",
        "https://hooks.example/{a}",
        "https://[fe80::1%25eth0]/",
        "https://" + "a" * 600,
        "",
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    assert "url" in refused("bad_value", destination_of, url, False).detail


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://Hooks.Example", "hooks.example", 443, "/", "hooks.example"),
        ("https://hooks.example:443/a?b=c", "hooks.example", 443, "/a?b=c", "hooks.example"),
        ("https://hooks.example:8443/a%20b", "hooks.example", 8443, "/a%20b", "hooks.example:8443"),
        ("https://[2606:4700::1]:8443?a", "2606:4700::1", 8443, "/?a", "[2606:4700::1]:8443"),
    ],
)
def test_a_url_is_taken_apart(url: str, host: str, port: int, path: str, authority: str) -> None:
    there = destination_of(url, False)
    assert (there.host, there.port, there.path, there.authority) == (host, port, path, authority)


@pytest.mark.parametrize("written", ["127.1", "2130706433", "0x7f000001", "017700000001", "localhost"])
def test_an_address_in_disguise_is_judged_by_what_it_leads_to(written: str) -> None:
    assert reachable(reach.look_up(written, 443), False) == []


# ------------------------------------------------------------------ at every delivery
@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    patient(monkeypatch)
    made = private_town(tmp_path)
    made.locker("S")
    yield made
    made.store.close()


def test_a_name_that_answers_something_else_at_delivery_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when the webhook was made, this machine when it is told."""
    patient(monkeypatch)
    town = open_town(tmp_path)
    town.locker("S")
    receiver = Receiver(scheme="https")
    with receiving(receiver):
        made = hook(town, f"https://{NAME}:{receiver.port}/", addresses="8.8.8.8")
        town.expect("a")
        with delivering(town, lambda _host, _port: ["127.0.0.1", "::1"]) as deliverer:
            settle(town, deliverer)
    assert receiver.got == [] and look(town, made).failure == "private_address"
    town.store.close()


def test_a_name_is_looked_up_once_in_a_try_and_what_was_judged_is_connected_to(town: Town) -> None:
    """The second answer would lead elsewhere; the connection goes to the first, under the name."""
    asked: list[str] = []

    def look_up(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with receiving() as receiver, delivering(town, look_up) as deliverer:
        hook(town, f"http://{NAME}:{receiver.port}/x")
        town.expect("a")
        settle(town, deliverer)
    assert asked == [NAME] and receiver.got[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_a_webhook_made_while_private_ones_were_allowed_is_judged_anew(town: Town) -> None:
    with receiving() as receiver:
        made = hook(town, receiver.url)
        town.desk = replace(town.desk, settings=Settings.default(Path("/nowhere")))
        town.expect("a")
        with delivering(town) as deliverer:
            settle(town, deliverer)
        assert receiver.got == [] and look(town, made).failure == "bad_url"


def test_an_address_that_nobody_answers_at_is_passed_over_for_the_next(town: Town) -> None:
    with receiving() as receiver, delivering(town, lambda _host, _port: ["127.0.0.9", "127.0.0.1"]) as deliverer:
        hook(town, f"http://{NAME}:{receiver.port}/")
        town.expect("a")
        settle(town, deliverer)
        assert len(receiver.got) == 1 and waiting(town) == []


@pytest.mark.parametrize(("found", "failure"), [([], "unknown_host"), (["127.0.0.9"], "unreachable")])
def test_what_stood_in_the_way_has_a_word(town: Town, found: list[str], failure: str) -> None:
    with delivering(town, lambda _host, _port: found) as deliverer:
        made = hook(town, f"http://{NAME}:9009/")
        town.expect("a")
        settle(town, deliverer)
        assert look(town, made).failure == failure


def test_a_receiver_that_dribbles_its_answer_is_cut_off(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.WEBHOOK_S_MAX", 0.3)

    def dribble(_got: object) -> tuple[int, dict[str, str]]:
        return 200, {f"x-{number}": "a" * 1_000 for number in range(2)}

    with receiving(Receiver(answer=dribble, pause_s=0.05)) as receiver, delivering(town) as deliverer:
        made = hook(town, receiver.url)
        town.expect("a")
        deliverer.wake()
        wait_for(lambda: look(town, made).failure)
        assert look(town, made).failure == "timeout"


# ------------------------------------------------------------------ TLS
@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Authority"]:
    yield Authority(tmp_path_factory.mktemp("authority"))


class Authority:
    """Signs certificates for names, for the length of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority")])
        self.certificate = self._signed(self.name, self.key.public_key(), True, None)

    def _signed(self, name: x509.Name, key: ec.EllipticCurvePublicKey, ca: bool, dns: str | None) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
        )
        if dns is not None:
            names: list[x509.GeneralName] = [x509.DNSName(dns)]
            if dns == "127.0.0.1":
                names = [x509.IPAddress(ipaddress.ip_address(dns))]
            built = built.add_extension(x509.SubjectAlternativeName(names), False)
        return built.sign(self.key, hashes.SHA256())

    def trusting(self) -> ssl.SSLContext:
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def serving(self, dns: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, dns)])
        path = self.folder / f"{dns}.chain"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + self._signed(subject, key.public_key(), False, dns).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def test_the_certificate_is_checked_for_the_name_and_the_name_is_asked_for(town: Town, authority: Authority) -> None:
    asked: list[str | None] = []
    serving = authority.serving(NAME)
    serving.sni_callback = lambda _socket, name, _context: asked.append(name)
    with receiving(tls=serving) as receiver, delivering(town, here, authority.trusting()) as deliverer:
        hook(town, f"https://{NAME}:{receiver.port}/")
        town.expect("a")
        settle(town, deliverer)
        assert waiting(town) == [] and receiver.got[0].headers["host"] == f"{NAME}:{receiver.port}"
    assert asked == [NAME]


@pytest.mark.parametrize("dns", ["other.example", "127.0.0.1"])
def test_a_certificate_of_another_name_or_of_the_address_is_refused(
    town: Town, authority: Authority, dns: str
) -> None:
    with (
        receiving(tls=authority.serving(dns)) as receiver,
        delivering(town, here, authority.trusting()) as deliverer,
    ):
        made = hook(town, f"https://{NAME}:{receiver.port}/")
        town.expect("a")
        settle(town, deliverer)
        assert receiver.got == [] and look(town, made).failure == "tls"


def test_an_authority_that_nobody_trusts_is_refused(town: Town, authority: Authority) -> None:
    with receiving(tls=authority.serving(NAME)) as receiver, delivering(town, here) as deliverer:
        made = hook(town, f"https://{NAME}:{receiver.port}/")
        town.expect("a")
        settle(town, deliverer)
        assert receiver.got == [] and look(town, made).failure == "tls"


def test_two_names_at_one_address_each_prove_their_own(town: Town, authority: Authority) -> None:
    """A connection made for one name is not used for the other."""
    with (
        receiving(tls=authority.serving(NAME)) as receiver,
        delivering(town, here, authority.trusting()) as deliverer,
    ):
        good = hook(town, f"https://{NAME}:{receiver.port}/good")
        town.expect("a")
        settle(town, deliverer)
        assert look(town, good).waiting == 0
        webhooks.delete_webhook(town.desk, COLIBRI, good.number)
        bad = hook(town, f"https://other.example:{receiver.port}/bad")
        town.expect("b")
        settle(town, deliverer)
        assert look(town, bad).failure == "tls"
        assert {one.path for one in receiver.got} == {"/good"}

"""Our own broker behind TLS: who gets in where, and what its certificate says."""

import contextlib
import datetime
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from mqtt_town import KEYS, TinyLocker
from patience import WAIT_S, wait_for

from gateway.authority import Authority, AuthorityError
from gateway.broker import Broker, Secured, find_mosquitto
from gateway.config import Address
from protocol import topics

MAIRIE, GARE = ("mairie-1", "gare-1")
NAMES = ("localhost", "127.0.0.1")
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
ANY = Address("127.0.0.1", 0)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("town")
    secured = Secured(ANY, NAMES, Authority(folder / "tls"))
    broker = Broker(folder / "broker", find_mosquitto(), ANY, KEYS, secured)
    broker.start([(name, 1) for name in (MAIRIE, GARE)])
    yield broker
    broker.stop()


def ca_of(broker: Broker) -> ssl.SSLContext:
    assert broker.secured is not None
    return trusting(broker.secured.authority.folder / "ca.pem")


def trusting(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))


def served(broker: Broker, context: ssl.SSLContext, name: str = "localhost") -> x509.Certificate:
    """The certificate that it shows to whoever trusts so and calls it so. Raises ssl.SSLError."""
    assert broker.secure_address is not None
    with (
        socket.create_connection((broker.secure_address.host, broker.secure_address.port), WAIT_S) as plain,
        context.wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        der = wrapped.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der)


def locker_at(broker: Broker, name: str, **more: str) -> TinyLocker:
    assert broker.secure_address is not None
    return TinyLocker(broker.secure_address, name, context=ca_of(broker), **more)


def test_behind_tls_a_locker_can_neither_speak_as_another_nor_hear_what_is_for_it(broker: Broker):
    listener = TinyLocker(
        broker.address, "_gateway", password=broker.address.password, listens_to="consigne/1/#"
    )  # the gateway itself needs no TLS: its port is this machine's
    thief, victim = locker_at(broker, GARE, client_id=MAIRIE), locker_at(broker, MAIRIE)
    try:
        thief.client.subscribe([("consigne/1/+/+/down", 1), (topics.topic(MAIRIE, "down"), 1), ("#", 1)])
        for leaf in ("up", "state", "down"):
            thief.throw(topics.topic(MAIRIE, leaf), b"forged")
        listener.throw(topics.topic(MAIRIE, "down"), b"order for mairie")
        wait_for(lambda: victim.raw)
        thief.throw(topics.topic(GARE, "up"), b"mine")
        wait_for(lambda: listener.raw)
        assert listener.raw == [(topics.topic(GARE, "up"), b"mine")]
        assert victim.raw == [(topics.topic(MAIRIE, "down"), b"order for mairie")]
        listener.throw(topics.topic(GARE, "down"), b"order for gare")
        wait_for(lambda: thief.raw)  # what came before it, if it was let through, would have come first
        assert thief.raw == [(topics.topic(GARE, "down"), b"order for gare")]
        assert victim.client.is_connected()  # its client id could not be taken
    finally:
        for one in (listener, thief, victim):
            one.close()


def test_the_password_of_another_locker_opens_nothing(broker: Broker):
    stranger = locker_at(broker, MAIRIE, password=KEYS.mqtt_password(GARE, 1))
    stranger.close()
    assert stranger.refused


def test_without_tls_the_lockers_port_says_nothing_and_the_other_port_is_this_machines_alone(broker: Broker):
    assert broker.secure_address is not None
    with socket.create_connection((broker.secure_address.host, broker.secure_address.port), WAIT_S) as plain:
        plain.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04me-1")
        plain.settimeout(WAIT_S)
        with contextlib.suppress(ConnectionError):
            assert plain.recv(4)[:1] in (b"", b"\x15")  # the end or an alert of TLS, and no CONNACK
    listeners = [
        line for line in (broker.folder / "mosquitto.conf").read_text().splitlines() if line.startswith("listener ")
    ]
    assert listeners == [
        f"listener {broker.address.port} 127.0.0.1",
        f"listener {broker.secure_address.port} 127.0.0.1",
    ]


def test_its_certificate_holds_for_its_names_and_for_whoever_trusts_its_ca_and_for_nobody_else(
    broker: Broker, tmp_path: Path
):
    mine = ca_of(broker)
    assert served(broker, mine).serial_number == served(broker, mine, "127.0.0.1").serial_number
    with pytest.raises(ssl.SSLCertVerificationError, match=r"[Hh]ostname"):
        served(broker, mine, "elsewhere.example")
    Authority(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"signature failure|unable to get local issuer"):
        served(broker, trusting(tmp_path / "ca.pem"))


def test_a_certificate_that_is_due_is_made_anew_and_served_without_a_restart(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    before, pid = served(broker, ca_of(broker)), broker.pid
    broker.sync([(MAIRIE, 1), (GARE, 1)])
    assert served(broker, ca_of(broker)).serial_number == before.serial_number  # it is young
    monkeypatch.setattr("gateway.authority.BROKER_CERTIFICATE_RENEWED_DAYS", 398)
    broker.sync([(MAIRIE, 1), (GARE, 1)])  # as the clockwork does every few seconds
    wait_for(lambda: served(broker, ca_of(broker)).serial_number != before.serial_number)
    assert broker.pid == pid


def test_a_certificate_near_its_end_or_of_other_names_or_torn_is_made_anew_and_the_ca_stays(tmp_path: Path):
    first = Authority(tmp_path)
    assert first.certify(NAMES, NOW - 340 * DAY)
    assert not first.certify(NAMES, NOW - 20 * DAY)
    again = Authority(tmp_path)
    assert again.der == first.der
    assert not again.certify(NAMES, NOW - 20 * DAY)
    assert again.certify(NAMES)
    assert not again.certify(NAMES)
    assert again.certify(("broker.example",))
    (tmp_path / "server.key").write_text((tmp_path / "ca.key").read_text())  # of another certificate
    assert again.certify(("broker.example",))
    (tmp_path / "server.pem").write_bytes(b"torn")
    assert again.certify(("broker.example",))
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_ca_whose_key_is_lost_or_not_its_own_is_told_with_what_to_do(tmp_path: Path):
    Authority(tmp_path / "one")
    Authority(tmp_path / "other")
    key = tmp_path / "one" / "ca.key"
    key.write_text((tmp_path / "other" / "ca.key").read_text())
    with pytest.raises(AuthorityError, match="restore both"):
        Authority(tmp_path / "one")
    key.unlink()
    with pytest.raises(AuthorityError, match="provision every locker"):
        Authority(tmp_path / "one")
    key.write_text("nothing")
    key.chmod(0o600)
    with pytest.raises(AuthorityError, match="no key of ours"):
        Authority(tmp_path / "one")

"""Somebody else's broker, over TLS: read and written like our own, and its certificate must be good."""

import contextlib
import datetime
import getpass
import ipaddress
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mqtt_town import KEYS
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from patience import wait_for

from gateway.broker import find_mosquitto
from gateway.config import Address
from gateway.domain.events import Answer
from gateway.envelopes import Envelopes
from gateway.mqtt import Connection
from gateway.pipeline import Pipeline
from gateway.ports import lasting_port
from protocol import cose, messages, topics
from protocol.messages import Ack, DoorOpened, Up


def certificate(folder: Path) -> None:
    """A certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@contextlib.contextmanager
def tls_broker(folder: Path) -> Iterator[Address]:
    certificate(folder)
    port = lasting_port("127.0.0.1")
    (folder / "conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n"
        f"certfile {folder}/cert.pem\nkeyfile {folder}/key.pem\nlog_dest none\n"
    )
    found = find_mosquitto()
    with subprocess.Popen(
        [str(found.binary), "-c", str(folder / "conf")],
        env={"LD_LIBRARY_PATH": found.libraries} if found.libraries else {},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(lambda: _listens(port))
            yield Address("127.0.0.1", port, tls=True)
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def echo(address: Address) -> Pipeline:
    return Pipeline(
        lambda arrivals: [Answer(arrival.locker, [Ack(arrival.up.seq)]) for arrival in arrivals],
        Envelopes(KEYS, lambda _locker: 1),
        None,
        Connection(address),
    )


def test_a_broker_behind_tls_is_spoken_to_like_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with tls_broker(tmp_path) as address:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        pipeline = echo(address)
        pipeline.start()
        heard: list[int] = []
        locker = paho.Client(CallbackAPIVersion.VERSION2, client_id="mairie-1")
        locker.tls_set(str(tmp_path / "cert.pem"))
        locker.on_message = lambda _client, _data, message: heard.append(
            messages.decode_down(
                cose.open_mac0(KEYS.hmac("mairie-1", 1, "down"), b"\x01", message.payload)
            ).command.seq
        )
        try:
            wait_for(lambda: pipeline.connected)
            locker.connect(address.host, address.port)
            locker.loop_start()
            locker.subscribe(topics.topic("mairie-1", "down"), 1)
            for seq in range(1, 301):  # more than one TLS record at a time
                inside = messages.encode(Up(1, seq, 0, None, DoorOpened(1)))
                payload = cose.mac0(KEYS.hmac("mairie-1", 1, "up"), b"\x01", inside)
                locker.publish(topics.topic("mairie-1", "up"), payload, 1)
            wait_for(lambda: len(heard) == 300)
            assert heard == list(range(1, 301))
        finally:
            locker.disconnect()
            locker.loop_stop()
            pipeline.stop()


def test_a_broker_whose_certificate_nobody_vouches_for_is_not_spoken_to(tmp_path: Path):
    with tls_broker(tmp_path) as address:
        connection = Connection(address)
        assert not connection.open()
        assert connection.last_error == "SSLCertVerificationError"
        connection.close()

"""A real mail server and a real text message provider on free ports, and a desk that sends letters through them.

The locker is played by what it would say (books_town); the clock stands still until a test moves it.
"""

import contextlib
import datetime
import email
import email.policy
import ipaddress
import json
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from books_town import COLIBRI, Town, open_town
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from patience import WAIT_S
from serving import serving

from gateway.config import Address
from gateway.domain.letters import Letter
from gateway.domain.parcels import NewParcel, Parcel
from gateway.notify.letters import Round
from gateway.notify.set_up import mail_server
from gateway.notify.sms_http import SmsSender
from gateway.notify.smtp import MailSender, MailServer
from gateway.ports import lasting_port
from gateway.services import letters, parcels
from protocol.messages import Assign

FROM = "Consignes de Saint-Élan <consigne@saint-elan.example>"
URL = "https://colis.saint-elan.example"
MAIL, PHONE = "zsofia.kanarek@mail.example", "06 99 88 77 66"
NAME = "Zsófia Kanarek"


# ------------------------------------------------------------------ the mail server
class Postbox:
    """Takes mail, or says what a test wants it to say. `said` at RCPT, `said_at_end` after the text."""

    def __init__(self, **settings: Any) -> None:
        self.port = lasting_port("127.0.0.1")
        self.got: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.greeted: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.said: Callable[[str], str] = lambda _address: "250 OK"
        self.said_at_end: Callable[[], str] = lambda: "250 OK"
        self._settings = settings
        self._controller: Controller | None = None

    def start(self) -> "Postbox":
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, ready_timeout=WAIT_S, **self._settings
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
        self._controller = None

    # the names that aiosmtpd calls
    async def handle_EHLO(  # noqa: N802
        self, _server: Any, session: Any, _envelope: Any, host: str, said: list[str]
    ) -> list[str]:
        session.host_name = host
        self.greeted.append(host)
        return said

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        said = self.said(address)
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        said = self.said_at_end()
        if said.startswith("250"):
            read = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
            assert isinstance(read, EmailMessage)
            self.got.append(read)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return said

    def check_login(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        self.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=given.password == b"hush-hush", handled=False)


@contextlib.contextmanager
def postbox(**settings: Any) -> Iterator[Postbox]:
    box = Postbox(**settings).start()
    try:
        yield box
    finally:
        box.stop()


def words_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def codes_in(text: str) -> set[str]:
    return {found.replace(" ", "") for found in re.findall(r"\b\d{3} \d{3} \d{3} \d{3}\b", text)}


# ------------------------------------------------------------------ the text message provider
@dataclass
class Provider:
    """`said`: status, headers and body of the next answers."""

    url: str
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    said: tuple[int, dict[str, str], bytes] = (200, {}, b'{"id": "sm-1"}')


@contextlib.contextmanager
def provider() -> Iterator[Provider]:
    made = Provider("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(json.loads(body))
            made.headers.append(dict(self.headers))
            status, headers, answer = made.said
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/send"
    with serving(server):
        yield made


# ------------------------------------------------------------------ the desk
@dataclass
class Letters:
    """A town whose desk sends letters."""

    town: Town
    box: Postbox
    provider: Provider | None
    mail: Round
    sms: Round | None

    def run(self) -> int:
        """One round of each channel."""
        return self.mail.run() + (self.sms.run() if self.sms is not None else 0)

    def expect(self, label: str, **recipient: str) -> Parcel:
        new = NewParcel(
            label, "mairie-1", "S", "colibri", **{f"recipient_{name}": at for name, at in recipient.items()}
        )
        return parcels.expect_parcel(self.town.desk, COLIBRI, new)

    def deposited(self, label: str = "label-1", **recipient: str) -> Parcel:
        made = self.expect(label, **(recipient or {"mail": MAIL}))
        return self.put_in(made)

    def put_in(self, made: Parcel) -> Parcel:
        answer = self.town.ask("mairie-1", self.town.badge(), made.label)
        assert isinstance(answer, Assign)
        with self.town.store.reading() as tx:
            box = tx.compartment("mairie-1", answer.compartment)
        assert box is not None
        self.town.put_in("mairie-1", answer.compartment, box.deposit + 1, made.number)
        return self.town.parcel(made.number)

    def code(self, parcel: Parcel) -> str:
        return parcels.pickup_code(self.town.desk, COLIBRI, parcel.number).code

    def rows(self, parcel: Parcel) -> list[Letter]:
        found = letters.letters_of(self.town.desk, COLIBRI, parcel.number)
        assert found is not None
        return found

    def told(self, parcel: Parcel) -> list[tuple[str, str, str]]:
        return [(row.kind, row.channel, row.state) for row in self.rows(parcel)]

    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.box.got]


@contextlib.contextmanager
def letters_town(folder: Path, with_sms: bool = False, doors: int = 4) -> Iterator[Letters]:
    with contextlib.ExitStack() as ending:
        box = ending.enter_context(postbox())
        sms = ending.enter_context(provider()) if with_sms else None
        town = open_town(folder)
        ending.callback(town.store.close)
        settings = replace(town.desk.settings, smtp=Address("127.0.0.1", box.port), mail_from=FROM)
        if sms is not None:
            settings = replace(settings, sms_url=sms.url, sms_body="{}")
        town.desk = replace(town.desk, settings=settings)
        town.locker(*["S"] * doors)
        sender = MailSender(mail_server(settings.smtp, None), FROM, URL, "colis.saint-elan.example")
        by_phone = None if sms is None else Round(town.desk, "sms", SmsSender(sms.url, {}, SMS_BODY, URL))
        yield Letters(town, box, sms, Round(town.desk, "mail", sender), by_phone)


SMS_BODY = '{"recipients": ["{to}"], "message": "{text}", "sender": "Consigne"}'


# ------------------------------------------------------------------ certificates
@dataclass(frozen=True)
class Signed:
    """A certificate for `names` and its key, as files; and the CA that signed it."""

    certificate: Path
    key: Path
    ca: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))


def signed(folder: Path, name: str = "127.0.0.1", days: int = 1) -> Signed:
    """By a CA made for this alone."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA of a test")])
    now = datetime.datetime.now(datetime.UTC)
    since, until = now - datetime.timedelta(days=3), now + datetime.timedelta(days=days)

    def begun(subject: x509.Name, public: Any) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name).public_key(public)
        return made.serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)

    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = begun(ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    ca = ca.add_extension(identifier, False).sign(ca_key, hashes.SHA256())
    leaf_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server")])
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    leaf = begun(leaf_name, key.public_key()).add_extension(x509.SubjectAlternativeName([alternative]), False)
    leaf = leaf.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)
    done = leaf.sign(ca_key, hashes.SHA256())
    paths = Signed(folder / "server.crt", folder / "server.priv", folder / "ca.crt")
    pem = serialization.Encoding.PEM
    paths.certificate.write_bytes(done.public_bytes(pem))
    paths.ca.write_bytes(ca.public_bytes(pem))
    bare = serialization.NoEncryption()
    paths.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, bare))
    return paths


def mail_sender(box: Postbox, tls: str, trust: ssl.SSLContext | None = None, **login: str) -> MailSender:
    return MailSender(MailServer("127.0.0.1", box.port, tls, **login), FROM, URL, "colis.saint-elan.example", trust)

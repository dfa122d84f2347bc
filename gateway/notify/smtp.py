"""Mail by SMTP (RFC 5321): over TLS whose certificate was checked, to a server that takes our letters.

4xx is later, 5xx is never for that address; what is about us (login, sender, TLS) or the server is later for all. An
answer that was lost leaves a letter that may have gone: it goes again, under the same Message-ID.
"""

import contextlib
import ipaddress
import smtplib
import ssl
from collections.abc import Generator
from dataclasses import dataclass, field
from email.message import EmailMessage

from gateway.domain.letters import Contents
from gateway.limits import SMTP_WAIT_S
from gateway.notify.mail import compose, mailbox
from gateway.notify.senders import NeverError, TryLater


@dataclass(frozen=True)
class MailServer:
    """`tls`: "first" (smtps), "starttls", or "none": for this machine only, where nothing crosses a wire."""

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)


class MailSender:
    """One connection for the letters of a round."""

    def __init__(
        self, server: MailServer, mail_from: str, public_url: str, host_name: str, trust: ssl.SSLContext | None = None
    ) -> None:
        """`host_name`: what we call ourselves in EHLO. `trust`: None: the CAs of this system."""
        self._server = server
        self._mail_from = mail_from
        self._envelope_from = mailbox(mail_from).addr_spec
        self._public_url = public_url
        self._host_name = ehlo_name(host_name)
        self._trust = trust or ssl.create_default_context()
        self._session: smtplib.SMTP | None = None

    def send(self, contents: Contents) -> str:
        message = compose(contents, self._mail_from, self._public_url)
        with _failures_of_the_server():
            session = self._session or self._open()
        with _failures_of_the_server(), _failures_of_the_letter():
            self._hand_over(session, message)
        return str(message["Message-ID"])

    def _hand_over(self, session: smtplib.SMTP, message: EmailMessage) -> None:
        try:
            session.sendmail(self._envelope_from, [message["To"].addresses[0].addr_spec], message.as_bytes())
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused):
            if session.sock is None:  # 421: it hangs up
                self._session = None
            raise
        except BaseException:
            self._drop()
            raise

    def _open(self) -> smtplib.SMTP:
        """Raises OSError, SMTPException."""
        server = self._server
        if server.tls == "first":
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, self._host_name, timeout=SMTP_WAIT_S, context=self._trust
            )
        else:
            session = smtplib.SMTP(server.host, server.port, self._host_name, timeout=SMTP_WAIT_S)
        self._session = session
        try:
            if server.tls == "starttls":
                session.starttls(context=self._trust)  # one that does not offer it gets nothing of us
            if server.user:
                session.login(server.user, server.password)
        except BaseException:
            self._drop()
            raise
        return session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = None

    def close(self) -> None:
        if self._session is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._session.quit()
        self._drop()


def ehlo_name(host: str) -> str:
    """RFC 5321 4.1.3: an address stands in brackets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


@contextlib.contextmanager
def _failures_of_the_letter() -> Generator[None]:
    """What the server says of this recipient or of this text."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as refused:
        code = min(code for code, _ in refused.recipients.values())
        _judge(code)
    except smtplib.SMTPDataError as refused:
        _judge(refused.smtp_code)


def _judge(code: int) -> None:
    if code == 421:
        raise TryLater("no_answer", of_the_channel=True)
    if 500 <= code < 600:
        raise NeverError("refused")
    raise TryLater("not_now")


@contextlib.contextmanager
def _failures_of_the_server() -> Generator[None]:
    """What would meet every letter. No text of the server is kept: it repeats addresses."""
    try:
        yield
    except smtplib.SMTPAuthenticationError:
        raise TryLater("login_refused", of_the_channel=True)
    except smtplib.SMTPSenderRefused:
        raise TryLater("sender_refused", of_the_channel=True)
    except (ssl.SSLError, smtplib.SMTPNotSupportedError):  # a certificate that is not its own; no STARTTLS, no login
        raise TryLater("not_safe", of_the_channel=True)
    except (smtplib.SMTPException, OSError):
        raise TryLater("no_answer", of_the_channel=True)

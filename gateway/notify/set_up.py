"""The senders that the settings ask for, with their secrets read from files that nobody else can read."""

from pathlib import Path
from urllib.parse import urlsplit

from gateway import log
from gateway.config import Address, Settings
from gateway.key_files import KeyFileError, read_secret
from gateway.notify.senders import Sender
from gateway.notify.sms_http import SmsSender, read_headers
from gateway.notify.smtp import MailSender, MailServer


def senders_of(settings: Settings, http_url: str) -> dict[str, Sender]:
    """By channel. `http_url`: what links begin with where no other address is set. Raises KeyFileError."""
    public_url = settings.public_url or http_url
    if not settings.public_url:
        log.event("letters_without_public_url", links_begin_with=public_url)
    found: dict[str, Sender] = {}
    if settings.smtp is not None and settings.mail_from:
        server = mail_server(settings.smtp, settings.smtp_password_file)
        found["mail"] = MailSender(
            server, settings.mail_from, public_url, urlsplit(public_url).hostname or "localhost"
        )
    if settings.sms_url and settings.sms_body:
        found["sms"] = SmsSender(settings.sms_url, _headers(settings.sms_headers_file), settings.sms_body, public_url)
    return found


def mail_server(address: Address, password_file: Path | None) -> MailServer:
    password = "" if password_file is None else read_secret(password_file)
    tls = "first" if address.tls else ("none" if address.is_loopback else "starttls")
    return MailServer(address.host, address.port, tls, address.user, password)


def _headers(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        return read_headers(read_secret(path))
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}")

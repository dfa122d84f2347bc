"""The demonstration's post: a mail server on loopback that takes every letter of the gateway, whomever it is for."""

import email
import email.policy
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from gateway.words import LANGUAGES

LETTERS_MAX = 50  # the oldest goes
FROM = "Consignes <consigne@example.org>"
KINDS = ("arrived", "code_changed", "reminder", "expired", "collected")
_LINK = re.compile(r"https?://\S+/p/[\w-]+")
_BETWEEN_LANGUAGES = "\n-----\n"


@dataclass(frozen=True)
class Letter:
    """`texts`: language -> its part of the text. `link`: to the recipient's page."""

    number: int
    kind: str
    to: str
    sender: str
    subject: str
    texts: dict[str, str]
    link: str


class Mailbox:
    """`heard` is told of each letter, in the server's own thread."""

    def __init__(self, heard: Callable[[Letter], None] = lambda _letter: None) -> None:
        self.heard = heard
        self._letters: list[Letter] = []
        self._lock = threading.Lock()
        self._port = _free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)
        self._controller.start()

    @property
    def settings(self) -> tuple[str, ...]:
        """Flags of a gateway that posts its letters here."""
        return "--smtp", f"smtp://127.0.0.1:{self._port}", "--mail-from", FROM

    def letters(self) -> list[Letter]:
        """Newest first."""
        with self._lock:
            return self._letters[::-1]

    def letter(self, number: int) -> Letter | None:
        with self._lock:
            return next((one for one in self._letters if one.number == number), None)

    def close(self) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's word
        read = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(read, EmailMessage)
        with self._lock:
            number = self._letters[-1].number + 1 if self._letters else 1
            letter = _letter(number, read)
            self._letters = [*self._letters, letter][-LETTERS_MAX:]
        self.heard(letter)
        return "250 OK"


def _free_port() -> int:
    """Its Controller dials the port that it was told, so 0 will not do."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _letter(number: int, read: EmailMessage) -> Letter:
    body = read.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    parts = dict(zip(LANGUAGES, text.replace("\r\n", "\n").split(_BETWEEN_LANGUAGES), strict=False))
    link = _LINK.search(text)
    texts = {code: part.strip() for code, part in parts.items()}
    subject = str(read["subject"])
    return Letter(number, _kind(subject), str(read["to"]), str(read["from"]), subject, texts, link[0] if link else "")


def _kind(subject: str) -> str:
    starts = {kind: LANGUAGES["fr"].texts[f"letter.{kind}.subject"].split("{")[0] for kind in KINDS}
    return next((kind for kind, start in starts.items() if subject.startswith(start)), "")

"""The demonstration's post: a mail server on loopback that takes every letter of the gateway, whomever it is for."""

import email
import email.policy
import re
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from gateway.words import LANGUAGES

LETTERS_MAX = 50  # the oldest goes
LINE_MAX, LINES_MAX = 1_000, 5_000  # a letter of ours has some hundred lines
STOP_LOOK_S = 0.1
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
    """`heard` is told of each letter, in a thread of the server."""

    def __init__(self, heard: Callable[[Letter], None] = lambda _letter: None) -> None:
        self.heard = heard
        self._letters: list[Letter] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.take = self._take
        threading.Thread(target=self._server.serve_forever, args=(STOP_LOOK_S,), daemon=True).start()

    @property
    def settings(self) -> tuple[str, ...]:
        """Flags of a gateway that posts its letters here."""
        return "--smtp", f"smtp://127.0.0.1:{self._server.server_address[1]}", "--mail-from", FROM

    def letters(self) -> list[Letter]:
        """Newest first."""
        with self._lock:
            return self._letters[::-1]

    def letter(self, number: int) -> Letter | None:
        with self._lock:
            return next((one for one in self._letters if one.number == number), None)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, content: bytes) -> None:
        read = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(read, EmailMessage)
        with self._lock:
            number = self._letters[-1].number + 1 if self._letters else 1
            letter = _letter(number, read)
            self._letters = [*self._letters, letter][-LETTERS_MAX:]
        self.heard(letter)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    take: Callable[[bytes], None]


class _Session(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as our own gateway speaks to a server on its machine: no login, no TLS, nothing refused."""

    timeout = 30
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def handle(self) -> None:
        self._say("220 the demonstration's post")
        while line := self.rfile.readline(LINE_MAX):
            word = line[:4].upper()
            if word == b"DATA":
                self._say("354 go on")
                self.server.take(self._content())
            self._say("221 bye" if word == b"QUIT" else "250 OK")
            if word == b"QUIT":
                return

    def _content(self) -> bytes:
        """Up to the line of a dot; a line that begins with one has one more (4.5.2)."""
        lines: list[bytes] = []
        while (line := self.rfile.readline(LINE_MAX)) not in (b".\r\n", b"") and len(lines) < LINES_MAX:
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


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

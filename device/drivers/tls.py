"""TLS over the broker's socket, loaded only where /config.json asks for it: {"broker": {"tls": {"server_name": …}}}.

Nothing waits: the handshake is stepped by writing, and stands still when no byte has come. Who is on the other
side must be vouched for by a CA in /tls and carry the configured name. Dates are judged by what the agent knows of
the time; the board's own clock, which mbedTLS asks, is set to that.
"""

import hashlib
import os
import time
from binascii import hexlify
from typing import TYPE_CHECKING

import machine
import tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_FOLDER = "/tls"
_PIECE = 1024  # bytes encrypted at a time, so that a lap stays short
_CERTIFICATE_MAX = 2048
_DIGITS = 8
_YEAR_2000_S = 946_684_800
_NEVER_S = 1 << 40
# What mbedTLS says of a certificate (it may say several at once) -> the word for the console.
_WORDS = (
    ("trusted CA", "wrong_ca"),
    ("Common Name", "wrong_host"),
    ("expired", "cert_expired"),
    ("in the future", "cert_not_yet"),
)
_ALERT, _REFUSED, _NO_MEMORY = -0x7780, -0x2700, 12


class Tls:
    """One context for ever. `feed` keeps the watchdog off between the steps of a handshake, the longest that a lap may
    take; `name` is what the broker's certificate must be for."""

    def __init__(self, name: str, feed: "Callable[[], None]", root: str = "") -> None:
        self._name = name
        self._feed = feed
        self._now_s = 0
        self._known = False
        self._why = ""
        self._begins_s = self._ends_s = 0  # while all certificates of the chain are valid
        self._named = False  # whether the last certificate seen at depth 0 is for that name
        self._context: Any = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        self._context.verify_mode = tls.CERT_REQUIRED
        self._context.verify_callback = self._seen
        self._ready = _load(self._context, root + _FOLDER)

    def judge_by(self, now_s: int, known: bool) -> None:
        """`now_s`: Unix time; not `known`: it is at least so late (0: nothing is known)."""
        self._now_s = now_s
        self._known = known
        if known or now_s > _clock_s():
            _set_clock(now_s)

    def wrap(self, stream: "Any") -> "_Session":
        """Raises OSError."""
        self._why = "" if self._ready else "no_ca"
        self._begins_s = 0
        self._ends_s = _NEVER_S
        if not self._ready:
            raise OSError(0)
        inner = self._context.wrap_socket(stream, server_hostname=self._name, do_handshake_on_connect=False)
        return _Session(inner, self._feed)

    def why(self, error: Exception) -> str:
        """The word for what ended a handshake."""
        if self._why:
            return self._why
        if isinstance(error, OSError):
            words = {_ALERT: "tls_refused", _REFUSED: self._unsaid(), _NO_MEMORY: "no_memory"}
            return words.get(error.args[0], "not_tls")
        said = str(error)
        for part, word in _WORDS:
            if part in said:
                if word == "cert_not_yet" and not self._known and self._begins_s > self._now_s:
                    # Our CA signed it, and dates are its only fault: so it is later than a clock that nobody set.
                    self.judge_by(self._begins_s, False)
                return word
        return "tls_refused"

    def _unsaid(self) -> str:
        """Where mbedTLS refuses a certificate and has lost why (it does when the other side is slow): what its name
        and its dates leave. It proves nothing, so no clock is set by it."""
        if not self._named:
            return "wrong_host"
        if self._ends_s < _clock_s():
            return "cert_expired"
        return "cert_not_yet" if self._begins_s > _clock_s() else "wrong_ca"

    def _seen(self, certificate: "Any", depth: int) -> int:
        """Called by mbedTLS for each certificate of the chain, after it judged them itself: with dates or, as many
        boards' builds do, without."""
        self._feed()
        dates = _validity(certificate)
        if dates is None or dates[1] < self._now_s:
            self._why = "cert_expired"
            return 1
        self._begins_s = max(self._begins_s, dates[0])
        self._ends_s = min(self._ends_s, dates[1])
        if not depth:
            self._named = _is_for(bytes(certificate), self._name)
        return 0


class _Session:
    """One connection. As a socket, but nothing is 0 (send) or None (recv). `shaking` until the handshake is over."""

    def __init__(self, inner: "Any", feed: "Callable[[], None]") -> None:
        self._inner = inner
        self._feed = feed
        self._stuck = 0  # bytes that mbedTLS has begun to send: it must be given the same ones again
        self.shaking = True

    def send(self, data: bytes) -> int:
        """Raises OSError; while shaking also ValueError."""
        if self.shaking:
            self._feed()
        piece = data[: self._stuck or _PIECE]
        sent = self._inner.write(piece)
        if self.shaking:
            self._feed()
        if sent is None:
            self._stuck = len(piece)
            return 0
        self.shaking = False
        self._stuck = len(piece) - sent
        return sent

    def recv(self, size: int) -> "bytes | None":
        return self._inner.read(size)

    def close(self) -> None:
        self._inner.close()


# ------------------------------------------------------------------ what it trusts
def _load(context: "Any", folder: str) -> bool:
    """Every whole certificate of the folder; whether there was one. Its name begins its digest, so one that rotted, or
    was being written when the power went, is none."""
    found = False
    for name in _names(folder):
        with open(f"{folder}/{name}", "rb") as file:
            certificate = file.read(_CERTIFICATE_MAX)
        if name == _file_name(certificate):
            try:
                context.load_verify_locations(certificate)
                found = True
            except (ValueError, OSError):
                pass  # whole, and no certificate
    return found


def _file_name(certificate: bytes) -> str:
    """Where a CA's certificate (DER) is kept."""
    return str(hexlify(hashlib.sha256(certificate).digest()), "ascii")[:_DIGITS] + ".der"


def _names(folder: str) -> "list[str]":
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_for(certificate: bytes, name: str) -> bool:
    """Whether a subjectAltName of this certificate (DER) is `name`: a dNSName, also with * for its first label, or an
    iPAddress of four bytes (RFC 5280 4.2.1.6)."""
    labels = name.split(".")
    if len(labels) == 4 and all([label.isdigit() for label in labels]):
        return b"\x87\x04" + bytes([int(label) & 0xFF for label in labels]) in certificate
    names = (name, "*." + ".".join(labels[1:]))
    return any([b"\x82" + bytes([len(one)]) + one.encode() in certificate for one in names])


# ------------------------------------------------------------------ time
def _validity(certificate: "Any") -> "tuple[int, int] | None":
    """(not before, not after) of a certificate in DER, in Unix time; None when it cannot be read."""
    try:
        at = _inside(certificate, _inside(certificate, 0))  # Certificate, TBSCertificate
        for _field in range(4 if certificate[at] == 0xA0 else 3):  # version (if told), serial, algorithm, issuer
            at = _after(certificate, at)
        at = _inside(certificate, at)
        return _time(certificate, at), _time(certificate, _after(certificate, at))
    except (IndexError, ValueError):
        return None


def _header(data: "Any", at: int) -> "tuple[int, int]":
    """(place of the content, its size)."""
    size = data[at + 1]
    if size < 0x80:
        return at + 2, size
    count = size & 0x7F
    return at + 2 + count, int.from_bytes(bytes(data[at + 2 : at + 2 + count]), "big")


def _inside(data: "Any", at: int) -> int:
    return _header(data, at)[0]


def _after(data: "Any", at: int) -> int:
    place, size = _header(data, at)
    return place + size


def _time(data: "Any", at: int) -> int:
    """UTCTime (two digits of the year) or GeneralizedTime."""
    place, size = _header(data, at)
    text = str(bytes(data[place : place + size]), "ascii")
    if size == 13:
        text = ("19" if text >= "50" else "20") + text
    year, month = int(text[:4]), int(text[4:6])
    day, hour, minute, second = [int(text[begin : begin + 2]) for begin in range(6, 14, 2)]
    year -= month < 3  # counted from 1 March; not by mktime(), which on some ports knows a time zone, or ends in 2038
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719_469
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def _epoch_s() -> int:
    """Ports count from 2000, or from 1970."""
    return _YEAR_2000_S if time.gmtime(0)[0] == 2000 else 0


def _clock_s() -> int:
    return int(time.time()) + _epoch_s()


def _set_clock(now_s: int) -> None:
    clock: Any = getattr(machine, "RTC", None)
    if clock is not None:  # where there is none, the system's own is used
        at = time.gmtime(now_s - _epoch_s())
        clock().datetime((at[0], at[1], at[2], at[6], at[3], at[4], at[5], 0))

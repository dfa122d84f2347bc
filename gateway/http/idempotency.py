"""An act takes effect once per Idempotency-Key, and its answer can be had again for 24 hours, byte for byte.

The answer is stored in the transaction of the act itself, so that a crash leaves both or neither. It is sealed under
a key worked out of the caller's own secret: the books hold no readable code, badge or key.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway import limits

NONCE_SIZE = 12


@dataclass(frozen=True)
class Answer:
    """What was said: status, media type, the Location header if any, and the body."""

    status: int
    media_type: str
    location: str
    body: bytes


@dataclass(frozen=True)
class Slot:
    """Where one act's answer is kept. `id` and `key` need the caller's secret to be worked out."""

    id: bytes
    key: bytes
    fingerprint: bytes


def slot(secret: str, idempotency_key: str, method: str, path: str, body_digest: bytes) -> Slot:
    """The same caller with the same key is the same slot; method, path and body make the fingerprint."""
    root = hmac.digest(secret.encode(), b"consigne/1/idempotency/" + idempotency_key.encode(), hashlib.sha256)
    asked = method.encode() + b" " + path.encode() + b"\n" + body_digest
    return Slot(
        id=hmac.digest(root, b"id", hashlib.sha256),
        key=hmac.digest(root, b"key", hashlib.sha256),
        fingerprint=hmac.digest(root, b"fingerprint/" + asked, hashlib.sha256),
    )


# Printable ASCII; HTTP takes the spaces from both ends of a header.
KEY_SCHEMA: Mapping[str, str | int] = {
    "minLength": 1,
    "maxLength": limits.IDEMPOTENCY_KEY_SIZE_MAX,
    "pattern": "^[!-~]([ -~]*[!-~])?$",
}


def is_key(text: str) -> bool:
    return 0 < len(text) <= limits.IDEMPOTENCY_KEY_SIZE_MAX and all(" " <= letter <= "~" for letter in text)


def seal(place: Slot, answer: Answer) -> bytes:
    head = json.dumps([answer.status, answer.media_type, answer.location]).encode()
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + AESGCM(place.key).encrypt(nonce, head + b"\n" + answer.body, place.id)


def unseal(place: Slot, sealed: bytes) -> Answer | None:
    """None: what is stored was sealed for someone else or is damaged; the caller must not act again on it."""
    try:
        plain = AESGCM(place.key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], place.id)
    except (InvalidTag, ValueError):
        return None
    head, _, body = plain.partition(b"\n")
    status, media_type, location = json.loads(head)
    return Answer(status, media_type, location, body)


@dataclass
class Running:
    """Acts being carried out by this process. A crash forgets them, and with them their transactions."""

    ids: set[bytes] = field(default_factory=set[bytes])
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def claim(self, place: Slot) -> Generator[bool]:
        """False inside: the same act is under way in another thread."""
        with self.lock:
            free = place.id not in self.ids
            if free:
                self.ids.add(place.id)
        try:
            yield free
        finally:
            if free:
                with self.lock:
                    self.ids.discard(place.id)

"""Personal links. The parcel's: who has it sees where the parcel waits and what opens its door. A delegate's: one QR.

    parcel number (8 bytes) || first 16 bytes of HMAC-SHA-256(page key, "page" || parcel number || n), in base64url
    delegation id (8 bytes) || first 16 bytes of HMAC-SHA-256(page key, "delegate" || delegation id), in base64url

n: how often the parcel's recipient was taken back, as one byte; nothing as long as it never was. So a link that was
given to the wrong one is good for nothing.

Nothing is stored for them: they are worked out when a letter is written, and checked when the page is asked for. 128
bits cannot be guessed over a network. They die with the recipient's row, 30 days after the parcel left.
"""

import base64
import hmac
from collections.abc import Callable

from gateway.domain.errors import Refusal
from gateway.domain.ids import NUMBER_MAX, ParcelNumber

PURPOSE = "pages"  # of the gateway's derived key
SIZE = 32  # characters
_PAGE, _DELEGATE, _FORM = b"page", b"delegate", b"form"
_MAC_SIZE = 16


def _mac(key: bytes, context: bytes, said: bytes) -> bytes:
    return hmac.digest(key, context + said, "sha256")[:_MAC_SIZE]


def _secret(key: bytes, context: bytes, id8: bytes, more: bytes = b"") -> str:
    return base64.urlsafe_b64encode(id8 + _mac(key, context, id8 + more)).decode()


def _id_of(key: bytes, context: bytes, secret: str, more: Callable[[bytes], bytes] = lambda _: b"") -> bytes:
    """Compared in constant time. Raises Refusal("unknown_page"): wrong, cut short and made up look the same."""
    unknown = Refusal("unknown_page", "this link is not complete, or not one of ours", ("open it from the message",))
    if len(secret) != SIZE or not secret.isascii():
        raise unknown
    try:
        raw = base64.b64decode(secret, altchars=b"-_", validate=True)
    except ValueError:
        raise unknown
    if not hmac.compare_digest(raw[8:], _mac(key, context, raw[:8] + more(raw[:8]))):
        raise unknown
    return raw[:8]


def _times(handed: int) -> bytes:
    return bytes([handed % 256]) if handed else b""


def link_secret(key: bytes, parcel: ParcelNumber, handed: int = 0) -> str:
    """What follows /p/ in the address of the parcel's page."""
    return _secret(key, _PAGE, parcel.to_bytes(8, "big"), _times(handed))


def parcel_of(key: bytes, secret: str, handed: Callable[[int], int] = lambda _: 0) -> ParcelNumber:
    """`handed`: of the parcel of this number, if there is one. Raises Refusal("unknown_page")."""
    raw = _id_of(key, _PAGE, secret, lambda id8: _times(handed(int.from_bytes(id8, "big"))))
    number = int.from_bytes(raw, "big")
    if not 0 < number <= NUMBER_MAX:
        raise Refusal("unknown_page", "this link is not complete, or not one of ours", ("open it from the message",))
    return ParcelNumber(number)


def delegate_secret(key: bytes, delegation: bytes) -> str:
    """What follows /d/ in the address that a recipient passes on."""
    return _secret(key, _DELEGATE, delegation)


def delegation_of(key: bytes, secret: str) -> bytes:
    """Raises Refusal("unknown_page")."""
    return _id_of(key, _DELEGATE, secret)


def form_id(key: bytes, parcel: ParcelNumber, once: str) -> bytes:
    """The id of what a form makes: sent twice, with the same `once` in it, it makes the same thing."""
    return hmac.digest(key, _FORM + parcel.to_bytes(8, "big") + once.encode(), "sha256")[:8]

"""The personal link of a parcel: who has it sees where the parcel waits and what opens its door.

    parcel number (8 bytes) || first 16 bytes of HMAC-SHA-256(page key, "page" || parcel number), in base64url

Nothing is stored for it: it is worked out when a letter is written, and checked when the page is asked for. 128 bits
cannot be guessed over a network. It dies with the recipient's row, 30 days after the parcel left.
"""

import base64
import hmac

from gateway.domain.errors import Refusal
from gateway.domain.ids import NUMBER_MAX, ParcelNumber

PURPOSE = "pages"  # of the gateway's derived key
SIZE = 32  # characters
_CONTEXT = b"page"
_MAC_SIZE = 16


def _mac(key: bytes, number: bytes) -> bytes:
    return hmac.digest(key, _CONTEXT + number, "sha256")[:_MAC_SIZE]


def link_secret(key: bytes, parcel: ParcelNumber) -> str:
    """What follows /p/ in the address of the parcel's page."""
    number = parcel.to_bytes(8, "big")
    return base64.urlsafe_b64encode(number + _mac(key, number)).decode()


def parcel_of(key: bytes, secret: str) -> ParcelNumber:
    """Compared in constant time. Raises Refusal("unknown_page"): wrong, cut short and made up look the same."""
    unknown = Refusal("unknown_page", "this link is not complete, or not one of ours", ("open it from the message",))
    if len(secret) != SIZE or not secret.isascii():
        raise unknown
    try:
        raw = base64.b64decode(secret, altchars=b"-_", validate=True)
    except ValueError:
        raise unknown
    number, mac = raw[:8], raw[8:]
    if not hmac.compare_digest(mac, _mac(key, number)) or not 0 < int.from_bytes(number, "big") <= NUMBER_MAX:
        raise unknown
    return ParcelNumber(int.from_bytes(number, "big"))

"""A proof of handover: that a parcel was put into a locker, signed so that anyone with the public key can check it.

A COSE_Sign1 (RFC 9052) with the gateway's Ed25519 signing key around the CBOR array [1, "handover", text]; the text is
the handover as JSON in one form (names sorted, no spaces, UTF-8). A token's payload is a map and a statement of trust
says "trust" in that place: none of the three can be taken for another. A proof opens nothing.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, cast

from protocol import cbor, cose
from protocol.errors import ProtocolError
from protocol.trust import verifier

VERSION = 1
_PURPOSE = "handover"


@dataclass(frozen=True, slots=True)
class Handover:
    """Times are RFC 3339, UTC. `courier`: the staff number on the badge that the locker named. None: not known.
    `by_receipt`: proved by the locker's receipt, and its own events are still to come."""

    parcel: str
    label: str
    carrier: str
    locker: str
    compartment: int
    deposit: int
    courier: str | None
    badge: str | None
    opened_at: str | None
    closed_at: str
    by_receipt: bool
    made_at: str

    def text(self) -> str:
        """The one form that is signed."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Proof:
    handover: Handover
    kid: bytes
    public_key: bytes
    signed: bytes


def sign(handover: Handover, kid: bytes, public_key: bytes, signer: Callable[[bytes], bytes]) -> Proof:
    payload = cbor.encode([VERSION, _PURPOSE, handover.text()])
    return Proof(handover, kid, public_key, cose.sign1(kid, payload, signer(cose.to_be_signed(kid, payload))))


def text_of(signed: bytes, trusted: dict[bytes, bytes]) -> str:
    """What one of the `trusted` keys (kid -> table) has signed as a handover. Raises ProtocolError."""
    said: Any = cbor.decode(cose.open_sign1(signed, verifier(trusted)))
    items = cast("list[Any]", said) if isinstance(said, list) else []
    if len(items) != 3 or items[0] is True or items[:2] != [VERSION, _PURPOSE] or not isinstance(items[2], str):
        raise ProtocolError("malformed", "handover")
    return items[2]

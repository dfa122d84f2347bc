"""Tokens: CBOR Web Tokens (RFC 8392) in a tagged COSE_Sign1 with Ed25519, as the Base45 text of a QR code.

Anyone who holds the public key can check one; no locker can make one. The signature is verified before any claim
is read. Expiry is the caller's to judge: a locker without a clock refuses nobody for being late.
"""

import hashlib
from typing import TYPE_CHECKING

from protocol import base45, cbor, cose
from protocol.errors import ProtocolError
from protocol.kinds import ID8, OPTIONAL_COMPARTMENT, OPTIONAL_U32, OPTIONAL_WORD, U63, WORD, check_all
from protocol.limits import TOKEN_SIZE_MAX
from protocol.record import Record
from protocol.topics import is_locker_id
from protocol.trust import verifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PICKUP, COURIER, DELEGATE, TECHNICIAN = 1, 2, 3, 4
ROLES = {PICKUP: "pickup", COURIER: "courier", DELEGATE: "delegate", TECHNICIAN: "technician"}
_COLLECTORS = (PICKUP, DELEGATE)  # what they open is one deposit at one locker, and they must name it

# RFC 8392, section 3.1; ours are of the private range, and all of one size, so that their order is plain.
_SUB, _AUD, _EXP, _CTI = 2, 3, 4, 7
_ROLE, _DEPOSIT = -65537, -65538
KID_SIZE = 4


class Token(Record):
    """`subject`: the holder, or a courier's carrier. `locker` None: good at every locker."""

    FIELDS = ("subject", "locker", "expiry_s", "id", "role", "compartment", "deposit")
    KINDS = (WORD, OPTIONAL_WORD, U63, ID8, (int, PICKUP, TECHNICIAN, False), OPTIONAL_COMPARTMENT, OPTIONAL_U32)
    subject: str
    locker: "str | None"
    expiry_s: int
    id: bytes
    role: int
    compartment: "int | None"
    deposit: "int | None"


def key_id(public_key: bytes) -> bytes:
    """The kid by which a token names its signer."""
    return hashlib.sha256(public_key).digest()[:KID_SIZE]


def claims(token: Token) -> bytes:
    """The claims set as deterministic CBOR. Raises ProtocolError("bad_value")."""
    _check(token)
    pairs: dict[int, Any] = {_SUB: token.subject, _EXP: token.expiry_s, _CTI: token.id, _ROLE: token.role}
    if token.locker is not None:
        pairs[_AUD] = token.locker
    if token.compartment is not None:
        pairs[_DEPOSIT] = [token.compartment, token.deposit]
    return cbor.encode(pairs)


def seal(token: Token, kid: bytes, sign: "Callable[[bytes], bytes]") -> str:
    """The signed token as text; `sign` is Ed25519 with the key that `kid` names."""
    payload = claims(token)
    data = cose.sign1(kid, payload, sign(cose.to_be_signed(kid, payload)))
    assert len(data) <= TOKEN_SIZE_MAX
    return base45.encode(data)


def open_token(text: "str | bytes", trusted: "dict[bytes, bytes]") -> Token:
    """The token, if one of the `trusted` keys (kid -> ed25519_tables.prepare()'s table) signed it.

    Raises ProtocolError: too_large, malformed, not_canonical, unknown_key, bad_signature, bad_value.
    """
    if len(text) > (TOKEN_SIZE_MAX + 1) // 2 * 3:
        raise ProtocolError("too_large", "token")

    payload = cose.open_sign1(base45.decode(text), verifier(trusted))
    token = _token_of(cbor.decode(payload))
    # What is not exactly ours is refused: a claim that we do not know may be a limit that we would not keep.
    if claims(token) != payload:
        raise ProtocolError("malformed", "claims")
    return token


def _token_of(pairs: "dict[int, Any]") -> Token:
    if not isinstance(pairs, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ProtocolError("malformed", "claims")
    place: list[Any] = pairs.get(_DEPOSIT, [None, None])
    if not isinstance(place, list) or len(place) != 2:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ProtocolError("malformed", "deposit claim")
    values: list[Any] = [pairs.get(claim) for claim in (_SUB, _AUD, _EXP, _CTI, _ROLE)]
    return Token(*values, *place)


def _check(token: Token) -> None:
    check_all(token, token.values())
    if token.locker is not None and not is_locker_id(token.locker):
        raise ProtocolError("bad_value", "locker")
    collects = token.role in _COLLECTORS
    named = (token.compartment is not None, token.deposit is not None, token.locker is not None)
    if named[:2] != (collects, collects) or (collects and not named[2]):
        raise ProtocolError("bad_value", "deposit")

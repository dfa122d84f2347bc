"""COSE (RFC 9052), two fixed profiles: COSE_Mac0 around every message, COSE_Sign1 around every token.

Verify, then decode: nothing inside is parsed before its tag or signature holds. The opening side accepts the
profile it would itself have written (algorithm, key id, nothing else), so there is nothing to negotiate.
"""

from typing import TYPE_CHECKING

from protocol import cbor
from protocol.errors import ProtocolError
from protocol.hmac import HmacKey, equal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ALG, _KID = 1, 4  # header parameters, RFC 9052 table 3
_HMAC_256_256, _EDDSA = 5, -8  # RFC 9053 tables 7 and 2
_TAG_MAC0, _TAG_SIGN1 = 17, 18


def mac0(key: HmacKey, kid: bytes, payload: bytes) -> bytes:
    """A tagged COSE_Mac0 with HMAC 256/256 over `payload`."""
    protected = cbor.encode({_ALG: _HMAC_256_256, _KID: kid})
    tag = key.digest(cbor.encode(["MAC0", protected, b"", payload]))
    return cbor.encode(cbor.Tag(_TAG_MAC0, [protected, {}, payload, tag]))


def open_mac0(key: HmacKey, kid: bytes, data: bytes) -> bytes:
    """The payload. Raises ProtocolError: malformed, not_canonical, unknown_key, bad_mac."""
    protected, payload, tag = _parts(data, _TAG_MAC0)
    if _kid_of(protected, _HMAC_256_256) != kid:
        raise ProtocolError("unknown_key")
    if not equal(tag, key.digest(cbor.encode(["MAC0", protected, b"", payload]))):
        raise ProtocolError("bad_mac")
    return payload


def to_be_signed(kid: bytes, payload: bytes) -> bytes:
    """The Sig_structure whose bytes an Ed25519 key signs (RFC 9052, section 4.4)."""
    return cbor.encode(["Signature1", cbor.encode({_ALG: _EDDSA, _KID: kid}), b"", payload])


def sign1(kid: bytes, payload: bytes, signature: bytes) -> bytes:
    """A tagged COSE_Sign1 from a signature over to_be_signed()."""
    return cbor.encode(cbor.Tag(_TAG_SIGN1, [cbor.encode({_ALG: _EDDSA, _KID: kid}), {}, payload, signature]))


def open_sign1(data: bytes, verify: "Callable[[bytes, bytes, bytes], bool]") -> bytes:
    """The payload. `verify(kid, message, signature)` says whether a trusted key signed, and raises
    ProtocolError("unknown_key") for a kid it does not know.

    Raises ProtocolError: malformed, not_canonical, unknown_key, bad_signature.
    """
    protected, payload, signature = _parts(data, _TAG_SIGN1)
    kid = _kid_of(protected, _EDDSA)
    if not verify(kid, cbor.encode(["Signature1", protected, b"", payload]), signature):
        raise ProtocolError("bad_signature")
    return payload


def _parts(data: bytes, tag: int) -> "tuple[bytes, bytes, bytes]":
    """(protected, payload, tag or signature) of a tagged four-item COSE message with empty unprotected headers."""
    message = cbor.decode(data)
    if not isinstance(message, cbor.Tag) or message.number != tag:
        raise ProtocolError("malformed", "COSE tag")
    items: list[Any] = message.value
    if (
        not isinstance(items, list)  # pyright: ignore[reportUnnecessaryIsInstance]
        or len(items) != 4
        or items[1] != {}
    ):
        raise ProtocolError("malformed", "COSE structure")
    protected, payload, proof = items[0], items[2], items[3]
    if not (isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(proof, bytes)):
        raise ProtocolError("malformed", "COSE structure")
    return protected, payload, proof


def _kid_of(protected: bytes, alg: int) -> bytes:
    headers: dict[Any, Any] = cbor.decode(protected)
    if (
        not isinstance(headers, dict)  # pyright: ignore[reportUnnecessaryIsInstance]
        or len(headers) != 2
        or headers.get(_ALG) != alg
    ):
        raise ProtocolError("malformed", "COSE headers")
    kid = headers.get(_KID)
    if not isinstance(kid, bytes):
        raise ProtocolError("malformed", "COSE headers")
    return kid

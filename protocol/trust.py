"""Which signing keys a locker believes, and how that changes in the field: by a statement that a key which is believed
already has signed. Whoever holds the gateway's master key alone, or a stolen signing key alone, changes nothing.

A statement is a COSE_Sign1 whose payload is the array [1, "trust", key to add, SHA-256 of its table, key id to drop].
A token's payload is a map: neither can be taken for the other. The table itself comes in parts, because it is larger
than a message; it is believed only when its digest is the one that was signed.
"""

import hashlib
from typing import TYPE_CHECKING

from protocol import cbor, cose, ed25519
from protocol.errors import ProtocolError
from protocol.kinds import check_all
from protocol.limits import TRUST_PART_SIZE_MAX
from protocol.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_VERSION = 1
_PURPOSE = "trust"


class Statement(Record):
    """Add `public_key`, whose table has `digest` (both None: add none), and drop the key `drop` (None: drop none)."""

    FIELDS = ("public_key", "digest", "drop")
    KINDS = ((bytes, 32, 32, True), (bytes, 32, 32, True), (bytes, 4, 4, True))
    public_key: "bytes | None"
    digest: "bytes | None"
    drop: "bytes | None"


def verifier(trusted: "dict[bytes, bytes]") -> "Callable[[bytes, bytes, bytes], bool]":
    """cose.open_sign1's question (kid, message, signature), answered by the keys that are believed: kid -> table."""

    def verify(kid: bytes, message: bytes, signature: bytes) -> bool:
        if kid not in trusted:
            raise ProtocolError("unknown_key")
        return ed25519.verify(trusted[kid], message, signature)

    return verify


def to_add(table: bytes, drop: "bytes | None" = None) -> Statement:
    """The statement for a key by its prepared table (protocol.ed25519_tables)."""
    return Statement(table[:32], hashlib.sha256(table).digest(), drop)


def seal(statement: Statement, kid: bytes, sign: "Callable[[bytes], bytes]") -> bytes:
    """The signed statement; `sign` is Ed25519 with the trusted key that `kid` names."""
    payload = _payload(statement)
    return cose.sign1(kid, payload, sign(cose.to_be_signed(kid, payload)))


def open_statement(data: bytes, trusted: "dict[bytes, bytes]") -> Statement:
    """What one of the `trusted` keys (kid -> table) says.

    Raises ProtocolError: malformed, not_canonical, unknown_key, bad_signature, unknown_version, bad_value.
    """
    payload = cose.open_sign1(data, verifier(trusted))
    items: list[Any] = cbor.decode(payload)
    if (
        not isinstance(items, list)  # pyright: ignore[reportUnnecessaryIsInstance]
        or len(items) != 5
        or items[1] != _PURPOSE
    ):
        raise ProtocolError("malformed", "statement")
    if isinstance(items[0], bool) or items[0] != _VERSION:
        raise ProtocolError("unknown_version")
    statement = Statement(*items[2:])
    _payload(statement)
    return statement


def parts(table: bytes) -> "list[tuple[int, bytes]]":
    """(offset, bytes) of the pieces that travel, in order."""
    size = TRUST_PART_SIZE_MAX
    return [(at, table[at : at + size]) for at in range(0, len(table), size)]


def _payload(statement: Statement) -> bytes:
    """Raises ProtocolError("bad_value") for one that says nothing, or half of something."""
    check_all(statement, statement.values())
    if (statement.public_key is None) != (statement.digest is None):
        raise ProtocolError("bad_value", "digest")
    if statement.public_key is None and statement.drop is None:
        raise ProtocolError("bad_value", "statement")
    return cbor.encode([_VERSION, _PURPOSE, statement.public_key, statement.digest, statement.drop])

"""Statements about signing keys: only a key that is believed can bring in another, and only with that very table."""

import hashlib

from refusal import refusal_of
from signer import OTHER_SECRET, SECRET, public_key, sign

from protocol import base45, cbor, cose, tokens, trust
from protocol.ed25519 import TABLE_SIZE
from protocol.ed25519_tables import prepare
from protocol.limits import STATEMENT_SIZE_MAX

OLD, NEW = public_key(SECRET), public_key(OTHER_SECRET)
OLD_KID, NEW_KID = tokens.key_id(OLD), tokens.key_id(NEW)
TRUSTED = {OLD_KID: prepare(OLD)}
NEW_TABLE = prepare(NEW)


def signed(statement: trust.Statement) -> bytes:
    return trust.seal(statement, OLD_KID, lambda message: sign(SECRET, message))


def test_a_statement_comes_back_as_it_was_signed():
    for statement in (
        trust.to_add(NEW_TABLE),
        trust.to_add(NEW_TABLE, OLD_KID),
        trust.Statement(None, None, OLD_KID),
    ):
        data = signed(statement)
        assert trust.open_statement(data, TRUSTED) == statement
        assert len(data) <= STATEMENT_SIZE_MAX
    assert trust.to_add(NEW_TABLE).digest == hashlib.sha256(NEW_TABLE).digest()


def test_only_a_key_that_is_believed_speaks():
    by_itself = trust.seal(trust.to_add(NEW_TABLE), NEW_KID, lambda message: sign(OTHER_SECRET, message))
    assert refusal_of(trust.open_statement, by_itself, TRUSTED) == "unknown_key"
    in_its_name = trust.seal(trust.to_add(NEW_TABLE), OLD_KID, lambda message: sign(OTHER_SECRET, message))
    assert refusal_of(trust.open_statement, in_its_name, TRUSTED) == "bad_signature"
    data = signed(trust.to_add(NEW_TABLE))
    for place in range(0, len(data), 7):
        wrong = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert refusal_of(trust.open_statement, wrong, TRUSTED) != "accepted", place


def test_a_statement_that_says_nothing_or_half_of_something_is_refused():
    digest = hashlib.sha256(NEW_TABLE).digest()
    for items, code in (
        ([1, "trust", None, None, None], "bad_value"),
        ([1, "trust", NEW, None, None], "bad_value"),
        ([1, "trust", None, digest, OLD_KID], "bad_value"),
        ([1, "trust", NEW[:31], digest, None], "bad_value"),
        ([1, "trust", None, None, OLD_KID + b"x"], "bad_value"),
        ([2, "trust", NEW, digest, None], "unknown_version"),
        ([True, "trust", NEW, digest, None], "unknown_version"),
        ([1, "token", NEW, digest, None], "malformed"),
        ([1, "trust", NEW, digest], "malformed"),
        ({1: "trust"}, "malformed"),
        (None, "malformed"),
    ):
        payload = cbor.encode(items)
        data = cose.sign1(OLD_KID, payload, sign(SECRET, cose.to_be_signed(OLD_KID, payload)))
        assert refusal_of(trust.open_statement, data, TRUSTED) == code, repr(items)


def test_a_token_is_no_statement_and_a_statement_no_token():
    token = tokens.Token("velo", None, 4_000_000_000, b"badge001", tokens.COURIER, None, None)
    payload = tokens.claims(token)
    data = cose.sign1(OLD_KID, payload, sign(SECRET, cose.to_be_signed(OLD_KID, payload)))
    assert refusal_of(trust.open_statement, data, TRUSTED) == "malformed"
    statement = base45.encode(signed(trust.to_add(NEW_TABLE)))
    assert refusal_of(tokens.open_token, statement, TRUSTED) == "malformed"


def test_the_parts_of_a_table_are_the_table():
    pieces = trust.parts(NEW_TABLE)
    assert len(pieces) == 4 and b"".join([piece for _at, piece in pieces]) == NEW_TABLE
    assert [at for at, _piece in pieces] == [0, 776, 1552, 2328] and TABLE_SIZE == 4 * 776

"""Tokens: what a locker believes of a QR code, and with which word it refuses the rest."""

from binascii import hexlify, unhexlify

from refusal import refusal_of
from signer import OTHER_SECRET, SECRET, public_key, sign

from protocol import base45, cbor, cose
from protocol.ed25519_tables import prepare
from protocol.limits import SCAN_SIZE_MAX, TOKEN_SIZE_MAX
from protocol.tokens import COURIER, DELEGATE, PICKUP, TECHNICIAN, Token, claims, key_id, open_token, seal

PUBLIC = public_key(SECRET)
KID = key_id(PUBLIC)
TRUSTED = {KID: prepare(PUBLIC)}
ID = b"\x01\x02\x03\x04\x05\x06\x07\x08"
BADGE = Token("dupont-livraison", None, 1_900_000_000, ID, COURIER, None, None)
PARCEL = Token("", "mairie-1", 1_900_000_000, ID, PICKUP, 7, 42)


def signed(payload: bytes, secret: bytes = SECRET, kid: bytes = KID) -> str:
    return base45.encode(cose.sign1(kid, payload, sign(secret, cose.to_be_signed(kid, payload))))


def test_a_token_comes_back_as_it_was_sealed():
    for token in (
        BADGE,
        PARCEL,
        Token("Chez Léa", "gare-1", 0, ID, DELEGATE, 400, 0xFFFFFFFF),
        Token("t-9", "gare-1", (1 << 63) - 1, ID, TECHNICIAN, None, None),
    ):
        text = seal(token, KID, lambda message: sign(SECRET, message))
        assert open_token(text, TRUSTED) == token
        assert open_token(text.encode(), TRUSTED) == token
        assert len(text) <= SCAN_SIZE_MAX


def test_the_claims_have_exactly_these_bytes():
    assert hexlify(claims(PARCEL)) == (
        b"a6" + b"0260" + b"03686d61697269652d31" + b"041a713fb300" + b"07480102030405060708"
        b"3a00010000" + b"01" + b"3a00010001" + b"8207182a"
    )
    assert hexlify(claims(BADGE)) == (
        b"a4" + b"0270" + hexlify(b"dupont-livraison") + b"041a713fb300" + b"07480102030405060708" + b"3a0001000002"
    )


def test_a_key_id_is_the_start_of_the_keys_hash():
    assert key_id(unhexlify("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")) == unhexlify(
        "21fe31df"
    )


def test_two_keys_may_be_trusted_at_once():
    other = public_key(OTHER_SECRET)
    both = {KID: TRUSTED[KID], key_id(other): prepare(other)}
    text = seal(BADGE, key_id(other), lambda message: sign(OTHER_SECRET, message))
    assert open_token(text, both) == BADGE
    assert refusal_of(open_token, text, TRUSTED) == "unknown_key"
    assert refusal_of(open_token, text, {}) == "unknown_key"


def test_a_stranger_who_names_our_key_is_refused():
    assert refusal_of(open_token, signed(claims(PARCEL), OTHER_SECRET), TRUSTED) == "bad_signature"


def test_one_changed_letter_is_never_believed():
    text = signed(claims(PARCEL))
    for place in range(0, len(text), 3):
        other = text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
        assert refusal_of(open_token, other, TRUSTED) != "accepted", place


def test_a_token_cut_short_or_with_more_behind_is_refused():
    text = signed(claims(PARCEL))
    for size in (0, 1, 2, 3, len(text) // 2, len(text) - 3, len(text) - 1):
        assert refusal_of(open_token, text[:size], TRUSTED) == "malformed", size
    for more in ("00", "000", "\r", " "):
        assert refusal_of(open_token, text + more, TRUSTED) == "malformed", more


def test_noise_is_malformed():
    for noise in (b"", b"\x00", b"\xff" * 50, "é", "LB123456789FR", "https://example.org/x", b"0" * 300, "6BF" * 3):
        assert refusal_of(open_token, noise, TRUSTED) == "malformed", noise


def test_a_text_too_long_is_refused_before_it_is_read():
    assert refusal_of(open_token, "0" * ((TOKEN_SIZE_MAX + 1) // 2 * 3 + 1), TRUSTED) == "too_large"
    assert refusal_of(open_token, b"\xff" * 5000, TRUSTED) == "too_large"


def test_a_mac_is_no_signature():
    data = unhexlify("d1") + cbor.encode([cbor.encode({1: -8, 4: KID}), {}, claims(BADGE), bytes(64)])
    assert refusal_of(open_token, base45.encode(data), TRUSTED) == "malformed"


def test_signed_claims_that_are_not_ours_are_refused():
    """The signer is trusted, but not to make us guess: a claim that we do not know may be a limit we would ignore."""
    good = {2: "dupont", 4: 1, 7: ID, -65537: COURIER}
    assert refusal_of(open_token, signed(cbor.encode(good)), TRUSTED) == "accepted"
    for change, wanted in (
        ({5: 100}, "malformed"),  # nbf: not before
        ({-65539: 1}, "malformed"),
        ({"2": "x"}, "malformed"),
        ({3: None}, "malformed"),
        ({3: ""}, "bad_value"),
        ({3: "Mairie 1"}, "bad_value"),
        ({3: "../x"}, "bad_value"),
        ({2: 5}, "bad_value"),
        ({2: b"dupont"}, "bad_value"),
        ({2: "x" * 33}, "bad_value"),
        ({4: -1}, "bad_value"),
        ({4: None}, "bad_value"),
        ({4: True}, "bad_value"),
        ({4: 1 << 63}, "bad_value"),
        ({7: b"short"}, "bad_value"),
        ({7: None}, "bad_value"),
        ({-65537: 0}, "bad_value"),
        ({-65537: 5}, "bad_value"),
        ({-65537: None}, "bad_value"),
        ({-65537: True}, "bad_value"),
        ({-65538: [None, None]}, "malformed"),
        ({-65538: [1, 1]}, "bad_value"),  # a courier's badge names no deposit
        ({-65538: [1]}, "malformed"),
        ({-65538: [1, 2, 3]}, "malformed"),
        ({-65538: 1}, "malformed"),
    ):
        changed = dict(good)
        changed.update(change)
        assert refusal_of(open_token, signed(cbor.encode(changed)), TRUSTED) == wanted, change
    for missing in good:
        fewer = {claim: value for claim, value in good.items() if claim != missing}
        assert refusal_of(open_token, signed(cbor.encode(fewer)), TRUSTED) == "bad_value", missing
    for payload in (cbor.encode([1]), cbor.encode(None), cbor.encode(5), b"", b"\xff"):
        assert refusal_of(open_token, signed(payload), TRUSTED) == "malformed", payload
    assert refusal_of(open_token, signed(b"\xa2\x04\x01\x02\x60"), TRUSTED) == "not_canonical"


def test_who_collects_names_one_deposit_at_one_locker():
    """Deposit 42 of compartment 7 exists at every locker: without its locker it would open them all."""
    for role in (PICKUP, DELEGATE):
        assert claims(Token("", "mairie-1", 1, ID, role, 7, 42))
        for locker, compartment, deposit in (
            (None, 7, 42),
            ("mairie-1", None, 42),
            ("mairie-1", 7, None),
            ("mairie-1", None, None),
            ("mairie-1", 0, 42),
            ("mairie-1", 401, 42),
            ("mairie-1", 7, -1),
            ("mairie-1", 7, 1 << 32),
            ("mairie-1", True, 42),
        ):
            token = Token("", locker, 1, ID, role, compartment, deposit)
            assert refusal_of(claims, token) == "bad_value", (locker, compartment, deposit)
    for role in (COURIER, TECHNICIAN):
        assert refusal_of(claims, Token("", "mairie-1", 1, ID, role, 7, None)) == "bad_value"
        assert refusal_of(claims, Token("", "mairie-1", 1, ID, role, None, 42)) == "bad_value"


def test_expiry_is_left_to_the_caller():
    """A locker without a clock refuses nobody for being late."""
    assert open_token(signed(claims(Token("d", None, 0, ID, COURIER, None, None))), TRUSTED).expiry_s == 0

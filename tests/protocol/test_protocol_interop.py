"""Standard libraries open what we seal, and we open what they seal: pycose, cwt and cbor2 know nothing of us."""

import cbor2
import cwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cwt import COSE, CWT, COSEKey
from cwt.cose_key_interface import COSEKeyInterface
from pycose.algorithms import HMAC256, EdDSA
from pycose.headers import KID, Algorithm
from pycose.keys import OKPKey, SymmetricKey
from pycose.messages import CoseMessage, Mac0Message, Sign1Message
from refusal import refusal_of
from samples import DOWNS, ID, UPS

from protocol import base45, cose, messages
from protocol.ed25519_tables import prepare
from protocol.hmac import HmacKey
from protocol.keys import sub_key
from protocol.tokens import COURIER, DELEGATE, PICKUP, TECHNICIAN, Token, claims, key_id, open_token, seal

SECRET = sub_key(bytes(32), "up")
KEY = HmacKey(SECRET)
GENERATION = b"\x07"
ENVELOPES = [*UPS, *DOWNS]
NAMES = [
    type(envelope.event if isinstance(envelope, messages.Up) else envelope.command).__name__ for envelope in ENVELOPES
]

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SIGNER.public_key().public_bytes_raw()
SIGNER_ID = key_id(PUBLIC)
TRUSTED = {SIGNER_ID: prepare(PUBLIC)}
LATER = 4_000_000_000
TOKENS = [
    Token("dupont", None, LATER, ID, COURIER, None, None),
    Token("", "mairie-1", LATER, ID, PICKUP, 14, 70_000),
    Token("Léa", "gare-1", LATER, ID, DELEGATE, 48, 1),
    Token("t-1", "gare-1", LATER, ID, TECHNICIAN, None, None),
]


@pytest.mark.parametrize("envelope", ENVELOPES, ids=NAMES)
def test_pycose_opens_our_messages(envelope: messages.Up | messages.Down):
    payload = messages.encode(envelope)
    opened = CoseMessage.decode(cose.mac0(KEY, GENERATION, payload))
    opened.key = SymmetricKey(k=SECRET)
    assert isinstance(opened, Mac0Message) and opened.verify_tag()
    assert opened.payload == payload and opened.phdr == {Algorithm: HMAC256, KID: GENERATION} and opened.uhdr == {}


@pytest.mark.parametrize("envelope", ENVELOPES, ids=NAMES)
def test_cwt_opens_our_messages_and_cbor2_reads_them(envelope: messages.Up | messages.Down):
    key = COSEKey.from_symmetric_key(SECRET, alg="HS256", kid=GENERATION)
    payload = COSE(verify_kid=True).decode(cose.mac0(KEY, GENERATION, messages.encode(envelope)), key)
    told = cbor2.loads(payload)
    message = envelope.event if isinstance(envelope, messages.Up) else envelope.command
    assert told == [messages.VERSION, *envelope.values()[:-1], message.TYPE, message.values()]
    assert cbor2.dumps(told, canonical=True) == payload


@pytest.mark.parametrize("envelope", ENVELOPES, ids=NAMES)
def test_we_open_what_pycose_and_cwt_seal(envelope: messages.Up | messages.Down):
    payload = messages.encode(envelope)
    theirs = Mac0Message(phdr={Algorithm: HMAC256, KID: GENERATION}, payload=payload)
    theirs.key = SymmetricKey(k=SECRET)
    sealed = theirs.encode()
    assert sealed == cose.mac0(KEY, GENERATION, payload), "the very same bytes"
    key = COSEKey.from_symmetric_key(SECRET, alg="HS256", kid=GENERATION)
    other = COSE(deterministic_header=True).encode_and_mac(payload, key, protected={1: 5, 4: GENERATION})
    decode = messages.decode_up if isinstance(envelope, messages.Up) else messages.decode_down
    for data in (sealed, other):
        assert decode(cose.open_mac0(KEY, GENERATION, data)) == envelope


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: f"role {token.role}")
def test_cwt_opens_our_tokens(token: Token):
    data = base45.decode(seal(token, SIGNER_ID, SIGNER.sign))
    key = cwt_key({})
    told = cwt.decode(data, key)
    assert told == cbor2.loads(claims(token))
    assert told[4] == LATER and told[7] == ID and told.get(3) == token.locker


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: f"role {token.role}")
def test_pycose_opens_our_tokens(token: Token):
    opened = CoseMessage.decode(base45.decode(seal(token, SIGNER_ID, SIGNER.sign)))
    opened.key = OKPKey(crv="ED25519", x=PUBLIC)
    assert isinstance(opened, Sign1Message) and opened.verify_signature()
    assert opened.payload == claims(token) and opened.phdr == {Algorithm: EdDSA, KID: SIGNER_ID}


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: f"role {token.role}")
def test_we_open_what_pycose_signs(token: Token):
    theirs = Sign1Message(phdr={Algorithm: EdDSA, KID: SIGNER_ID}, payload=claims(token))
    theirs.key = OKPKey(crv="ED25519", x=PUBLIC, d=bytes(range(32)))
    sealed = theirs.encode()
    assert base45.encode(sealed) == seal(token, SIGNER_ID, SIGNER.sign), "the very same bytes"
    assert open_token(base45.encode(sealed), TRUSTED) == token


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: f"role {token.role}")
def test_we_open_what_cwt_signs(token: Token):
    key = cwt_key({-4: bytes(range(32))})
    signed = COSE(deterministic_header=True).encode_and_sign(claims(token), key, protected={1: -8, 4: SIGNER_ID})
    assert isinstance(signed, bytes)
    assert open_token(base45.encode(signed), TRUSTED) == token


def test_cwts_own_tokens_are_refused_for_their_profile_alone():
    """CWT.encode puts the kid among the unprotected headers, and adds nbf and iat: a good CWT, and not ours."""
    key = cwt_key({-4: bytes(range(32))})
    foreign = CWT().encode({2: "dupont", 4: LATER, 7: ID, -65537: COURIER}, key)
    assert refusal_of(open_token, base45.encode(foreign), TRUSTED) == "malformed"


def test_a_lie_is_seen_by_all_of_us():
    sealed = bytearray(cose.mac0(KEY, GENERATION, messages.encode(ENVELOPES[6])))
    sealed[-1] ^= 1
    theirs = CoseMessage.decode(bytes(sealed))
    theirs.key = SymmetricKey(k=SECRET)
    assert not theirs.verify_tag()
    with pytest.raises(cwt.VerifyError):
        COSE().decode(bytes(sealed), COSEKey.from_symmetric_key(SECRET, alg="HS256", kid=GENERATION))
    assert refusal_of(cose.open_mac0, KEY, GENERATION, bytes(sealed)) == "bad_mac"


def cwt_key(secret: dict[int, bytes]) -> COSEKeyInterface:
    """A COSE_Key: kty OKP, kid, alg EdDSA, crv Ed25519, x (and d)."""
    return COSEKey.new({1: 1, 2: SIGNER_ID, 3: -8, -1: 6, -2: PUBLIC, **secret})

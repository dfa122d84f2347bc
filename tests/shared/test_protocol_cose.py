"""COSE: the structures of RFC 9052 byte by byte, and a profile that takes nothing but itself."""

from binascii import unhexlify

from refusal import refusal_of

from protocol import cbor, cose
from protocol.ed25519 import verify
from protocol.ed25519_tables import prepare
from protocol.hmac import HmacKey

# COSE working group, Examples/countersign-v2/mac0-01: a COSE_Mac0 with HMAC 256/256 and its ToMac bytes, and an
# Ed25519 countersignature with its ToBeSign bytes.
WG_KEY = unhexlify("849b57219dae48de646d07dbb533566e976686457c1491be3a76dcea6c427188")
WG_TO_MAC = unhexlify("84644d41433043a101054054546869732069732074686520636f6e74656e742e")
WG_TAG = unhexlify("a1a848d3471f9d61ee49018d244c824772f223ad4f935293f1789fc3a08d8c58")
WG_PUBLIC = unhexlify("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
WG_TO_BE_SIGNED = unhexlify(
    "8572436f756e7465725369676e6174757265563243a1010543a101274054546869732069732074686520636f6e74656e742e"
)
WG_SIGNATURE = unhexlify(
    "21c1023f8a57ce8b47b04755295788383603162231256f8d53cb655df158ee63"
    "bf7c51fe5657f9e9cbbd6758eead7eba8ce3e4061620e523a1b1b3ac0f8c3206"
)
CONTENT = b"This is the content."

KEY = HmacKey(b"k" * 32)
KID = b"\x01"


def test_the_working_groups_mac_is_ours():
    assert cbor.encode(["MAC0", cbor.encode({1: 5}), b"", CONTENT]) == WG_TO_MAC
    assert HmacKey(WG_KEY).digest(WG_TO_MAC) == WG_TAG


def test_the_working_groups_signature_verifies():
    parts = ["CounterSignatureV2", cbor.encode({1: 5}), cbor.encode({1: -8}), b"", CONTENT]
    assert cbor.encode(parts) == WG_TO_BE_SIGNED
    assert verify(prepare(WG_PUBLIC), WG_TO_BE_SIGNED, WG_SIGNATURE)


def test_a_mac_structure_has_exactly_these_bytes():
    sealed = cose.mac0(KEY, KID, b"hello")
    protected = b"\xa2\x01\x05\x04\x41\x01"  # {alg: HMAC 256/256, kid: h'01'}
    tag = KEY.digest(b"\x84\x64MAC0\x46" + protected + b"\x40\x45hello")
    assert sealed == b"\xd1\x84\x46" + protected + b"\xa0\x45hello\x58\x20" + tag
    assert cose.open_mac0(KEY, KID, sealed) == b"hello"


def test_a_signed_structure_has_exactly_these_bytes():
    protected = b"\xa2\x01\x27\x04\x44abcd"  # {alg: EdDSA, kid: 'abcd'}
    assert cose.to_be_signed(b"abcd", b"hello") == b"\x84\x6aSignature1\x49" + protected + b"\x40\x45hello"
    assert cose.sign1(b"abcd", b"hello", bytes(64)) == (
        b"\xd2\x84\x49" + protected + b"\xa0\x45hello\x58\x40" + bytes(64)
    )


def test_one_wrong_bit_anywhere_opens_nothing():
    sealed = cose.mac0(KEY, KID, b"a payload")
    for place in range(len(sealed)):
        for bit in range(8):
            other = bytearray(sealed)
            other[place] ^= 1 << bit
            assert refusal_of(cose.open_mac0, KEY, KID, bytes(other)) != "accepted", (place, bit)


def test_each_lie_has_its_own_answer():
    sealed = cose.mac0(KEY, KID, b"a payload")
    assert refusal_of(cose.open_mac0, HmacKey(b"other"), KID, sealed) == "bad_mac"
    assert refusal_of(cose.open_mac0, KEY, b"\x02", sealed) == "unknown_key"
    assert refusal_of(cose.open_mac0, KEY, KID, sealed[:-1]) == "malformed"
    assert refusal_of(cose.open_mac0, KEY, KID, sealed + b"\x00") == "malformed"
    assert refusal_of(cose.open_mac0, KEY, KID, b"") == "malformed"


def sealed_otherwise(tag: int, protected: bytes, unprotected: dict, kind: str = "MAC0", length: int = 32) -> bytes:
    proof = KEY.digest(cbor.encode([kind, protected, b"", b"payload"]))[:length]
    return cbor.encode(cbor.Tag(tag, [protected, unprotected, b"payload", proof]))


def test_a_right_mac_in_another_profile_is_refused():
    """All of these are COSE, and their tags are right: what is not ours is still not taken."""
    ours = cbor.encode({1: 5, 4: KID})
    assert refusal_of(cose.open_mac0, KEY, KID, sealed_otherwise(17, ours, {})) == "accepted"
    others = (
        sealed_otherwise(18, ours, {}),  # another structure's tag
        sealed_otherwise(17, ours, {4: KID}),  # something unprotected
        sealed_otherwise(17, cbor.encode({1: 5}), {4: KID}),  # kid not protected
        sealed_otherwise(17, cbor.encode({1: 5}), {}),
        sealed_otherwise(17, cbor.encode({1: 4, 4: KID}), {}, "MAC0", 8),  # HMAC 256/64
        sealed_otherwise(17, cbor.encode({1: 5, 2: [1], 4: KID}), {}),  # critical headers
        sealed_otherwise(17, cbor.encode({1: 5, 4: "a"}), {}),
        sealed_otherwise(17, b"", {}),
        cbor.encode([ours, {}, b"payload", KEY.digest(b"")]),  # untagged
        cbor.encode(cbor.Tag(17, [ours, {}, None, KEY.digest(b"")])),  # detached
        cbor.encode(cbor.Tag(17, [ours, [], b"payload", KEY.digest(b"")])),
        cbor.encode(cbor.Tag(17, {1: 2})),
        cbor.encode(cbor.Tag(17, b"")),
    )
    for data in others:
        assert refusal_of(cose.open_mac0, KEY, KID, data) == "malformed", data
    shortened = sealed_otherwise(17, ours, {}, "MAC0", 16)
    assert refusal_of(cose.open_mac0, KEY, KID, shortened) == "bad_mac"
    signature_as_mac = sealed_otherwise(17, ours, {}, "Signature1")
    assert refusal_of(cose.open_mac0, KEY, KID, signature_as_mac) == "bad_mac"


def test_headers_in_another_order_are_not_canonical():
    protected = b"\xa2\x04\x41\x01\x01\x05"
    proof = KEY.digest(cbor.encode(["MAC0", protected, b"", b"payload"]))
    data = cbor.encode(cbor.Tag(17, [protected, {}, b"payload", proof]))
    assert refusal_of(cose.open_mac0, KEY, KID, data) == "not_canonical"

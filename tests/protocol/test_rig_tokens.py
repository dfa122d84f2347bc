"""The fixed tokens of tests/shared/tokens_of_rig.py come from the published RFC 8032 test keys alone."""

import tokens_of_rig
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.tokens import COURIER, DELEGATE, PICKUP, TECHNICIAN, Token, key_id, seal

# RFC 8032, section 7.1, tests 1 and 2: public knowledge, so nothing real may ever trust them.
SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
OTHER = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
FAR = 4_000_000_000


def make(secret: bytes, token: Token) -> str:
    key = Ed25519PrivateKey.from_private_bytes(secret)
    return seal(token, key_id(key.public_key().public_bytes_raw()), key.sign)


def tokens() -> dict[str, str]:
    pickup = Token("", "test-1", FAR, b"pickup01", PICKUP, 2, 1)
    return {
        "PUBLIC_KEY": Ed25519PrivateKey.from_private_bytes(SECRET).public_key().public_bytes_raw().hex(),
        "COURIER_TOKEN": make(SECRET, Token("velo", None, FAR, b"badge001", COURIER, None, None)),
        "PICKUP_TOKEN": make(SECRET, pickup),
        "FOREIGN_LOCKER_TOKEN": make(SECRET, Token("", "test-2", FAR, b"pickup02", PICKUP, 2, 1)),
        "FOREIGN_SIGNER_TOKEN": make(OTHER, pickup),
        "DELEGATE_TOKEN": make(SECRET, Token("delegate", "test-1", FAR, b"neighbor", DELEGATE, 2, 1)),
        "TECHNICIAN_TOKEN": make(SECRET, Token("anna", None, FAR, b"techno01", TECHNICIAN, None, None)),
        "TECHNICIAN_TOKEN_OF_TEST_1": make(SECRET, Token("anna", "test-1", FAR, b"techno02", TECHNICIAN, None, None)),
    }


def test_the_rigs_tokens_are_made_of_published_test_keys() -> None:
    for name, text in tokens().items():
        assert getattr(tokens_of_rig, name) == text

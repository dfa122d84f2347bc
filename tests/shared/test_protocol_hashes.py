"""SHA-512, HMAC-SHA-256 and HKDF: the published vectors, and the same bytes on both interpreters."""

import hashlib
from binascii import hexlify, unhexlify

from both_paths import HERE

from protocol.hmac import HmacKey, equal
from protocol.keys import PURPOSES, hkdf, locker_key, sub_key
from protocol.sha512 import sha512

# FIPS 180-4's examples (one block, two blocks) and the empty message.
SHA512 = (
    (
        b"",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ),
    (
        b"abc",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (
        b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
        b"nopqrstu",
        "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
        "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
    ),
)
# SHA-256 of the digests of 0, 1, 2 … 300 bytes, one after the other: every length of padding, twice.
SHA512_OF_EVERY_LENGTH = "f3a878b16610912d9a238688c52fc5f29f8fe30d2c5656e7e77dcf747171648d"

# RFC 4231, section 4: key, data, HMAC-SHA-256 (case 5 is truncated there to 16 bytes).
HMAC = (
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)

# RFC 5869, appendix A, the SHA-256 cases: secret, salt, info, output.
HKDF = (
    (
        b"\x0b" * 22,
        bytes(range(13)),
        bytes(range(0xF0, 0xFA)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        b"\x0b" * 22,
        b"",
        b"",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
)


def test_sha512_gives_the_digests_of_fips_180():
    for path in HERE:
        for message, digest in SHA512:
            assert sha512(message, path) == unhexlify(digest), path.name


def test_sha512_pads_every_length_right():
    for path in HERE:
        whole = hashlib.sha256()
        for size in range(301):
            whole.update(sha512(bytes([(7 * place + size) & 0xFF for place in range(size)]), path))
        assert str(hexlify(whole.digest()), "ascii") == SHA512_OF_EVERY_LENGTH, path.name


def test_hmac_gives_the_tags_of_rfc_4231():
    for key, message, tag in HMAC:
        wanted = unhexlify(tag)
        prepared = HmacKey(key)
        for _ in range(2):  # a key is used again and again
            assert prepared.digest(message)[: len(wanted)] == wanted


def test_hkdf_gives_the_keys_of_rfc_5869():
    for secret, salt, info, output in HKDF:
        wanted = unhexlify(output)
        assert hkdf(secret, salt, info, len(wanted)) == wanted


def test_tags_are_equal_only_when_every_byte_is():
    tag = bytes(range(32))
    assert equal(tag, bytes(range(32))) and equal(b"", b"")
    assert not equal(tag, tag[:31]) and not equal(tag[:31], tag)
    for place in range(32):
        other = bytearray(tag)
        other[place] ^= 0x80
        assert not equal(tag, bytes(other)), place


def test_no_key_derives_another():
    """One byte of difference anywhere in the names gives another key, and the pinned ones never change: lockers in
    the field hold keys that were made by this very derivation."""
    master = bytes(range(32))
    keys = [
        locker_key(master, locker, generation)
        for locker in ("mairie-1", "mairie-11", "gare-1")
        for generation in (1, 2, 11)
    ]
    keys += [sub_key(key, purpose) for key in keys[:2] for purpose in PURPOSES]
    assert len({bytes(key) for key in keys}) == len(keys) and all([len(key) == 32 for key in keys])
    assert str(hexlify(keys[0]), "ascii") == "a2c70131115f4b9f321633afaedfb21d31335cc18fb99583366623b5f3b360ee"
    assert (
        str(hexlify(sub_key(keys[0], "up")), "ascii")
        == "cb9c4a4ecb87b4fcda2334463df34a1f8bb2c9d8bd3de725fa7669d346ff3226"
    )

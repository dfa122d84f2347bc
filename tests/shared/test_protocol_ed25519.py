"""Ed25519: the vectors of RFC 8032, section 7.1, and signatures and keys made to deceive."""

import hashlib
from binascii import hexlify, unhexlify

from both_paths import verify
from refusal import refusal_of
from signer import _base_times

from protocol.ed25519 import TABLE_SIZE, L, P, inverse
from protocol.ed25519_base import BASE_TABLE
from protocol.ed25519_tables import make_base_table, prepare
from protocol.errors import ProtocolError
from protocol.sha512 import sha512

LONG_MESSAGE = (
    "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355"
    "f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc"
    "6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b"
    "199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e06203b33890cc9b8"
    "32f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d"
    "206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d9562"
    "9e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40"
    "cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553"
    "878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b0707e0"
    "917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128bab27af87a71314f318c782b23ebfe808b82b0ce26"
    "401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3"
    "dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301"
    "651339e22904cc8c42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f"
    "92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401ade"
    "bf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab4"
    "7b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a3"
    "2ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb37"
    "97aa2a2f256656168e6c496afc5fb93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba7"
    "7c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315c"
    "f4fde7cb68606937380db2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef"
    "68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0"
)
# RFC 8032, section 7.1: secret, public key, message, signature.
VECTORS = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
        "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
        LONG_MESSAGE,
        "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b"
        "5e8fcd4f681e30a6ac00a9704a188a03",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
        "454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
        "3dca179c138ac17ad9bef1177331a704",
    ),
)
# Every encoding of a point of small order: of order 1, 2, 4 and 8, both signs, canonical or not.
SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
)
IDENTITY = unhexlify(SMALL_ORDER[0])


def scalar_of(secret: bytes) -> int:
    """RFC 8032, section 5.1.5."""
    half = bytearray(sha512(secret)[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    return int.from_bytes(bytes(half), "little")


def flipped(data: bytes, place: int, bit: int) -> bytes:
    other = bytearray(data)
    other[place] ^= 1 << bit
    return bytes(other)


def first_vector() -> "tuple[bytes, bytes, bytes]":
    """(secret, public key, its table): a published key, nobody's."""
    secret, public = unhexlify(VECTORS[1][0]), unhexlify(VECTORS[1][1])
    return secret, public, prepare(public)


def test_the_signatures_of_rfc_8032_verify():
    for _secret, public, message, signature in VECTORS:
        table = prepare(unhexlify(public))
        assert len(table) == TABLE_SIZE
        assert verify(table, unhexlify(message), unhexlify(signature))
        assert not verify(table, unhexlify(message) + b"\x00", unhexlify(signature))
        assert not verify(table, b"other", unhexlify(signature))


def test_a_key_verifies_only_its_own():
    tables = [prepare(unhexlify(row[1])) for row in VECTORS[:3]]
    for signer in range(3):
        message, signature = unhexlify(VECTORS[signer][2]), unhexlify(VECTORS[signer][3])
        assert [verify(table, message, signature) for table in tables] == [place == signer for place in range(3)]


def test_one_wrong_bit_anywhere_is_seen():
    _secret, _public, table = first_vector()
    message, signature = unhexlify(VECTORS[1][2]), unhexlify(VECTORS[1][3])
    for place in range(64):
        assert not verify(table, message, flipped(signature, place, place & 7)), place
    for bit in range(8):
        assert not verify(table, flipped(message, 0, bit), signature)


def test_a_signature_is_64_bytes():
    _secret, _public, table = first_vector()
    message, signature = unhexlify(VECTORS[1][2]), unhexlify(VECTORS[1][3])
    for size in (0, 1, 31, 32, 63):
        assert not verify(table, message, signature[:size])
    assert not verify(table, message, signature + b"\x00")


def test_s_of_l_or_more_is_refused():
    """Else whoever sees a signature can make a second one of it."""
    _secret, _public, table = first_vector()
    message, signature = unhexlify(VECTORS[1][2]), unhexlify(VECTORS[1][3])
    s = int.from_bytes(signature[32:], "little")
    for more in range(1, 15):
        again = signature[:32] + (s + more * L).to_bytes(32, "little")
        assert not verify(table, message, again)
    for wrong in (L, L - 1, 0, (1 << 256) - 1):
        assert not verify(table, message, signature[:32] + wrong.to_bytes(32, "little"))


def test_r_is_taken_by_its_bytes():
    """R = 0, made by one who knows the secret: it verifies as the canonical point, and as no other of its names."""
    secret, public, table = first_vector()
    scalar = scalar_of(secret)
    verdicts = []
    for name in SMALL_ORDER:
        r = unhexlify(name)
        h = int.from_bytes(sha512(r + public + b"message"), "little") % L
        signature = r + (h * scalar % L).to_bytes(32, "little")
        verdicts.append(verify(table, b"message", signature))
    assert verdicts == [True] + [False] * (len(SMALL_ORDER) - 1)


def test_r_of_mixed_order_is_refused():
    """R + (0, -1), with the s that fits: a rule that multiplies by the cofactor takes it; OpenSSL and we do not."""
    secret, public, table = first_vector()
    number = int.from_bytes(_base_times(12345), "little")
    y = P - (number & ((1 << 255) - 1))
    mixed = (y | ((number >> 255) ^ 1) << 255).to_bytes(32, "little")
    for r, verdict in ((number.to_bytes(32, "little"), True), (mixed, False)):
        h = int.from_bytes(sha512(r + public + b"message"), "little") % L
        s = (12345 + h * scalar_of(secret)) % L
        assert verify(table, b"message", r + s.to_bytes(32, "little")) is verdict


def test_the_smallest_scalars_are_right_too():
    """s = 0 and s = 1, even and odd, where a comb that skips leading zeros goes wrong: R = s*B - h*A is worked out
    for keys that are known multiples of B."""
    secret, public, table = first_vector()
    scalar = scalar_of(secret)
    base = bytes([0x58]) + b"\x66" * 31
    for multiple, r in ((0, IDENTITY), (1, base)):
        h = int.from_bytes(sha512(r + public + b""), "little") % L
        s = (multiple + h * scalar) % L
        assert verify(table, b"", r + s.to_bytes(32, "little"))
    # The base point as a key: its secret is 1, so s = h + r.
    table = prepare(base)
    h = int.from_bytes(sha512(base + base), "little") % L
    assert verify(table, b"", base + ((h + 1) % L).to_bytes(32, "little"))
    assert not verify(table, b"", base + h.to_bytes(32, "little"))


def test_keys_of_small_order_are_refused():
    """Such a key would verify forgeries: with A = 0, R = s*B holds for any message."""
    for name in SMALL_ORDER:
        assert refusal_of(prepare, unhexlify(name)) == "bad_value", name


def test_keys_of_mixed_order_are_refused():
    """A + (0, -1) = (-x, -y): on the curve, not of small order, and not of any honest signer."""
    _secret, public, _table = first_vector()
    number = int.from_bytes(public, "little")
    y = P - (number & ((1 << 255) - 1))
    mixed = (y | ((number >> 255) ^ 1) << 255).to_bytes(32, "little")
    assert refusal_of(prepare, mixed) == "bad_value"


def test_keys_that_are_not_canonical_or_not_on_the_curve_are_refused():
    for y in range(P, 1 << 255):  # the 19 second names of 0 to 18
        assert refusal_of(prepare, y.to_bytes(32, "little")) == "bad_value"
    for y in (2, 7, P - 2):  # no x there
        assert why_not(y.to_bytes(32, "little")) == "key not on the curve"
    assert why_not(unhexlify(SMALL_ORDER[11])) == "key not canonical"
    assert why_not(unhexlify(SMALL_ORDER[6])) == "key not of prime order"
    for size in (0, 31, 33, 64):
        assert refusal_of(prepare, b"\x58" + b"\x66" * (size - 1)) == "bad_value"


def why_not(key: bytes) -> str:
    try:
        prepare(key)
    except ProtocolError as error:
        return error.detail
    return ""


def test_a_table_of_another_size_is_refused_loudly():
    _secret, _public, table = first_vector()
    for broken in (b"", table[:-1], table + b"\x00", table[:32]):
        assert refusal_of(verify, broken, b"", bytes(64)) == "bad_value"


def test_the_base_table_is_what_its_maker_makes():
    assert make_base_table() == BASE_TABLE
    digest = str(hexlify(hashlib.sha256(BASE_TABLE).digest()), "ascii")
    assert digest == "25bce216040390673de66165f8c1b336d04311a5b729184beddb45a350759e70"


def test_inverse_is_right_where_pow_is_not():
    for value in (1, 2, 19, P - 1, P - 2, P // 2, 0x123456789ABCDEF, P + 5, -7):
        assert value * inverse(value) % P == 1

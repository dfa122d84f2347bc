"""Our Ed25519 and SHA-512 against OpenSSL's, on random input; the seed is in the message of a failure."""

import functools
import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from refusal import refusal_of

from protocol import paths
from protocol.ed25519 import BASE_COLUMNS, BASE_TEETH, COLUMNS, TEETH, L, P, comb, inverse, verify
from protocol.ed25519_base import BASE_TABLE
from protocol.ed25519_tables import BASE, _decompress, _times, prepare
from protocol.sha512 import sha512
from tools import micropython

SEED = 20261122
KEYS = 20
EACH = 50  # good ones, and as many bad
VERDICTS = Path(__file__).parent / "verdicts_on_board.py"
VERDICTS_HEAP_KB = 300
ROOT = Path(__file__).resolve().parents[2]


def accepted_by_openssl(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def corrupted(chance: random.Random, signature: bytes, message: bytes) -> tuple[bytes, bytes]:
    """One change of one kind: a bit of R, of s or of the message, or another number in place of s."""
    kind = chance.randrange(4)
    if kind == 0:
        return flip(chance, signature[:32]) + signature[32:], message
    if kind == 1:
        return signature[:32] + flip(chance, signature[32:]), message
    if kind == 2:
        return signature, flip(chance, message or b"\x00")
    s = int.from_bytes(signature[32:], "little")
    other = chance.choice([L - s, s + L, s ^ 1, 0, 1, L - 1, s * 2 % L])
    return signature[:32] + other.to_bytes(32, "little"), message


def flip(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


@dataclass(frozen=True)
class Case:
    """A signature and OpenSSL's verdict."""

    where: str
    public: bytes
    message: bytes
    signature: bytes
    good: bool


@functools.cache
def cases() -> list[Case]:
    """1,000 good signatures and 1,000 bad ones, a key after the other."""
    chance = random.Random(SEED)
    found: list[Case] = []
    for number in range(KEYS):
        signer = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public = signer.public_key().public_bytes_raw()
        for turn in range(EACH):
            message = chance.randbytes(chance.randrange(300))
            signature = signer.sign(message)
            where = f"seed {SEED}, key {number}, turn {turn}"
            found.append(Case(where, public, message, signature, True))
            wrong_signature, wrong_message = corrupted(chance, signature, message)
            found.append(Case(where, public, wrong_message, wrong_signature, False))
    assert all(accepted_by_openssl(case.public, case.message, case.signature) is case.good for case in found)
    return found


def tables() -> dict[bytes, bytes]:
    return {public: prepare(public) for public in {case.public for case in cases()}}


def test_1000_good_and_1000_bad_signatures_are_judged_as_openssl_does():
    prepared = tables()
    for case in cases():
        assert verify(prepared[case.public], case.message, case.signature) is case.good, case.where


def test_1000_good_and_1000_bad_signatures_are_judged_alike_in_micropython():
    """By each path that the interpreter has, in one process."""
    prepared = tables()
    lines = [
        f"{prepared[case.public].hex() if place % (2 * EACH) == 0 else ''},{case.message.hex()},{case.signature.hex()}"
        for place, case in enumerate(cases())
    ]
    interpreter = micropython.find()
    folders = (ROOT, ROOT / "device" / "lib", ROOT / "tests" / "shared")
    told = "\n".join([*lines, ""])
    said = interpreter.run(VERDICTS, heap_kb=VERDICTS_HEAP_KB, folders=folders, told=told, timeout_s=240)
    verdicts = dict(line.split() for line in said.splitlines())
    native = interpreter.word_bits == 32 and interpreter.native
    assert sorted(verdicts) == (["bytecode", "viper"] if native else ["bytecode"])
    right = "".join(f"{case.good:d}" for case in cases())
    for path, found in verdicts.items():
        assert len(found) == len(right) == 2 * KEYS * EACH, path
        wrong = [case.where for case, one, other in zip(cases(), found, right, strict=True) if one != other]
        assert not wrong, (path, wrong)


def test_every_key_that_a_signer_can_have_is_taken():
    chance = random.Random(SEED)
    for _ in range(30):
        public = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32)).public_key().public_bytes_raw()
        assert prepare(public)[:32] == public


def test_random_bytes_are_a_key_only_when_a_point_of_prime_order():
    """Half of all y have an x; of those one in eight lies in the group of order L."""
    chance = random.Random(SEED)
    codes = [refusal_of(prepare, chance.randbytes(32)) for _ in range(400)]
    assert set(codes) == {"accepted", "bad_value"}
    assert 5 <= codes.count("accepted") <= 60


def columns(scalar: int, teeth: int, width: int) -> list[int]:
    """What each column of a comb adds for `scalar`, as a multiple of the point, the highest first."""
    sign = 1 if scalar & 1 else -1
    odd = scalar if scalar & 1 else L - scalar
    bits = (odd + (1 << teeth * width) - 1) // 2
    digits = [
        sum((2 * (bits >> column + tooth * width & 1) - 1) << tooth * width for tooth in range(teeth))
        for column in range(width)
    ]
    assert sum(digit << column for column, digit in enumerate(digits)) == odd
    return [sign * digit for digit in reversed(digits)]


def test_a_partial_sum_of_zero_changes_nothing():
    """For every s and h there is a key with which the comb passes through the point 0 on its way; one that takes
    0 for "nothing added yet" would then double once too few."""
    chance = random.Random(SEED)
    base = _decompress(BASE)
    point = (*base, 1, base[0] * base[1] % P)
    alone = COLUMNS - BASE_COLUMNS
    for zero_at in (alone, alone + 1, alone + 2, 20, 41, 42):
        s, h = chance.randrange(L), chance.randrange(L)
        of_s = [0] * alone + columns(s, BASE_TEETH, BASE_COLUMNS)
        of_h = columns(h, TEETH, COLUMNS)
        left = sum(of_s[c] << zero_at - c for c in range(zero_at + 1))
        right = sum(of_h[c] << zero_at - c for c in range(zero_at))
        secret = left * pow(right, -1, L) % L  # left - right * secret = 0: the sum before h's turn at that column
        x, y, z, _t = _times(secret, point)
        public = encoded(x, y, z)
        combs = comb(s, BASE_TEETH, BASE_COLUMNS), comb(h, TEETH, COLUMNS)
        sum_of_both = paths.BEST.combine(combs[0], memoryview(BASE_TABLE), combs[1], memoryview(prepare(public))[32:])
        assert encoded(*sum_of_both) == encoded(*_times((s - h * secret) % L, point)[:3]), f"seed {SEED}, {zero_at}"


def encoded(x: int, y: int, z: int) -> bytes:
    scale = inverse(z)
    return (y * scale % P | (x * scale % P & 1) << 255).to_bytes(32, "little")


@given(st.binary(max_size=600))
def test_sha512_is_hashlibs(data: bytes):
    assert sha512(data) == hashlib.sha512(data).digest()


@given(st.binary(max_size=80), st.binary(max_size=100))
def test_no_bytes_from_outside_make_verify_raise(message: bytes, signature: bytes):
    assert not verify(TABLE, message, signature)


@given(st.integers(0, P + 100), st.integers(0, L + 100))
def test_no_r_and_s_that_nobody_made_verify(r: int, s: int):
    signature = (r % (1 << 256)).to_bytes(32, "little") + s.to_bytes(32, "little")
    assert not verify(TABLE, b"message", signature)


TABLE = prepare(Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw())

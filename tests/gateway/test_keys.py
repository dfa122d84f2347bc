"""The two secrets: made once, readable by their owner only, and everything else follows from them."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.keys import KeyFileError, Keys, read_secret, write_secret
from protocol import ed25519, tokens
from protocol.keys import locker_key, sub_key

MASTER, SEED = bytes(range(32)), bytes(32)


def test_the_first_start_makes_keys_that_the_second_finds(tmp_path: Path):
    first = Keys.load(tmp_path / "keys", {})
    second = Keys.load(tmp_path / "keys", {})
    assert first.public_key == second.public_key
    assert first.locker_key("mairie-1", 1) == second.locker_key("mairie-1", 1)
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["master.key", "signing.key"]


def test_two_installations_have_nothing_in_common(tmp_path: Path):
    one, other = Keys.load(tmp_path / "a", {}), Keys.load(tmp_path / "b", {})
    assert one.public_key != other.public_key
    assert one.locker_key("mairie-1", 1) != other.locker_key("mairie-1", 1)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int):
    Keys.load(tmp_path, {})
    (tmp_path / "master.key").chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        Keys.load(tmp_path, {})


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "00" * 31, "00" * 33])
def test_a_broken_key_is_refused_and_never_shown(tmp_path: Path, text: str):
    write_secret(tmp_path / "master.key", text)
    with pytest.raises(KeyFileError) as caught:
        Keys.load(tmp_path, {})
    assert "64 hex digits" in str(caught.value)
    assert len(text) < 8 or text not in str(caught.value)


def test_the_environment_may_hold_the_keys_and_then_no_file_is_made(tmp_path: Path):
    environment = {"CONSIGNE_MASTER_KEY": MASTER.hex(), "CONSIGNE_SIGNING_KEY": SEED.hex()}
    keys = Keys.load(tmp_path / "keys", environment)
    assert keys.public_key == Keys.from_secrets(MASTER, SEED).public_key
    assert not (tmp_path / "keys").exists()


def test_locker_keys_are_those_of_the_protocol():
    keys = Keys.from_secrets(MASTER, SEED)
    key = locker_key(MASTER, "gare-1", 3)
    assert keys.locker_key("gare-1", 3) == key
    assert keys.mqtt_password("gare-1", 3) == sub_key(key, "mqtt").hex()
    assert keys.hmac("gare-1", 3, "up").digest(b"x") != keys.hmac("gare-1", 4, "up").digest(b"x")
    assert keys.hmac("gare-1", 3, "up") is keys.hmac("gare-1", 3, "up")


def test_what_it_signs_verifies_with_what_lockers_are_given():
    keys = Keys.from_secrets(MASTER, SEED)
    signature = keys.sign(b"message")
    Ed25519PublicKey.from_public_bytes(keys.public_key).verify(signature, b"message")
    assert keys.kid == tokens.key_id(keys.public_key)
    assert ed25519.verify(keys.trusted[keys.kid], b"message", signature)
    assert not ed25519.verify(keys.trusted[keys.kid], b"massage", signature)


def test_the_gateways_own_secrets_are_no_lockers():
    keys = Keys.from_secrets(MASTER, SEED)
    assert keys.derived("broker") != keys.derived("credentials")
    assert keys.derived("broker") != keys.locker_key("broker", 1)


def test_a_secret_that_is_there_is_never_replaced(tmp_path: Path):
    write_secret(tmp_path / "x", "first")
    write_secret(tmp_path / "x", "second")
    assert read_secret(tmp_path / "x") == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]

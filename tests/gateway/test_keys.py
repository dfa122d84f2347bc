"""The two secrets: made once, readable by their owner only, and everything else follows from them."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.key_files import KeyFileError, read_secret, write_secret
from gateway.keys import Keys
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


# ------------------------------------------------------------------ several signing keys
NEXT_SEED = bytes([7]) * 32


def signed_by(keys: Keys, kid: bytes) -> bool:
    """Whether a token in the name of `kid` verifies with what lockers are given."""
    token = tokens.Token("colibri", None, 1, bytes(8), tokens.COURIER, None, None)
    text = tokens.seal(token, kid, keys.sign)
    return tokens.open_token(text, keys.trusted) == token


def test_a_folder_that_others_can_open_is_refused_with_the_remedy(tmp_path: Path):
    Keys.load(tmp_path / "keys", {})
    (tmp_path / "keys").chmod(0o750)
    with pytest.raises(KeyFileError, match="chmod 700"):
        Keys.load(tmp_path / "keys", {})


def test_the_folder_and_every_file_in_it_are_the_owners_alone_through_a_whole_rotation(tmp_path: Path):
    keys = Keys.load(tmp_path / "keys", {})
    keys.begin()
    keys.new_generation("mairie-1", 0)
    keys.promote()
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert set(names) == {"master.key", "signing.key", "signing-old.pub", "generations"}
    assert set(names.values()) == {0o600}


def test_a_rotation_leads_from_one_key_over_two_to_the_other(tmp_path: Path):
    keys = Keys.load(tmp_path, {})
    first = keys.kid
    following = keys.begin()
    assert keys.begin() == following, "asked again, the same key"
    assert (keys.kid, keys.next_kid, keys.old_kid) == (first, following, None)
    assert set(keys.trusted) == {first, following}
    assert signed_by(keys, first)
    keys.promote()
    assert (keys.kid, keys.next_kid, keys.old_kid) == (following, None, first)
    assert set(keys.trusted) == {first, following}
    assert signed_by(keys, following)
    again = Keys.load(tmp_path, {})
    assert (again.kid, again.old_kid, again.trusted) == (following, first, keys.trusted)
    keys.let_go(first)
    assert set(keys.trusted) == set(Keys.load(tmp_path, {}).trusted) == {following}


def test_the_secret_half_of_the_old_key_is_gone_once_the_next_one_signs(tmp_path: Path):
    keys = Keys.load(tmp_path, {})
    secret = (tmp_path / "signing.key").read_text().strip()
    keys.begin()
    keys.promote()
    assert all(secret not in path.read_text() for path in tmp_path.iterdir())


def test_a_promotion_between_a_callers_two_looks_mixes_no_two_keys(tmp_path: Path):
    keys = Keys.load(tmp_path, {})
    keys.begin()
    seen = keys.kid
    keys.promote()
    assert signed_by(keys, seen) and signed_by(keys, keys.kid)


def test_a_next_key_can_be_called_off_and_the_current_one_cannot(tmp_path: Path):
    keys = Keys.load(tmp_path, {})
    keys.let_go(keys.begin())
    keys.let_go(keys.kid)
    assert set(keys.trusted) == {keys.kid}
    assert not (tmp_path / "signing-next.key").exists()


def test_the_environment_may_hold_the_next_key_too(tmp_path: Path):
    environment = {"CONSIGNE_MASTER_KEY": MASTER.hex(), "CONSIGNE_SIGNING_KEY": SEED.hex()}
    keys = Keys.load(tmp_path / "keys", environment | {"CONSIGNE_NEXT_SIGNING_KEY": NEXT_SEED.hex()})
    assert not keys.in_files and keys.next_kid is not None and len(keys.trusted) == 2
    assert not (tmp_path / "keys").exists()
    with pytest.raises(KeyFileError, match="the next signing key is the current one"):
        Keys.load(tmp_path / "keys", environment | {"CONSIGNE_NEXT_SIGNING_KEY": SEED.hex()})
    with pytest.raises(KeyFileError, match="set both, or neither"):
        Keys.load(tmp_path / "keys", {"CONSIGNE_NEXT_SIGNING_KEY": NEXT_SEED.hex()})


def test_three_keys_at_once_are_refused_because_lockers_hold_two(tmp_path: Path):
    keys = Keys.load(tmp_path, {})
    keys.begin()
    keys.promote()
    write_secret(tmp_path / "signing-next.key", NEXT_SEED.hex())
    with pytest.raises(KeyFileError, match="lockers hold two"):
        Keys.load(tmp_path, {})


def test_keys_that_must_not_be_made_are_missed_with_the_remedy(tmp_path: Path):
    with pytest.raises(KeyFileError, match=r"restore it from its backup.*--replace-lost"):
        Keys.load(tmp_path, {}, make=False)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------ generations
def test_a_generation_never_comes_again_whatever_the_books_remember(tmp_path: Path):
    keys = Keys.load(tmp_path, {})
    assert [keys.new_generation("mairie-1", known) for known in (0, 1, 0)] == [1, 2, 3]
    assert Keys.load(tmp_path, {}).new_generation("mairie-1", 0) == 4
    assert keys.new_generation("gare-1", 9) == 10, "books that know more are believed"


def test_books_that_know_less_than_the_keys_are_told_apart(tmp_path: Path):
    keys = Keys.load(tmp_path, {})
    keys.new_generation("mairie-1", 2)
    assert keys.note_generations({"mairie-1": 2, "gare-1": 5}) == {"mairie-1": 3}
    assert Keys.load(tmp_path, {}).new_generation("gare-1", 0) == 6


def test_a_damaged_list_of_generations_stops_the_start(tmp_path: Path):
    Keys.load(tmp_path, {}).new_generation("mairie-1", 0)
    (tmp_path / "generations").write_text("mairie-1 one\n")
    with pytest.raises(KeyFileError, match="damaged"):
        Keys.load(tmp_path, {})


def test_the_check_of_a_master_key_tells_it_from_others_and_is_no_key():
    keys = Keys.from_secrets(MASTER, SEED)
    assert keys.check == Keys.from_secrets(MASTER, NEXT_SEED).check
    assert keys.check != Keys.from_secrets(NEXT_SEED, SEED).check
    others = [keys.derived(name) for name in ("check", "broker", "credentials")] + [keys.locker_key("mairie-1", 1)]
    assert all(keys.check not in other for other in others)

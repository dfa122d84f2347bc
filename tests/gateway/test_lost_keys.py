"""Keys and books are lost apart: the one does not take the other with it, and the wrong pair never starts."""

import shutil
from pathlib import Path

import pytest
from books_town import OPERATOR, Town, cabinet, open_town, refused

from gateway.key_files import KeyFileError, KeyFolder
from gateway.keys import Keys
from gateway.services import key_check, lockers, parcels, trust
from gateway.services.key_check import WrongKeysError
from protocol import otp, tokens


def start(folder: Path, **more: bool) -> Town:
    """What the gateway does at its start, with the keys and the books of this folder."""
    town = open_town(folder, keys=Keys.load(folder / "keys", {}, **more))
    try:
        key_check.check(town.desk)
    except BaseException:
        town.store.close()
        raise
    return town


def lived_in(folder: Path) -> tuple[Town, str]:
    """A town with a locker that holds a parcel; and the code of it."""
    town = start(folder)
    town.locker("S", "S")
    parcel = town.deposited("label-1")
    return town, parcels.pickup_code(town.desk, OPERATOR, parcel.number).code


def close(town: Town) -> None:
    town.store.close()


def lose_books(folder: Path) -> None:
    for path in folder.glob("consigne.db*"):
        path.unlink()


# ------------------------------------------------------------------ books lost, keys kept
def test_after_losing_the_books_the_same_keys_give_the_same_codes_and_old_badges_are_good(tmp_path: Path) -> None:
    town, code = lived_in(tmp_path)
    badge = town.badge().token or ""
    key = town.desk.keys.locker_key("mairie-1", 1)
    close(town)
    lose_books(tmp_path)
    again = start(tmp_path)
    assert again.desk.keys.locker_key("mairie-1", 1) == key
    assert otp.typed_code(again.desk.keys.hmac("mairie-1", 1, "code"), 1, 1, 12) == code
    assert tokens.open_token(badge, again.desk.keys.trusted).role == tokens.COURIER
    close(again)


def test_a_locker_registered_anew_gets_no_generation_that_its_hardware_ever_had(tmp_path: Path) -> None:
    """With an old generation on wiped flash, codes handed out in its former life would open new parcels."""
    town, _ = lived_in(tmp_path)
    assert lockers.provision_locker(town.desk, OPERATOR, "mairie-1").generation == 2
    close(town)
    lose_books(tmp_path)
    again = start(tmp_path)
    lockers.register_locker(again.desk, OPERATOR, cabinet("S", "S"))
    assert lockers.generation_of(again.desk, "mairie-1") is None, "not heard before it was provisioned"
    assert lockers.provision_locker(again.desk, OPERATOR, "mairie-1").generation == 3
    close(again)


def test_books_from_a_backup_that_lack_a_provisioning_say_so_and_reuse_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    town, _ = lived_in(tmp_path)
    close(town)
    shutil.copy(tmp_path / "consigne.db", tmp_path / "backup")
    town = start(tmp_path)
    lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
    close(town)
    lose_books(tmp_path)
    (tmp_path / "backup").rename(tmp_path / "consigne.db")
    again = start(tmp_path)
    assert "generation_behind locker=mairie-1 books=1 highest=2" in capfd.readouterr().err
    assert lockers.provision_locker(again.desk, OPERATOR, "mairie-1").generation == 3
    close(again)


def test_books_older_than_the_list_of_generations_fill_it_at_the_start(tmp_path: Path) -> None:
    town, _ = lived_in(tmp_path)
    close(town)
    (tmp_path / "keys" / "generations").unlink()
    close(start(tmp_path))
    assert KeyFolder(tmp_path / "keys").generations() == {"mairie-1": 1}


def test_a_locker_that_had_every_generation_gets_no_other(tmp_path: Path) -> None:
    town = start(tmp_path)
    lockers.register_locker(town.desk, OPERATOR, cabinet("S"))
    town.desk.keys.note_generations({"mairie-1": 255})
    refused("wrong_state", lockers.provision_locker, town.desk, OPERATOR, "mairie-1")
    assert lockers.generation_of(town.desk, "mairie-1") is None
    close(town)


def test_losing_the_books_in_the_middle_of_a_rotation_loses_neither_key(tmp_path: Path) -> None:
    town = start(tmp_path)
    first = town.desk.keys.kid
    trust.begin_rotation(town.desk, OPERATOR)
    trust.promote(town.desk, OPERATOR)
    close(town)
    lose_books(tmp_path)
    again = start(tmp_path)
    assert first in again.desk.keys.trusted and len(again.desk.keys.trusted) == 2
    assert [key.state for key in trust.status(again.desk, OPERATOR).keys] == ["current", "old"]
    close(again)


# ------------------------------------------------------------------ keys lost, books kept
@pytest.mark.parametrize("lost", ["master.key", "signing.key"])
def test_keys_that_lockers_depend_on_are_not_made_anew(tmp_path: Path, lost: str) -> None:
    close(lived_in(tmp_path)[0])
    (tmp_path / "keys" / lost).unlink()
    with pytest.raises(KeyFileError, match=r"restore it from its backup.*--replace-lost"):
        start(tmp_path, make=False)
    assert not (tmp_path / "keys" / lost).exists()


@pytest.mark.parametrize("other", ["master.key", "signing.key"])
def test_other_keys_than_those_of_the_books_are_refused_at_the_start(tmp_path: Path, other: str) -> None:
    close(lived_in(tmp_path)[0])
    kept = (tmp_path / "keys" / other).read_text()
    (tmp_path / "keys" / other).write_text("ab" * 32)
    with pytest.raises(WrongKeysError, match="--replace-lost") as caught:
        start(tmp_path)
    assert "abab" not in str(caught.value) and kept.strip() not in str(caught.value)
    (tmp_path / "keys" / other).write_text(kept)
    close(start(tmp_path))


def test_an_older_copy_of_the_key_folder_is_refused(tmp_path: Path) -> None:
    town, _ = lived_in(tmp_path)
    shutil.copytree(tmp_path / "keys", tmp_path / "copy")
    trust.begin_rotation(town.desk, OPERATOR)
    trust.promote(town.desk, OPERATOR, force=True)
    close(town)
    shutil.rmtree(tmp_path / "keys")
    shutil.copytree(tmp_path / "copy", tmp_path / "keys")
    with pytest.raises(WrongKeysError, match="not the one in the books"):
        start(tmp_path)


def test_a_next_key_that_got_lost_is_missed(tmp_path: Path) -> None:
    town, _ = lived_in(tmp_path)
    trust.begin_rotation(town.desk, OPERATOR)
    close(town)
    (tmp_path / "keys" / "signing-next.key").unlink()
    with pytest.raises(WrongKeysError, match="the next signing key is missing"):
        start(tmp_path)


def test_where_nothing_depends_on_the_keys_new_ones_are_simply_taken(tmp_path: Path) -> None:
    close(start(tmp_path))
    shutil.rmtree(tmp_path / "keys")
    again = start(tmp_path)
    assert [key.state for key in trust.status(again.desk, OPERATOR).keys if key.lockers or key.state == "current"]
    again.locker("S")
    close(again)
    close(start(tmp_path))


def test_a_lost_master_key_that_was_replaced_makes_every_locker_unprovisioned(tmp_path: Path) -> None:
    town, code = lived_in(tmp_path)
    (parcel,) = parcels.list_parcels(town.desk, OPERATOR)[0]
    close(town)
    (tmp_path / "keys" / "master.key").unlink()
    KeyFolder(tmp_path / "keys").mark_replaced()
    again = start(tmp_path)
    assert lockers.provisioned(again.desk) == [] and again.alarms() == ["provision_again"]
    why = refused("wrong_state", parcels.pickup_code, again.desk, OPERATOR, parcel.number)
    assert "lost" in why.detail and code not in why.detail
    assert lockers.provision_locker(again.desk, OPERATOR, "mairie-1").generation == 2
    assert again.alarms() == []
    assert not (tmp_path / "keys" / "replaced").exists(), "the operator's word is good once"
    close(again)
    close(start(tmp_path))


def test_a_lost_signing_key_that_was_replaced_leaves_lockers_working_and_to_be_visited(tmp_path: Path) -> None:
    town, code = lived_in(tmp_path)
    (parcel,) = parcels.list_parcels(town.desk, OPERATOR)[0]
    close(town)
    (tmp_path / "keys" / "signing.key").unlink()
    KeyFolder(tmp_path / "keys").mark_replaced()
    again = start(tmp_path)
    assert parcels.pickup_code(again.desk, OPERATOR, parcel.number).code == code
    assert again.alarms() == ["provision_again"]
    said = trust.status(again.desk, OPERATOR)
    assert said.cut_off == ("mairie-1",) and {key.state: key.lockers for key in said.keys} == {"lost": 1, "current": 0}
    lockers.provision_locker(again.desk, OPERATOR, "mairie-1")
    assert trust.status(again.desk, OPERATOR).cut_off == ()
    close(again)


def test_a_crash_before_the_operators_word_was_removed_changes_nothing_twice(tmp_path: Path) -> None:
    town, _ = lived_in(tmp_path)
    before = town.desk.keys.kid
    close(town)
    KeyFolder(tmp_path / "keys").mark_replaced()
    again = start(tmp_path)
    assert again.desk.keys.kid == before and lockers.provisioned(again.desk) == [("mairie-1", 1)]
    assert again.alarms() == []
    close(again)


def test_what_the_books_keep_of_the_master_key_is_its_check_alone(tmp_path: Path) -> None:
    town, _ = lived_in(tmp_path)
    dump = "\n".join(town.dump())
    for name in ("master.key", "signing.key"):
        assert (tmp_path / "keys" / name).read_text().strip() not in dump.lower()
    keys = town.desk.keys
    assert isinstance(keys, Keys) and keys.check.hex() in dump.lower()
    for secret in (keys.derived("check"), keys.locker_key("mairie-1", 1), keys.sub_key("mairie-1", 1, "code")):
        assert secret.hex() not in dump.lower()
    close(town)

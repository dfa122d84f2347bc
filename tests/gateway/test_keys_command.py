"""`consigne keys`: made before the first start, looked at with and without a gateway, rotated; never printed."""

import json
import os
import pty
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_town import Town, open_locker, town
from test_http_keys import answer_all

from gateway.key_files import KeyFolder
from gateway.keys import Keys
from gateway.services import key_check
from tools import consigne
from tools.client import OK, REFUSED, UNAUTHENTICATED, USAGE

ROOT = Path(consigne.__file__).parent.parent
ENVIRONMENT = ("CONSIGNE_MASTER_KEY", "CONSIGNE_SIGNING_KEY", "CONSIGNE_NEXT_SIGNING_KEY", "CONSIGNE_DATA")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with town(tmp_path / "books", Keys.load(tmp_path / "books" / "keys", {})) as made:
        key_check.check(made.desk)
        operator = open_locker(made)
        monkeypatch.setenv("CONSIGNE_URL", made.url)
        monkeypatch.setenv("CONSIGNE_KEY", operator.headers["authorization"].split()[1])
        yield made


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = consigne.main(["keys", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def secrets_of(folder: Path) -> list[str]:
    return [path.read_text().strip() for path in folder.glob("*.key")]


# ------------------------------------------------------------------ without a gateway
def test_keys_are_made_before_the_first_start_and_only_their_ids_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "make", "--folder", str(tmp_path))
    keys = Keys.load(tmp_path / "keys", {}, make=False)
    assert code == OK and keys.kid.hex() in out and str(tmp_path / "keys" / "master.key") in out and "Back up" in out
    assert not any(secret in out for secret in secrets_of(tmp_path / "keys"))
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_nothing_is_ever_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "make", "--folder", str(tmp_path))
    before = secrets_of(tmp_path / "keys")
    code, out, err = run(capsys, "make", "--folder", str(tmp_path))
    assert (code, out) == (REFUSED, "") and "nothing is overwritten" in err
    code, out, err = run(capsys, "make", "--folder", str(tmp_path), "--replace-lost", "--yes")
    assert code == OK and secrets_of(tmp_path / "keys") == before


def test_a_key_that_is_missing_beside_another_was_lost_and_is_not_made_by_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "make", "--folder", str(tmp_path))
    (tmp_path / "keys" / "signing.key").unlink()
    code, _, err = run(capsys, "make", "--folder", str(tmp_path))
    assert code == REFUSED and "lost?" in err and "--replace-lost" in err
    assert run(capsys, "make", "--folder", str(tmp_path), "--replace-lost")[0] == USAGE, "a script says --yes"
    assert not (tmp_path / "keys" / "signing.key").exists()
    code, out, _ = run(capsys, "make", "--folder", str(tmp_path), "--replace-lost", "--yes", "--json")
    assert code == OK and json.loads(out)["made"] == ["signing.key"]
    assert Keys.load(tmp_path / "keys", {}).replaced


def test_keys_that_the_environment_holds_are_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSIGNE_MASTER_KEY", "11" * 32)
    code, out, _ = run(capsys, "make", "--folder", str(tmp_path), "--json")
    assert code == OK and json.loads(out)["made"] == ["signing.key"]
    assert not (tmp_path / "keys" / "master.key").exists()


def test_the_files_alone_are_shown_with_what_is_wrong_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = Keys.load(tmp_path / "keys", {})
    keys.begin()
    code, out, _ = run(capsys, "show", "--folder", str(tmp_path), "--json")
    rows = {row["key"]: row for row in json.loads(out)["keys"]}
    assert code == OK and rows["signing"]["id"] == keys.kid.hex()
    assert keys.next_kid is not None and rows["next signing"]["id"] == keys.next_kid.hex()
    assert rows["master"]["id"] == keys.check.hex()[:8]

    (tmp_path / "keys" / "master.key").chmod(0o644)
    (tmp_path / "keys" / ".signing.key.17").touch()
    code, out, _ = run(capsys, "show", "--folder", str(tmp_path))
    assert code == REFUSED and "chmod 600" in out and "left over" in out
    assert not any(secret in out for secret in secrets_of(tmp_path / "keys"))
    code, out, _ = run(capsys, "show", "--folder", str(tmp_path / "nowhere"))
    assert code == REFUSED and "consigne keys make" in out


# ------------------------------------------------------------------ with a gateway
def test_a_rotation_from_the_command_line(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    first = here.desk.keys.kid.hex()
    code, out, _ = run(capsys, "show")
    assert code == OK and out.splitlines()[0].split() == ["ID", "STATE", "LOCKERS", "BADGES", "PARCELS"]
    code, out, _ = run(capsys, "rotate")
    assert code == OK and "waiting: mairie-1" in out and "next: wait" in out
    code, out, err = run(capsys, "promote", "--yes")
    assert (code, out) == (REFUSED, "") and "mairie-1" in err and "--force" not in out
    answer_all(here)
    assert run(capsys, "promote")[0] == USAGE, "nobody is here to be asked"
    assert here.desk.keys.kid.hex() == first
    code, out, _ = run(capsys, "promote", "--yes", "--json")
    assert code == OK and [row["state"] for row in json.loads(out)["data"]] == ["current", "old"]
    code, _, err = run(capsys, "drop", first)
    assert code == USAGE and "badges" in err
    code, out, _ = run(capsys, "drop", first, "--yes")
    assert code == OK and f"key {first} is dropped" in out and "Typed codes" in out
    assert "unknown_key" in run(capsys, "drop", "00000000", "--yes")[2]
    assert "not_found" in run(capsys, "drop", "../lockers", "--yes")[2], "what is typed leads nowhere else"


def test_by_force_the_next_key_signs_before_every_locker_knows_it(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    first = here.desk.keys.kid.hex()
    run(capsys, "rotate")
    assert run(capsys, "promote", "--force", "--yes")[0] == OK
    code, _, err = run(capsys, "drop", first, "--yes")
    assert code == REFUSED and "lockers_not_ready" in err
    assert run(capsys, "drop", first, "--yes", "--force")[0] == OK


def test_a_key_without_the_scope_is_exit_code_4_here_too(
    here: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    less = here.caller("courier", "colibri")
    monkeypatch.setenv("CONSIGNE_KEY", less.headers["authorization"].split()[1])
    code, _, err = run(capsys, "rotate")
    assert code == UNAUTHENTICATED and "keys:write" in err


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", OK), (b"n\n", REFUSED), (b"\n", REFUSED)])
def test_a_person_at_a_terminal_is_asked(here: Town, tmp_path: Path, answer: bytes, code: int) -> None:
    shutil.copytree(tmp_path / "books" / "keys", tmp_path / "data" / "keys")
    (tmp_path / "data" / "keys" / "signing.key").unlink()
    person, terminal = pty.openpty()
    os.write(person, answer)
    command = [sys.executable, "-m", "tools.consigne", "keys", "make", "--replace-lost", "--folder"]
    ended = subprocess.run(
        [*command, str(tmp_path / "data")], cwd=ROOT, stdin=terminal, capture_output=True, text=True, check=False
    )
    os.close(person)
    os.close(terminal)
    assert ended.returncode == code and "Go on? [y/N]" in ended.stderr
    assert KeyFolder(tmp_path / "data" / "keys").has("signing.key") == (code == OK)
    assert here.desk.keys.kid


def test_help_says_what_each_word_does() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tools.consigne", "keys", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(word in said.stdout for word in ("show", "make", "rotate", "promote", "drop"))

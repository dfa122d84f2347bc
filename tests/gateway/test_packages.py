"""Packages: the system's own, from its own mirrors, whole or not at all, by a bare python3."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import packages
from gateway.packages import Mirror, PackageError, own_mirrors

ROOT = Path(__file__).parents[2]

DEBIAN = """\
'https://mirror.example/debian/dists/bookworm/InRelease' a 0
'https://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' b 0
'https://mirror.example/debian/dists/bookworm-updates/InRelease' c 0
'https://mirror.example/debian-security/dists/bookworm-security/InRelease' d 0
'https://other.example/node_20.x/dists/nodistro/InRelease' e 0
'https://other.example/apt/dists/cloud-sdk-bookworm/InRelease' f 0
"""
RELEASE = {"ID": "debian", "VERSION_CODENAME": "bookworm"}


def deb(folder: Path, name: str, content: str) -> Path:
    """A real, small package."""
    root = folder / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: x\n"
    )
    (root / "usr" / "share").mkdir(parents=True)
    (root / "usr" / "share" / f"{name}.txt").write_text(content)
    subprocess.run(["dpkg-deb", "--build", str(root), str(folder)], check=True, capture_output=True)
    return folder / f"{name}_1.0_all.deb"


class Shelf:
    """Stands where apt does: gives packages that were built here."""

    def __init__(self, archives: list[Path]) -> None:
        self._archives = archives

    def download(self, _names: object, work: Path) -> list[Path]:
        return [Path(shutil.copy(archive, work)) for archive in self._archives]


def test_only_the_systems_own_archives_are_asked_and_the_plain_one_comes_first():
    assert own_mirrors(DEBIAN, RELEASE) == [
        Mirror("https://mirror.example/debian", "bookworm"),
        Mirror("https://mirror.example/debian", "bookworm-updates"),
        Mirror("https://mirror.example/debian-security", "bookworm-security"),
    ]


def test_a_derived_system_is_served_from_the_release_it_derives_from():
    lines = (
        "'https://mirror.example/ubuntu/dists/noble/InRelease' a 0\n'https://mint.example/dists/zara/InRelease' b 0\n"
    )
    found = own_mirrors(lines, {"ID": "linuxmint", "VERSION_CODENAME": "zena", "UBUNTU_CODENAME": "noble"})
    assert found == [Mirror("https://mirror.example/ubuntu", "noble")]


def test_a_system_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageError, match="Debian and Ubuntu only"):
        packages.fetch(["mosquitto"], tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_what_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "into").mkdir()
    packages.fetch(["mosquitto"], tmp_path / "into")


def test_a_package_is_unpacked_whole_and_leaves_nothing_else(tmp_path: Path):
    shelf = Shelf([deb(tmp_path, "alpha", "a"), deb(tmp_path, "beta", "b")])
    packages._install(shelf, ["alpha", "beta"], tmp_path / "cache" / "two", {}, print)
    assert (tmp_path / "cache" / "two" / "usr" / "share" / "alpha.txt").read_text() == "a"
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["two"]


def test_a_package_that_is_not_the_pinned_one_is_not_unpacked(tmp_path: Path):
    shelf = Shelf([deb(tmp_path, "alpha", "a")])
    with pytest.raises(PackageError, match="pinned"):
        packages._install(shelf, ["alpha"], tmp_path / "cache" / "one", {"alpha": "0" * 64}, print)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_file_of_the_pool_is_taken_by_its_path_and_its_pin_alone(tmp_path: Path):
    archive = deb(tmp_path, "alpha", "a")
    shelf = tmp_path / "pool" / "main" / "a" / "a+b~1"
    shelf.mkdir(parents=True)
    archive = archive.rename(shelf / archive.name)
    name = f"main/a/a+b~1/{archive.name}"
    pin = hashlib.sha256(archive.read_bytes()).hexdigest()
    mirror = Mirror(f"copy:{tmp_path}", "")
    packages._install(packages._Pool(mirror, {name: pin}, print), [name], tmp_path / "cache" / "one", {}, print)
    assert (tmp_path / "cache" / "one" / "usr" / "share" / "alpha.txt").read_text() == "a"
    for wrong in ({name: "0" * 64}, {name + ".old": pin}):
        with pytest.raises(PackageError):
            packages._install(packages._Pool(mirror, wrong, print), list(wrong), tmp_path / "cache" / "two", {}, print)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["one"]


def test_when_two_run_at_once_the_second_finds_the_firsts_folder_good(tmp_path: Path):
    archive = deb(tmp_path, "alpha", "a")
    into = tmp_path / "cache" / "one"

    class Slow(Shelf):
        def download(self, _names: object, work: Path) -> list[Path]:
            packages._install(Shelf([archive]), ["alpha"], into, {}, print)
            return super().download(_names, work)

    packages._install(Slow([archive]), ["alpha"], into, {}, print)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["one"]
    assert (into / "usr" / "share" / "alpha.txt").read_text() == "a"


def test_the_private_state_touches_nothing_of_the_system(tmp_path: Path):
    text = packages._configuration(tmp_path, ["amd64", "i386"])
    for setting in ("Dir::State ", "Dir::State::lists", "Dir::State::status", "Dir::Cache ", "Dir::Etc::sourcelist"):
        assert f'{setting.strip()} "{tmp_path}' in text
    assert 'APT::Architectures {"amd64"; "i386";};' in text


def test_a_bare_python_runs_it():
    """Before anything is installed: no package of ours, isolated, standard library only."""
    script = ROOT / "gateway" / "packages.py"
    done = subprocess.run([sys.executable, "-I", "-S", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unpack" in done.stderr


def test_no_mirror_is_written_into_the_code():
    text = (ROOT / "gateway" / "packages.py").read_text()
    assert "http" not in text and ".org" not in text


def test_every_installer_command_names_the_package():
    assert "mosquitto" in packages.install_command("mosquitto")


def test_the_cache_is_where_the_system_says(tmp_path: Path):
    assert packages.cache_folder({"CONSIGNE_CACHE": str(tmp_path / "a")}) == tmp_path / "a"
    assert packages.cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "consigne"
    assert os.access(tmp_path / "consigne", os.W_OK)

"""`consigne flash` on a board whose heap has no room for code, and whose firmware has a ROMFS partition."""

import json
from pathlib import Path
from typing import Any

import pytest
from locker_on_table import KEY, code_of, deposits
from serial import Serial

from tools import consigne, flash, flash_rom, micropython
from tools.board_files import BoardFiles
from tools.client import OK, REFUSED, Failed
from tools.console.ports import BAUD, READ_WAIT_S, open_port
from tools.locker import rom
from tools.locker.cabinets import mairie
from tools.locker.client import VirtualLocker, start
from tools.locker.controller import ROMFS_SINCE
from tools.locker.flash import read_files, write_files
from tools.locker.provision import Bundle, blank, config, flash_files
from tools.serial_repl import Repl

NOBODY = ("127.0.0.1", 1)
BACK_S = 60


@pytest.fixture(autouse=True)
def _small_heap(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """So that it is one also where words have 64 bits, and a virtual board's heap is half as large again."""
    monkeypatch.setattr("tools.flash.HEAP_MIN", 256 * 1024)


def bare(folder: Path, partition_kb: int) -> Path:
    """A cabinet whose board has MicroPython, an empty partition, and nothing else."""
    blank(folder, mairie("test-1") | {"rom": False}, NOBODY)
    (folder / "romfs.img").write_bytes(b"\xff" * partition_kb * 1024)
    return folder


def run(locker: VirtualLocker, capsys: pytest.CaptureFixture[str], *words: str, code: int = OK) -> dict[str, Any]:
    assert consigne.main(["flash", "--port", locker.console, "--json", *words]) == code
    return json.loads(capsys.readouterr().out)


class Cut(Serial):
    """A port; the board behind it loses its power once so many bytes were sent."""

    def __init__(self, locker: VirtualLocker, after: int) -> None:
        super().__init__(locker.console, BAUD, timeout=READ_WAIT_S)
        self._locker, self._left = locker, after

    def write(self, data: Any, /) -> int | None:
        if 0 < self._left <= len(data):
            self._locker.client.kill()
        self._left -= len(data)
        return super().write(data)


def provisioned(place: Path, tmp_path: Path) -> dict[str, bytes]:
    """A locker whose code lies in its partition, with a parcel behind door 3."""
    hardware, bundle = mairie("test-1"), Bundle("test-1", 1, KEY, NOBODY)
    listen = json.loads((place / "cable.json").read_text())["listen"]
    numbers = [box["number"] for module in hardware["modules"] for box in module["compartments"]]
    kept = flash_files(config(hardware, bundle, ("127.0.0.1", listen), None), bundle)
    write_files(place / "flash.img", kept | deposits(tmp_path, numbers, [3]) | flash.starters())
    image = (rom.build(micropython.find()) / "rom.img").read_bytes()
    with (place / "romfs.img").open("r+b") as partition:
        partition.write(image)
    return kept


def newer(folder: Path) -> Path:
    """Another version of our code."""
    former = (rom.build(micropython.find()) / "rom.img").read_bytes()
    (folder / "newer.img").write_bytes(former + b"which is as good, and another version")
    return folder / "newer.img"


def test_new_code_comes_into_a_romfs_also_when_the_power_goes_in_the_middle_and_keys_and_journal_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    if micropython.find().version < ROMFS_SINCE:
        return  # it has no partition: test_flash_command.py tells what becomes of such a board
    place = bare(tmp_path / "one", 512)
    kept = provisioned(place, tmp_path)
    with start(place) as locker:
        locker.client.keys(code_of(3))  # it runs from where its code lies
        locker.client.wait_for_door(3, "open")
        locker.client.push(3)
        locker.client.wait_for_screen("Merci")
        assert run(locker, capsys)["sent"] == 0  # nothing to do, and it goes on

        image = newer(tmp_path)
        with open_port(locker.console) as port:
            plan = flash.flash_port(port, flash.compiled, lambda _board: image, dry_run=True)
        assert plan["partition"] == 512 * 1024 and plan["sent"] == 1 and not plan["switched"]
        monkeypatch.setattr("tools.flash_rom.SILENCE_S", 3.0)
        again = pytest.raises(Failed, match=r"fell silent|did not take")
        with again as failed, Cut(locker, 80_000) as port:  # of 205,000 for the image, when all of it is erased
            flash.flash_port(port, flash.compiled, lambda _board: image)
        assert "give `consigne flash` again; keys and journal are as they were" in failed.value.remedy
        with open_port(locker.console) as port, Repl(port) as repl:
            assert BoardFiles(repl).read("/main.py") == flash_rom.HOLD, "what is half there runs"
        assert not (place / "romfs.img").read_bytes().startswith(image.read_bytes())

        monkeypatch.setattr("tools.flash_rom.SILENCE_S", 60.0)
        with open_port(locker.console) as port:
            done = flash.flash_port(port, flash.compiled, lambda _board: image)
        assert done["switched"] and done["started"]
        locker.client.wait_for_screen("Bienvenue", BACK_S)
    assert (place / "romfs.img").read_bytes().startswith(image.read_bytes())
    files = read_files(place / "flash.img")
    assert files["/key"] == KEY and files["/config.json"] == kept["/config.json"]
    assert any(name.startswith("/journal/") for name in files)
    assert files["/main.py"] == flash.starters()["/main.py"]


def test_a_partition_or_a_heap_that_is_too_small_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    if micropython.find().version < ROMFS_SINCE:
        return
    place = bare(tmp_path / "one", 128)
    with start(place) as locker:
        for said in ("its ROMFS has 128 kB", "are wanted"):
            assert consigne.main(["flash", "--port", locker.console]) == REFUSED
            assert said in capsys.readouterr().err
            monkeypatch.setattr("tools.flash.HEAP_IN_PLACE_MIN", flash.HEAP_MIN)
    assert not read_files(place / "flash.img")
    assert not (place / "romfs.img").read_bytes().strip(b"\xff")

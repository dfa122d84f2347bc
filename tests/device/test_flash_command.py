"""`consigne flash` on a board without a ROM: a real MicroPython that gets our code over its serial port."""

import json
from pathlib import Path
from typing import Any

import pytest
from locker_on_table import KEY, code_of, deposits

from tools import consigne, flash
from tools.client import OK
from tools.console.ports import open_port
from tools.locker.cabinets import mairie
from tools.locker.client import VirtualLocker, start
from tools.locker.flash import read_files, write_files
from tools.locker.provision import Bundle, blank, config, flash_files
from tools.serial_repl import Repl

NOBODY = ("127.0.0.1", 1)


def bare(folder: Path) -> Path:
    """A cabinet whose board has MicroPython and nothing else."""
    blank(folder, mairie("test-1") | {"rom": False}, NOBODY)
    return folder


def run(locker: VirtualLocker, capsys: pytest.CaptureFixture[str], *words: str, code: int = OK) -> dict[str, Any]:
    assert consigne.main(["flash", "--port", locker.console, "--json", *words]) == code
    return json.loads(capsys.readouterr().out)


def test_code_comes_to_a_board_over_its_port_also_when_the_cable_comes_off_and_keys_and_journal_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    place = bare(tmp_path / "one")
    with start(place) as locker:
        plan = run(locker, capsys, "--dry-run")
        assert plan["sent"] == plan["files"] and not plan["switched"]
        half = plan["files"] // 2
        with open_port(locker.console) as port, Repl(port) as repl:
            board = flash.board_of(repl)
            code = flash.compiled(board)
            files = flash.BoardFiles(repl)
            first = {f"/code/{flash.version_of(code)}/{name}": code[name] for name in list(code)[:half]}
            files.write_missing(first)  # … and here the cable comes off
        done = run(locker, capsys)
        assert done["switched"] and not done["configured"]
        assert done["sent"] == plan["files"] - half + 2  # boot.py and main.py beside them
    hardware = mairie("test-1")
    bundle = Bundle("test-1", 1, KEY, NOBODY)
    listen = json.loads((place / "cable.json").read_text())["listen"]
    numbers = [box["number"] for module in hardware["modules"] for box in module["compartments"]]
    kept = flash_files(config(hardware, bundle, ("127.0.0.1", listen), None), bundle)
    write_files(place / "flash.img", kept | deposits(tmp_path, numbers, [3]))
    with start(place) as locker:
        locker.client.keys(code_of(3))  # it runs what was flashed
        locker.client.wait_for_door(3, "open")
        locker.client.push(3)
        locker.client.wait_for_screen("Merci")
        assert run(locker, capsys)["sent"] == 0  # nothing to do, and it goes on
        monkeypatch.setattr("tools.flash.BOOT_WAIT_S", 3.0)
        with open_port(locker.console) as port:
            broken = {"device/shell.mpy": b"no code"}
            done = flash.flash_port(port, lambda board: flash.compiled(board) | broken, flash.packed)
        assert (done["sent"], done["copied"], done["started"]) == (1, plan["files"] - 1, False)
        locker.client.wait_for_screen("Bienvenue")  # the former version runs again
    files = read_files(place / "flash.img")
    assert files["/key"] == KEY and files["/config.json"] == kept["/config.json"]
    assert any(name.startswith("/journal/") for name in files)

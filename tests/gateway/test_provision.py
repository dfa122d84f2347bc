"""`consigne provision` on a blank board: real MicroPython on a serial port, a real gateway, broker and TLS."""

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import WAIT_S

from device.agent.config import FIRMWARE
from tools import consigne
from tools.client import OK, REFUSED, USAGE
from tools.demo.stack import Stack
from tools.locker.cabinets import mairie
from tools.locker.client import CabinetError, VirtualLocker, start
from tools.locker.flash import read_files
from tools.locker.provision import blank

LOCKER = "mairie-1"


def small() -> dict[str, Any]:
    """Three doors are enough to be tried."""
    bank = mairie(LOCKER)
    bank["modules"] = [{**bank["modules"][0], "compartments": bank["modules"][0]["compartments"][:3]}]
    return bank


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    flags = ("--broker-tls", "127.0.0.1:0", "--broker-names", "localhost")
    with Stack(tmp_path_factory.mktemp("stack"), flags=flags) as running:
        yield running


@pytest.fixture
def here(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNE_URL", stack.url)
    monkeypatch.setenv("CONSIGNE_KEY_FILE", str(stack.operator_key_file))


class Pusher:
    """Whoever stands at the locker and pushes shut what opens."""

    def __init__(self, locker: VirtualLocker) -> None:
        self._locker = locker
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._push, daemon=True)

    def _push(self) -> None:
        while not self._over.wait(0.1):
            for box in self._locker.client.state()["compartments"]:
                if box["door"] == "open" and not box["coil"]:
                    with contextlib.suppress(CabinetError):  # its coil came on again: the next time round
                        self._locker.client.push(box["number"])

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(WAIT_S)


def secure_port(stack: Stack) -> int:
    return int(str(stack.gateway.ready["broker_tls"]).rpartition(":")[2])


@pytest.mark.usefixtures("here")
def test_a_blank_board_becomes_a_locker_in_one_sitting_and_only_on_purpose_another_one(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bank = tmp_path / "bank.json"
    bank.write_text(json.dumps(small()))
    place, drawn = tmp_path / "locker", tmp_path / "label.svg"
    blank(place, small(), ("127.0.0.1", secure_port(stack)))
    dialled = f"127.0.0.1:{json.loads((place / 'cable.json').read_text())['listen']}"
    wifi = tmp_path / "wifi"
    wifi.write_text("secret of the Wi-Fi\n")
    words = ["provision", str(bank), "--broker", dialled, "--wifi", "Town", "--wifi-password-file", str(wifi)]
    with start(place) as locker:
        locker.client.jam(2)
        with Pusher(locker):
            assert consigne.main([*words, "--port", locker.console, "--label", str(drawn)]) == REFUSED
        said = capsys.readouterr().out
        assert "door 1: opened and shut" in said and "door 3: opened and shut" in said
        assert "door 2: did not open: jammed" in said
        assert "online" in said and "Wi-Fi" not in said
        assert stack.api.get(f"/v1/lockers/{LOCKER}")["generation"] == 1
        stack.wait_for("online", lambda: stack.api.get(f"/v1/lockers/{LOCKER}")["online"])
        assert LOCKER in drawn.read_text() and "<path" in drawn.read_text()
        assert consigne.main(["fleet", "--json"]) == OK
        assert json.loads(capsys.readouterr().out)["versions"] == {FIRMWARE: 1}

        assert consigne.main([*words, "--port", locker.console]) == USAGE  # nobody is there to be asked
        assert "fetch what lies inside first" in capsys.readouterr().err
        stack.wait_for("online", lambda: stack.api.get(f"/v1/lockers/{LOCKER}")["online"])  # it went on as it was
        assert stack.api.get(f"/v1/lockers/{LOCKER}")["generation"] == 1

        assert consigne.main([*words, "--port", locker.console, "--yes", "--no-doors"]) == OK
    files = read_files(place / "flash.img")
    document = json.loads(files["/config.json"])
    assert document["generation"] == 2 and document["broker"]["tls"] == {"server_name": "localhost"}
    assert document["network"] == {"ssid": "Town", "password": "secret of the Wi-Fi"}
    assert len([name for name in files if name.startswith("/tls/")]) == 1


@pytest.mark.usefixtures("here")
def test_what_is_no_cabinet_or_no_board_is_refused_before_anything_is_made(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tools.serial_repl.BREAK_TRIES", 2)
    bank = tmp_path / "bank.json"
    for text, said in (
        ("[]", "describes no cabinet"),
        ('{"modules": [], "locker": "x"}', "'name' is missing"),
        (json.dumps(small() | {"buzzer": small()["keypad"]["rows"][0]}), "used twice"),
    ):
        bank.write_text(text)
        assert consigne.main(["provision", str(bank), "--port", "/dev/null"]) == USAGE
        assert said in capsys.readouterr().err
    bank.write_text(json.dumps(small() | {"locker": "nobody-1"}))
    master, slave = os.openpty()  # a cable without a board
    try:
        assert consigne.main(["provision", str(bank), "--port", os.ttyname(slave)]) == 3
    finally:
        os.close(master)
        os.close(slave)
    assert "no MicroPython answers" in capsys.readouterr().err
    assert all(locker["id"] != "nobody-1" for locker in stack.api.pages("/v1/lockers"))

"""Ctrl-C at the serial port of a running locker: one is its console's, four in a row end its program."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from locker_on_table import code_of, town_locker
from table_board import TableBoard

from device.shell import Shell
from tools.console import Session, open_port
from tools.locker.client import VirtualLocker, start
from tools.serial_repl import Repl

WATCHDOG_MS = 5_000
BACK_S = 90


@pytest.fixture(scope="module")
def locker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualLocker]:
    place = town_locker(tmp_path_factory.mktemp("break") / "one", held=[3], watchdog_ms=WATCHDOG_MS)
    with start(place) as running:
        yield running


def board(locker: VirtualLocker) -> int | None:
    return locker.client.state()["board_pid"]


def send(locker: VirtualLocker, *pieces: bytes) -> None:
    port = os.open(locker.console, os.O_RDWR | os.O_NOCTTY)
    for piece in pieces:
        os.write(port, piece)
        time.sleep(0.05)
    os.close(port)


def test_one_ctrl_c_gives_up_a_line_and_the_locker_goes_on(locker: VirtualLocker) -> None:
    before = board(locker)
    send(locker, b"\x03", b"status\x03\x03\x03x", b"\x03", b"\x15\r")  # never four in a row
    with open_port(locker.console) as port:
        assert Session(port).ask("status")["boot"]
    assert board(locker) == before


def test_four_ctrl_c_end_the_program_with_its_outputs_off_and_nobody_there_brings_it_back(
    locker: VirtualLocker,
) -> None:
    locker.client.keys(code_of(3))
    with open_port(locker.console) as port, Repl(port, restart=False) as repl:
        state = locker.client.state()
        assert not any(box["coil"] for box in state["compartments"]), state
        time.sleep(WATCHDOG_MS / 1000 + 1)  # the watchdog was given more time
        assert repl.ask("6 * 7") == "42"
    before = board(locker)
    locker.client.kill()  # as if its power went, with a program's end in between
    locker.client.wait_until(lambda state: state["board_pid"] not in (None, before), BACK_S)
    locker.client.wait_for_screen("code", BACK_S)
    before = board(locker)
    send(locker, b"\x03\x03", b"\x03\x03")
    locker.client.wait_until(lambda state: state["board_pid"] not in (None, before), BACK_S)  # the watchdog
    locker.client.wait_for_screen("code", BACK_S)


def test_what_breaks_in_finds_every_output_off_and_the_watchdog_just_fed(tmp_path: Path) -> None:
    table = TableBoard(tmp_path)

    def broken(_now_ms: int) -> None:
        raise KeyboardInterrupt

    table.locks.tick = broken  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        Shell(table, lambda _board: (_ for _ in ()).throw(OSError)).run()  # type: ignore[arg-type]
    assert table.parts.done[-3:] == [("coils", "off"), ("coils", "off"), ("fed", None)]

"""A board's raw REPL by mpremote, and what a board or a cable can do to it: each time two lines, and nothing else."""

import os
from collections.abc import Iterator

import pytest

from tools.client import Failed
from tools.console.ports import open_port
from tools.locker.cabinets import mairie
from tools.locker.client import VirtualLocker, start
from tools.locker.provision import blank
from tools.serial_repl import BoardError, Repl

BACK_S = 60
LONG = "".join(f"a{number} = {number}\n" for number in range(200))  # more than a board's buffer holds


@pytest.fixture(scope="module")
def locker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualLocker]:
    place = tmp_path_factory.mktemp("repl") / "one"
    blank(place, mairie("test-1") | {"rom": False}, ("127.0.0.1", 1))
    with start(place) as running:
        yield running


def board(locker: VirtualLocker) -> int | None:
    return locker.client.state()["board_pid"]


@pytest.mark.parametrize("paste", [True, False])
def test_a_program_longer_than_a_boards_buffer_arrives_whole_whether_or_not_the_board_can_say_stop(
    locker: VirtualLocker, capsys: pytest.CaptureFixture[str], paste: bool
):
    before = board(locker)
    with open_port(locker.console) as port, Repl(port) as repl:
        repl._transport.use_raw_paste = paste
        assert repl.run(LONG + "print(a0 + a199, '€')").strip() == "199 €"
        assert repl._transport.use_raw_paste == paste
        with pytest.raises(BoardError, match="the board says: ZeroDivisionError"):
            repl.run("1 / 0")
        with pytest.raises(BoardError, match="SyntaxError"):
            repl.run(LONG + "no python")
        assert repl.ask("a199") == "199"
    locker.client.wait_until(lambda state: state["board_pid"] not in (None, before), BACK_S)  # it was restarted
    assert capsys.readouterr().out == "", "mpremote prints what it cannot read"


@pytest.mark.parametrize(
    ("program", "wait_s"),
    [
        # The pause: this board takes one Ctrl-C in 0.2 s (BREAK_AGAIN_S).
        ("import time\ntime.sleep(0.5)\nwhile True:\n    print('x' * 200)", 60.0),
        ("while True:\n    pass", 2.0),
        ("import machine\nmachine.reset()", 2.0),
    ],
    ids=["it prints for ever", "it is silent", "its power goes"],
)
def test_a_board_that_does_not_come_to_an_end_is_given_up_and_restarted(
    locker: VirtualLocker,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    wait_s: float,
):
    monkeypatch.setattr("tools.serial_repl.ANSWER_SIZE_MAX", 16 * 1024)
    before = board(locker)
    given_up = pytest.raises(Failed, match=r"fell silent|did not take")
    with given_up as failed, open_port(locker.console) as port, Repl(port) as repl:
        repl.run(program, wait_s)
    assert failed.value.remedy
    locker.client.wait_until(lambda state: state["board_pid"] not in (None, before), BACK_S)
    assert capsys.readouterr().out == ""


def test_a_port_that_goes_in_the_middle_says_so():
    far, near = os.openpty()
    with open_port(os.ttyname(near)) as port:
        os.close(near)
        os.close(far)
        with pytest.raises(Failed, match="the port is gone"), Repl(port):
            raise AssertionError

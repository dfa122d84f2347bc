"""The shell's side of the contract of effects: their order, what a failed Save stops, and how it gets going again."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from table_board import TableBoard

from device.agent import effects as do
from device.agent import events as on
from device.agent.console import load
from device.drivers.flash import TrustFolder, read_trust
from device.shell import FAILURES_MAX, IDLE_MS, ROTATE_AGAIN_MS, SORRY_MS, Shell
from protocol.ed25519 import TABLE_SIZE


class Script:
    """An agent whose answers a test wrote: event type -> effects."""

    def __init__(self, answers: dict[type, list[Any]], start: list[Any] | None = None) -> None:
        self.answers = answers
        self.first = start or []
        self.heard: list[Any] = []
        self.causes: list[str] = []
        self.deadline = 1 << 40
        self.heap_free = self.first_seq = -1

    def start(self, _now: int, cause: str) -> list[Any]:
        self.causes.append(cause)
        return self.first

    def step(self, _now: int, event: Any) -> list[Any]:
        self.heard.append(event)
        return self.answers.get(type(event), [])

    def deadline_ms(self, _now: int) -> int:
        return self.deadline

    def snapshot(self) -> bytes:
        return b"snapshot"


def make(script: Script) -> Callable[[Any], Script]:
    """As the shell makes an agent: the journal is read and begun, then the script goes on."""

    def made(board: TableBoard) -> Script:
        board.journal.load()
        if board.journal.due:
            board.journal.rotate(b"snapshot")
        return script

    return made


@pytest.fixture
def board(tmp_path: Path) -> TableBoard:
    return TableBoard(tmp_path)


def begun(board: TableBoard, script: Script) -> Shell:
    shell = Shell(board, make(script))  # type: ignore[arg-type]
    shell.begin(0, "power")
    return shell


def press(board: TableBoard, shell: Shell, key: str = "1") -> None:
    board.parts.arriving = [on.KeyPressed(key)]
    shell.lap()


def test_a_new_agent_has_the_room_that_a_technicians_session_took(board: TableBoard):
    loaded: list[list[str]] = []

    def made(_board: Any) -> Script:
        loaded.append([name for name in sys.modules if name.startswith("device.desk.")])
        return Script({})

    shell = Shell(board, made)  # type: ignore[arg-type]
    load("look")
    shell.begin(0, "anew")
    assert loaded == [[]], "the desk may have been what filled the heap"


def test_an_agent_hears_of_its_journals_room_before_of_whoever_stands_there(board: TableBoard):
    script = Script({})
    press(board, begun(board, script))
    assert script.heard == [on.JournalMeasured(board.journal.free), on.KeyPressed("1")]


def test_every_effect_is_done_in_its_order(board: TableBoard):
    orders = [
        do.Save(1, b"authorised"),
        do.Pulse(3, 300),
        do.Show("opening", ("3",)),
        do.Beep("ok"),
        do.Dial(0, False),
        do.Send(b"bytes"),
        do.HangUp(),
        do.Write(b"text"),
        do.Forget(1),
        do.Restart("test"),
    ]
    shell = begun(board, Script({on.KeyPressed: orders}))
    board.parts.done.clear()
    press(board, shell)
    assert board.did("pulse", "show", "beep", "dial", "send", "hang_up", "write") == [
        ("pulse", (3, 300)),
        ("show", ("opening", ("3",))),
        ("beep", "ok"),
        ("dial", None),
        ("send", b"bytes"),
        ("hang_up", None),
        ("write", b"text"),
    ]
    assert board.journal.last_seq == board.journal.acked == 1
    assert board.restarts == 1


def test_a_record_is_on_flash_before_the_pulse_that_needs_it(board: TableBoard):
    on_flash: list[list[bytes]] = []
    shell = begun(board, Script({on.KeyPressed: [do.Save(1, b"authorised"), do.Pulse(3, 300)]}))
    pulse = board.parts.pulse

    def pulse_and_look(now_ms: int, compartment: int, ms: int) -> None:
        on_flash.append(board.journal.read(1, 8))
        pulse(now_ms, compartment, ms)

    board.locks.pulse = pulse_and_look  # type: ignore[method-assign]
    press(board, shell)
    assert on_flash == [[b"authorised"]]


def test_nothing_after_a_failed_save_is_done_and_the_agent_is_made_anew(board: TableBoard):
    script = Script({on.KeyPressed: [do.Show("a", ()), do.Save(7, b"a gap"), do.Pulse(3, 300)]})
    shell = begun(board, script)
    press(board, shell)
    assert board.did("show") == [("show", ("a", ())), ("show", ("again", ()))]
    assert board.did("pulse") == []
    assert script.causes == ["power", "anew"]
    assert len(board.errors) == 1
    assert shell.agent is script


def test_a_signing_key_is_believed_when_it_is_on_flash_and_not_before(board: TableBoard, tmp_path: Path):
    kid, table = b"kid1", bytes(range(256)) * 12 + bytes(32)
    orders = [do.KeepTrust(kid, table), do.Show("kept", ()), do.DropTrust(kid), do.DropTrust(kid)]
    script = Script({on.KeyPressed: orders[:2], on.Scanned: orders[2:]})
    shell = begun(board, script)
    (tmp_path / "trust").write_bytes(b"")  # where the folder should be: the flash refuses
    board.parts.arriving = [on.KeyPressed("1")]
    shell.lap()
    assert len(board.errors) == 1 and board.trusted == {} and ("show", ("kept", ())) not in board.parts.done
    (tmp_path / "trust").unlink()
    board.parts.arriving = [on.KeyPressed("1")]
    shell.lap()
    assert board.trusted == read_trust(str(tmp_path)) == {kid: table}
    board.parts.arriving = [on.Scanned(b"x")]
    shell.lap()
    assert board.trusted == read_trust(str(tmp_path)) == {} and len(board.errors) == 1


def test_a_table_that_rotted_or_was_half_written_is_no_key(tmp_path: Path):
    trusted: dict[bytes, bytes] = {}
    folder = TrustFolder(trusted, str(tmp_path))
    tables = {bytes([kid]) * 4: bytes([kid]) * TABLE_SIZE for kid in (1, 2, 3)}
    for kid, table in tables.items():
        folder.keep(kid, table)
    assert read_trust(str(tmp_path)) == trusted == tables
    rotten = tmp_path / "trust" / "01010101"
    rotten.write_bytes(b"\x00" + rotten.read_bytes()[1:])
    short = tmp_path / "trust" / "02020202"
    short.write_bytes(short.read_bytes()[:-40])
    (tmp_path / "trust" / "03030303").rename(tmp_path / "trust" / "03030303.new")  # the power went before the rename
    assert read_trust(str(tmp_path)) == {}
    assert read_trust(str(tmp_path / "nowhere")) == {}


def test_the_apology_makes_way_for_the_welcome_or_for_whatever_is_shown_next(board: TableBoard):
    script = Script({on.KeyPressed: [do.Save(7, b"a gap")], on.Scanned: [do.Show("badge_first", ())]})
    shell = begun(board, script)
    press(board, shell)
    board.clock.ms += SORRY_MS
    shell.lap()
    assert board.did("show")[-1] == ("show", ("welcome", ()))
    press(board, shell)
    board.parts.arriving = [on.Scanned(b"label")]
    shell.lap()
    board.clock.ms += SORRY_MS
    shell.lap()
    assert board.did("show")[-1] == ("show", ("badge_first", ()))


def test_a_flash_that_cannot_be_written_stops_the_pulse(board: TableBoard, tmp_path: Path):
    script = Script({on.KeyPressed: [do.Save(1, b"authorised"), do.Pulse(3, 300)]})
    shell = begun(board, script)
    for segment in tmp_path.iterdir():
        segment.unlink()
    tmp_path.rmdir()  # the world at its worst: the folder is gone
    press(board, shell)
    assert board.did("pulse") == []
    assert all(isinstance(error, OSError) for error in board.errors)
    assert shell.agent is None, "it could not be made anew either"
    assert board.did("show")[-1][1][0] == "fault"


def test_three_failures_in_a_row_end_in_safe_idle_mode(board: TableBoard):
    shell = begun(board, Script({on.KeyPressed: [do.Save(9, b"a gap"), do.Pulse(1, 300)]}))
    for _ in range(FAILURES_MAX):
        assert shell.agent is not None
        press(board, shell)
    assert shell.agent is None
    press(board, shell)
    assert board.did("pulse") == []
    assert board.did("show")[-1] == ("show", ("fault", ("restart",)))
    assert board.parts.done[-1] == ("fed", None), "the watchdog is fed in idle mode too"


def test_what_a_former_agent_ordered_of_the_locks_is_dropped_before_a_new_one_begins(board: TableBoard):
    pulse, drop, begins = ("pulse", (3, 300)), ("coils", "drop"), ("show", ("begins", ()))
    orders = [do.Pulse(3, 300), do.Save(9, b"not the next number")]
    press(board, begun(board, Script({on.KeyPressed: orders}, [do.Show("begins", ())])))
    assert [one for one in board.parts.done if one in (pulse, drop, begins)] == [drop, begins, pulse, drop, begins]


def test_failures_far_apart_do_not_add_up(board: TableBoard):
    shell = begun(board, Script({on.KeyPressed: [do.Save(9, b"a gap")]}))
    for _ in range(3 * FAILURES_MAX):
        board.clock.ms += 61_000
        press(board, shell)
    assert shell.agent is not None


def test_a_broken_invariant_of_ours_is_a_clean_restart_of_the_agent(board: TableBoard):
    class Broken(Script):
        def step(self, now: int, event: Any) -> list[Any]:
            assert not isinstance(event, on.KeyPressed), "our own mistake"
            return super().step(now, event)

    script = Broken({})
    shell = begun(board, script)
    press(board, shell)
    assert script.causes == ["power", "anew"]
    assert isinstance(board.errors[0], AssertionError)


def test_the_idle_console_answers_and_restarts_on_request(board: TableBoard):
    shell = begun(board, Script({}, start=[do.Save(5, b"a gap")]))
    assert shell.agent is None
    board.parts.arriving = [on.Typed(b"status\r")]
    shell.lap()
    assert board.did("write")[-1][1].startswith(b"ERR fault")
    assert board.restarts == 0
    board.parts.arriving = [on.Typed(b"reb"), on.Typed(b"oot\r")]
    shell.lap()
    assert board.restarts == 1


def test_idle_mode_ends_in_a_restart_after_a_while(board: TableBoard):
    shell = begun(board, Script({}, start=[do.Save(5, b"a gap")]))
    board.clock.ms = IDLE_MS - 1
    shell.lap()
    assert board.restarts == 0
    board.clock.ms = IDLE_MS
    shell.lap()
    assert board.restarts == 1


def test_a_new_agent_hears_of_room_in_the_journal_and_of_every_door_again(board: TableBoard):
    script = Script({})
    shell = begun(board, script)
    shell.lap()
    shell.lap()
    assert ("doors", "forget") in board.parts.done
    assert [type(event) for event in script.heard] == [on.Ticked, on.JournalMeasured] or [
        type(event) for event in script.heard
    ] == [on.JournalMeasured]
    assert script.first_seq == 1 and script.heap_free >= 0


def test_the_journal_s_answer_comes_with_the_next_lap(board: TableBoard):
    script = Script({on.KeyPressed: [do.Save(1, b"one"), do.Save(2, b"two"), do.ReadJournal(1, 8)]})
    shell = begun(board, script)
    press(board, shell)
    assert not any(isinstance(event, on.JournalRead) for event in script.heard)
    shell.lap()
    assert on.JournalRead(1, [b"one", b"two"]) in script.heard


def test_a_tick_comes_at_the_deadline_and_not_before(board: TableBoard):
    script = Script({})
    script.deadline = 500
    shell = begun(board, script)
    for ms in (0, 100, 499):
        board.clock.ms = ms
        shell.lap()
    assert on.Ticked() not in script.heard
    board.clock.ms = 500
    shell.lap()
    assert on.Ticked() in script.heard


class Saver(Script):
    """Each key is a record. `full`: there is no room for a snapshot."""

    seq = 0
    full = False

    def step(self, _now: int, event: Any) -> list[Any]:
        if not isinstance(event, on.KeyPressed):
            return []
        self.seq += 1
        return [do.Save(self.seq, b"record")]

    def snapshot(self) -> bytes:
        if self.full:
            raise MemoryError
        return super().snapshot()


def test_a_segment_is_begun_between_laps_and_never_while_a_coil_is_on(board: TableBoard):
    shell = begun(board, Saver({}))
    board.parts.busy = True
    for _ in range(200):
        press(board, shell)
    assert board.journal.due
    board.parts.busy = False
    shell.lap()
    assert not board.journal.due
    assert board.journal.read(1, 500) == [b"record"] * 200
    assert board.errors == []


def test_a_snapshot_without_room_waits_a_minute_and_what_happens_meanwhile_is_saved(board: TableBoard):
    saver = Saver({})
    saver.full = True
    shell = begun(board, saver)
    for _ in range(200):
        press(board, shell)
    assert board.journal.due and board.errors == []
    saver.full = False
    board.clock.ms += ROTATE_AGAIN_MS
    shell.lap()
    assert not board.journal.due
    assert board.journal.read(1, 500) == [b"record"] * 200


def test_a_heap_that_has_no_run_for_the_books_any_more_is_made_one_by_a_restart_but_not_right_after_one(
    board: TableBoard,
):
    agents = [Script({on.KeyPressed: [do.Save(9, b"a gap")]})]

    def made(table: Any) -> Script:
        if not agents:
            raise MemoryError
        return make(agents.pop())(table)

    shell = Shell(board, made)  # type: ignore[arg-type]
    shell.begin(0, "power")
    press(board, shell)
    assert (shell.agent, board.restarts) == (None, 1)
    Shell(board, made).begin(0, "power")  # type: ignore[arg-type]
    assert board.restarts == 1, "it would restart for ever"

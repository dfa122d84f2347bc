"""The doors as they are now: a table drawn anew in its place, or one line a change where nobody sits before it.

A view that runs is no technician who works: it must not keep a login alive that would have ended by itself.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType, TracebackType
from typing import Any, NoReturn, Protocol, Self, cast

from protocol.limits import CONSOLE_IDLE_MS
from tools.client import OK, Failed
from tools.console.reader import Kind
from tools.console.script import as_document
from tools.console.session import SILENT, Session

LOOK_EVERY_S = 1.0
ANSWER_WAIT_S = 5.0
CELL = 38  # characters a compartment takes, so that 40 columns hold one
_HEAD = "   N  DOOR            HOLDS"
_BEGIN = "\x1b[?1049h\x1b[?25l"  # another screen, no cursor; what stood there comes back in the end
_END = "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST, _BOLD, _PLAIN = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[1m", "\x1b[m"


@dataclass(frozen=True)
class Door:
    number: int
    state: str
    holds: str
    flags: tuple[str, ...]

    @property
    def is_ordinary(self) -> bool:
        return self.state == "closed" and not self.flags


def doors_of(answer: Mapping[str, Any]) -> list[Door]:
    """From the answer to `doors`: numbers by state, by what they hold, and by flag."""
    holds = {number: word for word, numbers in answer.get("holds", {}).items() for number in numbers}
    flags: dict[int, list[str]] = {}
    for word, numbers in answer.get("flags", {}).items():
        for number in numbers:
            flags.setdefault(number, []).append(word)
    states = {number: word for word, numbers in answer.get("doors", {}).items() for number in numbers}
    return [
        Door(number, states[number], holds.get(number, "?"), tuple(flags.get(number, ()))) for number in sorted(states)
    ]


# ------------------------------------------------------------------ drawing
def drawn(doors: list[Door], title: str, note: str, width: int, height: int) -> list[str]:
    """Lines that fit. Where not all doors fit, those that somebody should look at, and how many others there are."""
    columns = max(1, (width + 2) // (CELL + 2))
    room = max(1, height - 3)  # beside title, heading and note
    shown = doors
    if len(doors) > room * columns:
        shown = [door for door in doors if not door.is_ordinary][: (room - 1) * columns]
    tall = -(-len(shown) // columns)
    heads = [_HEAD.ljust(CELL)] * (-(-len(shown) // tall) if tall else 0)
    rows = [[_cell(door).ljust(CELL) for door in shown[row::tall]] for row in range(tall)]
    lines = [title, *("  ".join(cells).rstrip() for cells in (heads, *rows))]
    if len(shown) < len(doors):
        lines.append(f"and {len(doors) - len(shown)} more that do not fit")
    return [line[:width] for line in (*lines[: height - 1], note)]


def _cell(door: Door) -> str:
    mark = " " if door.is_ordinary else "!"
    return f"{mark}{door.number:>3}  {door.state:<14}  {door.holds} {','.join(door.flags)}".rstrip()[:CELL]


class View(Protocol):
    def show(self, doors: list[Door] | None, note: str) -> None:
        """`doors` None: the locker did not say."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Table:
    """On a terminal. It is left as it was, whatever ends the view."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._doors: list[Door] = []
        self._left = ExitStack()

    def show(self, doors: list[Door] | None, note: str) -> None:
        self._doors = self._doors if doors is None else doors
        width, height = shutil.get_terminal_size((40, 24))
        out = [_HOME]
        for place, line in enumerate(drawn(self._doors, self._title, note, width, height)):
            bold = "!" in line[:1] and not os.environ.get("NO_COLOR")
            out += ["\r\n" if place else "", _BOLD if bold else "", line, _PLAIN if bold else "", _REST_OF_LINE]
        sys.stdout.write("".join([*out, _REST]))
        sys.stdout.flush()

    def __enter__(self) -> Self:
        self._left.enter_context(_silent_keyboard())
        sys.stdout.write(_BEGIN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.write(_END)
        sys.stdout.flush()
        self._left.close()


class Lines:
    """In a pipe: the doors as they are, then each change. Notes go to stderr."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._before: dict[int, Door] = {}
        self._note = ""

    def show(self, doors: list[Door] | None, note: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        if note != self._note:
            self._note = note
            print(f"{now} {note}" if note else f"{now} it answers", file=sys.stderr, flush=True)
        for door in doors or ():
            if self._before.get(door.number) != door:
                self._before[door.number] = door
                print(self._line(now, door), flush=True)

    def _line(self, now: str, door: Door) -> str:
        if self._as_json:
            document = {"at": now, "compartment": door.number, "door": door.state}
            return json.dumps({**document, "holds": door.holds, "flags": door.flags})
        return " ".join([now, str(door.number), door.state, door.holds, *door.flags])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


# ------------------------------------------------------------------ looking
def watch(session: Session, as_json: bool = False) -> int:
    """Until Ctrl-C. Raises Failed when the port is gone."""
    on_screen = sys.stdout.isatty() and not as_json and os.environ.get("TERM", "dumb") != "dumb"
    title = f"{session.locker or 'locker'}: doors. Ctrl-C ends."
    view: View = Table(title) if on_screen else Lines(as_json)
    patience, unasked, session.wait_s = session.wait_s, session.unasked, ANSWER_WAIT_S
    try:
        with _ended_like_ctrl_c(), view:
            _watch(session, view)
    except KeyboardInterrupt:
        pass
    finally:
        session.wait_s, session.unasked = patience, unasked
    return OK


def _watch(session: Session, view: View) -> NoReturn:
    notes: list[str] = []
    session.unasked = lambda heard: notes.append(_clock("restarted")) if heard.kind is Kind.BANNER else None
    began = time.monotonic()
    while True:
        looked = time.monotonic()
        doors, note = _look(session)
        if doors is not None and session.actor and looked - began > CONSOLE_IDLE_MS / 1000:
            session.order("logout")
            notes.append(_clock("logged out"))
        notes = notes[-1:]
        view.show(doors, note or " ".join(notes))
        time.sleep(max(0.0, LOOK_EVERY_S - (time.monotonic() - looked)))


def _look(session: Session) -> tuple[list[Door] | None, str]:
    try:
        said = session.order("doors")
    except Failed as failed:
        if failed.code != SILENT:
            raise
        return None, "no answer; it may be restarting"
    answer = as_document(said).get("answer")
    if not isinstance(answer, dict):
        return None, said
    return doors_of(cast(dict[str, Any], answer)), ""


def _clock(what: str) -> str:
    return f"{what} at {datetime.now().astimezone().strftime('%H:%M:%S')}"


@contextmanager
def _ended_like_ctrl_c() -> Generator[None]:
    """SIGTERM would leave the terminal on its other screen."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _silent_keyboard() -> Generator[None]:
    """What is typed at a view neither stands in it nor goes to the shell afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415 — not on every system

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    silent = termios.tcgetattr(keyboard)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(keyboard, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)

"""Orders and answers over a port: one line goes out, one line `OK …` or `ERR code …` comes back.

The locker may restart, say things unasked and be noisy meanwhile; only a port that is gone ends a session.
"""

import json
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import serial

from tools.client import REFUSED, UNREACHABLE, USAGE, Failed
from tools.console.dialogue import Dialogue
from tools.console.ports import BAUD
from tools.console.reader import LINE_SIZE_MAX, Heard, Kind, Reader

ANSWER_WAIT_S = 20.0
SLOW_WAIT_S = 90.0  # from one line to the next of those: somebody pushes a door shut
SLOW = ("selftest", "cal", "log")
BOOT_WAIT_S = 20.0  # from `reboot` to the next banner
PROMPT_WAIT_S = 0.2
TOLD_MAX = 200  # lines before an answer
READ_SIZE_MAX = 4096
BREAK = b"\x03"  # Ctrl-C
ERASE_LINE = b"\x15"  # Ctrl-U: what somebody left half typed is not part of our order
RESTARTED = "ERR restarted the locker restarted before it answered; see whether it was done"
GONE, SILENT = "gone", "silent"  # codes of our own: the port, the locker behind it
_SAFE_IDLE = "ERR fault "  # a locker in its safe idle mode echoes nothing
_TYPEABLE = re.compile(r"[ -~]*")


@dataclass
class Session:
    """`unasked` is given what comes between orders: a restart, a traceback, noise."""

    port: serial.Serial
    wait_s: float = ANSWER_WAIT_S
    size_max: int = LINE_SIZE_MAX
    log: Dialogue = field(default_factory=lambda: Dialogue(None))
    unasked: Callable[[Heard], None] = lambda _heard: None
    overheard: Callable[[str], None] | None = None  # takes each line for people itself: `told` holds some only
    told: list[str] = field(default_factory=list[str])  # what stood before the last answer, for people
    locker: str = ""  # as its prompt says; "" until one was seen
    actor: str = ""  # who is logged in, as its prompt says
    _reader: Reader = field(init=False)
    _came: deque[Heard] = field(default_factory=deque[Heard])
    _behind: bool = False  # an answer was not waited for and may still come
    _met: bool = False  # it has answered something
    _booting: bool = False  # it answered `reboot` and has not greeted yet

    def __post_init__(self) -> None:
        self._reader = Reader(self.size_max)

    # -------------------------------------------------------------- orders
    def order(self, line: str) -> str:
        """Send one line, return its one answer, `OK …` or `ERR code …`. Raises Failed."""
        if not _TYPEABLE.fullmatch(line):
            raise Failed("the console takes plain letters only", "no accents, no control characters", USAGE)
        self._catch_up()
        said = self._exchange(line)
        if said == RESTARTED and not self._met:
            said = self._exchange(line)  # some boards restart when their port is opened; a restart ends all logins
            self._behind = True  # or that greeting was of an earlier start: then both lines are answered
        self._met = True
        restarts = line.lower().split()[:1] == ["reboot"] or '"restart":true' in said
        self._booting = restarts and said.startswith("OK")
        return said

    def _exchange(self, line: str) -> str:
        self.told = []
        self.log.sent(line)
        self._write(ERASE_LINE + line.encode() + b"\r")
        behind, self._behind = self._behind, True
        try:
            said = self._answer(line, behind)
        except KeyboardInterrupt:
            self._write(BREAK)  # whatever it is doing there
            raise
        self._behind = False
        return said

    def ask(self, line: str) -> Any:
        """The document of an OK answer. Raises Failed on ERR."""
        said = self.order(line)
        word, _, rest = said.partition(" ")
        if word != "OK":
            code, _, text = rest.partition(" ")
            raise Failed(f"{code}: {text}" if text else code, "type `help` on the console", REFUSED, code)
        try:
            return json.loads(rest) if rest else {}
        except ValueError:
            raise Failed("the answer was damaged on its way", "check the cable, and ask again", REFUSED, "damaged")

    def _catch_up(self) -> None:
        """What came since the last answer; and a locker that restarts is waited for."""
        self.overhear()
        until = time.monotonic() + BOOT_WAIT_S
        while self._booting and time.monotonic() < until:
            self._pass_on(self._next())
        self._booting = False

    def _answer(self, line: str, behind: bool) -> str:
        wait_s = (
            max(self.wait_s, SLOW_WAIT_S) if line.lower().split()[:1] in [[name] for name in SLOW] else self.wait_s
        )
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            heard = self._next()
            if heard is None:
                continue
            if heard.kind is Kind.TOO_LONG:
                break
            if heard.text == line and heard.kind in (Kind.ECHO, Kind.OTHER):
                behind = False
            elif heard.kind is Kind.BANNER:
                self._pass_on(heard)
                return RESTARTED
            elif heard.kind is Kind.ANSWER and (not behind or heard.text.startswith(_SAFE_IDLE)):
                self._settle()
                return heard.text
            elif heard.kind is Kind.TOLD:
                until = time.monotonic() + wait_s  # it is at work
                if self.overheard is not None:
                    self.overheard(heard.text[2:])
                else:
                    self.told = [*self.told, heard.text][:TOLD_MAX]
            elif heard.kind is Kind.ANSWER:
                self.told = []  # of an order that nobody waits for any more
            else:
                self._pass_on(heard)
        raise _no_answer()

    def _settle(self) -> None:
        """The prompt comes in the same breath as the answer, and says who is logged in."""
        until = time.monotonic() + PROMPT_WAIT_S
        while time.monotonic() < until:
            heard = self._next()
            self._pass_on(heard)
            if heard is not None and heard.kind is Kind.PROMPT:
                return

    # -------------------------------------------------------------- between orders
    def overhear(self) -> None:
        """Hand what has come unasked to `unasked`, without waiting. Raises Failed when the port is gone."""
        if self._waiting_bytes():
            self._fill()
        while self._came:
            self._pass_on(self._came.popleft())

    def _pass_on(self, heard: Heard | None) -> None:
        if heard is None:
            return
        if heard.kind is Kind.PROMPT:
            self.locker, self.actor = heard.locker, heard.actor
        elif heard.kind is Kind.BANNER:
            self.locker, self.actor, self._booting = heard.locker, "", False
        if heard.kind not in (Kind.PROMPT, Kind.ECHO):
            self.unasked(heard)

    # -------------------------------------------------------------- bytes
    def _next(self) -> Heard | None:
        """None when a tenth of a second said nothing whole."""
        if not self._came:
            self._fill()
        return self._came.popleft() if self._came else None

    def _fill(self) -> None:
        try:
            data = self.port.read(max(1, min(self._waiting_bytes(), READ_SIZE_MAX)))
        except OSError:  # serial.SerialException is one
            raise gone()
        for heard in self._reader.feed(data):
            self.log.heard(heard)
            self._came.append(heard)

    def _waiting_bytes(self) -> int:
        try:
            return self.port.in_waiting
        except OSError:
            raise gone()

    def _write(self, line: bytes) -> None:
        try:
            self.port.write(line)
        except OSError:
            raise gone()


def gone() -> Failed:
    return Failed("the console is gone", "check the cable and the locker's power, then start again", UNREACHABLE, GONE)


def _no_answer() -> Failed:
    return Failed(
        "the locker does not answer",
        f"check the cable, and the speed ({BAUD} baud, 8N1); --raw shows whatever it says",
        UNREACHABLE,
        SILENT,
    )

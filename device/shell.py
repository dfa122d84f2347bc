"""The one loop: gather events, let the agent decide, do what it orders in that order, feed the watchdog, sleep.

What fails while doing it (a journal that cannot be written, a broken invariant of ours) makes the agent anew from
the journal: nothing after a failed Save is done. Three failures in a row lead to a safe idle mode: no coil, a
fault on the screen, the console alive.
"""

import gc
import os
from typing import TYPE_CHECKING

from device.agent import effects
from device.agent.books import Books
from device.agent.console import unload
from device.agent.core import Agent
from device.agent.events import JournalMeasured, JournalRead, Ticked, Typed

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from device.board import Board

LAP_MS = 10  # the keypad's sampling; nothing waits longer for its turn
FAILURES_MAX = 3
CALM_MS = 60_000  # without a failure for so long, the next one is the first again
IDLE_MS = 600_000  # then a restart is tried: a fault may have been the flash's or the memory's passing mood
ROTATE_AGAIN_MS = 60_000
TIDY_MS = 30_000
SORRY_MS = 8_000
_LINE_MAX = 16
_TICKED = Ticked()


def replayed(board: "Board") -> Agent:
    """An agent as the journal says it must be. Raises OSError, ProtocolError."""
    books = Books.replay(board.config.numbers, *board.journal.load())  # the old snapshot's 2 kB are free from here on
    gc.collect()
    boot = board.journal.count_boot(books.boot)
    if board.journal.due:
        board.watchdog.feed()  # reading and a new segment together may take it to its end
        try:
            snapshot = _snapshot(books)
            if snapshot is not None:
                board.journal.rotate(snapshot)
        except OSError as error:  # the old segment still serves; if it does not, the first Save says so
            board.report(error)
        snapshot = None
        gc.collect()
    agent = Agent(board.config, books, boot, os.urandom(32), board.journal.first_seq)
    agent.console.board = board
    agent.link.modules = board.modules
    board.console.paused = False
    return agent


class Shell:
    """`make(board)` gives a new agent; tests give their own."""

    def __init__(self, board: "Board", make: "Callable[[Board], Any]" = replayed) -> None:
        self._board = board
        self._make = make
        self._events: list[Any] = []  # for the next lap
        self._deadline = 0
        self._free = -1
        self._rotate_at = 0
        self._tidy_at = 0
        self._sorry_until = 0
        self._failed_at = 0
        self._line = b""
        self._idle_until = 0
        self.failures = 0
        self.agent: Any = None  # None: safe idle mode

    def run(self) -> None:
        """Never returns, but for four Ctrl-C on the console (KeyboardInterrupt) and what only a reset mends. Every
        output is off then, and whoever broke in has the watchdog's whole time to give it more."""
        try:
            self.begin(self._board.clock.now_ms(), self._board.cause)
            while True:
                self.lap()
                self._board.waiter.wait(self._rest_ms())
        finally:
            self._board.locks.off(self._board.clock.now_ms())
            self._board.buzzer.off()
            self._board.watchdog.feed()

    def begin(self, now: int, cause: str) -> None:
        """Make the agent from the journal, or end up idle."""
        self.agent = None
        self._board.locks.drop(now)  # a pulse that the former agent ordered would be nobody's to the new one
        self._board.transport.hang_up()
        self._board.doors.forget()
        self._events = []
        self._free = -1
        unload()  # nobody sits at the new agent's console, and it may have been the desk that filled the heap
        torn = False
        while self.agent is None and self.failures < FAILURES_MAX:
            try:
                agent = self._make(self._board)
                self._perform(now, agent.start(now, cause))
                self._deadline = agent.deadline_ms(now)
                self.agent = agent
                self._measure()  # its first event: it shall not take the journal for nearly full
            except Exception as error:  # the outermost loop: counted, and capped
                self._note(now, error)
                torn = cause == "anew" and isinstance(error, MemoryError)
        self._tidy_at = now
        if self.agent is None:
            if torn:  # what is free lies in pieces too small for the books: a reset makes one of them
                self._board.restart()
            self._idle_until = now + IDLE_MS
            self._board.display.show("fault", ("restart",))

    def lap(self) -> None:
        board = self._board
        now = board.clock.now_ms()
        board.locks.tick(now)
        try:
            self._serve(now)
        except Exception as error:
            self._note(now, error)
            self.begin(now, "anew")
            self._apologise(now)
        board.buzzer.tick(now)
        board.watchdog.feed()

    def _serve(self, now: int) -> None:
        events = self._events
        self._events = []
        for source in self._board.sources:
            source.gather(now, events)
        if self.agent is None:
            self._stay_idle(now, events)
            return
        for event in events:
            self._step(now, event)
        if now >= self._deadline:
            self._step(now, _TICKED)
        self._keep_journal(now)
        if now >= self._tidy_at:
            self._tidy(now)
        if self._sorry_until and now >= self._sorry_until:
            self._sorry_until = 0
            self._board.display.show("welcome", ())

    def _tidy(self, now: int) -> None:
        """Collect garbage while nobody waits, so that it is seldom due when someone does."""
        self._tidy_at = now + TIDY_MS
        gc.collect()
        self.agent.heap_free = _heap_free()

    def _step(self, now: int, event: "Any") -> None:
        self._perform(now, self.agent.step(now, event))
        self._deadline = self.agent.deadline_ms(now)

    def _perform(self, now: int, orders: "list[Any]") -> None:
        for order in orders:
            _PERFORM[type(order)](self, now, order)

    def _keep_journal(self, now: int) -> None:
        """Between the laps' effects, when the books and the journal agree, and no coil waits for the flash."""
        journal = self._board.journal
        if journal.due and now >= self._rotate_at and not self._board.locks.busy:
            gc.collect()  # a snapshot is the largest thing that is ever made at once
            snapshot = _snapshot(self.agent)
            try:
                if snapshot is None:  # a technician's order has its room for the moment
                    self._rotate_at = now + ROTATE_AGAIN_MS
                else:
                    journal.rotate(snapshot)
            except OSError:
                self._rotate_at = now + ROTATE_AGAIN_MS  # the old segment still serves
        self.agent.first_seq = journal.first_seq
        self._measure()

    def _measure(self) -> None:
        free = self._board.journal.free
        if free != self._free:
            self._free = free
            self._events.append(JournalMeasured(free))

    def _rest_ms(self) -> int:
        if self._events:
            return 0
        now = self._board.clock.now_ms()
        until = now + LAP_MS
        if self.agent is not None:
            until = min(until, self._deadline)
        cut_off = self._board.locks.deadline_ms()
        if cut_off is not None:
            until = min(until, cut_off)
        return max(0, until - now)

    # -------------------------------------------------------------- when something failed
    def _note(self, now: int, error: Exception) -> None:
        if now - self._failed_at > CALM_MS:
            self.failures = 0
        self.failures += 1
        self._failed_at = now
        self._board.report(error)
        gc.collect()

    def _apologise(self, now: int) -> None:
        """Whoever stood there sees that it was not their mistake, for a moment."""
        if self.agent is not None:
            self._board.display.show("again", ())
            self._sorry_until = now + SORRY_MS

    def _stay_idle(self, now: int, events: "list[Any]") -> None:
        """A console that knows one order, and a restart after a while."""
        for event in events:
            if isinstance(event, Typed):
                self._line = (self._line + event.data)[-_LINE_MAX:]
        if b"\r" in self._line or b"\n" in self._line:
            order = self._line.strip()
            self._line = b""
            if order.endswith(b"reboot"):
                self._board.restart()
            self._board.console.write(b"ERR fault the locker is out of order; type: reboot\r\n")
        if now >= self._idle_until:
            self._board.restart()

    # -------------------------------------------------------------- effects
    def _save(self, _now: int, order: effects.Save) -> None:
        self._board.journal.append(order.seq, order.record)

    def _pulse(self, now: int, order: effects.Pulse) -> None:
        self._board.locks.pulse(now, order.compartment, order.ms)

    def _show(self, _now: int, order: effects.Show) -> None:
        self._board.display.show(order.screen, order.arguments)
        self._sorry_until = 0

    def _beep(self, now: int, order: effects.Beep) -> None:
        self._board.buzzer.play(now, order.tune)

    def _dial(self, _now: int, order: effects.Dial) -> None:
        self._board.transport.dial(order.wall_s, order.known)

    def _hang_up(self, _now: int, _order: effects.HangUp) -> None:
        self._board.transport.hang_up()

    def _send(self, now: int, order: effects.Send) -> None:
        self._board.transport.send(now, order.data)

    def _read_journal(self, _now: int, order: effects.ReadJournal) -> None:
        self._events.append(JournalRead(order.first, self._board.journal.read(order.first, order.count)))

    def _forget(self, _now: int, order: effects.Forget) -> None:
        self._board.journal.forget(order.seq)

    def _keep_trust(self, _now: int, order: effects.KeepTrust) -> None:
        self._board.trust.keep(order.kid, order.table)

    def _drop_trust(self, _now: int, order: effects.DropTrust) -> None:
        self._board.trust.drop(order.kid)

    def _write(self, _now: int, order: effects.Write) -> None:
        self._board.console.write(order.data)

    def _restart(self, _now: int, _order: effects.Restart) -> None:
        self._board.restart()


_PERFORM: "dict[type, Callable[[Shell, int, Any], None]]" = {
    effects.Save: Shell._save,
    effects.Pulse: Shell._pulse,
    effects.Show: Shell._show,
    effects.Beep: Shell._beep,
    effects.Dial: Shell._dial,
    effects.HangUp: Shell._hang_up,
    effects.Send: Shell._send,
    effects.ReadJournal: Shell._read_journal,
    effects.Forget: Shell._forget,
    effects.KeepTrust: Shell._keep_trust,
    effects.DropTrust: Shell._drop_trust,
    effects.Write: Shell._write,
    effects.Restart: Shell._restart,
}


def _snapshot(of: "Any") -> "bytes | None":
    """None: there is no room for one, and nothing has begun. What runs out of it later has."""
    try:
        return of.snapshot()
    except MemoryError:
        return None


def _heap_free() -> int:
    measure: Any = getattr(gc, "mem_free", None)
    return measure() if measure is not None else 0
